"""Implements `tui.app.backend` for a screen in the same process.

The protocols there say which methods block and which threads may call them.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from tui import paths, process_identity
from tui.config import Config
from tui.conversation import read_state, store
from tui.conversation.read_state import Opened
from tui.errors import LazychatError
from tui.events import CancelRequested, TurnRequested, TurnStarted, TurnWithdrawn
from tui.messages import Message
from tui.runtime import runner, turn_driver, worker_registry
from tui.runtime.host import Host
from tui.runtime.living_worker import LivingWorker, LookingFollow
from tui.runtime.local_store import LocalStore
from tui.runtime.served import ServedModels
from tui.tools import Tool

if TYPE_CHECKING:
    from tui.runtime.local_setup import LocalSetup

T = TypeVar("T")

_logger = logging.getLogger(__name__)

Write = Callable[[], "Future[int]"]
"""Appends to the log and returns the future of `EventLog.append`."""


class InOrder:
    """Runs functions one after the other, in a thread of its own.

    So the events are stored in the order of the calls, even if a message must first
    wait until its runner is found.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "lazychat-writes")

    def write(self, write: Write) -> "Future[int]":
        """Run `write` after all earlier calls; return a future with its result."""
        done: Future[int] = Future()

        def work() -> None:
            try:
                written = write()
            except Exception as error:
                if not isinstance(error, LazychatError):
                    _logger.error("nothing was written", exc_info=error)
                done.set_exception(error)
            else:
                written.add_done_callback(lambda it: _become(done, it))

        self._pool.submit(work)
        return done

    def do(self, work: Callable[[], T]) -> T:
        """Run `work` after all earlier calls, wait for it and return its result."""
        return self._pool.submit(work).result()

    def wait(self) -> None:
        """Wait until all earlier writes have been passed to the log."""
        self.do(lambda: None)

    def close(self) -> None:
        """Wait for all earlier calls and accept no more."""
        self._pool.shutdown()


def _become(done: "Future[int]", written: "Future[int]") -> None:
    if error := written.exception():
        done.set_exception(error)
    else:
        done.set_result(written.result())


class LocalConversation:
    """The conversation `id` of a host."""

    def __init__(
        self, host: Host, order: InOrder, id: str, worker: LivingWorker, *, is_new: bool
    ) -> None:
        self._host = host
        self._worker = worker
        self._log = host.log
        self._order = order
        self._id = id
        # In the thread of `order` only:
        self._stored = not is_new
        self._asked = False
        self._offered = ""
        """The key of the draft that `opened` offered."""

    # -- read

    def opened(self, *, adopt: bool) -> Opened:
        """Return its state besides the records."""
        return self._order.do(lambda: self._opened(adopt))

    def _opened(self, adopt: bool) -> Opened:
        found = read_state.opened(self._log, self._id, adopt=adopt)
        self._stored = found.stored
        self._offered = found.offered
        return found

    def follow(self) -> LookingFollow:
        """Follow its records from the first on."""
        turn_driver.end_if_gone(self._log, self._id)
        follow = self._log.follow(self._id)
        return LookingFollow(follow, self._worker, self._own_runner)

    def last_seq(self) -> int:
        """Return the `seq` of its last record."""
        return store.last_seq(self._log, self._id)

    # -- request

    @property
    def _own_runner(self) -> str:
        return self._host.runner.id

    def _names_of(self, tools: Collection[str]) -> tuple[str, ...]:
        return tuple(t.name for t in self._host.tools if t.name in tools)

    def _choose_runner(self, model: str, offered: Collection[str]) -> str:
        return worker_registry.runner_for(self._host, model, offered)

    def ask(
        self,
        message: Message | None,
        *,
        model: str,
        agent: str,
        tools: Collection[str],
        stream: bool,
        again: str | None = None,
        parent: str | None = None,
        purpose: str = "",
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Request an answer, from a worker on this machine or from this process."""
        offered = self._names_of(tools)

        def write() -> "Future[int]":
            # Runs here, because it reads a file and hashes the schema of each tool.
            by = self._choose_runner(model, offered)
            options = {"stream": stream}
            asked = TurnRequested(model, agent, offered, options, again, by)
            drafts = [read_state.forgotten(self._key())] if forget_draft else []
            self._asked = True
            _, written = runner.request(
                self._log, self._id, message, asked, parent, drafts, purpose
            )
            return written

        return self._order.write(write)

    def sum_up(self, model: str, keep: str, parent: str | None) -> "Future[int]":
        """Request a summary of the earlier messages."""
        options = {"keep": keep} if keep else {}
        turn = TurnRequested(
            model, "summary", (), options, parent, runner=self._own_runner
        )
        return self._order.write(
            lambda: self._log.append(self._id, turn, turn=uuid.uuid4().hex)
        )

    def cancel(self, turn: str) -> None:
        """Ask the process that runs a turn to stop it."""
        self._append(CancelRequested(), turn)

    def withdraw(self, turn: str) -> None:
        """Withdraw a queued turn."""
        self._append(TurnWithdrawn(), turn)

    def _append(self, event: CancelRequested | TurnWithdrawn, turn: str) -> None:
        self._order.write(lambda: self._log.append(self._id, event, turn=turn))

    def take_over(self, turn: str) -> None:
        """End a turn in place of its runner."""
        turn_driver.end(self._log, self._id, turn, "interrupted")

    def end_if_gone(self, owner: TurnStarted) -> None:
        """End the turns of `owner` if its process is gone."""
        if process_identity.is_gone(owner):
            turn_driver.end_if_gone(self._log, self._id)

    # -- drafts and read marker

    def save_draft(self, text: str) -> "Future[int]":
        """Save the draft, "" for none."""
        return self._order.write(
            lambda: read_state.save_draft(self._log, self._key(), text)
        )

    def adopt_draft(self, text: str) -> None:
        """Move the offered draft to this conversation, in one transaction."""
        self._order.write(
            lambda: read_state.move_draft(self._log, self._offered, self._key(), text)
        )

    def mark_seen(self, seq: int) -> None:
        """Store that the user has seen everything up to `seq`."""
        self._order.write(lambda: read_state.mark_seen(self._log, self._id, seq))

    def _key(self) -> str:
        stored = self._stored or self._asked
        return self._id if stored else read_state.new_key(self._id)


class LocalModels:
    """The models of a host. Does not load a model that a worker has loaded."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._catalog = host.models
        self.find = self._catalog.find
        self.about = self._catalog.about
        self.note = self._catalog.note
        self.is_starter = self._catalog.is_starter
        self.window = self._catalog.window
        self.learn_window = self._catalog.learn_window

    @property
    def names(self) -> list[str]:
        """The listed names."""
        return self._catalog.names

    def preload(self, name: str) -> None:
        """Load a model, unless a worker answers with it."""
        if not self._is_with_worker(name):
            self._catalog.preload(name)

    def warm(self, name: str) -> None:
        """Let a local model process the start of every prompt in advance."""
        if not self._is_with_worker(name):
            schemas = [tool.schema for tool in self._host.tools]
            self._catalog.warm(name, schemas)

    def _is_with_worker(self, name: str) -> bool:
        host = self._host
        worker = worker_registry.find(host.log.path)
        return worker is not None and worker_registry.has_model(worker, host, name)


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
        self.model = host.model
        """The name of the model for new conversations."""
        self.agent: str = host.config.agent
        """The name of the agent for new conversations."""
        self.load_tools = host.load_tools
        self.mcp = host.mcp
        """The MCP servers."""

    def close(self) -> None:
        """Wait until all writes have been passed to the log."""
        self.mcp.leave()
        self._order.close()

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
    def tools(self) -> Sequence[Tool[..., Any]]:
        """The available tools."""
        return self._host.tools

    @property
    def enabled(self) -> set[str]:
        """The names of the tools that are on at the start."""
        return self._host.enabled

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
    def kept_to(self) -> int | None:
        """The last `seq` that would survive a kill of the program, None if all do."""
        return self._host.log.kept_to

    @property
    def unkept(self) -> bool:
        """Whether a kill of the program would lose new messages."""
        return self._host.log.unkept

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
