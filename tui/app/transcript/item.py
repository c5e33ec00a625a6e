"""What the transcript shows, as lines: items, one below the other.

No widget and no part of Textual: the transcript asks for lines by number. An item
that is far off screen only has an estimate of its height; its lines are made when
they are needed, and dropped when the width changes.
"""

from collections.abc import Iterator

from tui.app import faults
from tui.app.markdown import Line, Span, Style, indent

GUTTER = 2
"""Columns to the left of all text: a bar, and a space."""


class Item:
    """Something that the transcript shows: a message or a note."""

    selectable = False
    """Whether the message cursor stops at it."""
    passing = False
    """Whether it is gone when what is above it becomes another version."""
    done = True
    """Whether it will not grow any more."""
    failed = False
    """Whether it cannot be shown, which it says; not tried again by itself."""
    unkept = False
    """Whether some of it is in memory only: it is drawn dim."""
    behind = False
    """Whether it is not laid out to its end, which the next `update` goes on with."""

    def __init__(self) -> None:
        self.width = 0
        """Columns of the pane; 0 before it is known."""
        self.exact = False
        """Whether `height` is what the lines have, or an estimate."""
        self.height = 1
        """Rows, with the blank one below."""

    @property
    def source(self) -> str:
        """What is copied: the text as it was written."""
        raise NotImplementedError

    def resize(self, width: int) -> None:
        """Forget all lines; the height is an estimate until `lay_out`."""
        raise NotImplementedError

    def lay_out(self) -> None:
        """Make the lines for `width`."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """Say, in the place of all lines, that it cannot be shown."""
        raise NotImplementedError

    def line(self, number: int) -> Line:
        """Return a line of what is laid out; BLANK outside of it."""
        raise NotImplementedError

    def lines(self) -> Iterator[Line]:
        """Yield all lines of what is laid out."""
        return (self.line(number) for number in range(self.height))


def gutter(lines: list[Line], mark: str, style: Style, fill: Style = ()) -> list[Line]:
    """Put `mark` to the left of the first line, which is no part of the text."""
    left: tuple[Span, ...] = ((mark.ljust(GUTTER), style),)
    return indent(lines, left, left, fill=fill, copied=False)


def estimate(text: str, width: int) -> int:
    """Return about how many rows a text takes, at no cost."""
    return text.count("\n") + len(text) // max(width, 1) + 1 if text else 0


def not_shown(error: Exception, width: int) -> list[Line]:
    """Return what stands for an item; by little that could fail in its turn."""
    text, room = faults.not_shown(error), max(width - GUTTER, 1)
    rows = [text[start : start + room] for start in range(0, len(text), room)]
    left, style = (" " * GUTTER, ()), ("note", "note-cancelled")
    return [Line((left, (row, style)), lead=GUTTER) for row in rows]
