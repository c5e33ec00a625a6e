"""Claims requested turns, runs them in threads and logs their events.

The runner communicates only through the log: requests and cancels come in as events,
from this process or another, and results go out as events. Each conversation runs one
turn at a time; later requests wait in log order.
"""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from tui import process_identity, session
from tui.conversation import store
from tui.errors import ConflictError, LogError
from tui.eventlog import Draft, EventLog, Follow
from tui.events import (
    ApprovalGiven,
    CancelRequested,
    MessageAdded,
    Record,
    TurnFinished,
    TurnRequested,
    TurnWithdrawn,
)
from tui.messages import Message
from tui.runtime.approvals import LoggedApprover
from tui.runtime.slots import Slot, Slots
from tui.runtime.turn_driver import drive, end_if_gone
from tui.turn import Turn

if TYPE_CHECKING:  # slow, as the agents import the gate
    from tui.agents import Agent

MakeAgent = Callable[[TurnRequested], "Agent"]
"""Builds the agent for a request. Raises `LazychatError` when it cannot. Runs in the
turn's thread, so it may be slow."""


class Background(Protocol):
    """Work between turns, which gives way to them. Neither method blocks or raises."""

    def turn_requested(self) -> None:
        """Stop the work: a turn is about to run. Called in the runner's thread."""
        ...

    def turn_ended(self, request: Record) -> None:
        """Begin what follows a turn. Called in the turn's thread."""
        ...


LOOK_AFTER_SECONDS = 2.0
"""Seconds between two checks whether other processes still run their turns."""

_SETTLED = "turn_started", "turn_withdrawn", "turn_finished"
"""Kinds of events after which a request needs no runner any more."""

_logger = logging.getLogger(__name__)


class Runner:
    """Runs the turns of `log` that name this runner, or none.

    Call `start` before the first request: a runner sees only requests that are appended
    after that. At most `workers` turns run at a time, besides those that wait for the
    user; further conversations wait for one of them to end.
    """

    def __init__(self, log: EventLog, make_agent: MakeAgent, workers: int = 8) -> None:
        self.id = uuid.uuid4().hex
        """The name for `TurnRequested.runner`. A request names its runner because other
        processes may lack the tools, keys and folder that the requester meant."""
        self.background: Background | None = None
        """What works between turns; set it before `start`."""
        self._log = log
        self._make_agent = make_agent
        self._slots = Slots(workers, "lazychat-turn")
        self._follow: Follow | None = None
        self._thread: threading.Thread | None = None
        # Guards the next six attributes, which concern only turns of this runner.
        # Notified when one of these turns ends.
        self._lock = threading.Condition()
        self._running: dict[str, Turn] = {}
        self._places: dict[str, str] = {}
        """The conversation of each running turn."""
        self._waiting: dict[str, deque[Record]] = {}
        self._failures: dict[str, LogError] = {}
        self._ended: set[str] = set()
        self._taken = 0
        """The `seq` up to which requests have been processed."""

    def start(self) -> None:
        """Start to follow the log for requests, in a thread of its own."""
        self._taken = self._log.tail()
        self._follow = self._log.follow(after=self._taken, provisional=False)
        self._thread = threading.Thread(
            target=self._watch, args=(self._follow,), name="lazychat-runner"
        )
        self._thread.daemon = True
        self._thread.start()

    def finish(self) -> None:
        """Wait until all turns requested from this runner before this call have ended.

        Queued turns run too, and all turns can still be cancelled. Turns of other
        runners do not matter.
        """
        with suppress(LogError):
            self._log.flush()
        with suppress(LogError), self._lock:
            asked = store.newest_request(self._log)
            while self._thread and self._thread.is_alive():
                # The request may have been deleted since; then an older one is newest.
                taken = self._taken >= min(asked, store.newest_request(self._log))
                if taken and not (self._running or any(self._waiting.values())):
                    return
                self._lock.wait(LOOK_AFTER_SECONDS)

    def close(self, *, cancel: bool = True) -> None:
        """Accept no more requests and wait for the running turns.

        With `cancel`, asks them to stop first; their text so far is stored as a
        message. Queued turns are withdrawn, because no other runner may run them.
        """
        if self._follow:
            self._follow.close()
        if self._thread:
            self._thread.join()
        with self._lock:
            waiting = [record for queue in self._waiting.values() for record in queue]
            self._waiting.clear()
            running = list(self._running.values())
        with suppress(LogError):
            for record in waiting:
                self._log.append(record.conversation, TurnWithdrawn(), turn=record.turn)
        for turn in running if cancel else ():
            turn.cancel.request()
        self._slots.join()

    @property
    def busy(self) -> bool:
        """Whether a turn of this runner is running or queued."""
        with self._lock:
            return bool(self._running or any(self._waiting.values()))

    def is_idle(self, conversation: str = "") -> bool:
        """Return whether no turn of this runner runs or waits, in one conversation."""
        with self._lock:
            if not conversation:
                return not (self._running or any(self._waiting.values()))
            waits = self._waiting.get(conversation)
            return not waits and conversation not in self._places.values()

    @property
    def wanted(self) -> int:
        """Number of this runner's running and queued turns that are not cancelled."""
        with self._lock:
            running = [t for t in self._running.values() if not t.cancel.requested]
            return len(running) + sum(map(len, self._waiting.values()))

    def runs(self, turn: str) -> bool:
        """Return whether this runner is running a turn."""
        with self._lock:
            return turn in self._running

    def failure(self, turn: str) -> LogError | None:
        """Return why a turn of this runner could not be written completely, or None.

        The log cannot record the reason, because the disk is full or gone. The turn
        will write no more events.
        """
        with self._lock:
            return self._failures.get(turn)

    def _watch(self, follow: Follow) -> None:
        with suppress(LogError):  # the program is exiting and has closed the log
            while not follow.closed:
                with self._lock:
                    waits = list(self._waiting)
                # If our turn waits for one of another process, poll: that process may
                # have died without an event.
                records = follow.poll(LOOK_AFTER_SECONDS if waits else None)
                for record in records:
                    self._take(record)
                if records:
                    with self._lock:
                        self._taken = records[-1].seq
                        self._lock.notify_all()
                for conversation_id in waits if not records else ():
                    self._claim(conversation_id)

    def _take(self, record: Record) -> None:
        turn = record.turn or ""
        match record.event:
            case TurnRequested() if record.event.runner in ("", self.id):
                if self.background:
                    self.background.turn_requested()
                with self._lock:
                    self._waiting.setdefault(record.conversation, deque()).append(
                        record
                    )
                self._claim(record.conversation)
            case CancelRequested():
                self._cancel(record.conversation, turn)
            case ApprovalGiven():
                with self._lock:
                    running = self._running.get(turn)
                if running and isinstance(running.approver, LoggedApprover):
                    running.approver.give(record.event)
            case TurnWithdrawn():
                self._drop(record.conversation, turn)
            case TurnFinished():
                # Either another runner's turn, for which one of ours may wait; or one
                # of ours that another process has ended, so stop running it.
                self._cancel(record.conversation, turn)
                self._claim(record.conversation)
            case _:
                pass

    def _cancel(self, conversation: str, turn: str) -> None:
        with self._lock:
            running = self._running.get(turn)
            waits = any(r.turn == turn for r in self._waiting.get(conversation, ()))
        if running:
            running.cancel.request()
        elif waits:
            self._log.append(conversation, TurnWithdrawn(), turn=turn)

    def _drop(self, conversation: str, turn: str) -> None:
        with self._lock:
            waiting = self._waiting.get(conversation)
            if waiting:
                kept = deque(record for record in waiting if record.turn != turn)
                self._waiting[conversation] = kept
                self._lock.notify_all()

    def _claim(self, conversation: str) -> None:
        """Start the oldest waiting turn of the conversation if none runs there."""
        with self._lock:
            waiting = self._waiting.get(conversation)
            if not waiting:
                self._waiting.pop(conversation, None)
                return
            record = waiting[0]
            failed = set(self._failures) - set(self._running)
            ended = self._ended.copy()
        id = record.turn or ""
        try:
            end_if_gone(self._log, conversation, failed, ended)
            self._log.append(
                conversation,
                process_identity.claim(),
                turn=id,
                guard=store.may_start(record),
            ).result()
        except ConflictError:
            if store.has_followed(self._log, record, *_SETTLED):
                self._drop(conversation, id)
                self._claim(conversation)
            return
        except LogError as error:
            self._fail(id, error)
            self._drop(conversation, id)
            return
        turn = Turn(id)
        with self._lock:
            waiting.popleft()
            self._running[id] = turn
            self._places[id] = conversation
        with session.use(conversation):
            self._slots.submit(partial(self._run, record, turn))

    def _run(self, record: Record, turn: Turn, slot: Slot) -> None:
        request = record.event
        assert isinstance(request, TurnRequested)
        schema = request.options.get("schema")
        turn.schema = cast(Any, schema) if isinstance(schema, dict) else None
        try:
            # The cancel may have arrived while the turn waited for a thread.
            if store.has_followed(self._log, record, "cancel_requested"):
                turn.cancel.request()
            drive(
                self._log,
                record.conversation,
                turn,
                lambda: self._make_agent(request),
                while_asking=slot.left,
            )
        except LogError as error:
            self._fail(turn.id, error)
        finally:
            with self._lock:
                self._running.pop(turn.id, None)
                self._places.pop(turn.id, None)
                self._ended.add(turn.id)
                self._lock.notify_all()
            if self.background:
                self.background.turn_ended(record)

    def _fail(self, turn: str, error: LogError) -> None:
        _logger.error("%s", error)
        with self._lock:
            self._failures[turn] = error


def request(
    log: EventLog,
    conversation: str,
    message: Message | None,
    turn: TurnRequested,
    parent: str | None = None,
    drafts: Sequence[Draft] = (),
    purpose: str = "",
) -> tuple[str, "Future[int]"]:
    """Request an answer to `message`, storing both in one transaction.

    For `parent` and `purpose` see `MessageAdded`. Without a message, the question
    `turn.parent` is answered again. `drafts` are stored in the same transaction, to
    delete the draft of the sent message. Returns the id of the new turn, and the future
    of `EventLog.append`.
    """
    id = uuid.uuid4().hex
    said = message and MessageAdded(f"{id}.0", message, parent, purpose=purpose)
    added = [said] if said else []
    return id, log.append(conversation, *added, turn, turn=id, states=drafts)


def request_each(
    log: EventLog,
    conversation: str,
    question: Message | str,
    turns: Sequence[TurnRequested],
    parent: str | None = None,
    drafts: Sequence[Draft] = (),
) -> "Future[int]":
    """Request several answers to one question, storing all in one transaction.

    `question` is a new message, which belongs to the first turn, or the id of one that
    was asked before. For the other arguments and the future see `request`. The turns
    must name the same runner: only that keeps their order.
    """
    now = time.time()
    ids = [uuid.uuid4().hex for _ in turns]
    asked = question if isinstance(question, str) else f"{ids[0]}.0"
    records: list[Record] = []
    if isinstance(question, Message):
        said = MessageAdded(asked, question, parent)
        records.append(Record(0, conversation, ids[0], now, said))
    for id, turn in zip(ids, turns, strict=True):
        owns = isinstance(question, Message) and id == ids[0]
        turn = turn if owns else msgspec.structs.replace(turn, parent=asked)
        records.append(Record(0, conversation, id, now, turn))
    return log.add(records, states=drafts)
