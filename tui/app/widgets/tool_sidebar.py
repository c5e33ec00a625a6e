"""The tool sidebar: what the next turn is asked with, and a switch for each tool.

It is one list that draws lines: a tool takes a row, and unfolds to its description and
parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from tui.app.markdown.lines import Span
from tui.app.widgets.entry_list import Entry, Rows
from tui.app.widgets.sidebar_entries import (
    MARK,
    AllowedEntry,
    Fact,
    ServerEntry,
    StreamSwitch,
    Text,
    ToolEntry,
)
from tui.app.widgets.status import Fill, meter
from tui.grants import Grant
from tui.i18n import N_, _
from tui.mcp import ServerState
from tui.mcp.naming import server_prefix
from tui.safe import safe

if TYPE_CHECKING:
    from tui.tools import Tool

_PROMPT = 120
"""Characters of the system prompt that are looked at."""
_PROMPT_ROWS = 3
"""Rows of it that are shown."""


class ToolSidebar(Rows, inherit_bindings=False):
    """Shows and switches the tools for the next turn, and what they may do unasked.

    Space or a click on the mark switches, Enter or a click on the name unfolds, x
    revokes what was allowed.
    `model`, `agent`, `note`, `stream` and `tools_folder` may be set at any time without
    posting a message: only the user's own switching is posted.
    """

    DEFAULT_CSS = """
    ToolSidebar {
        width: 24%;
        min-width: 35;
        max-width: 50;
        /* As high as its text and without a border: a terminal scrolls whole rows,
           so anything beside the conversation must be redrawn after a scroll. */
        height: auto;
        max-height: 100%;
        border-left: blank;
        background: $background;
    }
    ToolSidebar:focus {
        border-left: solid $primary;
    }
    """

    # Those of `Rows` without j and k: a letter begins a message.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", "Up", show=False),
        Binding("down", "cursor_down", "Down", show=False),
        Binding("home", "cursor_first", "First", show=False),
        Binding("end", "cursor_last", "Last", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("enter", "unfold", "Unfold", show=False),
        Binding("space", "switch", "Switch", show=False),
        Binding("x,delete", "revoke", "Revoke", show=False),
        Binding("r", "reconnect", "Reconnect the server", show=False),
    ]

    model: reactive[str] = reactive("")
    """Name of the model; empty if none is chosen."""
    agent: reactive[str] = reactive("")
    """Name of the agent; empty if it need not be shown."""
    note: reactive[str] = reactive("")
    """One line about the model, such as a limitation."""
    stream: reactive[bool] = reactive(True)
    """Whether answers are shown while they are written."""
    system: reactive[str] = reactive("")
    """The system prompt; empty if there is none."""
    context: reactive[Fill | None] = reactive(None)
    """How full the context window is; None if its size is unknown."""
    effort: reactive[str] = reactive("")
    """The reasoning effort that is set here; empty for the model's default."""
    uses: reactive[Mapping[str, int]] = reactive[Mapping[str, int]]({})
    """How many calls of each tool the conversation has, by name."""
    options: reactive[tuple[str, ...]] = reactive(())
    """The model's options that this conversation sets, a line each."""
    spent: reactive[str] = reactive("")
    """What the conversation has spent; empty if nothing."""
    stream_key: reactive[str] = reactive("ctrl+t")
    """The key shown beside the stream switch."""
    model_key: reactive[str] = reactive("")
    """The key shown beside the model."""
    tools_folder: reactive[str] = reactive("")
    """The user's folder for tools, named when there are none; "" for no folder."""

    class Revoked(Message):
        """The user revokes what was allowed, `always` or in this conversation."""

        def __init__(self, grant: Grant, always: bool) -> None:
            super().__init__()
            self.grant = grant
            self.always = always

    class ReconnectWanted(Message):
        """The user wants a connection to an MCP server."""

        def __init__(self, server: str) -> None:
            super().__init__()
            self.server = server

    class Entered(Message):
        """The user looks at the tools, and the states of their servers."""

    class StreamToggled(Message):
        """The user has switched streaming on or off."""

        def __init__(self, on: bool) -> None:
            super().__init__()
            self.on = on

    def __init__(self) -> None:
        super().__init__()
        self.switched: dict[str, bool] = {}
        """The tools that the user has switched on or off, by name.

        Written at once: a message would arrive after a `set_tools` that undoes it.
        """
        self._tools: list[ToolEntry] = []
        self._allowed: list[AllowedEntry] = []
        self._servers: list[ServerEntry] = []
        self._build()

    def set_grants(self, always: Sequence[Grant], here: Sequence[Grant]) -> None:
        """Show what is allowed always, and in this conversation."""
        self._allowed = [AllowedEntry(grant, False) for grant in here]
        self._allowed += [AllowedEntry(grant, True) for grant in always]
        self._build()

    def set_tools(
        self,
        tools: "Iterable[Tool[..., object]]",
        enabled: set[str],
        policies: Mapping[str, str] = {},
        servers: Iterable[ServerState] = (),
    ) -> None:
        """Show `tools` in this order, those named in `enabled` switched on.

        `policies` says which of them ask first, or are denied. The tools of MCP servers
        are below `servers`. The cursor and unfolded state are kept by name.
        """
        entries = [*self._tools, *self._servers]
        unfolded = {_identity(entry) for entry in entries if entry.unfolded}
        self._servers = [ServerEntry(state) for state in servers]
        self._tools = [
            ToolEntry(
                tool,
                tool.name in enabled,
                policies.get(tool.name, "allow"),
                tool.name.removeprefix(server_prefix(tool.origin)),
            )
            for tool in tools
        ]
        for entry in [*self._tools, *self._servers]:
            entry.unfolded = _identity(entry) in unfolded
        self._build()

    @property
    def enabled(self) -> set[str]:
        """Names of the tools that are switched on."""
        return {tool.tool.name for tool in self._tools if tool.on}

    def click(self, index: int, number: int, x: int) -> None:
        """Switch on a click on the mark or the stream line; otherwise unfold."""
        if (x < MARK and number == 0) or isinstance(self.entries[index], StreamSwitch):
            self.action_switch()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        """Unfold the selected tool; switch streaming, which cannot unfold."""
        if self.cursor is not None and isinstance(
            self.entries[self.cursor], StreamSwitch
        ):
            self.action_switch()
        else:
            super().action_unfold()

    def action_switch(self) -> None:
        """Switch the selected entry."""
        if self.cursor is None:
            return
        match self.entries[self.cursor]:
            case StreamSwitch():
                self.stream = not self.stream
                self.post_message(self.StreamToggled(self.stream))
            case ToolEntry() as tool:
                self._switch(tool, not tool.on)
                self._build()
            case ServerEntry() as server:
                tools = self._of(server)
                on = not any(tool.on for tool in tools)
                for tool in tools:
                    self._switch(tool, on)
                self._build()
            case _:
                pass

    def _switch(self, tool: ToolEntry, on: bool) -> None:
        if tool.on != on:
            tool.on = self.switched[tool.tool.name] = on

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Leave x and r, where they would do nothing, to a message that begins so."""
        if action == "revoke":
            return isinstance(self._selected, AllowedEntry)
        if action == "reconnect":
            return bool(self._origin)
        return True

    def action_revoke(self) -> None:
        """Revoke what the selected entry allows."""
        entry = self._selected
        if isinstance(entry, AllowedEntry):
            self.post_message(self.Revoked(entry.grant, entry.always))

    def on_focus(self) -> None:
        """Have the states checked that are shown."""
        self.post_message(self.Entered())

    def action_reconnect(self) -> None:
        """Connect again to the selected server, or to that of the selected tool."""
        if server := self._origin:
            self.post_message(self.ReconnectWanted(server))

    @property
    def _selected(self) -> Entry | None:
        return self.entries[self.cursor] if self.cursor is not None else None

    @property
    def _origin(self) -> str:
        """The server of the selected entry, or ""."""
        match self._selected:
            case ServerEntry() as server:
                return server.state.name
            case ToolEntry() as tool:
                return tool.tool.origin
            case _:
                return ""

    def _of(self, server: ServerEntry) -> list[ToolEntry]:
        name = server.state.name
        return [tool for tool in self._tools if tool.tool.origin == name]

    def watch_model(self) -> None:
        """Show the new model."""
        self._build()

    def watch_agent(self) -> None:
        """Show the new agent."""
        self._build()

    def watch_note(self) -> None:
        """Show the new note."""
        self._build()

    def watch_stream(self) -> None:
        """Show the new state."""
        self._build()

    def watch_system(self) -> None:
        """Show the new system prompt."""
        self._build()

    def watch_options(self) -> None:
        """Show the new options."""
        self._build()

    def watch_spent(self) -> None:
        """Show the new figures."""
        self._build()

    def watch_context(self) -> None:
        """Show the new fill."""
        self._build()

    def watch_effort(self) -> None:
        """Show the new effort."""
        self._build()

    def watch_uses(self) -> None:
        """Show the new counts."""
        self._build()

    def watch_model_key(self) -> None:
        """Show the new key."""
        self._build()

    def watch_stream_key(self) -> None:
        """Show the new key."""
        self._build()

    def watch_tools_folder(self) -> None:
        """Show the new folder."""
        self._build()

    def _build(self) -> None:
        """Rebuild the list, which is short."""
        selected: object = None
        if self.cursor is not None and self.cursor < len(self.entries):
            selected = _identity(self.entries[self.cursor])
        entries = self._facts()
        for tool in self._tools:
            tool.uses = self.uses.get(tool.tool.name, 0)
        heading = _("Tools")
        if self._tools:
            heading = f"{heading} {len(self.enabled)}/{len(self._tools)}"
        entries.append(Text((heading, ("heading",)), above=1))
        if not self._tools:
            entries.append(Text(*self._how_to_add()))
        served = [tool for server in self._servers for tool in self._of(server)]
        entries += [tool for tool in self._tools if tool not in served]
        for server in self._servers:
            entries += [server, *self._of(server)]
        if self._tools:
            keys = _("Space toggles · Enter details")
            entries.append(Text((keys, ("muted",)), above=1))
        if self._allowed:
            heading, key = _("Allowed without asking"), _("x revokes")
            entries.append(Text((heading, ("heading",)), above=1, key=key))
            entries += self._allowed
        places = [_identity(entry) for entry in entries]
        cursor = places.index(selected) if selected in places else None
        self.set_entries(entries, cursor if selected else None)

    def _facts(self) -> list[Entry]:
        """Return the rows above the tools."""
        model = safe(self.model, newlines=False) or _("No model")
        entries: list[Entry] = [
            Fact(N_("Model"), (model, ("label",)), key=self.model_key)
        ]
        if note := safe(self.note, newlines=False):
            entries.append(Text((note, ("muted",))))
        if self.agent:
            entries.append(Fact(N_("Agent"), (self.agent, ("label",))))
        if self.context:
            entries.append(Fact(N_("Context"), meter(self.context)))
        if self.spent:
            entries.append(Fact(N_("Spent"), (self.spent, ("muted",))))
        entries.append(StreamSwitch(self.stream, self.stream_key))
        if self.system:
            text = safe(self.system.strip()[:_PROMPT], newlines=False)
            prompt: Span = (f"“{text}”", ("muted",))
            entries.append(Fact(N_("System"), prompt, key="/system", rows=_PROMPT_ROWS))
        if self.effort:
            entries.append(Fact(N_("Effort"), (self.effort, ()), key="/effort"))
        if self.options:
            options: list[Span] = [(option, ("muted",)) for option in self.options]
            entries.append(Fact(N_("Options"), *options))
        return entries

    def _how_to_add(self) -> list[Span]:
        if not (folder := safe(self.tools_folder, newlines=False)):
            return [(_("None"), ("muted",))]
        how = _("None yet. Put a Python file with @tool functions in this folder:")
        return [(how, ("muted",)), (folder, ())]


def _identity(entry: Entry) -> object:
    match entry:
        case StreamSwitch():
            return "stream"
        case ToolEntry():
            return ("tool", entry.tool.name)
        case AllowedEntry():
            return (entry.grant, entry.always)
        case ServerEntry():
            return ("server", entry.state.name)
        case _:
            return None
