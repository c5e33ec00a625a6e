"""The runner: claims requested turns, runs them in threads, logs their events.

It knows the rest of the program only through the log: requests and cancels come in
as events, from this process or another, and everything that happens goes out as
events. One turn of a conversation runs at a time; later requests wait in the order
of the log.
"""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from tui import process_identity, session
from tui.agents import Agent
from tui.conversation import store
from tui.errors import ConflictError, LogError
from tui.eventlog import Draft, EventLog, Follow
from tui.events import (
    CancelRequested,
    MessageAdded,
    Record,
    TurnFinished,
    TurnRequested,
    TurnWithdrawn,
)
from tui.messages import Message
from tui.runtime.turn_driver import drive, end_if_gone
from tui.turn import Turn

MakeAgent = Callable[[TurnRequested], Agent]
"""Builds what a request asks for. Raises `LazychatError` when it cannot; runs in
the worker thread, so it may take its time."""

LOOK_AFTER_SECONDS = 2.0

_SETTLED = "turn_started", "turn_withdrawn", "turn_finished"
"""What a request can be followed by that then needs no runner any more."""

_logger = logging.getLogger(__name__)


class Runner:
    """Runs the turns of `log` that name it.

    `start` before the first request: a runner sees what is appended after that.
    `workers` is how many turns run at a time; those of other conversations wait for
    a free thread.
    """

    def __init__(self, log: EventLog, make_agent: MakeAgent, workers: int = 8) -> None:
        self.id = uuid.uuid4().hex
        """What `TurnRequested.runner` names: nobody else may have the tools, keys
        and folder that the asker meant."""
        self._log = log
        self._make_agent = make_agent
        self._pool = session.SessionPool(workers, "lazychat-turn")
        self._follow: Follow | None = None
        self._thread: threading.Thread | None = None
        # Guards the four below, which are about turns of this runner only; notified
        # when one of them ends.
        self._lock = threading.Condition()
        self._running: dict[str, Turn] = {}
        self._waiting: dict[str, deque[Record]] = {}
        self._failures: dict[str, LogError] = {}
        self._taken = 0
        """The `seq` up to which requests have been looked at."""

    def start(self) -> None:
        """Begin to look for requests, in a thread of its own."""
        self._taken = self._log.tail()
        self._follow = self._log.follow(after=self._taken, provisional=False)
        self._thread = threading.Thread(
            target=self._watch, args=(self._follow,), name="lazychat-runner"
        )
        self._thread.daemon = True
        self._thread.start()

    def finish(self) -> None:
        """Wait for the end of all that was asked of this runner before this call.

        Those that wait run too, and all can still be cancelled. What others ask of
        others does not matter.
        """
        with suppress(LogError):
            self._log.flush()
        with suppress(LogError), self._lock:
            asked = store.newest_request(self._log)
            while self._thread and self._thread.is_alive():
                # It may have been deleted since: then an older one is the newest.
                taken = self._taken >= min(asked, store.newest_request(self._log))
                if taken and not (self._running or any(self._waiting.values())):
                    return
                self._lock.wait(LOOK_AFTER_SECONDS)

    def close(self, *, cancel: bool = True) -> None:
        """Take no more requests and wait for the turns that run.

        `cancel` asks them to stop first; what was said until then is settled. Those
        that wait are withdrawn: nobody else may run them.
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
        self._pool.shutdown()

    @property
    def busy(self) -> bool:
        """Whether a turn of this runner runs or waits."""
        with self._lock:
            return bool(self._running or any(self._waiting.values()))

    @property
    def wanted(self) -> int:
        """How many turns of this runner run or wait that nobody has cancelled."""
        with self._lock:
            running = [t for t in self._running.values() if not t.cancel.requested]
            return len(running) + sum(map(len, self._waiting.values()))

    def runs(self, turn: str) -> bool:
        """Whether this runner runs a turn right now."""
        with self._lock:
            return turn in self._running

    def failure(self, turn: str) -> LogError | None:
        """Return why a turn of this runner could not be written to its end, or None.

        The log cannot say it: the disk is full, or gone. No more of it will come.
        """
        with self._lock:
            return self._failures.get(turn)

    def _watch(self, follow: Follow) -> None:
        with suppress(LogError):  # the log was closed under a program that ends
            while not follow.closed:
                with self._lock:
                    waits = list(self._waiting)
                # A turn that waits for one of another process is looked after now
                # and then: that process may have died without a word.
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
                with self._lock:
                    self._waiting.setdefault(record.conversation, deque()).append(
                        record
                    )
                self._claim(record.conversation)
            case CancelRequested():
                self._cancel(record.conversation, turn)
            case TurnWithdrawn():
                self._drop(record.conversation, turn)
            case TurnFinished():
                # Perhaps a turn of another runner, for which one of ours waited; or
                # one of ours that somebody has taken over: no more of it is wanted.
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
        id = record.turn or ""
        try:
            end_if_gone(self._log, conversation, failed)
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
        with session.use(conversation):
            self._pool.submit(self._run, record, turn)

    def _run(self, record: Record, turn: Turn) -> None:
        request = record.event
        assert isinstance(request, TurnRequested)
        try:
            if store.has_followed(
                self._log, record, "cancel_requested"
            ):  # while it waited
                turn.cancel.request()
            drive(
                self._log,
                record.conversation,
                turn,
                lambda: self._make_agent(request),
            )
        except LogError as error:
            self._fail(turn.id, error)
        finally:
            with self._lock:
                self._running.pop(turn.id, None)
                self._lock.notify_all()

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
    """Ask for an answer to `message`: it and the request in one transaction.

    `parent` is what the message follows, and `purpose` what it is for, as of
    `MessageAdded`. Without a
    message it is the question `turn.parent` that is to be answered again. `drafts` are
    stored in the same transaction: that what is sent is no draft any more. Returns
    the id of the new turn, and a future as of `EventLog.append`.
    """
    id = uuid.uuid4().hex
    said = message and MessageAdded(f"{id}.0", message, parent, purpose=purpose)
    added = [said] if said else []
    return id, log.append(conversation, *added, turn, turn=id, states=drafts)
