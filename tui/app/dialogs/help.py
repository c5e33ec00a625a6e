"""The help screen: every key and command on one page."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from tui.app import commands
from tui.app.widgets.dialog import Words

WRITING = (
    ("Enter", "Send"),
    ("Ctrl+J, Alt+Enter, \\ Enter", "New line"),
    ("@, or a pasted path", "Attach a file (Backspace removes)"),
    ("Up, Down", "Previous, next message you sent"),
    ("PageUp, PageDown", "Scroll the conversation"),
    ("Ctrl+End", "Newest text; End too, while nothing is typed"),
    ("Tab, Shift+Tab", "Next, previous pane"),
    ("Ctrl+/ or Ctrl+_, Ctrl+Y", "Undo, redo typing"),
    ("/", "List the commands; letters filter, Tab completes"),
)
"""Keys of the composer that are no commands, and what they do."""
READING = (
    ("Up, Down", "Message above, below"),
    ("Home, End", "First message; newest text, and follow it"),
    ("Enter", "Show or hide reasoning"),
    ("y, Y", "Copy the message, or its last code block"),
)
"""Keys of the conversation pane that are no commands, and what they do."""
DEBUG = (
    ("Enter", "Show all of a call or a note, or the bodies of a round"),
    ("b", "Show what was sent to the model, and what came back"),
    ("f", "Show only what has failed, or everything again"),
    ("c, y", "Copy the call, the note or the bodies"),
    ("End", "Follow the newest again"),
)
"""Keys of the debug panel, and what they do."""
TOOLS = (
    ("Space", "Switch the tool, the tools of a server, or streaming"),
    ("Enter", "Show what a tool is for, and its parameters"),
    ("x", "Revoke what was allowed"),
    ("r", "Reconnect the MCP server"),
)
"""Keys of the tools' pane, and what they do."""

_WIDEST = 74  # columns of text
_EDGES = 6  # columns of border, padding and scroll bar
_KEYS = 28  # columns of the keys, if the help text is beside them
_NARROW = 60  # columns below which the help text is under the keys


class HelpScreen(ModalScreen[None]):
    """Shows all keys; Esc, F1, Enter or q closes it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q", "dismiss", "Close", show=False)
    ]

    def __init__(self, keys: dict[str, str]) -> None:
        super().__init__()
        self._keys = keys
        """Command name to key, for keys changed in the configuration."""

    def compose(self) -> ComposeResult:
        """Yield the page."""
        with VerticalScroll(classes="dialog") as page:
            page.border_title = "Keys and commands"
            page.border_subtitle = "Up, Down scroll   Esc closes"
            yield Words(self._text(self.app.size.width))

    def on_resize(self, event: events.Resize) -> None:
        """Lay the page out again."""
        self.query_one(Words).update(self._text(event.size.width))

    def _text(self, width: int) -> Content:
        """Return the page for a screen of `width` columns."""
        palette = ("Ctrl+P", "Command palette")
        sections = {
            "Writing": WRITING,
            "Everywhere": (*self._does(key=True), palette),
            "Slash commands": self._does(key=False),
            "Reading (Tab or click first)": (*READING, *self._does(reading=True)),
            "Debug panel (Shift+Tab or click first)": DEBUG,
            "Tools (/tools or click first)": TOOLS,
        }
        room = min(_WIDEST, width - _EDGES)
        parts = [_section(title, rows, room) for title, rows in sections.items()]
        return Content("\n").join(parts)

    def _does(
        self, *, key: bool | None = None, reading: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """Return the keys and help of commands with a `key` or without (None: both)."""
        spelled = {
            c: commands.spelled(c, self._keys, reading=reading)
            for c in commands.COMMANDS
        }
        return tuple(
            (", ".join(filter(None, [spelled[c], c.slash])), c.help)
            for c in commands.COMMANDS
            if c.reading == reading or (reading and c.pane_key)
            if key in (None, bool(spelled[c]))
        )


def _section(title: str, rows: tuple[tuple[str, str], ...], room: int) -> Content:
    lines = "".join(f"\n{line}" for row in rows for line in _lines(*row, room))
    return Content.assemble((title, "bold $text-primary"), lines)


def _lines(keys: str, does: str, room: int) -> list[str]:
    """Return the help text beside its key, or below it on a narrow screen."""
    if room < _NARROW:
        return [f" {keys}", *(f"    {line}" for line in wrap(does, max(8, room - 4)))]
    first, *more = wrap(does, room - _KEYS - 1)
    indent = " " * (_KEYS + 1)
    return [f" {keys:<{_KEYS - 1}} {first}", *(indent + line for line in more)]
