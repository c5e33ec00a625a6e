"""Converts Textual's strips to rows of cells.

A row is two lists: the text of each cell, and its pen. A character of two columns has
"" in its second cell. Terminals disagree on the width of some text (joined emoji,
combining marks, shaped scripts). Such text stays one cluster, because it is unknown
which part is in which cell.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from tui.app import cell_widths
from tui.app.terminal.sgr import Pen, PenBook

cell_widths.use()

_STABLE = (
    "\\x20-\\x7e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u0556"
    "\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u209c\u20a0-\u20bf"
    "\u2100-\u2319\u231c-\u23e8\u23f4-\u23ff\u2400-\u25fc\u25ff\u2610-\u2612\u2713\u2717\u2800-\u28ff"
    "\u3001-\u3029\u3041-\u3096\u309b-\u30ff\u3131-\u3247\u3250-\u3296\u329a-\ua48c"
    "\uac00-\ud7a3\uf900-\ufa6d\uff01-\uff9d\uffa0-\uffdc\uffe0-\uffe6"
)
"""Characters that have the same width, one or two columns, in every terminal, and that
do not combine with others. U+3000 and symbols with an emoji form are excluded."""
_COMMON_ONLY = re.compile(
    "[\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2500-\u25fc]*"
)
"""Matches the part of these that the first frame, and Western text, consist of."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_STRIPS_KEPT = 512


@cache
def _stable_only() -> re.Pattern[str]:
    # Compiled at first use, because it is slow and the first frame does not need it.
    return re.compile(f"[{_STABLE}]*")


def _is_stable(text: str) -> bool:
    return bool(_COMMON_ONLY.fullmatch(text) or _stable_only().fullmatch(text))


@cache
def _parts() -> re.Pattern[str]:
    # A mark belongs to the letter before it, so a cluster begins with that letter.
    # Compiled at first use, because it is slow and seldom needed.
    return re.compile(f"[{_STABLE}]?[^{_STABLE}]+|[{_STABLE}]")


class Row(NamedTuple):
    """One line of cells. Rows are shared, so never modify one."""

    text: Sequence[str]
    """The text of each cell; "" in the further cells of a wide character."""
    pens: Sequence[Pen]
    fragile: bool
    """Whether the row has text on whose width terminals disagree."""


class CellMaker:
    """Converts strips to rows, and caches the rows of the latest strips."""

    def __init__(self, pens: PenBook) -> None:
        self.pens = pens
        # The key is the identity, because comparing strips by value is slow. The entry
        # holds the strip, so that no other strip can get the same identity meanwhile.
        self._rows: dict[int, tuple[Strip, Row]] = {}

    def row(self, strip: Strip) -> Row:
        """Return the cells of `strip`."""
        known = self._rows.get(id(strip))
        if known is not None:
            return known[1]
        if len(self._rows) >= _STRIPS_KEPT:
            self._rows.clear()
        row = self._make(strip)
        self._rows[id(strip)] = strip, row
        return row

    def _make(self, strip: Iterable[Segment]) -> Row:
        text: list[str] = []
        pens: list[Pen] = []
        fragile = False
        of, blank = self.pens.of, self.pens.blank
        for content, style, control in strip:
            if control or not content:
                continue
            pen = of(style)
            if content.isascii() and content.isprintable():
                text += content
                width = len(content)
            else:
                # A widget should not output control characters. They must never reach
                # the terminal.
                content = _CONTROLS.sub("", content)
                fragile |= _split(content, text)
                width = len(text) - len(pens)
            start = len(pens)
            pens += [pen] * width
            if " " in content:
                empty = blank(pen)
                if empty is not pen:
                    if content.isspace():
                        pens[start:] = [empty] * width
                    else:
                        for at in range(start, start + width):
                            if text[at] == " ":
                                pens[at] = empty
        return Row(text, pens, fragile)


def _split(content: str, cells: list[str]) -> bool:
    """Add the cells of `content`; return whether terminals disagree on their width."""
    if _is_stable(content):
        for character in content:
            cells.append(character)
            if character > "\u0fff" and cell_len(character) == 2:
                cells.append("")
        return False
    total = cell_len(content)
    begin = len(cells)
    for part in _parts().findall(content):
        if _is_stable(part):
            _split(part, cells)
        elif width := cell_len(part):
            cells += [part, *[""] * (width - 1)]
        elif len(cells) > begin:
            place = max(at for at in range(begin, len(cells)) if cells[at])
            cells[place] += part
    if len(cells) - begin != total and total > 0:
        # The width is not the sum of the parts, so keep the text as one cluster.
        cells[begin:] = [content, *[""] * (total - 1)]
    return True


def is_fragile(text: Sequence[str]) -> bool:
    """Return whether cells hold text on whose width terminals disagree."""
    return not _is_stable("".join(text))
