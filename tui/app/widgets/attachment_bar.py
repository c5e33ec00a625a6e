"""The files that are sent with the message, in a row above the composer."""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut, spans_width
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import Looks, Palette
from tui.conversation.attached import described
from tui.i18n import N_, _
from tui.messages import Attachment

ROWS = 3
"""Most rows of files; the last says how many more there are."""
_HINT = N_("Backspace removes")
_CLOSE = "  ×"
"""Ends the row of a file; a click on it removes the file."""


class AttachmentBar(Contained, Widget):
    """Lists the attached files, one a row; hidden when there is none."""

    DEFAULT_CSS = """
    AttachmentBar {
        height: auto;
        display: none;
        padding: 0 2;
        background: $background;
        color: $foreground;
    }
    AttachmentBar.-open {
        display: block;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "chip": "$text-accent",
        **dict.fromkeys(("close", "hint", "key"), "$text-muted"),
    }

    files: reactive[tuple[Attachment, ...]] = reactive((), layout=True)
    """The attached files, the first attached first."""
    busy: reactive[str] = reactive("", layout=True)
    """What is being read; "" for nothing."""

    class Changed(Message):
        """A file was attached or removed."""

    class Unwanted(Message):
        """The user wants the file at an index removed, -1 for the last."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def watch_files(self) -> None:
        """Show or hide the bar, and tell of the change."""
        self._open()
        self.post_message(self.Changed())

    def watch_busy(self) -> None:
        """Show or hide the bar."""
        self._open()

    def _open(self) -> None:
        self.set_class(bool(self.files or self.busy), "-open")

    def _lines(self) -> list[str]:
        files = self.files
        lines = [described(file) for file in files]
        if len(lines) > ROWS:
            more = len(lines) - ROWS + 1
            lines = [*lines[: ROWS - 1], _("… and {more} more files").format(more=more)]
        return [*lines, *([self.busy] if self.busy else [])]

    def on_click(self, event: events.Click) -> None:
        """Remove the file whose mark was clicked, or the last by the key's name."""
        place = event.get_content_offset(self)
        if place is None:
            return
        spans = self._row(place.y, self._lines())
        at = 0
        for text, (look, *_more) in spans:
            if at <= place.x < at + cell_len(text):
                if look == "close":
                    self.post_message(self.Unwanted(place.y))
                elif look == "key":
                    self.post_message(self.Unwanted(-1))
            at += cell_len(text)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the bar."""
        return len(self._lines())

    def render(self) -> RenderResult:
        """Return the rows; the last names the key, if there is room."""
        lines = self._lines()
        spans: list[Span] = []
        for number in range(len(lines)):
            if number:
                spans.append(("\n", ()))
            spans += self._row(number, lines)
        return Palette(self, self.LOOKS).content(spans)

    def _row(self, number: int, lines: list[str]) -> tuple[Span, ...]:
        line, width = lines[number], self.size.width
        named = number < len(self.files) and not (
            len(self.files) > ROWS and number == ROWS - 1
        )
        close: list[Span] = [(_CLOSE, ("close",))] if named else []
        look = "chip" if number < len(self.files) else "hint"
        row = [*cut(((line, (look,)),), width - spans_width(close)), *close]
        room = width - spans_width(row) - cell_len(_(_HINT))
        if number == len(lines) - 1 and self.files and room > 1:
            row += [(" " * room, ("hint",)), (_(_HINT), ("key",))]
        return tuple(row)
