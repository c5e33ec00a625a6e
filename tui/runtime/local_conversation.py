"""Implements `tui.app.backend.Conversation` in the process that has the log.

The protocol there says which methods block and which threads may call them.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future

import msgspec

from tui import process_identity
from tui.conversation import approvals, read_state, store
from tui.conversation.approvals import Question
from tui.conversation.comparison import COMPARES, AskedModel
from tui.conversation.read_state import Opened
from tui.eventlog import Follow
from tui.events import (
    ApprovalGiven,
    ApprovalRevoked,
    CancelRequested,
    ConversationConfigured,
    Record,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Attachment, Message
from tui.runtime import runner, turn_driver, worker_registry
from tui.runtime.host import Host
from tui.runtime.in_order import InOrder
from tui.runtime.living_worker import LivingWorker
from tui.runtime.local_files import DraftFiles
from tui.runtime.resuming import RESUMES


class LookingFollow:
    """Follows as `follow` does, and looks for the worker before one is asked."""

    def __init__(self, follow: Follow, worker: LivingWorker, own: str) -> None:
        """Take what to follow; `own` is the runner that needs no looking for."""
        self._follow = follow
        self._worker = worker
        self._own = own
        self.close = follow.close

    def __enter__(self) -> "LookingFollow":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[list[Record]]:
        for records in self._follow:
            if any(map(self._asks_another, records)):
                self._worker.look()
            yield records

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._follow.closed

    def _asks_another(self, record: Record) -> bool:
        event = record.event
        return isinstance(event, TurnRequested) and event.runner not in ("", self._own)


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
