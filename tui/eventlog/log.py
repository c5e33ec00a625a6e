"""`EventLog`: opens the file; reads, writes and follows it."""

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
from tui.eventlog.fallback.memory_fallback import Refuge, Store
from tui.eventlog.follow import Follow
from tui.eventlog.notifier import Changes
from tui.eventlog.reader import Position, Reader
from tui.eventlog.sqlite import (
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

BUSY_SECONDS = 15.0
"""How long reading and opening wait for another process's lock."""

_logger = logging.getLogger(__name__)


class EventLog:
    """The log in the file `path`, made when it does not exist (mode 0600).

    All methods may be called from any thread. Raises `LogError` when the file
    cannot be opened, is no log, was written by a later version, or is damaged
    (`DamagedError`); in that case it is left as it is.

    When it cannot be written any more, what is appended is kept in memory until it
    can: `tell` gets a line for the user then, from any thread; the default logs it.
    With a `source` (SQLite's URI of a log, or "" for none) that is read. What comes
    is then kept nowhere, or, with `keeps`, in the file as soon as it can be opened.
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
            lambda: self._keeps and self._writer.append("", (), None, names.mend),
            lambda: self._writer.suspect(),
        )
        self._changes = Changes(
            lambda: self._open(
                ":memory:" if source is not None else uri(str(path), "rw"), 0
            )
        )

        disk = replaced.disk_of(path.parent)

        def reopened(seconds: float) -> sqlite3.Connection:
            # What was removed is begun anew, but not where the disk is gone that it
            # was on: it comes back as it was.
            same = disk is not None and disk == replaced.disk_of(path.parent)
            return self._opened(seconds, create=same or source is not None)

        store = Store(
            path,
            self._open,
            reopened,
            migrate,
            lambda: recovery.mend(path, self._open, migrate),
            self._tell,
        )
        self._refuge = refuge = Refuge(store, self._reader, self._keeps)
        if source is not None:
            try:
                refuge.begin(source)
            except sqlite3.Error as error:
                raise unopened(path, error) from error
        self._writer = writer = Writer(
            connection, refuge, path, self._changes.notify, self._changes.renew
        )
        self._changes.look = writer.look
        self._purge = Purge(self._connect)
        self._purges = source is None
        if purge_is_due:
            self._purge.start()
        self._closed = False
        # What has been appended is written even when nobody calls close().
        self._at_exit = functools.partial(_close, weakref.ref(self))
        atexit.register(self._at_exit)
        self.take_in_left()

    @property
    def keeps(self) -> bool:
        """Whether what is appended is, or will be, in the file."""
        return self._keeps

    @property
    def unkept(self) -> bool:
        """Whether what comes now would be lost if the process were killed."""
        return self._refuge.unkept

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that would outlive a kill, None when all would.

        What comes after it is in memory only, and may be stored yet."""
        return self._refuge.kept_to

    @property
    def refusal(self) -> str:
        """Why what is stored can be changed by nobody now, "" when it can.

        What comes is kept in memory all the same.
        """
        if not self._refuge.is_over_store:
            return ""
        if self._keeps:
            return "the conversation store cannot be written now"
        return "the conversation store is read-only"

    @staticmethod
    def is_marked(path: Path) -> bool:
        """Return whether a broken page was found in the file: `mend` it then."""
        return recovery.is_marked(path)

    @staticmethod
    def mend(path: Path) -> str:
        """Set the file aside if it is damaged, and save what can be read of it.

        Returns what to tell the user, "" when nothing is damaged. Raises `LogError`
        when that cannot be done.
        """
        return recovery.mend(path, connect, migrate)

    def append(
        self,
        conversation: str,
        *events: Event,
        turn: str | None = None,
        guard: Guard | None = None,
        states: Sequence[AnyState] = (),
    ) -> "Future[int]":
        """Write `events` and `states`, all or none, in this order, and return at once.

        The future gives the last `seq` once they outlive the process (see `unkept` for
        when they do not), and followers can see them. It raises `ConflictError` when
        the turn was claimed or ended already or `guard` said no, and `LogError` when
        they can be put nowhere. A `guard` may be called more than once. What is no
        Unicode in texts becomes U+FFFD.
        """
        return self._writer.append(conversation, events, turn, guard, tuple(states))

    def write(self, conversation: str, event: Event, turn: str | None = None) -> int:
        """Append `event`, wait until followers can see it, and return its `seq`.

        As `append(...).result()`, in half of the time when nobody else writes.
        """
        return self._writer.write(conversation, event, turn)

    def add(
        self,
        records: Sequence[Record],
        guard: Guard | None = None,
        states: Sequence[AnyState] = (),
        *,
        imported: bool = False,
    ) -> "Future[int]":
        """Write events that bring conversation, turn and time along, all or none.

        For what was recorded elsewhere; their `seq` is given anew. `imported`: nobody
        has said it here. The future is as of `append`.
        """
        return self._writer.add(tuple(records), guard, tuple(states), imported=imported)

    def take_in_left(self) -> None:
        """Store what processes have left behind that died while the store was locked.

        Costs a look into the folder when there is nothing. Raises `LogError`.
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
                with suppress(
                    ConflictError
                ):  # whoever did it died before the next line
                    written.result()
                if not self.unkept:
                    path.unlink(missing_ok=True)

    def purge(self, seconds: float = 5.0) -> str:
        """Wipe what deleted conversations have left in the files.

        Blocks for as long as it takes; returns "" when no trace is left, else a
        sentence that says why. `seconds` is how long readers are waited for that hold
        an old state of the file.
        """
        return self._purge.run(seconds) if self._purges else ""

    def backup(self, target: Path) -> str:
        """Write all that is stored into the database `target`; others go on writing.

        Returns what is damaged in it, or "". Raises `sqlite3.Error`.
        """
        with closing(self._connect()) as source, closing(connect(str(target), 1)) as to:
            source.backup(to)
            # One file, and no log beside it.
            to.execute("PRAGMA journal_mode = DELETE")
            (sound,) = to.execute("PRAGMA integrity_check(1)").fetchone()
        return "" if sound == "ok" else sound

    def flush(self) -> None:
        """Wait until followers see everything appended so far. Raises `LogError`."""
        self.append("").result()

    def read(
        self,
        conversation: str | None = None,
        after: int | Position = 0,
        limit: int = -1,
    ) -> list[Record]:
        """Return the records with `seq > after`, oldest first; no side effect.

        `conversation` None means all of them; `limit` -1 means no limit. Who reads
        on and on, and does not `follow`, uses a `position`.
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

    def position(self, after: int = 0) -> Position:
        """Return a cursor that stays right when the store could not be written."""
        return self._reader.position(after)

    def tail(self) -> int:
        """Return the largest `seq` written so far, 0 when there is none."""
        return self._reader.tail()

    @property
    def unreadable(self) -> int:
        """How many records have been met that cannot be read."""
        return len(self._reader.unreadable)

    def note_unreadable(self, seq: int) -> None:
        """Count a record among those that cannot be read."""
        self._reader.unreadable.add(seq)

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
        files.make_folder(self.path.parent)
        # Only a file that was not there may be opened and closed here: closing any
        # descriptor drops the locks that SQLite holds on the file in this process,
        # and two writers then corrupt it (https://sqlite.org/howtocorrupt.html §2.2).
        with suppress(FileExistsError):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            os.close(files.open_private(self.path, flags))

    def _connect(self) -> sqlite3.Connection:
        # Who reads never makes a file: an empty one would look like the store. Nor may
        # a file that was put in its place be opened with the log of the old one.
        self._writer.part()
        return self._open(uri(str(self.path), "rw"), BUSY_SECONDS)

    def _open(self, where: str, seconds: float) -> sqlite3.Connection:
        return connect(where, seconds, self._network)

    def _tell(self, text: str) -> None:
        (self._told or _logger.warning)(text)

    def _opened(self, seconds: float, create: bool) -> sqlite3.Connection:
        """Return the writing connection to a file that is as it should be.

        Waits `seconds` for others' locks. `create`: make the file when there is none.
        """
        if create:
            self._create()
            self._network = network_mounts.on_network(self.path.parent)
        if has_wal(self.path):
            # Who closes a file last tidies it up, unless it was opened to be read.
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
            # What a row holds that is no UTF-8 keeps nothing else from being written.
            connection.text_factory = event_rows.text
            connection.execute(f"PRAGMA busy_timeout = {int(WRITE_SECONDS * 1000)}")
        except BaseException:
            connection.close()
            raise
        return connection


def _close(log: "weakref.ref[EventLog]") -> None:
    if alive := log():
        alive.close()
