"""The command palette: all commands, which letters filter.

Without a filter, the commands that were used last come first, then all by groups. The
filter is that of the slash menu, so that the same letters find the same command.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.app.commands import COMMANDS, Command, spelled
from tui.app.markdown.lines import BLANK, Line, Span, beside
from tui.app.widgets.completion import best
from tui.app.widgets.dialog import Words
from tui.app.widgets.entry_list import Entry, Rows
from tui.app.widgets.field import Field
from tui.app.widgets.palette import Looks
from tui.i18n import N_, _
from tui.safe import safe

RECENT = 4
"""Most commands that are listed as used last."""
_GROUPS = {
    N_("Conversations"): (
        *("new", "history", "next", "previous", "close", "rename", "pin", "fork"),
        *("export", "import", "delete", "undo", "purge", "cost"),
    ),
    N_("Messages"): (
        *("find", "find_next", "find_previous", "question_above", "question_below"),
        *("edit", "attach", "copy", "save_code", "retry", "continue", "unsend"),
        *("compact", "revise", "regenerate", "older", "newer", "takeover"),
    ),
    N_("Model and tools"): (
        *("model", "compare", "setup", "agent", "effort", "system", "set"),
        *("stream", "mcp", "resource"),
    ),
    N_("Screen"): (
        *("tools", "debug", "reasoning", "theme", "mouse", "vi", "help", "quit"),
    ),
}
_PROMPTS, _OTHERS = N_("Prompts"), N_("More")
_UNLISTED = ("cancel", "palette")
_NAME = 15  # columns of the names
_SHORT = 14
"""Rows of a screen below which the dialog takes all of them."""


class Chosen(NamedTuple):
    """A command, and whether it is to be written into the composer, not run."""

    command: Command
    write: bool


class _Title(Entry):
    selectable = False

    def __init__(self, text: str, above: int) -> None:
        self._text = text
        self._above = above

    def height(self, width: int) -> int:
        return 1 + self._above

    def line(self, number: int, width: int) -> Line:
        if number < self._above:
            return BLANK
        return Line(((self._text, ("heading",)),))


class CommandRow(Entry):
    """A command: its name, what it does, and its key at the right."""

    def __init__(self, command: Command, key: str) -> None:
        self.command = command
        self._key = safe(key, newlines=False)

    def height(self, width: int) -> int:
        """Return 1."""
        return 1

    def line(self, number: int, width: int) -> Line:
        """Return the only line."""
        name = safe(self.command.slash, newlines=False)
        gap = " " * max(_NAME - cell_len(name), 2)
        help = safe(_(self.command.help), newlines=False)
        left: tuple[Span, ...] = ((f" {name}{gap}", ("name",)), (help, ("muted",)))
        key = f"{self._key} " if width >= 40 else ""
        return beside(left, ((key, ("key",)),), width)


class CommandRows(Rows):
    """Lists the commands; the filter moves its cursor."""

    can_focus = False
    CURSOR_STAYS = True
    MARGIN = 0  # the entries have their own
    DEFAULT_CSS = """
    CommandRows {
        height: 1fr;
        background: $surface;
    }
    """
    LOOKS: ClassVar[Looks] = {
        **Rows.LOOKS,
        "heading": "bold $text-primary",
    }

    class Clicked(Message):
        """The user has clicked the entry at the cursor."""

    def click(self, index: int, number: int, x: int) -> None:
        """Run the clicked command."""
        self.post_message(self.Clicked())


class PaletteScreen(ModalScreen[Chosen | None]):
    """Lists the commands; returns the chosen one, None for Esc."""

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page', -1)", "Page up", show=False),
        Binding("pagedown", "move('page', 1)", "Page down", show=False),
        Binding("tab", "write", "Write into the composer", show=False),
        Binding("escape", "dismiss", "Close", show=False),
        # Under the name of the command, so that it is remapped with it.
        Binding("ctrl+p", "dismiss", "Close", show=False, id="palette"),
    ]

    def __init__(
        self,
        keys: Mapping[str, str],
        recent: Sequence[str] = (),
        more: Sequence[Command] = (),
    ) -> None:
        """List the commands of the table, and `more`.

        `keys` are those changed in the configuration, by the name of the command;
        `recent` are the names of commands that were used, the last first.
        """
        super().__init__()
        self._keys = keys
        self._commands = [
            command
            for command in (*COMMANDS, *more)
            if command.slash and command.name not in _UNLISTED
        ]
        known = {command.name: command for command in self._commands}
        self._recent = [known[name] for name in recent if name in known][:RECENT]
        self.field = Field(placeholder=_("Type to filter"), compact=True)
        self.field.cursor_blink = False
        self.rows = CommandRows()

    def compose(self) -> ComposeResult:
        """Yield the filter and the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = _("Commands")
            dialog.border_subtitle = _("Enter run · Tab insert · Esc close")
            with Horizontal(classes="filter"):
                yield Words("› ", markup=False, classes="prompt")
                yield self.field
            yield self.rows

    def on_mount(self) -> None:
        """Fill the list."""
        self.rows.set_entries(self._all())

    def on_resize(self, event: events.Resize) -> None:
        """Use the whole of a small screen."""
        self.set_class(event.size.height < _SHORT, "-small")

    @on(Input.Changed)
    def _filter(self, changed: Input.Changed) -> None:
        words = changed.value.strip().removeprefix("/")
        if words:
            found: list[Entry] = [*map(self._row, best(words, self._by_use()))]
            self.rows.set_entries(found or [_Title(_("Nothing found"), 0)])
        else:
            self.rows.set_entries(self._all())

    def _by_use(self) -> list[Command]:
        others = [c for c in self._commands if c not in self._recent]
        return [*self._recent, *others]

    def _all(self) -> list[Entry]:
        """Return the commands used last, then all of them by group."""
        place = {name: title for title, names in _GROUPS.items() for name in names}
        order = {name: n for names in _GROUPS.values() for n, name in enumerate(names)}
        groups: dict[str, list[Command]] = {N_("Recent"): self._recent}
        groups |= {title: [] for title in (*_GROUPS, _OTHERS, _PROMPTS)}
        for command in self._commands:
            prompt = command.name.startswith("prompt ")
            group = _PROMPTS if prompt else place.get(command.name, _OTHERS)
            groups[group].append(command)
        entries: list[Entry] = []
        for title, members in groups.items():
            if not members:
                continue
            entries.append(_Title(_(title), 1 if entries else 0))
            if title in _GROUPS:
                members.sort(key=lambda command: order[command.name])
            entries += map(self._row, members)
        return entries

    def _row(self, command: Command) -> CommandRow:
        return CommandRow(command, spelled(command, self._keys))

    @property
    def selected(self) -> Command | None:
        """The command at the cursor."""
        cursor, entries = self.rows.cursor, self.rows.entries
        entry = entries[cursor] if cursor is not None else None
        return entry.command if isinstance(entry, CommandRow) else None

    def action_move(self, how: str, *arguments: int) -> None:
        """Move the list's cursor from the filter."""
        getattr(self.rows, f"action_{how}")(*arguments)

    @on(Input.Submitted)
    @on(CommandRows.Clicked)
    def _run(self) -> None:
        if command := self.selected:
            self.dismiss(Chosen(command, command.needs_argument))

    def action_write(self) -> None:
        """Write the command into the composer, for its argument to be typed."""
        if command := self.selected:
            self.dismiss(Chosen(command, write=True))


def after(recent: Iterable[str], name: str) -> list[str]:
    """Return `recent` with `name`, which was used now, first."""
    others = [other for other in recent if other != name]
    return [name, *others][:RECENT]
