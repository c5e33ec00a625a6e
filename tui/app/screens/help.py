"""The help: every key on one page."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app import commands

_WRITING = (
    ("Enter", "Send"),
    ("Ctrl+J, Alt+Enter, \\ Enter", "New line"),
    ("Up, Down", "What you sent before (first, last line)"),
    ("PageUp, PageDown", "Scroll the conversation"),
    ("Tab, Shift+Tab", "To the next part of the screen, to the last"),
)
_READING = (
    ("Up, Down", "Message above, below"),
    ("Home, End", "First message; the newest, followed again"),
    ("Enter", "Unfold or fold what the model thought"),
    ("y, Y", "Copy the message, its last code block"),
)


class HelpScreen(ModalScreen[None]):
    """Tells the keys; any of Esc, F1 and Enter closes it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q", "dismiss", "Close", show=False)
    ]

    def __init__(self, keys: dict[str, str]) -> None:
        super().__init__()
        self._keys = keys
        """Command name to key, where the configuration says another."""

    def compose(self) -> ComposeResult:
        """Show the page."""
        palette = ("Ctrl+P", "All of these, by typing their names")
        with VerticalScroll(classes="dialog") as page:
            page.border_title = "Keys and commands"
            page.border_subtitle = "Up, Down scroll   Esc closes"
            yield Static(_section("Writing", _WRITING))
            yield Static(_section("Everywhere", (*self._does(key=True), palette)))
            yield Static(_section("To be typed", self._does(key=False)))
            reading = (*_READING, *self._does(reading=True))
            yield Static(_section("Reading (Tab or click first)", reading))

    def _does(
        self, *, key: bool | None = None, reading: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """Return the commands that have a `key` or not (None: both), and their help."""
        spelled = {c: commands.spelled(c, self._keys) for c in commands.COMMANDS}
        return tuple(
            (", ".join(filter(None, [spelled[c], c.slash])), c.help)
            for c in commands.COMMANDS
            if c.reading == reading and key in (None, bool(spelled[c]))
        )


def _section(title: str, rows: tuple[tuple[str, str], ...]) -> Content:
    lines = "".join(f"\n {keys:<27} {does}" for keys, does in rows)
    return Content.assemble((title, "bold $text-primary"), lines)
