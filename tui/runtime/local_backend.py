"""Implements `tui.app.backend` for a screen in the same process.

The protocols there say which methods block and which threads may call them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import grants, paths, process_identity
from tui.config import Config, Price
from tui.errors import LazychatError
from tui.events import TurnStarted
from tui.grants import Grant
from tui.i18n import _
from tui.models.exchanges import Exchanges
from tui.runtime.host import Host
from tui.runtime.in_order import InOrder
from tui.runtime.living_worker import LivingWorker
from tui.runtime.local_conversation import LocalConversation
from tui.runtime.local_files import LocalFiles, NoFiles
from tui.runtime.local_models import LocalModels
from tui.runtime.local_store import LocalStore
from tui.runtime.served import ServedModels

if TYPE_CHECKING:
    from tui.runtime.local_setup import LocalSetup
    from tui.tools import Tool
    from tui.tools.policy import Policy


class LocalBackend:
    """Gives a screen access to a `host`. Close it before the host."""

    def __init__(self, host: Host, models: ServedModels | None = None) -> None:
        """Offer the models of `host`, or those of another process."""
        self._host = host
        self._order = InOrder()
        self._worker = LivingWorker()
        self.models = models or LocalModels(host)
        """The available models."""
        self.store = LocalStore(host.log, self._order.wait)
        """All conversations."""
        self.files: LocalFiles | NoFiles = LocalFiles(Path())
        """The files that can be attached, relative to the current folder."""
        self.model = host.model
        """The name of the model for new conversations."""
        self.agent: str = host.config.agent
        """The name of the agent for new conversations."""
        self.keys = dict(host.config.keys)
        """Command to keys; the app settles which of them work."""
        self.load_tools = host.load_tools
        self.expect_tools = host.expect_tools
        self.mcp = host.mcp
        """The MCP servers."""

    def close(self) -> None:
        """Wait until all writes have been passed to the log."""
        self.mcp.leave()
        self._order.close()

    def price(self, name: str) -> Price | None:
        """Return what a model's tokens cost by the configuration; None if unknown."""
        return self._host.models.price(name)

    def conversation(self, id: str, *, is_new: bool = False) -> LocalConversation:
        """Return the conversation `id`; `is_new` if nothing was ever written to it."""
        return LocalConversation(
            self._host, self._order, id, self._worker, is_new=is_new
        )

    @property
    def setup(self) -> "LocalSetup":
        """Finds and adds models."""
        from tui.runtime.local_setup import LocalSetup  # seldom needed

        return LocalSetup(self._host)

    @property
    def config(self) -> Config:
        """The user's configuration."""
        return self._host.config

    @property
    def refused(self) -> Mapping[str, str]:
        """Commands that do not work here: none."""
        return {}

    @property
    def problems(self) -> list[str]:
        """Lines for the user."""
        return self._host.problems

    @property
    def exchanges(self) -> Exchanges:
        """The last requests to models, as sent by this process."""
        return self._host.models.exchanges

    @property
    def is_page(self) -> bool:
        """False: this is the user's own terminal."""
        return False

    @property
    def tools(self) -> "Sequence[Tool[..., Any]]":
        """The available tools."""
        return self._host.tools

    @property
    def tool_names(self) -> Sequence[str] | None:
        """The names of `tools`, None while they are not imported."""
        return self._host.tool_names

    def enabled_for(self, model: str) -> set[str]:
        """Return the names of the tools that are on at the start with a model."""
        return self._host.enabled_for(model)

    def grants(self) -> Sequence[Grant]:
        """Return what the user has always allowed."""
        return grants.stored()

    def revoke(self, grant: Grant) -> None:
        """Revoke what the user has always allowed."""
        try:
            grants.revoke(grant)
        except OSError as error:
            raise LazychatError(
                _("{state_file} cannot be written: {strerror}.").format(
                    state_file=paths.state_file(), strerror=error.strerror
                )
            ) from error

    def policy(self, tool: "Tool[..., Any]") -> "Policy":
        """Return whether a tool asks before it runs."""
        return self.config.tools.policy.get(tool.name, tool.policy)

    @property
    def tools_folder(self) -> str:
        """The user's folder for tools."""
        return str(paths.tools_folder())

    @property
    def has_own_tools(self) -> bool:
        """Whether `load_tools` has files of the user to load."""
        return self._host.has_own_tools

    @property
    def keeps(self) -> bool:
        """Whether the store could be opened."""
        return self._host.keeps

    @property
    def temporary(self) -> bool:
        """Whether nothing is stored, because the user wants that."""
        return self._host.temporary

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that would survive a kill of the program, None if all do."""
        return None if self._host.temporary else self._host.log.kept_to

    @property
    def unkept(self) -> bool:
        """Whether a kill of the program would lose new messages."""
        return self._host.log.unkept and not self._host.temporary

    @property
    def wanted(self) -> int:
        """Number of this program's running and queued turns that are not cancelled."""
        return self._host.runner.wanted

    @property
    def busy(self) -> bool:
        """Whether a turn of this program is running or queued."""
        return self._host.runner.busy

    def runs(self, turn: str) -> bool:
        """Return whether this program is running a turn."""
        return self._host.runner.runs(turn)

    def serves(self, runner: str) -> bool:
        """Return whether `runner` is this program's, or that of a live local worker.

        That is as of the last look, of which a next one is begun.
        """
        return runner == self._host.runner.id or self._worker.is_it(runner)

    def is_here(self, owner: TurnStarted) -> bool:
        """Return whether this machine can check if the process `owner` is alive."""
        return process_identity.is_here(owner)

    def failure(self, turn: str) -> str:
        """Return why a turn of this program could not be written completely, or ""."""
        error = self._host.runner.failure(turn)
        return str(error) if error else ""
