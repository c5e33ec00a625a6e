"""Keeps events in memory while the store cannot be written, then stores them.

The disk may be full or fail; another program may have locked the file; the file may be
damaged or read-only. New events then go to memory (`Overlay`) and to a file of their
own (`Journal`). Followers in this process read them as before, the user gets one
message, and the store is tried again until it has accepted everything. Runs in the
writer's thread.
"""

import logging
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tui.errors import LogError
from tui.eventlog.fallback import messages
from tui.eventlog.fallback.journal import Journal
from tui.eventlog.fallback.recent import Recent
from tui.eventlog.fallback.rescue import Lost, Rescue
from tui.eventlog.reader import Reader
from tui.eventlog.sqlite import error_codes, replaced
from tui.eventlog.sqlite.overlay import Overlay, last_seq, roll_back, uri
from tui.eventlog.states import AnyState, Taken
from tui.i18n import _

Guard = Callable[[sqlite3.Connection], bool]
"""Checks the log within the writing transaction; False refuses the write."""

RETRY_SECONDS = 1.0
"""Seconds between two tries to write the store."""

PATIENCE_SECONDS = 0.25
"""Seconds that such a try waits for another process's lock. It is short because new
events stay invisible during the wait."""

QUIET_SECONDS = 5.0
"""Seconds that another program may lock the store before the user gets a message."""

_logger = logging.getLogger(__name__)


class Store(msgspec.Struct, frozen=True):
    """The path of the store, and the functions with which `MemoryFallback` uses it."""

    path: Path
    connect: Callable[[str, float], sqlite3.Connection]
    """Opens a database by its path or URI, with a lock timeout in seconds."""
    open: Callable[[float], sqlite3.Connection]
    """Opens the store for writing, with a lock timeout in seconds."""
    migrate: Callable[[sqlite3.Connection], None]
    """Creates the tables, or migrates them to this version's format."""
    repair: Callable[[], str]
    """Repairs a damaged file; returns a message, "" when nothing is damaged."""
    tell: Callable[[str], None]
    """Shows the user a line; may be called in any thread."""


class Replaced(sqlite3.OperationalError):
    """The file is no longer the one that was opened: it was replaced or removed."""

    sqlite_errorcode = sqlite3.SQLITE_CANTOPEN

    def __init__(self) -> None:
        super().__init__(_("the file was removed or replaced"))


class MemoryFallback:
    """Keeps events in memory while the store refuses them.

    `kept` False means that the events are never stored.
    """

    def __init__(self, store: Store, reader: Reader, kept: bool = True) -> None:
        self._store = store
        self.recent = Recent()
        """This process's commits that a loss of the write-ahead log would destroy."""
        self._rescue = Rescue(store.path, store.connect, store.migrate, self.recent)
        self._reader = reader
        self._kept = kept
        self._overlay: Overlay | None = None
        self._code = 0
        """Why the fallback is active: a result code of SQLite."""
        self._since = 0.0
        self._begun = 0.0
        """When the fallback became active; seconds since the epoch."""
        self._repaired = False
        """Whether the store was damaged and repaired, so some of it may be lost."""
        self._again = 0.0
        self._reported = False
        self._states: list[AnyState] = []
        self._journal: Journal | None = None
        self._kept_aside: Path | None = None
        """The copy of a replaced file's content, if one was made."""
        self._old: list[str] = []
        """The ids of the conversations in the replaced file."""
        self._replaced = False
        self._failed: sqlite3.Error | None = None
        """The error that started the fallback, until it has been reported."""
        self.unkept = not kept
        """Whether new events are only in memory, so that a kill would lose them."""

    @property
    def active(self) -> bool:
        """Whether appended events go to memory."""
        return self._overlay is not None

    @property
    def connect(self) -> Callable[[str, float], sqlite3.Connection]:
        """Opens a database: see `Store`."""
        return self._store.connect

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that survives a kill now, None when all do; any thread."""
        overlay, journal = self._overlay, self._journal
        if overlay is None or not self.unkept:
            return None
        return max(overlay.start, journal.noted if journal else 0)

    @property
    def is_over_store(self) -> bool:
        """Whether stored events are shown through the fallback, as read-only."""
        overlay = self._overlay  # another thread may set it to None
        return overlay is not None and overlay.stored

    @property
    def overlay(self) -> Overlay:
        """The fallback that is written to; only while `active`."""
        assert self._overlay
        return self._overlay

    @property
    def wait(self) -> float | None:
        """Seconds until the next try to write the store, None for no more tries."""
        if not self.active or not self._kept:
            return None
        return max(self._again - time.monotonic(), 0.0)

    def begin(self, source: str) -> None:
        """Start in memory, over the log at the URI `source`, if not "".

        Raises `sqlite3.Error` when `source` is not a log.
        """
        overlay = self._made()
        try:
            last = overlay.attach(source) if source else 0
        except BaseException:
            overlay.close()
            raise
        self._since = self._again = time.monotonic()
        self._code = sqlite3.SQLITE_FULL
        self._go_to(overlay, last)

    def release(self, old: sqlite3.Connection, was: replaced.Files, known: int) -> None:
        """Leave a store file that was replaced or has lost data; then call `enter`.

        A store that has lost its log, or a part of itself, is rewritten. If that fails,
        it is tried again before the store is opened. `known` is the last `seq` that the
        store had.
        """
        self._old = []
        with suppress(sqlite3.Error):
            sql = "SELECT id FROM conversation ORDER BY used DESC LIMIT 1000"
            self._old = [id for (id,) in old.execute(sql)]
        if not self._store.path.exists():
            self.recent.clear()  # a user who removes the store wants it gone
            return
        self._rescue.begin(Lost(old, was, known))
        with suppress(sqlite3.Error, OSError):
            self._save_lost()
        if not self._rescue.pending and not self._rescue.done:
            self._kept_aside = replaced.release(old, self._store.path, was)

    def _save_lost(self) -> None:
        """Rewrite the store, if it has lost data, and report that."""
        if message := self._rescue.go_on():
            self._store.tell(message)

    def enter(self, error: sqlite3.Error, known: int) -> bool:
        """Switch to memory because of `error`; return whether that succeeded.

        `known` is the last `seq` that the store is known to have had.

        Fails while the store is locked for readers too: the turns that are claimed in
        it are then unknown, and the caller can only wait.
        """
        overlay, last = self._made(), 0
        self._replaced = replaced_ = isinstance(error, Replaced)
        try:
            settled = not replaced_ or replaced.is_settled(self._store.path)
            # A file that is still being replaced may have the log of another one beside
            # it; opening the two together would read garbage.
            if settled and not self._rescue.pending:
                last = overlay.attach(uri(str(self._store.path), "rw"))
        except sqlite3.Error as unreadable:
            if error_codes.code(unreadable) in error_codes.BUSY:
                overlay.close()
                return False
            overlay.detach()
        self._code = error_codes.code(error)
        self._since = time.monotonic()
        busy = self._code in error_codes.BUSY
        wait = PATIENCE_SECONDS if busy else 0 if replaced_ else RETRY_SECONDS
        self._again = self._since + wait
        self._go_to(
            overlay, known if replaced_ and not self._rescue.done else max(last, known)
        )
        self._failed = error
        return True

    def _made(self) -> Overlay:
        store = self._store
        return Overlay(lambda path: store.connect(path, 1.0), store.migrate)

    def _go_to(self, overlay: Overlay, last: int) -> None:
        self._reader.switch_to(overlay, last)
        self._overlay = overlay
        self._begun = time.time()
        if self._kept:
            elsewhere = self._code not in error_codes.BUSY and not self._replaced
            self._journal = Journal(self._store.path, overlay.rows, elsewhere)

    def keep(self, states: Sequence[AnyState]) -> None:
        """Write the latest events and `states` to the journal, so they survive a kill.

        The caller holds the lock of the overlay, so that no reader sees them earlier.
        """
        self._states += states
        if self._journal:
            self.unkept = not self._journal.keep(self._states)
        error, self._failed = self._failed, None
        busy = self._code in error_codes.BUSY and not self.unkept
        if error and not busy and not isinstance(error, Replaced):
            self._tell(error)
        elif self.unkept and self._kept and not self._reported:
            self._tell(error or sqlite3.OperationalError(_("it is in use")))

    def leave(self, patience: float = PATIENCE_SECONDS) -> sqlite3.Connection | None:
        """Try to store everything; return the new connection for writing.

        Returns None when the store still refuses. Waits `patience` seconds for locks.
        """
        overlay = self.overlay
        if not self._kept:
            return None
        connection, began = None, time.monotonic()
        try:
            self._save_lost()
            if not replaced.is_settled(self._store.path) and (
                (self._replaced and not self._rescue.done)
                or self._code in error_codes.DAMAGED
            ):
                # A program is copying another file there right now.
                self._again = time.monotonic() + replaced.SETTLED_SECONDS
                return None
            if self._code in error_codes.DAMAGED and (message := self._store.repair()):
                self._store.tell(message)
                self._repaired = True
            connection = self._store.open(patience)
            connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            connection.execute("BEGIN IMMEDIATE")
            found = self._what_is_there(connection, overlay.start)
            move = overlay.copy_to(connection)
            move = move._replace(strange=found == messages.STRANGE)
            for state in self._states:
                state.moved(move.number).write(connection)
            if self._journal and self._journal.path:
                Taken(self._journal.id).write(connection)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, LogError) as error:
            if connection:
                roll_back(connection)
                connection.close()
            self._refused(error, time.monotonic() - began)
            return None
        self._overlay = None
        self._states.clear()
        self.unkept = False
        if self._journal:
            self._journal.remove()
            self._journal = None
        self._reader.switch_back(move)
        overlay.close()
        self._tell_what_is_kept(found)
        return connection

    def _what_is_there(self, db: sqlite3.Connection, start: int) -> str:
        """Return the beginning of a message if the file is not the old one, else ""."""
        last = last_seq(db)
        if self._repaired or self._rescue.done or not (self._replaced or last < start):
            return ""
        if last == 0 and not db.execute("SELECT 1 FROM conversation").fetchone():
            return messages.GONE if self._kept_aside is None else messages.EMPTY
        marks = ", ".join("?" * len(self._old))
        known = f"SELECT 1 FROM conversation WHERE id IN ({marks})"
        if self._old and not db.execute(known, self._old).fetchone():
            return messages.STRANGE
        # Numbers are never reused, so a store with a lower last number is older.
        return messages.OLDER if last < start else ""

    def _tell_what_is_kept(self, found: str) -> None:
        aside, self._kept_aside, self._replaced = self._kept_aside, None, False
        if not found and aside:
            found = messages.REPLACED
        if found:
            path = self._store.path
            self._store.tell(messages.replaced(found, self._begun, path, aside))
        elif self._reported:
            self._store.tell(messages.stored_again(self._begun, self._repaired))
        self._reported = self._repaired = self._rescue.done = False

    def close(self) -> None:
        """Save the unstored events in another place and end the fallback."""
        overlay = self.overlay
        journal, self._journal = self._journal, None
        busy = (
            self._code in error_codes.BUSY and journal is not None and journal.is_beside
        )
        if self._kept and busy and not self.unkept and journal:
            # Only a lock, not a bad disk: the journal beside the store is safe.
            self._store.tell(messages.left_locked())
            journal.leave()
        elif self._kept and (not overlay.empty or self._states):
            try:
                folder = Path(tempfile.mkdtemp(prefix="lazychat-unsaved-"))
                overlay.save(str(folder / self._store.path.name))
            except (sqlite3.Error, OSError) as error:
                if journal and journal.path and not self.unkept:
                    self._store.tell(messages.left_in(journal.path))
                    journal.leave()
                else:
                    self._store.tell(messages.lost(error))
            else:
                if journal:
                    journal.remove()
                self._store.tell(messages.saved_in(folder))
        overlay.close()

    def _refused(self, error: Exception, took: float) -> None:
        _logger.info("%s: %s", self._store.path, error)
        now = time.monotonic()
        busy = error_codes.code(error) in error_codes.BUSY
        # After a slow try wait longer: hours of events must not be written in vain each
        # second.
        self._again = now + (RETRY_SECONDS if busy else max(RETRY_SECONDS, 20 * took))
        if self._rescue.goes_on:
            return  # the rescue reports its result in one message
        if not isinstance(error, sqlite3.Error):
            self._tell(error)
        else:
            self._code = error_codes.code(error)
            if not busy or now - self._since > QUIET_SECONDS:
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Report once why nothing is stored, and until when."""
        if self._reported:
            return
        self._reported = True
        path = self._store.path
        _logger.warning("%s: %s", path, error)
        journal = self._journal.path if self._journal and not self.unkept else None
        self._store.tell(messages.in_memory(error, path, journal))
