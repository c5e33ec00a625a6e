"""`EventLog`: opens the log file, and reads, writes and follows it.

The file is long because it is the one interface to the log.
"""

import atexit
import functools
import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tui import files
from tui.errors import ConflictError
from tui.eventlog.fallback import journal, recovery
from tui.eventlog.fallback.memory_fallback import MemoryFallback, Store
from tui.eventlog.follow import Changes, Follow
from tui.eventlog.reader import Position, Reader
from tui.eventlog.separation import has_bytes, separated, separated_records
from tui.eventlog.sqlite import (
    blobs,
    event_rows,
    names,
    network_mounts,
    replaced,
    trash,
)
from tui.eventlog.sqlite.connection import (
    WRITE_SECONDS,
    check,
    connect,
    unopened,
    use_rollback_journal,
    use_wal,
)
from tui.eventlog.sqlite.overlay import has_wal, uri
from tui.eventlog.sqlite.purge import DUE, Purge
from tui.eventlog.sqlite.schema import migrate, require_known
from tui.eventlog.states import AnyState, Taken
from tui.eventlog.writer import Guard, Writer
from tui.events import Event, Record
from tui.i18n import _

BUSY_SECONDS = 15.0
"""Seconds that reading and opening wait for another process's lock."""

_logger = logging.getLogger(__name__)


class EventLog:
    """The log in the file `path`, created if it does not exist (mode 0600).

    Any thread may call any method. The constructor raises `LogError` when the file
    cannot be opened, is not a log, was written by a later version, or is damaged
    (`DamagedError`); it then leaves the file unchanged.

    If the file becomes unwritable, appended events stay in memory until it can be
    written again. `tell` then gets a line for the user, in any thread; by default the
    line is logged.

    With a `source` (the SQLite URI of a log, or "" for an empty one) the log reads from
    there instead. New events are then never stored, or, with `keeps`, stored in the
    file as soon as it can be opened.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[str], None] | None = None,
        *,
        source: str | None = None,
        keeps: bool = False,
    ) -> None:
        self.path = path
        self._told = tell
        self._keeps = source is None or keeps
        self._network = False
        connection, purge_is_due = None, False
        try:
            if source is None:
                connection = self._opened(BUSY_SECONDS, create=True)
                purge_is_due = connection.execute(DUE).fetchone()[0] is not None
                purge_is_due = purge_is_due or bool(trash.expired(connection))
        except (OSError, sqlite3.Error) as error:
            if connection:
                connection.close()
            raise unopened(path, error) from error
        self._reader = Reader(
            self._connect,
            lambda: recovery.mark(path),
            lambda: self._keeps and self._writer.append("", (), None, names.repair),
            lambda: self._writer.suspect(),
        )
        self._changes = Changes(
            lambda: self._open(
                ":memory:" if source is not None else uri(str(path), "rw"), 0
            )
        )

        disk = replaced.disk_of(path.parent)

        def reopened(seconds: float) -> sqlite3.Connection:
            # Create a removed file again, unless its whole disk is gone: when that disk
            # is mounted again, the file is there as before.
            same = disk is not None and disk == replaced.disk_of(path.parent)
            return self._opened(seconds, create=same or source is not None)

        store = Store(
            path,
            self._open,
            reopened,
            migrate,
            lambda: recovery.repair(path, self._open, migrate),
            self._tell,
        )
        self._fallback = fallback = MemoryFallback(store, self._reader, self._keeps)
        if source is not None:
            try:
                fallback.begin(source)
            except sqlite3.Error as error:
                raise unopened(path, error) from error
        self._writer = writer = Writer(
            connection, fallback, path, self._changes.notify, self._changes.renew
        )
        self._changes.look = writer.look
        self._purge = Purge(self._connect)
        self._purges = source is None
        if purge_is_due:
            self._purge.start()
        self._closed = False
        # Write the appended events even if the owner never calls close().
        self._at_exit = functools.partial(_close, weakref.ref(self))
        atexit.register(self._at_exit)
        self.take_in_left()

    @property
    def keeps(self) -> bool:
        """Whether appended events are, or will be, stored in the file."""
        return self._keeps

    @property
    def unkept(self) -> bool:
        """Whether a kill of the process would lose events that are appended now."""
        return self._fallback.unkept

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that survives a kill of the process; None when all do.

        Later events are only in memory, and may still be stored.
        """
        return self._fallback.kept_to

    @property
    def refusal(self) -> str:
        """Why stored events cannot be changed now; "" when they can.

        New events are kept in memory even then.
        """
        if not self._fallback.is_over_store:
            return ""
        if self._keeps:
            return _("the conversation store cannot be written now")
        return _("the conversation store is read-only")

    @staticmethod
    def is_marked(path: Path) -> bool:
        """Return whether a reader found a damaged page: call `repair` then."""
        return recovery.is_marked(path)

    @staticmethod
    def repair(path: Path) -> str:
        """Set a damaged file aside and recover its readable records.

        Returns a message for the user, "" when nothing is damaged. Raises `LogError`
        when the repair fails.
        """
        return recovery.repair(path, connect, migrate)

    def append(
        self,
        conversation: str,
        *events: Event,
        turn: str | None = None,
        guard: Guard | None = None,
        states: Sequence[AnyState] = (),
    ) -> "Future[int]":
        """Queue `events` and `states` for writing, all or none; return at once.

        The future returns the last `seq` once the events survive a kill of the process
        (see `unkept` for the exception) and followers can read them. It raises
        `ConflictError` when the turn is already claimed or ended or `guard` returned
        False, and `LogError` when the events cannot be kept anywhere. `guard` may be
        called more than once. Lone surrogates in texts become U+FFFD. The bytes of
        attached files are kept apart: see `blob`.
        """
        bare, files = separated(events)
        return self._writer.append(conversation, bare, turn, guard, (*files, *states))

    def write(self, conversation: str, event: Event, turn: str | None = None) -> int:
        """Append `event`, wait until followers can read it, and return its `seq`.

        Equivalent to `append(...).result()`, but faster when no other thread writes.
        """
        if has_bytes(event):
            return self.append(conversation, event, turn=turn).result()
        return self._writer.write(conversation, event, turn)

    def add(
        self,
        records: Sequence[Record],
        guard: Guard | None = None,
        states: Sequence[AnyState] = (),
        *,
        imported: bool = False,
    ) -> "Future[int]":
        """Write records that carry their own conversation, turn and time, all or none.

        Use it for records from another log; they get new `seq` numbers. With `imported`
        they do not count as a use of the conversation. For the future see `append`.
        """
        bare, files = separated_records(records)
        return self._writer.add(bare, guard, (*files, *states), imported=imported)

    def take_in_left(self) -> None:
        """Store the journals of processes that died while the store was locked.

        Only lists the folder when there are none. Raises `LogError`.
        """
        if not self._keeps:
            return
        for path in journal.left_behind(self.path):
            with journal.taken(path) as left:
                if left is None:
                    continue
                taken = Taken(left.id)
                written = self._writer.add(
                    tuple(left.records), None, (*left.states, taken), lenient=True
                )
                # On a conflict, a process stored this journal and died before it could
                # delete the file.
                with suppress(ConflictError):
                    written.result()
                if not self.unkept:
                    path.unlink(missing_ok=True)

    def purge(self, seconds: float = 5.0) -> str:
        """Wipe the traces of deleted conversations from the files.

        Blocks until it is done. Returns "" when no trace is left, else a sentence with
        the reason. Waits up to `seconds` for readers that hold an old snapshot of the
        file.
        """
        return self._purge.run(seconds) if self._purges else ""

    def backup(self, target: Path) -> str:
        """Copy the whole store to the database `target`.

        Other threads may keep writing. Returns a description of damage in the copy, or
        "". Raises `sqlite3.Error`.
        """
        with closing(self._connect()) as source, closing(connect(str(target), 1)) as to:
            source.backup(to)
            # Leave a single file, without a write-ahead log beside it.
            to.execute("PRAGMA journal_mode = DELETE")
            (sound,) = to.execute("PRAGMA integrity_check(1)").fetchone()
        return "" if sound == "ok" else sound

    def flush(self) -> None:
        """Wait until followers can read all appended events. Raises `LogError`."""
        self.append("").result()

    def read(
        self,
        conversation: str | None = None,
        after: int | Position = 0,
        limit: int = -1,
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first, without side effects.

        `conversation` None means all conversations; `limit` -1 means no limit. A caller
        that reads repeatedly without `follow` should pass a `position`.
        """
        return self._reader.read(conversation, after, limit)

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows. Raises `LogError`."""
        return self._reader.query(sql, parameters)

    def blob(self, digest: str) -> bytes | None:
        """Return the bytes of an attached file, None if they are not in the store.

        Any thread; blocks. Raises `LogError`.
        """
        rows = self.query(blobs.READ, (digest,))
        return bytes(rows[0][0]) if rows else None

    def follow(
        self,
        conversation: str | None = None,
        after: int = 0,
        *,
        provisional: bool = True,
    ) -> Follow:
        """Return an iterator over the records after `after`, existing and new ones.

        With `provisional` False it returns no deltas, and deltas do not wake it.
        """
        return Follow(
            self._reader, self._changes, conversation, after, provisional=provisional
        )

    def position(self, after: int = 0) -> Position:
        """Return a cursor that stays valid when the fallback renumbers records."""
        return self._reader.position(after)

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        return self._reader.tail()

    @property
    def unreadable(self) -> int:
        """The number of unreadable records found so far."""
        return len(self._reader.unreadable)

    def note_unreadable(self, seq: int) -> None:
        """Count the record `seq` as unreadable."""
        self._reader.unreadable.add(seq)

    def close(self) -> None:
        """Write the appended events, end all followers and close the file."""
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
        files.make_folder(self.path.parent)
        # O_EXCL: never open and close an existing file here. Closing any descriptor of
        # it drops SQLite's locks on the file in this process, and two writers could
        # then corrupt it (https://sqlite.org/howtocorrupt.html §2.2).
        with suppress(FileExistsError):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            os.close(files.open_private(self.path, flags))

    def _connect(self) -> sqlite3.Connection:
        # Readers never create the file: an empty one would look like the store. And
        # part() first: a replacement file must not be opened with the log of the old.
        self._writer.part()
        return self._open(uri(str(self.path), "rw"), BUSY_SECONDS)

    def _open(self, where: str, seconds: float) -> sqlite3.Connection:
        return connect(where, seconds, self._network)

    def _tell(self, text: str) -> None:
        (self._told or _logger.warning)(text)

    def _opened(self, seconds: float, create: bool) -> sqlite3.Connection:
        """Open the file for writing, check it and migrate it.

        Waits up to `seconds` for other processes' locks. With `create`, creates a
        missing file.
        """
        if create:
            self._create()
            self._network = network_mounts.on_network(self.path.parent)
        if has_wal(self.path):
            # Closing the last writable connection would checkpoint the log and change a
            # file of a newer version; a read-only connection leaves it unchanged.
            with closing(self._open(uri(str(self.path), "ro"), seconds)) as reads:
                require_known(reads, self.path)
        connection = self._open(uri(str(self.path), "rw"), seconds)
        try:
            require_known(connection, self.path)
            if self._network:
                use_rollback_journal(connection, self._tell)
            else:
                use_wal(connection, seconds)
            migrate(connection)
            check(connection)
            # A row with invalid UTF-8 must not make other writes fail.
            connection.text_factory = event_rows.text
            connection.execute(f"PRAGMA busy_timeout = {int(WRITE_SECONDS * 1000)}")
        except BaseException:
            connection.close()
            raise
        return connection


def _close(log: "weakref.ref[EventLog]") -> None:
    if alive := log():
        alive.close()
