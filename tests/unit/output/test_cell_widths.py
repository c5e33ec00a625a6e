"""Words of any script stay whole, whether their marks take a column or none."""

import unicodedata

import pytest
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from support.emulators import Pyte, use_marks
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.app.markdown.lines import chop
from tui.app.terminal.cells import CellMaker
from tui.app.terminal.painter import Abilities, Painter
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.surface import Surface

WIDTH = 40
TEXTS = [
    "हिन्दी में नमस्ते",
    "বাংলা ভাষা",
    "தமிழ் மொழி",
    "ශ්‍රී ලංකාව",
    "ಕ್ನಡ ಭಾಷೆ",
    "മലയാളം",
    "မြန်မာဘာသာ",
    "ភាសាខ្មែរ",
    "ภาษาไทย",
]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("हिन्दी", 5),  # as glibc, VTE, xterm and tmux count
        ("में", 1),  # marks above and below take none
        ("বাংলা", 5),
        ("ශ්‍රී", 2),  # a joiner joins two letters, of which both are drawn
        ("क्‍ष", 2),
        ("👩‍👩‍👧", 2),
        ("❤️‍🔥", 2),
        ("é", 1),
    ],
)
def test_marks_that_take_a_column_are_counted(text: str, width: int) -> None:
    assert cell_len(text) == width
    assert cell_len(set_cell_size(text, 12)) == 12


@pytest.mark.parametrize("text", TEXTS)
def test_a_mark_stays_with_its_letter(text: str) -> None:
    for width in range(2, 12):
        rows = chop(text, width)

        assert "".join(rows) == text
        for row in rows:
            assert cell_len(row) <= width
            first = unicodedata.category(row[0])
            assert first[0] != "M" or width < 4


@pytest.mark.parametrize("columns", [1, 0])
@pytest.mark.parametrize("text", TEXTS)
def test_no_letter_is_lost(
    text: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a terminal gives a spacing mark a column, or none as kitty does."""
    use_marks(monkeypatch, spacing=columns)
    pens = PenBook(ColorSystem.TRUECOLOR)
    surface = Surface(WIDTH, 1, CellMaker(pens))
    painter = Painter(WIDTH, 1, pens, Abilities(True, True, True))
    terminal = Pyte(WIDTH, 1)

    for shown in ("x" * 30, text):
        strip = Strip([Segment(shown)]).adjust_cell_length(30)
        row = Strip([*strip, Segment("│side")]).adjust_cell_length(WIDTH)
        surface.take(LayoutUpdate([[row]], Region(0, 0, WIDTH, 1)))
        terminal.feed(painter.paint(surface.rows, (0, 0)))

    cells = [cell.text for cell in terminal.rows()[0]]
    assert "".join(cells[30:35]) == "│side"
    drawn = "".join(cells[:30]).replace("\u200d", "")
    wanted = text.replace("\u200d", "")
    assert drawn.split() == unicodedata.normalize("NFC", wanted).split()
