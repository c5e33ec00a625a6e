"""The log itself: the file, and the doors to reading, writing and following it."""

import atexit
import functools
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.errors import LogError
from tui.eventlog import listing
from tui.eventlog.changes import Changes
from tui.eventlog.follow import Follow
from tui.eventlog.purge import DUE, Purge
from tui.eventlog.reader import Reader
from tui.eventlog.writer import Guard, Writer
from tui.events import Event, Record

BUSY_SECONDS = 15.0
"""How long a write waits for another process's write."""

MIGRATIONS: list[str | Callable[[sqlite3.Connection], None]] = [
    """
    CREATE TABLE event(
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        turn TEXT,
        kind TEXT NOT NULL,
        time REAL NOT NULL,
        delta_of TEXT,
        data TEXT NOT NULL);
    CREATE INDEX event_conversation ON event(conversation, seq);
    CREATE INDEX event_delta ON event(delta_of) WHERE delta_of IS NOT NULL;
    CREATE UNIQUE INDEX event_claim ON event(turn) WHERE kind = 'turn_started';
    CREATE UNIQUE INDEX event_end ON event(turn) WHERE kind = 'turn_finished';
    CREATE INDEX event_claimed ON event(conversation, turn)
        WHERE kind = 'turn_started';
    CREATE TABLE conversation(
        id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '', created REAL NOT NULL);
    CREATE TABLE draft(
        conversation TEXT PRIMARY KEY, text TEXT NOT NULL, time REAL NOT NULL)
    """,
    """
    CREATE TABLE seen(conversation TEXT PRIMARY KEY, seq INTEGER NOT NULL)
    """,
    listing.migrate,
]
"""What leads from one format of the file to the next: statements, or a function
where rows must be filled in."""

VERSION = len(MIGRATIONS)
"""The format of the file that this version reads (`PRAGMA user_version`)."""


class EventLog:
    """The log in the file `path`, made when it does not exist (mode 0600).

    All methods may be called from any thread. Raises `LogError` when the file
    cannot be opened, is no log, or was written by a later version; in that case it
    is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._create()
            connection = self._connect()
            try:
                self._prepare(connection)
                purge_is_due = connection.execute(DUE).fetchone()[0] is not None
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise LogError(
                f"The conversation store {path} cannot be opened: {error}. Check the "
                "permissions of the folder, or set LAZYCHAT_HOME to another one."
            ) from error
        self._reader = Reader(self._connect)
        self._changes = Changes(self._connect)
        self._writer = Writer(connection, self._changes.notify)
        self._purge = Purge(self._connect)
        if purge_is_due:
            self._purge.start()
        self._closed = False
        # What has been appended is written even when nobody calls close().
        self._at_exit = functools.partial(_close, weakref.ref(self))
        atexit.register(self._at_exit)

    def append(
        self,
        conversation: str,
        *events: Event,
        turn: str | None = None,
        guard: Guard | None = None,
    ) -> "Future[int]":
        """Write `events`, all or none, in this order, and return at once.

        The future gives the last `seq` once they are on disk and followers can see
        them. It raises `ConflictError` when the turn was claimed or ended already
        or `guard` said no, and `LogError` when the disk refused.
        """
        return self._writer.append(conversation, events, turn, guard)

    def add(
        self, records: Sequence[Record], guard: Guard | None = None
    ) -> "Future[int]":
        """Write events that bring conversation, turn and time along, all or none.

        For what was recorded elsewhere; their `seq` is given anew. The future is as
        of `append`.
        """
        return self._writer.add(tuple(records), guard)

    def purge(self, seconds: float = 5.0) -> str:
        """Wipe what deleted conversations have left in the files.

        Blocks for as long as it takes; returns "" when no trace is left, else a
        sentence that says why. `seconds` is how long readers are waited for that hold
        an old state of the file.
        """
        return self._purge.run(seconds)

    def flush(self) -> None:
        """Wait until everything appended so far is on disk. Raises `LogError`."""
        self.append("").result()

    def read(
        self, conversation: str | None = None, after: int = 0, limit: int = -1
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first; no side effect.

        `conversation` None means all of them; `limit` -1 means no limit.
        """
        return self._reader.read(conversation, after, limit)

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows. Raises `LogError`."""
        return self._reader.query(sql, parameters)

    def follow(
        self,
        conversation: str | None = None,
        after: int = 0,
        *,
        provisional: bool = True,
    ) -> Follow:
        """Return an iterator over what is there after `after` and what is to come.

        With `provisional` False it gives no deltas, and is not woken by them.
        """
        return Follow(
            self._reader, self._changes, conversation, after, provisional=provisional
        )

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        return self._reader.tail()

    def draft(self, conversation: str) -> str:
        """Return what `save_draft` has kept, "" when nothing."""
        rows = self.query(
            "SELECT text FROM draft WHERE conversation = ?", (conversation,)
        )
        return rows[0][0] if rows else ""

    def save_draft(self, conversation: str, text: str) -> "Future[int]":
        """Keep what the user is writing; "" forgets it. State, not history."""

        def write(connection: sqlite3.Connection) -> bool:
            connection.execute(
                "DELETE FROM draft WHERE conversation = ?", (conversation,)
            )
            if text:
                connection.execute(
                    "INSERT INTO draft VALUES (?, ?, ?)",
                    (conversation, text, time.time()),
                )
            return True

        return self.append(conversation, guard=write)

    def seen(self, conversation: str) -> int:
        """Return the `seq` up to which any screen has shown it, 0 when none has."""
        rows = self.query(
            "SELECT seq FROM seen WHERE conversation = ?", (conversation,)
        )
        return rows[0][0] if rows else 0

    def mark_seen(self, conversation: str, seq: int) -> "Future[int]":
        """Keep that a screen has shown everything up to `seq`; it never goes back."""

        def write(connection: sqlite3.Connection) -> bool:
            connection.execute(
                "INSERT INTO seen VALUES (?, ?) ON CONFLICT(conversation) "
                "DO UPDATE SET seq = max(seq, excluded.seq)",
                (conversation, seq),
            )
            return True

        return self.append(conversation, guard=write)

    def close(self) -> None:
        """Write what has been appended, end all followers, close the file."""
        if self._closed:
            return
        self._closed = True
        self._purge.close()
        self._writer.close()
        self._changes.close()
        self._reader.close()
        atexit.unregister(self._at_exit)

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only a file that was not there may be opened and closed here: closing any
        # descriptor drops the locks that SQLite holds on the file in this process,
        # and two writers then corrupt it (https://sqlite.org/howtocorrupt.html §2.2).
        with suppress(FileExistsError):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            os.close(os.open(self.path, flags, 0o600))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        # NORMAL: a crash of the process loses nothing, a power cut at most the last
        # moments, and never the file (https://sqlite.org/pragma.html).
        connection.execute("PRAGMA synchronous = NORMAL")
        # What is deleted is overwritten; the default of some systems, not of all.
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = _user_version(connection)
        if version > VERSION:
            raise LogError(
                f"The conversation store {self.path} was written by a newer lazychat "
                f"(format {version}, this one knows {VERSION}) and is left alone. "
                "Update lazychat, or set LAZYCHAT_HOME to another folder."
            )
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        for number in range(_user_version(connection), VERSION):
            step = MIGRATIONS[number]
            if isinstance(step, str):
                for statement in step.split(";"):
                    connection.execute(statement)
            else:
                step(connection)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log, where readers never wait for the writer.

    Where it is refused SQLite stays with its rollback journal: slower, right. Two
    processes may open a new file at once, and the switch ignores the busy timeout.
    """
    end = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < end:
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
            return
        threading.Event().wait(0.02)


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _close(log: "weakref.ref[EventLog]") -> None:
    if alive := log():
        alive.close()
