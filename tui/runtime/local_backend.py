"""The backend of a screen in the same process: a host, its store and its models.

It is what `tui.app.backend` describes, which says what blocks and who may call.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tui import process_identity
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
from tui.tools import Tool

T = TypeVar("T")

_logger = logging.getLogger(__name__)

Write = Callable[[], "Future[int]"]
"""Appends to the log; the future as of `EventLog.append`."""


class InOrder:
    """Does what it is given in a thread of its own, one after the other.

    So a message whose runner has still to be found is before the draft that is saved
    after it.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "lazychat-writes")

    def write(self, write: Write) -> "Future[int]":
        """Do `write` after all before it; the future becomes as its own does."""
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
        """Do `work` after all before it, and wait for what it returns."""
        return self._pool.submit(work).result()

    def wait(self) -> None:
        """Wait until all before has been given to the log."""
        self.do(lambda: None)

    def close(self) -> None:
        """Wait for all that was given, and take no more."""
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
        """The key of the draft that was offered."""

    # -- what is there

    def opened(self, *, adopt: bool) -> Opened:
        """Return what is known of it besides its records."""
        return self._order.do(lambda: self._opened(adopt))

    def _opened(self, adopt: bool) -> Opened:
        found = read_state.opened(self._log, self._id, adopt=adopt)
        self._stored = found.stored
        self._offered = found.offered
        return found

    def follow(self) -> LookingFollow:
        """Return its records from the first on."""
        turn_driver.end_if_gone(self._log, self._id)
        own = self._host.runner.id
        return LookingFollow(self._log.follow(self._id), self._worker, own)

    def last_seq(self) -> int:
        """Return the `seq` of its last record."""
        return store.last_seq(self._log, self._id)

    # -- what is asked

    def ask(
        self,
        message: Message | None,
        *,
        model: str,
        tools: Collection[str],
        stream: bool,
        again: str | None = None,
        parent: str | None = None,
        purpose: str = "",
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Ask for an answer, of a worker of this machine or of this process."""
        host = self._host
        offered = tuple(t.name for t in host.tools if t.name in tools)

        def write() -> "Future[int]":
            # Reads a file, and digests what each tool is.
            by = worker_registry.runner_for(host, model, offered)
            options = {"stream": stream}
            agent = host.config.agent
            asked = TurnRequested(model, agent, offered, options, again, by)
            drafts = [read_state.forgotten(self._key())] if forget_draft else []
            self._asked = True
            _, written = runner.request(
                self._log, self._id, message, asked, parent, drafts, purpose
            )
            return written

        return self._order.write(write)

    def sum_up(self, model: str, keep: str, parent: str | None) -> "Future[int]":
        """Ask for a summary of what was said first."""
        options = {"keep": keep} if keep else {}
        turn = TurnRequested(
            model, "summary", (), options, parent, runner=self._host.runner.id
        )
        return self._order.write(
            lambda: self._log.append(self._id, turn, turn=uuid.uuid4().hex)
        )

    def cancel(self, turn: str) -> None:
        """Ask whoever runs a turn to stop it."""
        self._append(CancelRequested(), turn)

    def withdraw(self, turn: str) -> None:
        """Take back a turn that waits."""
        self._append(TurnWithdrawn(), turn)

    def _append(self, event: CancelRequested | TurnWithdrawn, turn: str) -> None:
        self._order.write(lambda: self._log.append(self._id, event, turn=turn))

    def take_over(self, turn: str) -> None:
        """End a turn in the place of its runner."""
        turn_driver.end(self._log, self._id, turn, "interrupted")

    def end_if_gone(self, owner: TurnStarted) -> None:
        """End the turns of `owner` if its process is gone."""
        if process_identity.is_gone(owner):
            turn_driver.end_if_gone(self._log, self._id)

    # -- what is being written and was read

    def save_draft(self, text: str) -> "Future[int]":
        """Keep what is being written."""
        return self._order.write(
            lambda: read_state.save_draft(self._log, self._key(), text)
        )

    def adopt_draft(self, text: str) -> None:
        """Keep the draft that was offered, in one transaction."""
        self._order.write(
            lambda: read_state.move_draft(self._log, self._offered, self._key(), text)
        )

    def mark_seen(self, seq: int) -> None:
        """Keep that the user knows everything up to `seq`."""
        self._order.write(lambda: read_state.mark_seen(self._log, self._id, seq))

    def _key(self) -> str:
        stored = self._stored or self._asked
        return self._id if stored else read_state.new_key(self._id)


class LocalModels:
    """The models of a host; of those that a worker has, none is loaded twice."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._catalog = host.models
        self.find = self._catalog.find
        self.about = self._catalog.about
        self.note = self._catalog.note
        self.window = self._catalog.window
        self.learn_window = self._catalog.learn_window

    @property
    def names(self) -> list[str]:
        """The names that are offered."""
        return self._catalog.names

    def preload(self, name: str) -> None:
        """Load a model, unless a worker answers with it."""
        if not self._is_with_worker(name):
            self._catalog.preload(name)

    def warm(self, name: str) -> None:
        """Have a local model read ahead what answers begin with."""
        if not self._is_with_worker(name):
            schemas = [tool.schema for tool in self._host.tools]
            self._catalog.warm(name, schemas)

    def _is_with_worker(self, name: str) -> bool:
        host = self._host
        worker = worker_registry.find(host.log.path)
        return worker is not None and worker_registry.has_model(worker, host, name)


class LocalBackend:
    """Everything of a `host` that a screen needs. `close` it before the host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._order = InOrder()
        self._worker = LivingWorker()
        self.models = LocalModels(host)
        """The models that can be asked."""
        self.store = LocalStore(host.log, self._order.wait)
        """All conversations."""
        self.model = host.model
        """The name of the model that a new conversation asks."""
        self.load_tools = host.load_tools

    def close(self) -> None:
        """Wait until all that was asked for has been given to the log."""
        self._order.close()

    def conversation(self, id: str, *, is_new: bool = False) -> LocalConversation:
        """Return the conversation `id`; `is_new`: nothing was ever written to it."""
        return LocalConversation(
            self._host, self._order, id, self._worker, is_new=is_new
        )

    @property
    def config(self) -> Config:
        """What the user has configured."""
        return self._host.config

    @property
    def problems(self) -> list[str]:
        """Lines for the user."""
        return self._host.problems

    @property
    def tools(self) -> Sequence[Tool[..., Any]]:
        """The tools that there are."""
        return self._host.tools

    @property
    def enabled(self) -> set[str]:
        """The names of the tools that are on at the start."""
        return self._host.enabled

    @property
    def has_own_tools(self) -> bool:
        """Whether there are files of the user's for `load_tools`."""
        return self._host.has_own_tools

    @property
    def keeps(self) -> bool:
        """Whether the store could be opened."""
        return self._host.keeps

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that would outlive a kill of the program, None when all do."""
        return self._host.log.kept_to

    @property
    def unkept(self) -> bool:
        """Whether what is said now would be lost if the program were killed."""
        return self._host.log.unkept

    @property
    def wanted(self) -> int:
        """How many turns of this program run or wait that nobody has cancelled."""
        return self._host.runner.wanted

    @property
    def busy(self) -> bool:
        """Whether a turn of this program runs or waits."""
        return self._host.runner.busy

    def runs(self, turn: str) -> bool:
        """Whether this program runs a turn right now."""
        return self._host.runner.runs(turn)

    def serves(self, runner: str) -> bool:
        """Whether `runner` is this program's, or a worker of this machine that lives.

        That is as of the last look, of which a next one is begun.
        """
        return runner == self._host.runner.id or self._worker.is_it(runner)

    def is_here(self, owner: TurnStarted) -> bool:
        """Whether it can be told from here if the process `owner` still lives."""
        return process_identity.is_here(owner)

    def failure(self, turn: str) -> str:
        """Return why a turn of this program could not be written to its end, or ""."""
        error = self._host.runner.failure(turn)
        return str(error) if error else ""
