"""Keeps which agent answers in a chat."""

from tui import agent_names
from tui.app.backend import Backend
from tui.app.widgets.status import Status
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.i18n import _
from tui.spelling import nearest


class AgentChoice:
    """Keeps the agent for the next question of one chat. Call it in the UI thread."""

    def __init__(self, backend: Backend, sidebar: ToolSidebar, status: Status) -> None:
        self._backend = backend
        self._sidebar = sidebar
        self._status = status
        self.current = backend.agent
        """The agent's name."""
        self._show()

    def choose(self, name: str) -> str:
        """Use the agent `name` here and in new conversations.

        Returns why that is impossible, or "".
        """
        if name not in agent_names.ABOUT:
            known = list(agent_names.ABOUT)
            hint = nearest(name, known) or _(" Known: {known}.").format(
                known=", ".join(known)
            )
            return _('There is no agent "{name}".{hint}').format(name=name, hint=hint)
        self.current = self._backend.agent = name
        self._show()
        return ""

    def _show(self) -> None:
        # The usual one needs no words.
        shown = "" if self.current == agent_names.DEFAULT else self.current
        self._sidebar.agent = self._status.agent = shown
