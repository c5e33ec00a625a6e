"""Converts lines to Textual's strips in the colours of the theme.

A line's strip is cached until the theme or the width changes, so a frame that scrolls
creates only the new rows.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.app.markdown import Line, Span, Style
from tui.app.widgets.palette import Palette
from tui.i18n import N_, _

_CACHED = 500  # strips
_HINT = N_(" ↓ more below · End ")


class Strips:
    """Creates and caches strips for a widget."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._palette: Palette | None = None
        self._made: dict[tuple[Line, bool], Strip] = {}
        self.fill_width = 0
        """Columns that a line with a background colour fills."""

    def forget(self) -> None:
        """Drop the cache after a change of the theme or the width."""
        self._palette = None
        self._made.clear()

    @property
    def palette(self) -> Palette:
        """The colours of the current theme."""
        if self._palette is None:
            self._palette = Palette(self._widget)
        return self._palette

    def blank(self) -> Strip:
        """Return an empty row."""
        return Strip.blank(self._widget.size.width, self.palette.style(()))

    def strip(
        self,
        line: Line,
        marked: bool,
        selected: tuple[int, int] | None = None,
        found: Sequence[tuple[int, int, bool]] = (),
    ) -> Strip:
        """Return the row for a line.

        `marked` draws the message cursor at the left; `selected` is the range of
        selected characters, where an end of -1 means the end of the line; `found` are
        ranges of found ones, and whether they are the current ones.
        """
        if selected is not None or found:
            return self._make(line, marked, selected, found)
        key = line, marked
        strip = self._made.get(key)
        if strip is None:
            if len(self._made) > _CACHED:
                self._made.clear()
            strip = self._made[key] = self._make(line, marked)
        return strip

    def _make(
        self,
        line: Line,
        marked: bool,
        selected: tuple[int, int] | None = None,
        found: Sequence[tuple[int, int, bool]] = (),
    ) -> Strip:
        palette = self.palette
        spans: list[Span] = list(line.spans)
        if marked and spans:
            spans[:1] = [("▌ ", (*line.fill, "cursor"))]
        last = len(line.text) - line.tail
        for start, end, current in found:
            look = "match-current" if current else "match"
            spans = _mark(spans, max(start, line.lead), min(end, last), look)
        if selected:
            start, end = selected
            if line.tail:
                end = last if end < 0 else min(end, last)
            spans = _mark(spans, max(start, line.lead), end, "selection")
        strip = Strip([Segment(text, palette.style(style)) for text, style in spans])
        width = self._widget.size.width
        if line.fill:
            filled = max(min(self.fill_width, width), 1)
            strip = strip.adjust_cell_length(filled, palette.style(line.fill))
        return strip.adjust_cell_length(width, palette.style(()))

    def with_hint(self, strip: Strip) -> Strip:
        """Draw the hint "more below" over the end of a row."""
        room = self._widget.size.width - cell_len(_(_HINT)) - 1
        if room < 1:
            return strip
        style = self.palette.style
        hint = Segment(_(_HINT), style(("hint",)))
        return Strip([*strip.crop(0, room), hint, Segment(" ", style(()))])


def dimmed(line: Line) -> Line:
    """Return the line in the style for text that is not stored."""
    return line._replace(spans=tuple((t, (*s, "unkept")) for t, s in line.spans))


def _mark(spans: list[Span], start: int, end: int, look: str) -> list[Span]:
    """Add a look to the characters from `start` to `end` (-1: to the end)."""
    marked: list[Span] = []
    offset = 0
    for text, style in spans:
        stop = len(text) if end < 0 else max(0, min(len(text), end - offset))
        begin = max(0, min(stop, start - offset))
        added: Style = (*style, look)
        marked += [
            (text[:begin], style),
            (text[begin:stop], added),
            (text[stop:], style),
        ]
        offset += len(text)
    return [span for span in marked if span[0]]
