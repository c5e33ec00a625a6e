"""Defines the items of the transcript, which are drawn as lines one below the other.

Items are not widgets and do not use Textual: the transcript asks them for lines by
number. An item far off screen has only an estimated height; its lines are made when
they are needed, and dropped when the width changes.
"""

from collections.abc import Iterator

from tui.app import faults
from tui.app.markdown import Line, Span, Style, indent

GUTTER = 2
"""Columns to the left of all text: a bar and a space."""


class Item:
    """An element of the transcript: a message or a note."""

    selectable = False
    """Whether the message cursor stops at this item."""
    passing = False
    """Whether the item is removed when the text above it changes to another version."""
    done = True
    """Whether the item will not grow any more."""
    failed = False
    """Whether drawing failed; the item then shows the error and is not retried by
    itself."""
    unkept = False
    """Whether part of the item is in memory only; it is then drawn dim."""
    behind = False
    """Whether part of the text is not laid out yet; the next `update` continues."""

    def __init__(self) -> None:
        self.width = 0
        """Columns of the pane; 0 until it is known."""
        self.exact = False
        """Whether `height` counts real lines, not an estimate."""
        self.height = 1
        """Rows, including the blank one below."""
        self.revision = 0
        """Changes whenever lines may have changed."""

    @property
    def source(self) -> str:
        """The text for the clipboard, as it was written."""
        raise NotImplementedError

    @property
    def text_rows(self) -> range:
        """The numbers of the laid-out lines that have the item's text."""
        return range(self.height)

    def resize(self, width: int) -> None:
        """Drop all lines for a new width; the height is estimated until `lay_out`."""
        raise NotImplementedError

    def lay_out(self) -> None:
        """Create the lines for `width`."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """Replace all lines with a report of `error`."""
        raise NotImplementedError

    def line(self, number: int) -> Line:
        """Return a laid-out line; BLANK for a number out of range."""
        raise NotImplementedError

    def lines(self) -> Iterator[Line]:
        """Yield all laid-out lines."""
        return (self.line(number) for number in range(self.height))


def gutter(lines: list[Line], mark: str, style: Style, fill: Style = ()) -> list[Line]:
    """Put `mark`, which is not copied, to the left of the first line."""
    left: tuple[Span, ...] = ((mark.ljust(GUTTER), style),)
    return indent(lines, left, left, fill=fill, copied=False)


def estimate(text: str, width: int) -> int:
    """Return the approximate number of rows of a text without laying it out."""
    return text.count("\n") + len(text) // max(width, 1) + 1 if text else 0


def not_shown(error: Exception, width: int) -> list[Line]:
    """Return lines that report `error`, built with little code that could fail too."""
    text, room = faults.not_shown(error), max(width - GUTTER, 1)
    rows = [text[start : start + room] for start in range(0, len(text), room)]
    left, style = (" " * GUTTER, ()), ("note", "note-cancelled")
    return [Line((left, (row, style)), lead=GUTTER) for row in rows]
