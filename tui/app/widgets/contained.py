"""Base of widgets that show an error in their place when they cannot be drawn.

Textual ends the app on any exception raised while it renders a widget. Widgets made of
parts, such as messages, replace only the failed part and show the others.
"""

# Textual leaves some type parameters unknown.
# pyright: reportUnknownMemberType=false

from time import monotonic
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.app import faults

# Textual takes bindings and styles from the first widget base, so this is none.
if TYPE_CHECKING:
    from textual.widget import Widget
else:
    Widget = object

RETRY_SECONDS = 5.0
"""Seconds before a failed widget is drawn again, as its content may have changed.

Until then the failure costs nothing and is not logged again.
"""


class Contained(Widget):
    """Mixin that contains errors; list it before the widget base class."""

    _fault = ""
    _tried = 0.0

    def render_rows(self, crop: Region) -> list[Strip]:
        """Render rows as `render_lines` does; may raise."""
        return super().render_lines(crop)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render rows for the screen, or an error report in their place."""
        if not self._waits:
            try:
                strips = self.render_rows(crop)
            except Exception as error:
                self._contain(error)
            else:
                self._fault = ""
                return strips
        return placeholder(self._fault, crop)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the columns of the content, or of the error report."""
        if not self._waits:
            try:
                return super().get_content_width(container, viewport)
            except Exception as error:
                self._contain(error)
        return len(self._fault)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the content, or of the error report."""
        if not self._waits:
            try:
                return super().get_content_height(container, viewport, width)
            except Exception as error:
                self._contain(error)
        return 1

    @property
    def _waits(self) -> bool:
        return bool(self._fault) and monotonic() - self._tried < RETRY_SECONDS

    def _contain(self, error: Exception) -> None:
        self._fault = faults.not_shown(error)
        self._tried = monotonic()


def placeholder(text: str, crop: Region) -> list[Strip]:
    """Return the rows of `crop` with `text` in the widget's first row; never fails."""
    words = Strip([Segment(text, Style(dim=True))])
    rows = [words if y == 0 else Strip([]) for y in crop.line_range]
    return [row.adjust_cell_length(crop.right).crop(*crop.column_span) for row in rows]
