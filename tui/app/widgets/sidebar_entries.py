"""The entries of the tool sidebar: switches, tools, servers, and what is allowed."""

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.app.markdown.lines import Line, Span, beside, cut
from tui.app.widgets.entry_list import Entry, wrap
from tui.app.widgets.schema_lines import parameters
from tui.grants import Grant
from tui.i18n import N_, _
from tui.mcp import ServerState
from tui.safe import safe

if TYPE_CHECKING:
    from tui.tools import Tool

MARK = 2
"""Columns of a switch: `● `."""
_GAP = 2
"""Columns between a label and its value."""
_PHASES = {
    "failed": N_("not connected"),
    "disabled": N_("off"),
    "ready": N_("ready"),
    "login": N_("login"),
    "connecting": N_("connecting"),
    "retrying": N_("reconnecting"),
}
"""The words for the phases of an MCP server."""
_DEMO = "Demo data"
"""Begins what a tool with made-up results says of itself."""
_NO_DESCRIPTION = N_("No description.")
LABELS = (
    N_("Model"),
    N_("Agent"),
    N_("Context"),
    N_("Spent"),
    N_("Stream"),
    N_("System"),
    N_("Effort"),
    N_("Options"),
)
"""The labels of the values above the tools."""


def switch(on: bool) -> Span:
    """Return the mark of a switch."""
    return ("● ", ("on",)) if on else ("○ ", ("muted",))


class Text(Entry):
    """Lines that cannot be selected."""

    selectable = False

    def __init__(self, *parts: Span, above: int = 0, key: str = "") -> None:
        """Set the paragraphs.

        `above` is the number of blank lines before them; `key` is printed at the end of
        the first line.
        """
        self._parts = parts
        self._above = above
        self._key = key
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        self._lines = [Line()] * self._above
        for text, style in self._parts:
            self._lines += [Line(((row, style),)) for row in wrap(text, width)]
        if self._key:
            first = self._lines[self._above].spans
            key: Span = (self._key, ("key",))
            self._lines[self._above] = beside(first, (key,), width)
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        return self._lines[number]


class Fact(Entry):
    """A label and its value, which cannot be selected."""

    selectable = False

    def __init__(self, label: str, *values: Span, key: str = "", rows: int = 0) -> None:
        """Show `values` below each other; each is wrapped, to at most `rows` if not 0.

        `key` is printed at the end of the first line.
        """
        self._label = label
        self._values = values
        self._key = key
        self._rows = rows
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        left = label_width()
        room = max(width - left - cell_len(self._key) - 1, 2)
        self._lines = []
        for text, style in self._values:
            rows = wrap(text, room)
            if self._rows and len(rows) > self._rows:
                last = " ".join(rows[self._rows - 1 : self._rows + 1])
                rows = [*rows[: self._rows - 1], cut(((last, ()),), room)[0][0]]
            self._lines += [Line(((" " * left, ()), (row, style))) for row in rows]
        first = (label(self._label), self._lines[0].spans[1])
        self._lines[0] = beside(first, ((self._key, ("key",)),), width)
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        return self._lines[number]


def label_width() -> int:
    """Return the columns of the labels, with the gap after them."""
    return max(cell_len(_(text)) for text in LABELS) + _GAP


def label(text: str) -> Span:
    """Return a label, translated and padded to the width of all."""
    text = _(text)
    return text + " " * (label_width() - cell_len(text)), ("heading",)


class StreamSwitch(Entry):
    """The stream switch."""

    def __init__(self, on: bool, key: str) -> None:
        self.on = on
        self.key = key

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        return 1

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        state: Span = (_("on") if self.on else _("off"), () if self.on else ("muted",))
        left = label(N_("Stream")), switch(self.on), state
        return beside(left, ((self.key, ("key",)),), width)


class ToolEntry(Entry):
    """A tool; unfolded, it shows its full description and its parameters.

    Only unfolding asks for the schema, which is slow the first time.
    """

    def __init__(
        self,
        tool: "Tool[..., object]",
        on: bool,
        policy: str = "allow",
        name: str = "",
    ) -> None:
        """Show a tool; `name` is how its server calls it, below the server's own."""
        self.tool = tool
        self.on = on
        self.name = safe(name or tool.name, newlines=False)
        self.uses = 0
        """How many calls of it the conversation has."""
        self._policy = {"ask": _("asks first"), "deny": _("denied")}.get(policy, "")
        if tool.summary.startswith(_DEMO):
            self._policy = _("demo")
        self._more: list[Line] = []

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        if not self.unfolded:
            return 1
        schema = self.tool.schema
        description = safe(_(schema.description)).strip() or _(_NO_DESCRIPTION)
        rows = wrap(description, width - MARK)
        self._more = [Line((("  " + row, ("muted",)),)) for row in rows]
        if hints := self.tool.hints:
            hints = wrap(
                _("The server says: {hints}").format(hints=hints), width - MARK
            )
            self._more += [Line((("  " + row, ("label",)),)) for row in hints]
        self._more += parameters(schema.parameters, width)
        return 1 + len(self._more)

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        if number:
            return self._more[number - 1]
        left = switch(self.on), (self.name, ("name",) if self.on else ())
        uses = f"{self.uses:,}×" if self.uses else ""
        right = " ".join(filter(None, (self._policy, uses)))
        return beside(left, ((right, ("muted",)),), width) if right else Line(left)


class ServerEntry(Entry):
    """An MCP server; its tools are below it. Unfolded, it shows all that is known."""

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self._more: list[Line] = []

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        state, style = self.state, "muted"
        texts = [state.title, *state.left_out] if self.unfolded else []
        if state.problem and state.phase != "login":
            # Of a server that is connected, it is about an earlier call.
            texts.insert(0, state.problem)
            style = "error" if state.phase in ("failed", "retrying") else "muted"
        elif state.phase == "login":
            texts.insert(0, state.describe())
            style = "error"
        shown = texts if self.unfolded or state.phase != "ready" else []
        rows = [row for text in shown for row in wrap(text, width - 2)]
        self._more = [Line((("  " + row, (style,)),)) for row in rows]
        if not self.unfolded:
            self._more = self._more[:2]
        return 2 + len(self._more)

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        if number == 0:
            return Line()
        if number > 1:
            return self._more[number - 2]
        name: Span = (safe(self.state.name, newlines=False), ("heading",))
        lost = self.state.phase in ("failed", "login", "retrying")
        words = _(_PHASES.get(self.state.phase, self.state.phase))
        key: tuple[Span, ...] = (("  r", ("key",)),) if lost else ()
        look = "error" if lost else "muted"
        return beside((name,), ((words, (look,)), *key), width)


class AllowedEntry(Entry):
    """Calls that the user has allowed."""

    def __init__(self, grant: Grant, always: bool) -> None:
        self.grant = grant
        self.always = always
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        """See `Entry.height`."""
        grant = self.grant
        name = safe(grant.tool, newlines=False)
        origin = safe(grant.origin, newlines=False)
        name = (
            _("{name} from {origin}").format(name=name, origin=origin)
            if origin
            else name
        )
        scope = _("always") if self.always else _("here")
        self._lines = [beside(((name, ()),), ((scope, ("muted",)),), width)]
        folder = _("in {folder}").format(folder=grant.folder) if grant.folder else ""
        for text in filter(None, (grant.pattern, folder)):
            rows = wrap(safe(text, newlines=False), width - 2)
            self._lines += [Line((("  " + row, ("muted",)),)) for row in rows]
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        """See `Entry.line`."""
        return self._lines[number]
