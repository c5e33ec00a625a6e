"""The help: every key on one page."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.commands import COMMANDS

_WRITING = (
    ("Enter", "Send"),
    ("Ctrl+J, Alt+Enter, \\ Enter", "New line"),
    ("Up, Down", "What you sent before (on the first, last line)"),
    ("Tab, Shift+Tab", "To the next part of the screen, to the last"),
)
_READING = (
    ("Up, Down", "Message above, below"),
    ("PageUp, PageDown, Home, End", "Scroll; End follows the answer again"),
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
        commands = [
            (
                ", ".join(filter(None, [_key(self._keys.get(c.name, c.key)), c.slash])),
                c.help,
            )
            for c in COMMANDS
        ]
        palette = ("Ctrl+P", "All of these, by typing their names")
        with VerticalScroll(classes="dialog"):
            yield Static(_section("Everywhere", (*commands, palette)), markup=False)
            yield Static(_section("Writing", _WRITING), markup=False)
            yield Static(
                _section("Reading (Tab or click first)", _READING), markup=False
            )


def _section(title: str, rows: "tuple[tuple[str, str], ...]") -> str:
    return "\n".join([title, *(f"  {keys:<28} {does}" for keys, does in rows), ""])


def _key(key: str) -> str:
    """Spell a key as people do."""
    names = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}
    return "+".join(names.get(part, part.capitalize()) for part in key.split("+"))
