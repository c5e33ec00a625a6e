"""The signs of the app's own words and drawings are in practically every font.

PuTTY, xterm and the console of Windows show a box for a sign that their one font lacks.
So all are of WGL4, which the fonts of systems and terminals have; lines and blocks,
which most terminals draw themselves; and characters of the languages of the app.
"""

import ast
import unicodedata
from collections.abc import Iterator

import catalogue
import pytest
from rich.cells import cell_len
from support import ROOT

WGL4_SIGNS = set(
    "¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿×÷"
    "–—―‗‘’‚‛“”„†‡•…‰′″‹›‼‾⁄ⁿ₣₤₧€℅ℓ№™Ω℮⅛⅜⅝⅞"
    "←↑→↓↔↕↨∂∆∏∑−∕∙√∞∟∩∫≈≠≡≤≥⌂⌐⌠⌡"
    "■□▪▫▬▲►▼◄◊○●◘◙◦☺☻☼♀♂♠♣♥♦♪♫"
)
"""Those of WGL4 that are no letters; without what is in Box Drawing and Blocks."""
OF_THE_TEXT = (
    "tui/app/markdown/footnotes.py",  # superscripts, as the author has footnotes
    "tui/app/markdown/formula.py",
    "tui/app/markdown/latex.py",
    "tui/app/markdown/lenient.py",
    "tui/app/markdown/lines.py",
    "tui/app/markdown/symbols.py",
    "tui/app/cell_widths.py",
    "tui/app/terminal/cells.py",
    "tui/app/terminal/key_sequences.py",
    "tui/app/transcript/word_count.py",
    "tui/app/vi/signs.py",
    "tui/app/widgets/emoji.py",
    "tui/attachments/mentions.py",
    "tui/safe.py",
)
"""What reads or measures the text of people and models, or writes their formulas."""
SHOWN = ("app", "attachments", "cli", "conversation", "models/hub", "models/setup")
"""The packages whose literals are drawn."""


def lacking(text: str) -> set[str]:
    """Return the signs of a text that many a font lacks."""
    return {
        c
        for c in text
        if not (
            c in WGL4_SIGNS
            or ord(c) < 0xA0  # control characters are of patterns
            or 0x2500 <= ord(c) <= 0x259F
            or unicodedata.category(c) in ("Lu", "Ll", "Cf")
            or ord(c) & 0xFFFE == 0xFFFE  # no character: the end of a range
            or unicodedata.east_asian_width(c) in "WF"
        )
    }


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the lines and texts of a module, without docstrings."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield node.lineno, text
            case _:
                pass


def test_the_signs_that_the_app_draws_are_in_every_font() -> None:
    found = {
        f"{file}:{line}: {signs}"
        for package in SHOWN
        for path in sorted((ROOT / "tui" / package).rglob("*.py"))
        if (file := path.relative_to(ROOT).as_posix()) not in OF_THE_TEXT
        for line, text in literals(ast.parse(path.read_text("utf-8")))
        if (signs := lacking(text))
    }

    assert found == set()


@pytest.mark.parametrize("file", catalogue.CATALOGUES, ids=lambda f: f.parts[-3])
def test_the_signs_of_messages_are_in_every_font(file) -> None:
    entries = catalogue.read(file.read_text("utf-8"))[1:]
    texts = [text for entry in entries for text in (entry.id, *entry.texts)]

    assert {text: signs for text in texts if (signs := lacking(text))} == {}


def test_each_sign_takes_one_cell() -> None:
    assert {sign: cell_len(sign) for sign in WGL4_SIGNS if cell_len(sign) != 1} == {}


def test_a_sign_that_many_fonts_lack_is_found() -> None:
    tree = ast.parse('"""A docstring with ▰."""\nmark = f"⎘ {name} ≡ 中 ─ ╭"\n')

    assert [lacking(text) for _, text in literals(tree)] == [{"⎘"}, set()]
