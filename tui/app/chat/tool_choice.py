"""Keeps which tools a chat offers, and reports problems with loading them."""

from collections import Counter
from collections.abc import Callable, Iterable

from tui.app.backend import Backend
from tui.app.transcript.note import NoteKind
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.events import Record, ToolCallStarted


class ToolChoice:
    """Keeps which tools are on in one chat. Call it in the UI thread."""

    def __init__(
        self,
        backend: Backend,
        sidebar: ToolSidebar,
        note: Callable[[str, NoteKind], object],
    ) -> None:
        """Use `note` to show a problem in the conversation."""
        self._backend = backend
        self._sidebar = sidebar
        self._note = note
        self._problems = 0  # how many of the backend's problems have been shown
        self._uses = Counter[str]()
        self._listed = False

    def take(self, records: Iterable[Record]) -> None:
        """Count the calls in the next records of the conversation."""
        events = (record.event for record in records)
        names = [it.call.name for it in events if isinstance(it, ToolCallStarted)]
        if names:
            self._uses.update(names)
            self._sidebar.uses = dict(self._uses)

    def show(self) -> None:
        """Show the current tools, and the problems since the last call.

        Call it after the first frame, as it imports the tools.
        """
        self._listed = True
        self.show_switches()
        self.show_problems()

    def show_switches(self) -> None:
        """Show which tools are on, which the model may have changed.

        Nothing is shown before `show`.
        """
        if not self._listed:
            return
        tools = self._backend.tools
        policies = {tool.name: self._backend.policy(tool) for tool in tools}
        servers = self._backend.mcp.states
        self._sidebar.set_tools(tools, self.enabled(), policies, servers)

    def show_problems(self) -> None:
        """Show the backend's problems since the last call."""
        problems = self._backend.problems[self._problems :]
        self._problems += len(problems)
        for problem in problems:
            self._note(problem, "warning")

    def enabled(self) -> set[str]:
        """Return the names of the tools that are on; the user's choice wins."""
        return self.enabled_for(self._sidebar.model)()

    def enabled_for(self, model: str) -> Callable[[], set[str]]:
        """Return a function that returns the same for a model, in any thread."""
        switched = dict(self._sidebar.switched)

        def enabled() -> set[str]:
            on = {name for name, enabled in switched.items() if enabled}
            return (self._backend.enabled_for(model) | on) - (set(switched) - on)

        return enabled
