"""Remembers this process's commits while they are only in the write-ahead log.

SQLite copies the log into the store's file every 4 MB. If the log is lost, the commits
since then are lost with it, and are written again from here.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from tui.eventlog.sqlite import event_rows
from tui.eventlog.states import Blob, State
from tui.events import Event, MessageAdded, ReasoningDelta, TextDelta, kind

CHECKPOINT = 4_000_000
"""Characters of remembered commits after which the log is copied into the file."""

MOST = 32_000_000
"""The most characters to remember while a reader blocks that copy."""


class Row(NamedTuple):
    """An event as it was stored."""

    seq: int
    conversation: str
    turn: str | None
    time: float
    event: Event


class Commit(msgspec.Struct, frozen=True):
    """The events and states that one append wrote."""

    rows: Sequence[Row]
    states: Sequence[State] = ()
    guard: Callable[[sqlite3.Connection], bool] | None = None
    imported: bool = False


class Recent:
    """The latest commits, oldest first. Used by one thread at a time."""

    def __init__(self) -> None:
        self._commits: deque[Commit] = deque()
        self._size = 0

    def add(self, commits: Iterable[Commit]) -> None:
        """Remember `commits`; forget the oldest beyond `MOST` characters."""
        for commit in commits:
            self._commits.append(commit)
            self._size += _size(commit)
        while self._size > MOST and len(self._commits) > 1:
            self._size -= _size(self._commits.popleft())

    def clear(self) -> None:
        """Forget all commits, because they are in the store's own file."""
        self._commits.clear()
        self._size = 0

    def spare(self, db: sqlite3.Connection) -> None:
        """Save memory: copy the log into the store's file once commits are large."""
        if self._size < CHECKPOINT:
            return
        with suppress(sqlite3.Error):
            _, pages, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages == copied:
                self.clear()

    def write_to(self, db: sqlite3.Connection, after: int) -> None:
        """Write the commits that are newer than `after`, with the same `seq` numbers.

        The caller has opened a transaction on `db`, which holds all records up to
        `after`. Records that another process has already written there are skipped.
        """
        lost: list[Commit] = []
        for commit in self._commits:
            if any(row.seq <= after for row in commit.rows):
                lost.clear()  # this commit is stored, so the earlier ones are too
            else:
                lost.append(commit)
        for commit in lost:
            if commit.guard:
                commit.guard(db)  # a guard may write as well
            for row in commit.rows:
                _write(db, row, commit.imported)
            for state in commit.states:
                with suppress(sqlite3.IntegrityError):  # `Taken` is noted already
                    state.write(db)


def _write(db: sqlite3.Connection, row: Row, imported: bool) -> None:
    seq, conversation, turn, time, event = row
    sql = "SELECT conversation, turn, kind FROM event WHERE seq = ?"
    there = db.execute(sql, (seq,)).fetchone()
    if there == (conversation, turn, kind(event)):
        return
    number = None if there else seq
    # The store refuses a second start or end of a turn: skip those.
    with suppress(sqlite3.IntegrityError):
        event_rows.insert(
            db, conversation, turn, time, event, imported=imported, seq=number
        )


def _size(commit: Commit) -> int:
    size = 200 + sum(len(it.data) for it in commit.states if isinstance(it, Blob))
    for row in commit.rows:
        event = row.event
        size += 200
        if isinstance(event, MessageAdded):
            message = event.message
            size += len(message.text) + len(message.reasoning)
            size += sum(len(it.data) for it in message.attachments)
        elif isinstance(event, TextDelta | ReasoningDelta):
            size += len(event.text)
    return size
