"""Remembers what this process has committed, while only the log of the store has it.

The log is copied into the store's own file each 4 MB. What was committed since can be
lost together with the log, and is written once more then.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from tui.eventlog.sqlite import event_rows
from tui.eventlog.states import State
from tui.events import Event, MessageAdded, ReasoningDelta, TextDelta, kind

CHECKPOINT = 4_000_000
"""Characters of what is remembered after which the log is to be copied."""

MOST = 32_000_000
"""Characters that are remembered at most, while a reader keeps that from being done."""


class Row(NamedTuple):
    """An event as it was stored."""

    seq: int
    conversation: str
    turn: str | None
    time: float
    event: Event


class Commit(NamedTuple):
    """What one append has written."""

    rows: Sequence[Row]
    states: Sequence[State] = ()
    guard: Callable[[sqlite3.Connection], bool] | None = None
    imported: bool = False


class Recent:
    """What was committed last, oldest first; one thread at a time."""

    def __init__(self) -> None:
        self._commits: deque[Commit] = deque()
        self._size = 0

    def add(self, commits: Iterable[Commit]) -> None:
        """Remember what was committed now."""
        for commit in commits:
            self._commits.append(commit)
            self._size += _size(commit)
        while self._size > MOST and len(self._commits) > 1:
            self._size -= _size(self._commits.popleft())

    def clear(self) -> None:
        """Forget all: it is in the store's own file."""
        self._commits.clear()
        self._size = 0

    def spare(self, db: sqlite3.Connection) -> None:
        """Forget what is large, by having the log copied into the store's file."""
        if self._size < CHECKPOINT:
            return
        with suppress(sqlite3.Error):
            _, pages, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages == copied:
                self.clear()

    def write_to(self, db: sqlite3.Connection, after: int) -> None:
        """Write what is remembered of after `after`, with the same numbers.

        Within a transaction of `db`, which has all up to `after`. What is there, as
        another process has written it, is left out.
        """
        lost: list[Commit] = []
        for commit in self._commits:
            if any(row.seq <= after for row in commit.rows):
                lost.clear()  # it is there, and what came before it
            else:
                lost.append(commit)
        for commit in lost:
            if commit.guard:
                commit.guard(db)  # it may write, too
            for row in commit.rows:
                _write(db, row, commit.imported)
            for state in commit.states:
                with suppress(sqlite3.IntegrityError):  # a journal was taken in
                    state.write(db)


def _write(db: sqlite3.Connection, row: Row, imported: bool) -> None:
    seq, conversation, turn, time, event = row
    sql = "SELECT conversation, turn, kind FROM event WHERE seq = ?"
    there = db.execute(sql, (seq,)).fetchone()
    if there == (conversation, turn, kind(event)):
        return
    number = None if there else seq
    # A turn that was begun or has ended in the store is not to be so again.
    with suppress(sqlite3.IntegrityError):
        event_rows.insert(
            db, conversation, turn, time, event, imported=imported, seq=number
        )


def _size(commit: Commit) -> int:
    size = 200
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
