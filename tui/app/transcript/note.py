"""Lays out a notice between messages as lines."""

from typing import Literal

from tui.app.markdown import BLANK, Line, Span, indent, to_lines, wrap
from tui.app.transcript.item import GUTTER, Item, estimate, gutter, not_shown
from tui.safe import safe

NoteKind = Literal["info", "warning", "error", "cancelled"]

_MARKS = {"info": "·", "warning": "!", "error": "×", "cancelled": "■"}


class Note(Item):
    """A short notice between messages."""

    def __init__(self, text: str, kind: NoteKind = "info") -> None:
        super().__init__()
        self._text = safe(text, newlines=False).strip()
        self._kind = kind
        self._lines: list[Line] = []

    @property
    def source(self) -> str:
        """The text for the clipboard, as it was written."""
        return self._text

    def resize(self, width: int) -> None:
        """Drop all lines for a new width; the height is estimated until `lay_out`."""
        self.width = width
        self.exact = self.failed = False
        self._lines = []
        self.height = estimate(self._text, width - GUTTER - 2) + 1

    def lay_out(self) -> None:
        """Create the lines for `width`."""
        self.revision += 1
        try:
            self._lines = self._laid_out()
        except Exception as error:
            self.fail(error)
        else:
            self.height = len(self._lines) + 1
            self.exact = True

    def fail(self, error: Exception) -> None:
        """Replace all lines with a report of `error`."""
        self._lines = not_shown(error, self.width)
        self.height = len(self._lines) + 1
        self.exact = self.failed = True

    def _laid_out(self) -> list[Line]:
        style = ("note", f"note-{self._kind}")
        rows = to_lines(wrap([(self._text, style)], self.width - GUTTER - 2))
        mark: tuple[Span, ...] = ((_MARKS[self._kind] + " ", style),)
        return gutter(indent(rows, mark, (("  ", style),)), "", ())

    def line(self, number: int) -> Line:
        """Return a laid-out line; BLANK for a number out of range."""
        return self._lines[number] if 0 <= number < len(self._lines) else BLANK
