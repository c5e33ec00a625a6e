"""Lays out the times and figures beside a message, which are never copied."""

from collections.abc import Sequence

from rich.cells import cell_len

from tui.app.markdown import Line, Span, Style
from tui.app.markdown.lines import cut, spans_text, spans_width
from tui.app.transcript.item import GUTTER
from tui.i18n import N_, _
from tui.safe import safe

_DROPPED = (2, 4, 3, 1)
"""The parts of a footer that a narrow pane leaves out, the first one first."""
_BETWEEN = " · "
_AWAY = (N_("went on while you were away"), N_("went on without you"))


def footer(
    marks: Sequence[Span], away: str, parts: Sequence[str], width: int
) -> list[Line]:
    """Return the lines below an answer in a pane of `width` columns.

    `marks` say why it is not whole; the last one shares its line with `parts` if there
    is room. `away` is when it has ended without anybody looking, or "".
    """
    room = width - GUTTER - 1
    rows: list[tuple[Span, ...]] = [(mark,) for mark in marks]
    if away:
        known = (f"» {text} ({_clean(away)})" for text in map(_, _AWAY))
        fits = next((text for text in known if cell_len(text) <= room), f"» {away}")
        rows.append(((fits, ("away",)),))
    if any(parts):
        left = room - spans_width(rows[-1]) - len(_BETWEEN) if marks and not away else 0
        beside = _fitting(parts, left) if left > 0 else ""
        whole = _BETWEEN.join(filter(None, map(_clean, parts)))
        if beside and len(beside) >= min(len(whole), room):
            rows[-1] += ((_BETWEEN + beside, ("footer",)),)
        else:
            rows.append(((_fitting(parts, room), ("footer",)),))
    gap: Span = (" " * GUTTER, ())
    spans = [(gap, *cut(row, room)) for row in rows]
    return [Line(row, glue="", lead=len(spans_text(row))) for row in spans]


def _fitting(parts: Sequence[str], room: int) -> str:
    shown = list(map(_clean, parts))
    for dropped in _DROPPED:
        text = _BETWEEN.join(filter(None, shown))
        if cell_len(text) <= room:
            return text
        shown[dropped] = ""
    return _BETWEEN.join(filter(None, shown))


def _clean(part: str) -> str:
    return safe(part, newlines=False)


def with_time(lines: list[Line], time: str, width: int, style: Style) -> list[Line]:
    """Return the lines of a question with its time at the right.

    It stands in the first line, or else the last, or a line of its own.
    """
    look = (*style, "time")
    for number in dict.fromkeys((0, len(lines) - 1)):
        if not lines:
            break
        line = lines[number]
        gap = width - 1 - spans_width(line.spans) - cell_len(time)
        if gap >= 2:
            added = (" " * gap, style), (time, look)
            stamped = line._replace(spans=(*line.spans, *added), tail=gap + len(time))
            return [*lines[:number], stamped, *lines[number + 1 :]]
    if not lines or cell_len(time) + GUTTER + 2 > width:
        return lines
    bar, gap = lines[-1].spans[0], width - 1 - GUTTER - cell_len(time)
    spans = (bar, (" " * gap, style), (time, look))
    own = Line(spans, lines[-1].fill, "", len(spans_text(spans)))
    return [*lines, own]
