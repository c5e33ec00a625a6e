"""Base of widgets that show an error in their place when they cannot be drawn.

Textual ends the app for whatever is raised while a widget is rendered. What is made of
parts, such as messages, contains the fault of one part itself and shows the others.
"""

# Textual does not say of what some of its classes are generic.
# pyright: reportUnknownMemberType=false

from time import monotonic
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.app import faults

# Textual takes bindings and styles from the first base that is a widget: this is none.
if TYPE_CHECKING:
    from textual.widget import Widget
else:
    Widget = object

RETRY_SECONDS = 5.0
"""After which a widget is tried again, when it is to be drawn: what it shows changes.
Until then a fault costs nothing, and is not noted again."""


class Contained(Widget):
    """To be named before the widget that it contains."""

    _fault = ""
    _tried = 0.0

    def render_rows(self, crop: Region) -> list[Strip]:
        """Render rows as `render_lines` does; may fail."""
        return super().render_lines(crop)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render rows for the screen, or what says that they cannot be."""
        if not self._waits:
            try:
                strips = self.render_rows(crop)
            except Exception as error:
                self._contain(error)
            else:
                self._fault = ""
                return strips
        return stand_in(self._fault, crop)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the columns of the content, or of what stands in for it."""
        if not self._waits:
            try:
                return super().get_content_width(container, viewport)
            except Exception as error:
                self._contain(error)
        return len(self._fault)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the content, or of what stands in for it."""
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


def stand_in(text: str, crop: Region) -> list[Strip]:
    """Return the rows of `crop` with `text` in the first row of all; cannot fail."""
    words = Strip([Segment(text, Style(dim=True))])
    rows = [words if y == 0 else Strip([]) for y in crop.line_range]
    return [row.adjust_cell_length(crop.right).crop(*crop.column_span) for row in rows]
