"""The files that are sent with the message, in a row above the composer."""

from collections.abc import Sequence
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
_REMOVE = " ×"
"""Behind each file; a click on it removes the file."""


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

    LOOKS: ClassVar[Looks] = {"chip": "$text-accent", "hint": "$text-muted"}

    files: reactive[tuple[Attachment, ...]] = reactive((), layout=True)
    """The attached files, the first attached first."""
    busy: reactive[str] = reactive("", layout=True)
    """What is being read; "" for nothing."""

    class Changed(Message):
        """A file was attached or removed."""

    class Unwanted(Message):
        """The user removes `file` by a click."""

        def __init__(self, file: Attachment) -> None:
            super().__init__()
            self.file = file

    def watch_files(self) -> None:
        """Show or hide the bar, and tell of the change."""
        self._open()
        self.post_message(self.Changed())

    def watch_busy(self) -> None:
        """Show or hide the bar."""
        self._open()

    def _open(self) -> None:
        self.set_class(bool(self.files or self.busy), "-open")

    def _shown(self) -> Sequence[Attachment]:
        """Return the files that have a row of their own, the first rows."""
        return self.files if len(self.files) <= ROWS else self.files[: ROWS - 1]

    def _lines(self) -> list[str]:
        lines = [described(file) for file in self._shown()]
        if more := len(self.files) - len(lines):
            lines.append(_("… and {more} more files").format(more=more))
        return [*lines, *([self.busy] if self.busy else [])]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the bar."""
        return len(self._lines())

    def on_click(self, event: events.Click) -> None:
        """Remove the file whose mark was clicked; the hint stands for the last one."""
        place = event.get_content_offset(self)
        if place is None:
            return
        width, shown = self.size.width, self._shown()
        if place.y < len(shown):
            row = self._row(described(shown[place.y]), width, has_mark=True)
            end = spans_width(row)
            if end - cell_len(_REMOVE) <= place.x < end:
                self.post_message(self.Unwanted(shown[place.y]))
                return
        is_last = place.y == len(self._lines()) - 1
        if is_last and self.files and place.x >= width - cell_len(_(_HINT)):
            self.post_message(self.Unwanted(self.files[-1]))

    def _row(self, line: str, width: int, *, has_mark: bool) -> list[Span]:
        if not has_mark:
            return list(cut(((line, ("hint",)),), width))
        name = cut(((line, ("chip",)),), width - cell_len(_REMOVE))
        return [*name, (_REMOVE, ("hint",))]

    def render(self) -> RenderResult:
        """Return the rows; the last names the key, if there is room."""
        width = self.size.width
        lines, marked = self._lines(), len(self._shown())
        spans: list[Span] = []
        for number, line in enumerate(lines, 1):
            if number > 1:
                spans.append(("\n", ()))
            row = self._row(line, width, has_mark=number <= marked)
            spans += row
            room = width - spans_width(row) - cell_len(_(_HINT))
            if number == len(lines) and self.files and room > 1:
                spans.append((" " * room + _(_HINT), ("hint",)))
        return Palette(self, self.LOOKS).content(spans)
