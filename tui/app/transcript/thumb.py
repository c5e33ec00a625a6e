"""Draws the transcript's scroll bar thumb, only when its position visibly changes."""

from typing import Any

from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender


class _NoThumb(ScrollBarRender):
    """A scroll bar without a visible thumb."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "window_size": 0})


class Thumb:
    """Shows the scroll position; hidden while the pane follows new text.

    While it follows, the terminal's own scrolling would move the thumb along, and every
    scroll would have to redraw it.
    """

    def __init__(self, pane: ScrollView) -> None:
        self._pane = pane
        self._shown = False
        self._drawn = (0, 0)  # its position and length, in eighths of a row

    def show(self, shown: bool) -> None:
        """Show or hide the thumb."""
        self._shown = shown
        bar = self._pane.vertical_scrollbar
        renderer = ScrollBarRender if shown else _NoThumb
        bar.renderer = renderer  # pyright: ignore[reportAttributeAccessIssue]: Textual looks it up on the bar

        bar.refresh()
        self.redraw()

    def redraw(self) -> None:
        """Draw the thumb even if it has not moved."""
        self._drawn = (0, 0)
        self.move()

    def move(self) -> None:
        """Draw the thumb if it moved by an eighth of a row.

        A draw takes half of a frame.
        """
        if not self._shown:
            return
        pane, bar = self._pane, self._pane.vertical_scrollbar
        window, rows = pane.size.height, max(1, pane.virtual_size.height)
        eighths = 8 * window
        thumb = eighths * pane.scroll_offset.y // rows, eighths * window // rows
        if thumb == self._drawn:
            return
        self._drawn = thumb
        bar.window_size = window
        bar.window_virtual_size = pane.virtual_size.height
        bar.position = pane.scroll_offset.y
