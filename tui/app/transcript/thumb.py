"""The thumb of the transcript's scroll bar, moved no more than is seen of it."""

from typing import Any

from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender


class _NoThumb(ScrollBarRender):
    """A scroll bar of which nothing is seen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "window_size": 0})


class Thumb:
    """Tells where above the newest text the reader is, and is hidden otherwise.

    While that is followed the terminal's own scrolling would take the thumb along, and
    it had to be put back.
    """

    def __init__(self, pane: ScrollView) -> None:
        self._pane = pane
        self._shown = False
        self._drawn = (0, 0)  # where it is, and its length, in eighths of a row

    def show(self, shown: bool) -> None:
        """Show it, or hide it."""
        self._shown = shown
        bar = self._pane.vertical_scrollbar
        renderer = ScrollBarRender if shown else _NoThumb
        bar.renderer = renderer  # pyright: ignore[reportAttributeAccessIssue]: Textual looks it up on the bar

        bar.refresh()
        self.redraw()

    def redraw(self) -> None:
        """Draw it wherever it was before."""
        self._drawn = (0, 0)
        self.move()

    def move(self) -> None:
        """Move it, if by an eighth of a row: drawing it is half of a frame."""
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
