"""The files that are sent with the message, in a row above the composer."""

from typing import ClassVar

from rich.cells import cell_len
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import Looks, Palette
from tui.conversation.attached import described
from tui.i18n import N_, _
from tui.messages import Attachment

ROWS = 3
"""Most rows of files; the last says how many more there are."""
_HINT = N_("Backspace removes")


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

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the bar."""
        return len(self._lines())

    def render(self) -> RenderResult:
        """Return the rows; the last names the key, if there is room."""
        width = self.size.width
        lines = self._lines()
        spans: list[Span] = []
        for number, line in enumerate(lines, 1):
            if number > 1:
                spans.append(("\n", ()))
            look = "hint" if line == self.busy else "chip"
            spans += cut(((line, (look,)),), width)
            room = width - cell_len(line) - cell_len(_(_HINT))
            if number == len(lines) and self.files and room > 1:
                spans.append((" " * room + _(_HINT), ("hint",)))
        return Palette(self, self.LOOKS).content(spans)
