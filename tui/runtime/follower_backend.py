"""Implements `tui.app.backend` for a screen that another process serves.

It follows the conversations in the store itself, and asks the runner of the serving
process, whose models and tools it shows. It ends with that process, whose terminal it
draws on.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tui import agent_names
from tui.errors import ToolError
from tui.i18n import N_, _
from tui.mcp import Servers
from tui.messages import ToolSchema
from tui.runtime.host import Host
from tui.runtime.local_backend import LocalBackend
from tui.runtime.local_conversation import LocalConversation
from tui.runtime.local_files import NoFiles
from tui.runtime.served import Served, ServedModels
from tui.tools import Tool
from tui.tools.policy import Policy

REFUSED = {
    "edit": N_("Your editor cannot be opened from the browser"),
    "suspend": N_("Ctrl+Z works in a terminal, not in the browser"),
    "export": N_(
        "Files cannot be written from the browser: run `lazychat export` on the server"
    ),
    "save_code": N_(
        "Files cannot be written from the browser: copy the code instead (Y in the "
        "conversation)"
    ),
    "setup": N_(
        "Models cannot be set up in the browser: run `lazychat setup` on the server"
    ),
    "attach": N_(
        "Files cannot be attached in the browser: they would be files of the server"
    ),
    "import": N_(
        "Files cannot be read from the browser: run `lazychat import` on the server"
    ),
}
"""Commands that reach beyond the conversations, each with the reason."""


_AGENT = {"agent": N_("The program that serves this page chooses how answers are made")}
KEYS = {"stream": "f8,ctrl+t", "new": "f10,ctrl+n"}
"""Keys of commands whose own keys a browser keeps for itself."""


class ServedConversation(LocalConversation):
    """A conversation whose questions the serving process answers."""

    served: Served

    @property
    def _own_runner(self) -> str:
        return self.served.runner

    def _names_of(self, tools: Collection[str]) -> tuple[str, ...]:
        return tuple(tool.name for tool in self.served.tools if tool.name in tools)

    def _choose_runner(self, model: str, offered: Collection[str]) -> str:
        return self.served.runner


class FollowerBackend(LocalBackend):
    """Gives a screen access to a serving process. Close it before the host.

    The host's own models, tools and runner are not used.
    """

    def __init__(self, host: Host, served: Served) -> None:
        super().__init__(host, ServedModels(served))
        self._served = served
        self._tools = [_told(schema, served) for schema in served.tools]
        self.model = served.model
        self.agent = served.agent or agent_names.DEFAULT
        self.load_tools = _load_nothing
        self.files = NoFiles(_(REFUSED["attach"]))
        self.mcp = Servers({})  # the serving process has connected to them

    @property
    def refused(self) -> Mapping[str, str]:
        """Commands that do not work here, with the reasons."""
        refused = REFUSED if self._served.agent else REFUSED | _AGENT
        return {command: _(why) for command, why in refused.items()}

    @property
    def is_page(self) -> bool:
        """True: only `lazychat serve` and `WebModule` start such a screen."""
        return True

    def conversation(self, id: str, *, is_new: bool = False) -> ServedConversation:
        """Return the conversation `id`; `is_new` if nothing was ever written to it."""
        made = ServedConversation(
            self._host, self._order, id, self._worker, is_new=is_new
        )
        made.served = self._served
        return made

    @property
    def tools(self) -> Sequence[Tool[..., Any]]:
        """The tools of the serving process; they cannot be called here."""
        return self._tools

    @property
    def tool_names(self) -> Sequence[str] | None:
        """The names of `tools`."""
        return [tool.name for tool in self._tools]

    def enabled_for(self, model: str) -> set[str]:
        """Return the names of the tools that are on at the start with a model."""
        found = self._served.models.get(model)
        own = found.enabled if found else None
        return set(self._served.enabled if own is None else own)

    def policy(self, tool: Tool[..., Any]) -> Policy:
        """Return whether a tool asks before it runs, in the serving process."""
        return tool.policy

    @property
    def tools_folder(self) -> str:
        """No folder: the serving process has its tools from elsewhere."""
        return ""

    @property
    def has_own_tools(self) -> bool:
        """False: the serving process has loaded the tools."""
        return False

    def serves(self, runner: str) -> bool:
        """Return whether `runner` is that of the serving process.

        That is alive: this process gets a hang-up as soon as it is not.
        """
        return runner == self._served.runner


def _load_nothing(only: Sequence[str] = ()) -> None:
    pass


def _told(schema: ToolSchema, served: Served) -> Tool[..., Any]:
    """Return a tool that shows `schema`."""

    def elsewhere() -> None:
        raise ToolError(f"{schema.name} runs in the serving process.")

    tool = Tool(
        elsewhere,
        name=schema.name,
        description=schema.description or schema.name,
        keywords=schema.keywords,
        policy=served.policies.get(schema.name, "allow"),
    )
    tool.schema = schema
    return tool
