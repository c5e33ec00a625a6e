"""Writes the log: the one thread of a process that does.

It commits whatever has gathered since its last commit, without waiting, so an
append costs its caller microseconds and neither the network nor the screen ever
waits for the disk.
"""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple, Protocol

from tui import events
from tui.errors import ConflictError, LogError
from tui.eventlog import listing
from tui.events import (
    PROVISIONAL,
    Event,
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
)

Guard = Callable[[sqlite3.Connection], bool]
"""Looks at the log within the writing transaction; False means: do not write."""


class Committed(Protocol):
    """Is told of each commit, and whether all of its records are provisional."""

    def __call__(self, *, provisional: bool) -> None: ...  # noqa: D102


GATHER_SECONDS = 0.005
"""How long a piece of text waits for more before it is committed. A tenth of a frame:
nobody sees it. Nothing else waits."""


class _Append(NamedTuple):
    conversation: str
    turn: str | None
    events: tuple[Event, ...]
    time: float
    guard: Guard | None
    done: "Future[int]"
    records: tuple[Record, ...] = ()
    """Events that bring their turn and time along."""


class Writer:
    """A queue of appends and the thread that commits them."""

    def __init__(self, connection: sqlite3.Connection, committed: Committed) -> None:
        self._db = connection
        self._committed = committed
        self._closed = False
        self._appends: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, name="lazychat-log", daemon=True
        )
        self._thread.start()

    def append(
        self,
        conversation: str,
        items: tuple[Event, ...],
        turn: str | None,
        guard: Guard | None,
    ) -> "Future[int]":
        """See `EventLog.append`."""
        done: Future[int] = Future()
        return self._put(_Append(conversation, turn, items, time.time(), guard, done))

    def add(self, records: tuple[Record, ...], guard: Guard | None) -> "Future[int]":
        """See `EventLog.add`."""
        done: Future[int] = Future()
        return self._put(_Append("", None, (), 0.0, guard, done, records))

    def _put(self, append: _Append) -> "Future[int]":
        if self._closed:
            append.done.set_exception(LogError("The conversation store is closed."))
        else:
            self._appends.put(append)
        return append.done

    def close(self) -> None:
        """Commit what has gathered, end the thread, close the connection."""
        self._closed = True
        self._appends.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while True:
            batch = [self._appends.get()]
            if _is_delta(batch[0]):
                # A model at 1,000 tokens a second would have each of them committed
                # by itself, and every follower woken for it.
                time.sleep(GATHER_SECONDS)
            with suppress(queue.Empty):
                while True:
                    batch.append(self._appends.get_nowait())
            if appends := [append for append in batch if append]:
                self._commit(_runs(appends))
            if None in batch:
                return

    def _commit(self, runs: list[list[_Append]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._insert(run[0], _joined(run)) for run in runs]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            failure = LogError(f"The conversation store cannot be written: {error}.")
            outcomes = [failure] * len(runs)
        self._committed(provisional=all(_is_delta(run[0]) for run in runs))
        for run, outcome in zip(runs, outcomes, strict=True):
            for append in run:
                if isinstance(outcome, LogError):
                    append.done.set_exception(outcome)
                else:
                    append.done.set_result(outcome)

    def _insert(self, append: _Append, items: tuple[Event, ...]) -> int | LogError:
        """Write one append, in a savepoint: it may be refused alone."""
        db = self._db
        db.execute("SAVEPOINT append")
        seq = 0
        try:
            refused = append.guard is not None and not append.guard(db)
            if not refused:
                of, turn, now = append.conversation, append.turn, append.time
                for event in items:
                    seq = self._insert_event(of, turn, now, event)
                for it in append.records:
                    seq = self._insert_event(
                        it.conversation, it.turn, it.time, it.event
                    )
        except sqlite3.IntegrityError:
            refused = True
        if refused:
            db.execute("ROLLBACK TO append")
        db.execute("RELEASE append")
        return ConflictError("This was written already.") if refused else seq

    def _insert_event(
        self, conversation: str, turn: str | None, at: float, event: Event
    ) -> int:
        message_id = event.message_id if isinstance(event, PROVISIONAL) else None
        row = self._db.execute(
            "INSERT INTO event(conversation, turn, kind, time, delta_of, data) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                conversation,
                turn,
                events.kind(event),
                at,
                message_id,
                events.encode(event).decode(),
            ),
        )
        seq = row.lastrowid or 0
        if message_id is None:
            if isinstance(event, MessageAdded):
                self._settle(conversation, event.message_id)
            listing.keep(self._db, conversation, turn, seq, at, event)
        return seq

    def _settle(self, conversation: str, message_id: str) -> None:
        """Remove the deltas of a message that is whole."""
        self._db.execute(
            "DELETE FROM event WHERE delta_of = ? AND conversation = ?",
            (message_id, conversation),
        )


def _is_delta(append: _Append | None) -> bool:
    return (
        append is not None
        and all(
            isinstance(event, TextDelta | ReasoningDelta) for event in append.events
        )
        and bool(append.events)
    )


def _runs(appends: list[_Append]) -> list[list[_Append]]:
    """Group pieces of one message that follow each other, to be one row.

    A model at 1,000 tokens a second needs no thousand rows; a row a commit will do.
    """
    runs: list[list[_Append]] = []
    for append in appends:
        if runs and _continues(runs[-1][-1], append):
            runs[-1].append(append)
        else:
            runs.append([append])
    return runs


def _continues(last: _Append, append: _Append) -> bool:
    if len(last.events) != 1 or len(append.events) != 1 or append.guard or last.guard:
        return False
    one, two = last.events[0], append.events[0]
    return (
        isinstance(one, TextDelta | ReasoningDelta)
        and isinstance(two, TextDelta | ReasoningDelta)
        and type(one) is type(two)
        and one.message_id == two.message_id
        and last.turn == append.turn
        and last.conversation == append.conversation
    )


def _joined(run: list[_Append]) -> tuple[Event, ...]:
    if len(run) == 1:
        return run[0].events
    deltas = [
        event
        for append in run
        for event in append.events
        if isinstance(event, TextDelta | ReasoningDelta)
    ]
    text = "".join(delta.text for delta in deltas)
    return (type(deltas[0])(deltas[0].message_id, text),)
