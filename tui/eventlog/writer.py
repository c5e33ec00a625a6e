"""Writes the log in a thread of its own; each process has one.

The thread commits all appends that have gathered since its last commit. An append costs
its caller microseconds, and neither the network nor the screen ever waits for the disk.
While the store refuses writes, the thread writes to memory: see `fallback`.

This module is long because its steps are all parts of one transaction.
"""

import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from tui.errors import ConflictError, LogError
from tui.eventlog.fallback.memory_fallback import Guard, MemoryFallback, Replaced
from tui.eventlog.fallback.recent import Commit, Row
from tui.eventlog.sqlite import error_codes, event_rows
from tui.eventlog.sqlite.connection import WRITE_SECONDS
from tui.eventlog.sqlite.late_index import LateIndex
from tui.eventlog.sqlite.overlay import last_seq, roll_back
from tui.eventlog.sqlite.watched_files import WatchedFiles
from tui.eventlog.states import AnyState
from tui.events import (
    Event,
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
    without_surrogates,
)
from tui.i18n import _

__all__ = ["GATHER_SECONDS", "Guard", "Writer"]


class Committed(Protocol):
    """Is called after each commit, with whether all of its records are provisional."""

    def __call__(self, *, provisional: bool) -> None: ...


GATHER_SECONDS = 0.005
"""Seconds that a delta waits for more deltas before it is committed: a tenth of a
frame, too short to see. No other event waits."""

LAST_SECONDS = 15.0
"""Seconds that the writer waits for locks when the process is about to end."""


_logger = logging.getLogger(__name__)


class _Append(NamedTuple):
    conversation: str
    turn: str | None
    events: tuple[Event, ...]
    time: float
    guard: Guard | None
    done: "Future[int]"
    records: tuple[Record, ...] = ()
    """Events that carry their own conversation, turn and time."""
    states: tuple[AnyState, ...] = ()
    imported: bool = False
    lenient: bool = False
    """Whether to skip claims and ends of turns that are stored already."""


class Writer:
    """Queues appends and commits them in a thread.

    `connection` None means that the fallback is already active and stays active.
    """

    def __init__(
        self,
        connection: sqlite3.Connection | None,
        fallback: MemoryFallback,
        path: Path,
        committed: Committed,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = connection
        self._fallback = fallback
        self._path = path
        self._watched = WatchedFiles(path, fallback.connect)
        self._commits: list[Commit] = []
        """The commits of the current transaction."""
        self._last = last_seq(connection) if connection else 0
        """The last `seq` that the store is known to have had."""
        self._committed = committed
        self._moved = moved
        self._late = LateIndex()
        self._closed = self._suspects = False
        self._appends: deque[_Append] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # held while committing; keeps appends in order
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
        states: tuple[AnyState, ...] = (),
    ) -> "Future[int]":
        """See `EventLog.append`."""
        append = _Append(conversation, turn, items, time.time(), guard, Future())
        return self._put(append._replace(states=states) if states else append)

    def add(
        self,
        records: tuple[Record, ...],
        guard: Guard | None,
        states: tuple[AnyState, ...] = (),
        *,
        imported: bool = False,
        lenient: bool = False,
    ) -> "Future[int]":
        """See `EventLog.add`.

        `lenient` skips claims and ends of turns that are stored already, as needed for
        a journal.
        """
        done: Future[int] = Future()
        return self._put(
            _Append("", None, (), 0.0, guard, done, records, states, imported, lenient)
        )

    def look(self) -> None:
        """Wake the writer if the store file or its log looks replaced; any thread."""
        if not self._fallback.active and self._watched.looks_wrong():
            self._wake.put(None)

    def part(self) -> None:
        """Leave the store file at once if it or its log was replaced; any thread."""
        if not self._fallback.active and self._watched.looks_wrong():
            with self._lock:
                self._look_closely()
            self._wake.put(None)

    def suspect(self) -> None:
        """Have the files checked, because a reader missed a page; any thread."""
        self._suspects = True
        self._wake.put(None)

    def _look_closely(self) -> None:
        """Switch to the fallback if committed data is gone. The caller holds the lock.

        Does nothing while no file has the store's name: a program may be replacing the
        file, and must not find a new one there.
        """
        if not self._fallback.active and self._path.exists() and self._is_lost():
            self._enter(Replaced())

    def _is_lost(self) -> bool:
        """Return whether committed data is missing from the files."""
        suspected, self._suspects = self._suspects, False
        if not suspected and not self._watched.looks_wrong():
            return False
        log = self._watched.log_id
        if self._watched.are_lost(self._last, suspected=suspected):
            return True
        if self._watched.log_id != log:
            self._fallback.recent.clear()  # SQLite restarted the log: all was copied
        return False

    def _put(self, append: _Append) -> "Future[int]":
        if self._closed:
            append.done.set_exception(LogError(_("The conversation store is closed.")))
        else:
            self._appends.append(append)
            self._wake.put(None)
        return append.done

    def write(self, conversation: str, item: Event, turn: str | None) -> int:
        """Append an event and wait for its commit. See `EventLog.write`."""
        done: Future[int] = Future()
        append = _Append(conversation, turn, (item,), time.time(), None, done)
        # Two thread switches take longer than the commit. The caller waits anyway, so
        # it commits itself, with all earlier appends, unless another thread is
        # committing.
        if not self._closed and self._lock.acquire(blocking=False):
            try:
                self._appends.append(append)
                self._commit_all()
            finally:
                self._lock.release()
            if self._fallback.active or isinstance(item, MessageAdded):
                # Wake the thread to try the store again, or to fill the search index.
                self._wake.put(None)
        else:
            self._put(append)
        return done.result()

    def close(self) -> None:
        """Commit the queued appends, end the thread and close the connection."""
        self._closed = True
        self._wake.put(None)
        self._thread.join()
        if self._fallback.active:
            self._fallback.close()
        if self._store:
            self._store.close()
        self._watched.close()

    def _run(self) -> None:
        ends = False
        while not ends:
            idle = self._is_idle()
            if self._appends and _is_delta(self._appends[0]):
                # Without this a model at 1,000 tokens a second would cause a commit for
                # each token, and each commit would wake every follower.
                time.sleep(GATHER_SECONDS)
            with suppress(queue.Empty):
                while True:
                    self._wake.get_nowait()
            ends = self._closed
            with self._lock:
                self._commit_all()
                if not ends:
                    self._look_closely()
                if self._fallback.active and (ends or self._fallback.wait == 0):
                    self._come_back(LAST_SECONDS if ends else None)
                if idle and not ends and self._store and not self._fallback.active:
                    self._late.step(self._store)

    def _is_idle(self) -> bool:
        """Wait for work; return whether the wait timed out and the store is in use."""
        active = self._fallback.active
        try:
            self._wake.get(timeout=self._fallback.wait if active else self._late.wait)
        except queue.Empty:
            return not active
        return False

    def _commit_all(self) -> None:
        """Commit the queued appends. The caller holds the lock."""
        appends: list[_Append] = []
        while self._appends:  # only the holder of the lock removes appends
            appends.append(self._appends.popleft())
        if appends:
            self._commit(_runs(appends))

    def _commit(self, runs: list[list[_Append]]) -> None:
        try:
            outcomes = self._write(runs)
        except Exception as error:  # one bad append must not block later ones
            outcomes = [_cannot(error)] * len(runs)
        provisional = all(_is_delta(run[0]) for run in runs)
        if not provisional:
            self._late.look()
        self._committed(provisional=provisional)
        for run, outcome in zip(runs, outcomes, strict=True):
            for append in run:
                if isinstance(outcome, LogError):
                    append.done.set_exception(outcome)
                else:
                    append.done.set_result(outcome)

    def _write(self, runs: list[list[_Append]]) -> list[int | LogError]:
        """Write to the store, or to memory while the store refuses."""
        limit: float | None = None
        while not self._fallback.active:
            assert self._store
            try:
                if self._is_lost():
                    raise Replaced
                outcomes = self._transact(self._store, runs)
                seqs = [it for it in outcomes if isinstance(it, int)]
                self._last = max(self._last, *seqs, 0)
                self._remember(self._store)
                return outcomes
            except sqlite3.Error as error:
                refused = error_codes.code(error) in error_codes.REFUSED
                # If the store is locked for readers too, the fallback cannot start.
                # Then keep retrying; at the end of the program only for LAST_SECONDS.
                if limit is None and self._closed:
                    limit = time.monotonic() + LAST_SECONDS
                late = limit is not None and time.monotonic() > limit
                if not refused or (not self._enter(error) and late):
                    return [_cannot(error)] * len(runs)
        # Hold the lock, so that no reader sees events before they are in the journal.
        with self._fallback.overlay.lock:
            outcomes = self._transact(self._fallback.overlay.db, runs)
            done = zip(runs, outcomes, strict=True)
            written = [run for run, outcome in done if isinstance(outcome, int)]
            self._fallback.keep([s for run in written for it in run for s in it.states])
            return outcomes

    def _enter(self, error: sqlite3.Error) -> bool:
        """Switch to the fallback in memory; return whether that succeeded."""
        if isinstance(error, Replaced) and self._store:
            self._fallback.release(self._store, self._watched.files, self._last)
        return self._fallback.enter(error, self._last)

    def _remember(self, store: sqlite3.Connection) -> None:
        """Remember the commits, and the current state of the files."""
        recent = self._fallback.recent
        restarted, valid = self._watched.note()
        if restarted:
            recent.clear()
        if self._watched.has_log:
            recent.add(self._commits)
            recent.spare(store)
        if not valid:
            self._enter(Replaced())

    def _transact(
        self, db: sqlite3.Connection, runs: list[list[_Append]]
    ) -> list[int | LogError]:
        self._commits.clear()
        try:
            # While the store is attached, BEGIN IMMEDIATE would lock it as well.
            db.execute("BEGIN" if self._fallback.active else "BEGIN IMMEDIATE")
            if len(runs) == 1:  # needs no savepoint: roll back the whole transaction
                outcome = self._insert(db, runs[0][0], _joined(runs[0]))
                db.execute("COMMIT" if isinstance(outcome, int) else "ROLLBACK")
                return [outcome]
            outcomes: list[int | LogError] = []
            for run in runs:
                db.execute("SAVEPOINT append")
                outcomes.append(self._insert(db, run[0], _joined(run)))
                if not isinstance(outcomes[-1], int):
                    db.execute("ROLLBACK TO append")
                db.execute("RELEASE append")
            db.execute("COMMIT")
        except BaseException:
            roll_back(db)
            raise
        return outcomes

    def _insert(
        self, db: sqlite3.Connection, append: _Append, items: tuple[Event, ...]
    ) -> int | LogError:
        """Write one append; the caller rolls it back if this returns an error."""
        seq = 0
        try:
            if append.guard is not None and not append.guard(db):
                return ConflictError("This was written already.")
            of, turn, now = append.conversation, append.turn, append.time
            for event in items:
                seq = event_rows.insert(db, of, turn, now, event)
            rows = [
                Row(number, of, turn, now, event)
                for number, event in enumerate(items, seq - len(items) + 1)
            ]
            numbers = self._add(db, append, rows) if append.records else {}
            states = [it.moved(lambda n: numbers.get(n, n)) for it in append.states]
            for state in states:
                state.write(db)
            commit = Commit(rows, states, append.guard, append.imported)
            self._commits.append(commit)
            return max(numbers.values(), default=seq)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in error_codes.ONCE:
                return ConflictError("This was written already.")
            return _cannot(error)
        except sqlite3.Error as error:
            if error_codes.code(error) in error_codes.REFUSED or not db.in_transaction:
                raise
            return _cannot(error)
        except Exception as error:  # only this append is at fault
            if isinstance(error, UnicodeEncodeError) and not _is_unicode(append):
                return self._insert(db, _as_unicode(append), items)
            return _cannot(error)

    def _add(
        self, db: sqlite3.Connection, append: _Append, rows: list[Row]
    ) -> dict[int, int]:
        """Insert records and add them to `rows`; return old `seq` to new `seq`."""
        numbers: dict[int, int] = {}
        for it in append.records:
            try:
                of = without_surrogates(it.conversation)
                turn = it.turn and without_surrogates(it.turn)
                seq = event_rows.insert(
                    db, of, turn, it.time, it.event, imported=append.imported
                )
                numbers[it.seq] = seq
                rows.append(Row(seq, of, turn, it.time, it.event))
            except sqlite3.IntegrityError as error:
                if not append.lenient or error.sqlite_errorcode not in error_codes.ONCE:
                    raise
        return numbers

    def _come_back(self, seconds: float | None) -> None:
        """Try to store the events in memory.

        Waits `seconds` for locks; None means `memory_fallback.PATIENCE_SECONDS`.
        """
        store = self._fallback.leave(*([] if seconds is None else [seconds]))
        if store:
            store.execute(f"PRAGMA busy_timeout = {int(WRITE_SECONDS * 1000)}")
            old, self._store = self._store, store
            self._watched.close()
            self._watched = WatchedFiles(self._path, self._fallback.connect)
            self._last = last_seq(store)
            self._late = LateIndex()
            self._moved()
            if old:
                with suppress(sqlite3.Error):
                    old.close()
            self._committed(provisional=False)


def _cannot(error: Exception) -> LogError:
    if isinstance(error, sqlite3.Error):
        return LogError(
            _("The conversation store cannot be written: {error}.").format(error=error)
        )
    _logger.error("an append failed", exc_info=error)
    what = f"{type(error).__name__}: {error}"
    return LogError(
        _("This cannot be saved in the conversation store: {what}.").format(what=what)
    )


def _is_unicode(append: _Append) -> bool:
    try:
        f"{append.conversation}{append.turn}".encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_unicode(append: _Append) -> _Append:
    turn = append.turn and without_surrogates(append.turn)
    return append._replace(
        conversation=without_surrogates(append.conversation), turn=turn
    )


def _is_delta(append: _Append) -> bool:
    return all(
        isinstance(event, TextDelta | ReasoningDelta) for event in append.events
    ) and bool(append.events)


def _runs(appends: list[_Append]) -> list[list[_Append]]:
    """Group consecutive deltas of one message, so that each group becomes one row.

    One row for each commit is enough, even at 1,000 tokens a second.
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
    if append.states or last.states:
        return False
    one, two = last.events[0], append.events[0]
    return (
        isinstance(one, TextDelta | ReasoningDelta)
        and isinstance(two, TextDelta | ReasoningDelta)
        and type(one) is type(two)
        and one.message_id == two.message_id
        # A delta whose text is not a `str` must be refused by itself.
        and type(one.text) is type(two.text) is str
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
