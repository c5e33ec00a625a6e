"""Implements `tui.app.backend` for a screen in the same process.

The protocols there say which methods block and which threads may call them.

The file is long because the protocols are: each of their methods has its place here.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tui import grants, paths, process_identity
from tui.config import Config, Price
from tui.conversation import approvals, read_state, store
from tui.conversation.approvals import Question
from tui.conversation.comparison import COMPARES, AskedModel
from tui.conversation.read_state import Opened
from tui.errors import LazychatError
from tui.events import (
    ApprovalGiven,
    ApprovalRevoked,
    CancelRequested,
    ConversationConfigured,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.grants import Grant
from tui.i18n import _
from tui.messages import Attachment, Message
from tui.models.exchanges import Exchanges
from tui.runtime import runner, turn_driver, worker_registry
from tui.runtime.host import Host
from tui.runtime.in_order import InOrder
from tui.runtime.living_worker import LivingWorker, LookingFollow
from tui.runtime.local_files import DraftFiles, LocalFiles, NoFiles
from tui.runtime.local_models import LocalModels
from tui.runtime.local_store import LocalStore
from tui.runtime.resuming import RESUMES
from tui.runtime.served import ServedModels

if TYPE_CHECKING:
    from tui.runtime.local_setup import LocalSetup
    from tui.tools import Tool
    from tui.tools.policy import Policy


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
        self._settings: ConversationConfigured | None = None
        """Settings that wait for the first question: without one, nothing is stored."""
        self._offered = ""
        """The key of the draft that `opened` offered."""
        self._kept = DraftFiles()

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
        tools: Callable[[], Collection[str]],
        stream: bool,
        again: str | None = None,
        parent: str | None = None,
        purpose: str = "",
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Request an answer, from a worker on this machine or from this process."""

        def write() -> "Future[int]":
            asked = self._request(AskedModel(model, tools), agent, stream, again)
            drafts = [read_state.forgotten(self._key())] if forget_draft else []
            self._begin()
            _, written = runner.request(
                self._log, self._id, message, asked, parent, drafts, purpose
            )
            return written

        return self._order.write(write)

    def compare(
        self,
        question: Message | str,
        models: Sequence[AskedModel],
        *,
        agent: str,
        stream: bool,
        parent: str | None = None,
        forget_draft: bool = False,
    ) -> "Future[int]":
        """Request an answer from each of `models`, one after the other."""

        def write() -> "Future[int]":
            turns = [self._request(model, agent, stream) for model in models]
            if len({turn.runner for turn in turns}) > 1:
                # Two runners would not wait for each other, and the second answer
                # cannot begin before its question has.
                own = self._own_runner
                turns = [msgspec.structs.replace(it, runner=own) for it in turns]
            marked = turns[-1].options | {COMPARES: True}
            turns[-1] = msgspec.structs.replace(turns[-1], options=marked)
            drafts = [read_state.forgotten(self._key())] if forget_draft else []
            self._begin()
            return runner.request_each(
                self._log, self._id, question, turns, parent, drafts
            )

        return self._order.write(write)

    def _request(
        self, model: AskedModel, agent: str, stream: bool, again: str | None = None
    ) -> TurnRequested:
        """Return a request with its runner. Call it in the thread of `order`."""
        self._host.wait_for_tools()
        offered = self._names_of(model.tools())
        # Runs here, because it reads a file and hashes the schema of each tool.
        by = self._choose_runner(model.name, offered)
        return TurnRequested(
            model.name, agent, offered, {"stream": stream}, again, runner=by
        )

    def _begin(self) -> None:
        """Store the settings that waited for the first question."""
        self._asked = True
        if self._settings is not None:
            self._log.append(self._id, self._settings)
            self._settings = None

    def configure(self, settings: ConversationConfigured) -> "Future[int]":
        """Give the conversation settings of its own, from the next turn on."""

        def write() -> "Future[int]":
            if self._stored or self._asked:
                return self._log.append(self._id, settings)
            self._settings = settings
            done: Future[int] = Future()
            done.set_result(0)
            return done

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

    def answer(
        self, question: Question, given: ApprovalGiven, resumed: TurnRequested | None
    ) -> "Future[int]":
        """Store the user's answer, which lets a turn go on, or resumes it."""
        if resumed is None:
            return self._order.write(
                lambda: approvals.answer(self._log, self._id, question, given)
            )
        tools = self._names_of(resumed.tools)

        def write() -> "Future[int]":
            request = msgspec.structs.replace(
                resumed,
                runner=self._choose_runner(resumed.model, tools),
                options=resumed.options | {RESUMES: question.turn},
            )
            id = uuid.uuid4().hex
            return approvals.answer(self._log, self._id, question, given, request, id)

        return self._order.write(write)

    def revoke(self, tool: str, origin: str) -> None:
        """Revoke what was allowed for this conversation."""
        self._append(ApprovalRevoked(tool, origin))

    def cancel(self, turn: str) -> None:
        """Ask the process that runs a turn to stop it."""
        self._append(CancelRequested(), turn)

    def withdraw(self, turn: str) -> None:
        """Withdraw a queued turn."""
        self._append(TurnWithdrawn(), turn)

    def _append(
        self,
        event: CancelRequested | TurnWithdrawn | ApprovalRevoked,
        turn: str | None = None,
    ) -> None:
        self._order.write(lambda: self._log.append(self._id, event, turn=turn))

    def take_over(self, turn: str) -> None:
        """End a turn in place of its runner."""
        turn_driver.end(self._log, self._id, turn, "interrupted")

    def end_if_gone(self, owner: TurnStarted) -> None:
        """End the turns of `owner` if its process is gone."""
        if process_identity.is_gone(owner):
            turn_driver.end_if_gone(self._log, self._id)

    # -- drafts and read marker

    def save_draft(self, text: str, files: Sequence[Attachment] = ()) -> "Future[int]":
        """Save the draft, if there is any."""
        return self._order.write(
            lambda: read_state.save_draft(
                self._log, self._key(), text, self._kept.taken(files)
            )
        )

    def adopt_draft(self, text: str, files: Sequence[Attachment] = ()) -> None:
        """Move the offered draft to this conversation, in one transaction."""
        self._order.write(
            lambda: read_state.move_draft(
                self._log, self._offered, self._key(), text, files
            )
        )

    def mark_seen(self, seq: int) -> None:
        """Store that the user has seen everything up to `seq`."""
        self._order.write(lambda: read_state.mark_seen(self._log, self._id, seq))

    def _key(self) -> str:
        stored = self._stored or self._asked
        return self._id if stored else read_state.new_key(self._id)


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
