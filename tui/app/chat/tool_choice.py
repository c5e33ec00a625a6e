"""Which tools a chat offers, and what went wrong when they were loaded."""

from collections.abc import Callable

from tui.app.backend import Backend
from tui.app.transcript.note import NoteKind
from tui.app.widgets.tool_sidebar import ToolSidebar


class ToolChoice:
    """The tools that are on in one chat. Used in the UI's thread."""

    def __init__(
        self,
        backend: Backend,
        sidebar: ToolSidebar,
        note: Callable[[str, NoteKind], None],
    ) -> None:
        """Take how to `note` a problem in the conversation."""
        self._backend = backend
        self._sidebar = sidebar
        self._note = note
        self._problems = 0  # those of the backend that have been shown
        self._toggled: dict[str, bool] = {}  # tools that the user has switched

    def show(self) -> None:
        """Show the tools that there are now, and what problems there were since."""
        self._sidebar.set_tools(self._backend.tools, self.enabled())
        self.show_problems()

    def show_problems(self) -> None:
        """Show what has gone wrong since the last time, with tools or without."""
        problems = self._backend.problems[self._problems :]
        self._problems += len(problems)
        for problem in problems:
            self._note(problem, "warning")

    def toggle(self, name: str, enabled: bool) -> None:
        """Take the user's word for a tool."""
        self._toggled[name] = enabled

    def enabled(self) -> set[str]:
        """Return the names of the tools that are on; the user's word is the last."""
        on = {name for name, enabled in self._toggled.items() if enabled}
        return (self._backend.enabled | on) - (set(self._toggled) - on)
