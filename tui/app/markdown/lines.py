"""Styled lines and spans, and wrapping text into them.

Styles are names, not colours: the widget that draws a line resolves them from the
theme, so a change of theme needs no new layout. A line keeps the white space that a
soft wrap removed, so that a selection can be copied without the wraps.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from rich import cells
from rich.cells import cell_len, chop_cells, set_cell_size

from tui.app import cell_widths

cell_widths.use()

Style = tuple[str, ...]
"""Names of looks, outermost first; later ones override earlier ones. () is plain."""

Span = tuple[str, Style]
"""A piece of text without line ends, and its style."""


class Line(NamedTuple):
    """One row. Its text is never wider than the width of its layout."""

    spans: tuple[Span, ...] = ()
    fill: Style = ()
    """The style of the rest of the row."""
    glue: str | None = None
    """The white space that a soft wrap removed before this row.

    None if a line of the text begins here.
    """
    lead: int = 0
    """Number of characters at the start that are decoration, which is not copied."""
    tail: int = 0
    """Number of characters at the end that are decoration."""

    @property
    def text(self) -> str:
        """The text of the row without styles."""
        return "".join(text for text, _ in self.spans)


BLANK = Line()

# Characters between which a line may break without a space. Closing marks stay with the
# text before them, opening ones with the text after them (the core of the Japanese and
# Chinese rules).
_OPENING = "（「『【〈《〔［｛〘〖"
_CLOSING = (
    "、。，．！？：；）」』】〉》〕］｝〙〗…‥"
    "ー々〜ぁぃぅぇぉっゃゅょァィゥェォッャュョ・"
)
_WIDE = (
    "\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf"
    "\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
    "\U00020000-\U0003fffd"
)
_MARKS = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
_plain_unit = re.compile(" +|[^ ]+")


@cache
def _unit() -> re.Pattern[str]:
    # Compiled on first use, as that is slow.
    return re.compile(
        f" +|[{_OPENING}]*"
        f"(?:[^ {_WIDE}{_CLOSING}]+|(?![{_OPENING}{_CLOSING}])[{_WIDE}])"
        f"[{_MARKS}]*[{_CLOSING}]*|[{_OPENING}{_CLOSING}]+"
    )


def spans_text(spans: Iterable[Span]) -> str:
    """Join the text of spans."""
    return "".join(text for text, _ in spans)


def spans_width(spans: Iterable[Span]) -> int:
    """Add up the cells of spans."""
    return sum(cell_len(text) for text, _ in spans)


def cut(spans: tuple[Span, ...], width: int) -> tuple[Span, ...]:
    """Return `spans` in at most `width` cells, with an ellipsis when cut."""
    if spans_width(spans) <= width:
        return spans
    kept: list[Span] = []
    room = width - 1
    for text, style in spans:
        size = cell_len(text)
        if size > room:
            if width > 0:
                kept.append((set_cell_size(text, max(room, 0)).rstrip() + "…", style))
            break
        kept.append((text, style))
        room -= size
    return tuple(kept)


def chop(text: str, width: int) -> list[str]:
    """Cut `text` into rows of at most `width` cells; a mark stays with its letter."""
    if text.isascii():
        return chop_cells(text, width)
    pieces: list[str] = []
    begin = end = used = 0  # the row, and where its last letter starts
    for start, _, size in cells.split_graphemes(text)[0]:
        letter = unicodedata.category(text[start])[0] != "M"
        end = start if letter else end
        used += size
        if used > width:
            end = end if end > begin else start  # more marks than fit into a row
            if end > begin:
                pieces.append(text[begin:end])
            begin, used = end, cell_len(text[end : start + 1])
    return [*pieces, text[begin:]] if text else []


def beside(left: tuple[Span, ...], right: tuple[Span, ...], width: int) -> Line:
    """Return a line with `right` at its end; `left` is cut to fit before it.

    The line is `width` cells wide, or wider if `right` is.
    """
    room = width - spans_width(right)
    left = cut(left, room - 1)
    gap = max(0, room - spans_width(left))
    return Line((*left, (" " * gap, ()), *right))


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join adjacent spans of one style and drop empty ones."""
    merged: list[Span] = []
    for text, style in spans:
        if not text:
            continue
        if merged and merged[-1][1] == style:
            merged[-1] = (merged[-1][0] + text, style)
        else:
            merged.append((text, style))
    return tuple(merged)


class Row(NamedTuple):
    """A row of wrapped text without anything to its left."""

    spans: tuple[Span, ...]
    glue: str | None


def _slice(spans: Sequence[Span], ends: Sequence[tuple[int, int]]) -> list[list[Span]]:
    """Cut spans into the ranges `ends`, which are in order and do not overlap."""
    pieces: list[list[Span]] = []
    index, offset = 0, 0  # the span we are in, and where it starts
    for start, end in ends:
        piece: list[Span] = []
        while index < len(spans) and offset < end:
            text, style = spans[index]
            stop = offset + len(text)
            if stop > start:
                part = text[max(0, start - offset) : end - offset]
                if part:
                    piece.append((part, style))
            if stop > end:
                break
            offset = stop
            index += 1
        pieces.append(piece)
    return pieces


def _ranges(text: str, width: int) -> Iterable[tuple[int, int, str]]:
    """Yield (start, end, white space after it) of each row."""
    units = _plain_unit if text.isascii() else _unit()
    start = end = used = 0
    for match in units.finditer(text):
        unit = match[0]
        if unit[0] == " ":
            used += len(unit)
            continue
        size = cell_len(unit)
        if used + size > width and end > start:
            yield start, end, text[end : match.start()]
            start, used = match.start(), 0
        if used + size <= width:
            used += size
            end = match.end()
            continue
        if used:  # white space as wide as the pane
            start, used = match.start(), 0
        *full, rest = chop(unit, max(width, 2)) or [unit]
        end = start
        for piece in full:
            yield start, start + len(piece), ""
            start = end = start + len(piece)
        end = match.end()
        used = cell_len(rest)
    yield start, len(text), ""


def wrap(spans: Sequence[Span], width: int) -> list[Row]:
    """Break spans at spaces and between wide characters; chop words that are too long.

    `width` is in cells; a line end in a span is a hard break. The last row keeps its
    trailing spaces, so that `Flow` can continue it.
    """
    width = max(width, 1)
    text = spans_text(spans)
    if len(text) <= width and text.isascii() and "\n" not in text:
        return [Row(tuple(span for span in spans if span[0]), None)]
    rows: list[Row] = []
    offset = 0
    ranges: list[tuple[int, int]] = []
    glues: list[str | None] = []
    for paragraph in text.split("\n"):
        glue: str | None = None
        for start, end, swallowed in _ranges(paragraph, width):
            ranges.append((offset + start, offset + end))
            glues.append(glue)
            glue = swallowed
        offset += len(paragraph) + 1
    for piece, glue in zip(_slice(spans, ranges), glues, strict=True):
        rows.append(Row(tuple(piece), glue))
    return rows


class Flow:
    """Wraps a text that grows at its end; the cost does not depend on its length."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[Row] = []
        """Rows that will not change any more."""
        self._open = Row((), None)

    def extend(self, spans: Sequence[Span]) -> None:
        """Add text; the text before it must end in a space or line end, or be empty."""
        rows = self.preview(spans)
        self.rows += rows[:-1]
        self._open = rows[-1]

    def preview(self, spans: Sequence[Span]) -> list[Row]:
        """Return the rows after `rows` as if `spans` had been added."""
        first, *others = wrap([*self._open.spans, *spans], self.width)
        return [first._replace(glue=self._open.glue), *others]


def trim(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Drop trailing spaces."""
    while spans and (text := spans[-1][0].rstrip(" ")) != spans[-1][0]:
        spans = (*spans[:-1], (text, spans[-1][1])) if text else spans[:-1]
    return spans


def to_lines(rows: Iterable[Row]) -> list[Line]:
    """Turn wrapped rows into lines."""
    return [Line(trim(row.spans), (), row.glue) for row in rows]


def indent(
    lines: Iterable[Line],
    first: tuple[Span, ...],
    rest: tuple[Span, ...],
    *,
    fill: Style = (),
    copied: bool = True,
) -> list[Line]:
    """Put `first` to the left of the first line and `rest` to that of the others.

    With `copied` False both are decoration everywhere; otherwise only on continuation
    rows and on lines that already have decoration.
    """
    first_length = len(spans_text(first))
    rest_length = len(spans_text(rest))
    result: list[Line] = []
    prefix, length = first, first_length
    for line in lines:
        lead = line.lead
        if lead or line.glue is not None or not copied:
            lead += length
        result.append(
            Line(prefix + line.spans, line.fill or fill, line.glue, lead),
        )
        prefix, length = rest, rest_length
    return result
