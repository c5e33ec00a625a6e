"""Counts a column for each mark of Indic and other scripts that takes one.

Rich counts none for spacing combining marks (Unicode category Mc), as kitty and Windows
Terminal draw them; glibc, VTE, xterm, tmux, Alacritty and Neovim count one each. Text
that is wider on the screen than we believe covers what is beside it and is cut off at
the edge, so the larger width is used. Where the terminal draws a word narrower, blanks
follow it: the painter sets the column again after each such word.

Rich also takes a joiner (U+200D) to swallow what follows, which holds for emoji. In
Sinhala, Kannada and other scripts the next letter is drawn.
"""

import re
import unicodedata
from functools import cache

from rich import cells
from rich.cells import CellTable

_JOINER, _NON_JOINER = "\u200d", "\u200c"


@cache
def _letter_joiner() -> re.Pattern[str]:  # compiled at first use
    return re.compile(
        f"{_JOINER}(?![\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])"
    )


def joins_nothing(text: str) -> str:
    """Replace joiners between letters by such as join nothing; the length stays."""
    return _letter_joiner().sub(_NON_JOINER, text) if _JOINER in text else text


def mark_width(character: str) -> int:
    """Return the columns of a character that Rich counts none for, 0 to 2."""
    if unicodedata.category(character) != "Mc":
        return 0
    return 2 if unicodedata.east_asian_width(character) == "W" else 1


def _with_marks(table: CellTable) -> CellTable:
    """Return a table of widths with the columns of spacing marks."""
    widths: list[tuple[int, int, int]] = []
    for start, end, width in table.widths:
        if width or start > 0x1FFFF:  # beyond are tags, of which no mark takes a column
            widths.append((start, end, width))
            continue
        begin, last = start, mark_width(chr(start))
        for code in range(start + 1, end + 1):
            if (size := mark_width(chr(code))) != last:
                widths.append((begin, code - 1, last))
                begin, last = code, size
        widths.append((begin, end, last))
    return table._replace(widths=widths)


_DONE = "_counts_marks"
_PARTS = ("load_cell_table", "_cell_len", "split_graphemes")
"""What Rich looks up each time that it measures text."""


def use() -> None:
    """Have Rich and Textual count these columns. Does nothing the second time.

    Nor does it with a version of Rich that measures in another way.
    """
    rich = vars(cells)
    if _DONE in rich or not rich.keys() >= {*_PARTS}:
        return
    load, measure, split = (rich[part] for part in _PARTS)

    @cache
    def load_with_marks(unicode_version: str = "auto") -> CellTable:
        return _with_marks(load(unicode_version))

    def cell_len(text: str, unicode_version: str) -> int:
        return measure(joins_nothing(text), unicode_version)

    def split_graphemes(
        text: str, unicode_version: str = "auto"
    ) -> tuple[list[cells.CellSpan], int]:
        return split(joins_nothing(text), unicode_version)

    parts = (load_with_marks, cell_len, split_graphemes)
    for name, part in zip(_PARTS, parts, strict=True):
        setattr(cells, name, part)
    setattr(cells, _DONE, True)
    cells.get_character_cell_size.cache_clear()
    cells.cached_cell_len.cache_clear()
