"""Goes on in memory while the store cannot be written, and returns to it.

The disk is full, or fails; another program has locked the file; it is damaged, or
has become read-only. Then what happens is kept in memory (`StandIn`) and in a file of
its own (`Journal`), followers of this process see it as before, the user is told once,
and the store is tried again until it takes everything. Runs in the writer's thread.
"""

import logging
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tui.errors import LogError
from tui.eventlog.fallback.journal import Journal
from tui.eventlog.fallback.recent import Recent
from tui.eventlog.fallback.rescue import Lost, Rescue
from tui.eventlog.reader import Reader
from tui.eventlog.sqlite import error_codes, replaced
from tui.eventlog.sqlite.overlay import StandIn, abandon, last_seq, uri
from tui.eventlog.states import AnyState, Taken
from tui.safe import safe

Guard = Callable[[sqlite3.Connection], bool]
"""Looks at the log within the writing transaction; False means: do not write."""

RETRY_SECONDS = 1.0
"""How often the store is tried again."""

PATIENCE_SECONDS = 0.25
"""How long such a try waits for another process's lock: what comes meanwhile is seen
by nobody."""

QUIET_SECONDS = 5.0
"""How long another program may lock the store before the user is told."""

_logger = logging.getLogger(__name__)


GONE = "The old conversation store is gone: a new one was begun"
EMPTY = "The conversation store was replaced by an empty file: a new one was begun,"
OLDER = "An older conversation store was put in the place of this one: it is used now,"
STRANGE = "Another conversation store was put in the place of this one: it is used now,"
REPLACED = "The file of the conversation store was replaced: the new one is used,"
"""What has become of the store; how the sentence goes on says `Refuge`."""


class Store(NamedTuple):
    """The doors to the file, which the refuge needs."""

    path: Path
    connect: Callable[[str, float], sqlite3.Connection]
    """Opens a database by its path or URI, to wait so many seconds for a lock."""
    open: Callable[[float], sqlite3.Connection]
    """Opens the store for writing, likewise."""
    migrate: Callable[[sqlite3.Connection], None]
    """Brings the tables to this version's format, or makes them."""
    mend: Callable[[], str]
    """Sets a damaged file aside; returns what to tell, "" when nothing is damaged."""
    tell: Callable[[str], None]
    """Tells the user a line; any thread."""


class Replaced(sqlite3.OperationalError):
    """The file is not the one that was opened: it was set aside, or removed."""

    sqlite_errorcode = sqlite3.SQLITE_CANTOPEN

    def __init__(self) -> None:
        super().__init__("the file was removed or replaced")


class Refuge:
    """Keeps in memory what the store refuses.

    `kept` False means that nothing is ever to be stored.
    """

    def __init__(self, store: Store, reader: Reader, kept: bool = True) -> None:
        self._store = store
        self.recent = Recent()
        """What this process has committed, while it can be lost with the log."""
        self._rescue = Rescue(store.path, store.connect, store.migrate, self.recent)
        self._reader = reader
        self._kept = kept
        self._stand_in: StandIn | None = None
        self._code = 0
        """Why: a result code of SQLite."""
        self._since = 0.0
        self._begun = 0.0
        """The time of the day when it began."""
        self._mended = False
        """Whether the store was damaged, and something of it may be lost."""
        self._again = 0.0
        self._told = False
        self._states: list[AnyState] = []
        self._journal: Journal | None = None
        self._kept_aside: Path | None = None
        """Where what was in a file that was replaced is kept."""
        self._old: list[str] = []
        """The conversations that were in it."""
        self._replaced = False
        self._failed: sqlite3.Error | None = None
        """Why it was gone to memory, until that is told."""
        self.unkept = not kept
        """Whether what comes is in memory only, and lost when the process is killed."""

    @property
    def active(self) -> bool:
        """Whether what is appended goes to memory."""
        return self._stand_in is not None

    @property
    def connect(self) -> Callable[[str, float], sqlite3.Connection]:
        """Opens a database: see `Store`."""
        return self._store.connect

    @property
    def kept_to(self) -> int | None:
        """The last `seq` that outlives a kill now, None when all do; any thread."""
        stand_in, journal = self._stand_in, self._journal
        if stand_in is None or not self.unkept:
            return None
        return max(stand_in.start, journal.noted if journal else 0)

    @property
    def is_over_store(self) -> bool:
        """Whether what is stored is shown, and nothing can be changed of it."""
        stand_in = self._stand_in  # another thread may take it away
        return stand_in is not None and stand_in.stored

    @property
    def stand_in(self) -> StandIn:
        """What is written to now; only while `active`."""
        assert self._stand_in
        return self._stand_in

    @property
    def wait(self) -> float | None:
        """Seconds until the store is to be tried again, None when it is not."""
        if not self.active or not self._kept:
            return None
        return max(self._again - time.monotonic(), 0.0)

    def begin(self, source: str) -> None:
        """Begin in memory, over the log at the URI `source`, if any.

        Raises `sqlite3.Error` when that is none.
        """
        stand_in = self._made()
        try:
            last = stand_in.lay_over(source) if source else 0
        except BaseException:
            stand_in.close()
            raise
        self._since = self._again = time.monotonic()
        self._code = sqlite3.SQLITE_FULL
        self._go_to(stand_in, last)

    def let_go(self, old: sqlite3.Connection, was: replaced.Files, known: int) -> None:
        """Part from the store's file, which has another in its place; then `enter`.

        Or from one that has lost its log, or a part of itself: it is written anew.
        Where that fails it is tried again before the store is opened. `known` is the
        last `seq` that it had.
        """
        self._old = []
        with suppress(sqlite3.Error):
            sql = "SELECT id FROM conversation ORDER BY used DESC LIMIT 1000"
            self._old = [id for (id,) in old.execute(sql)]
        if not self._store.path.exists():
            self.recent.clear()  # whoever removes a store wants it gone
            return
        self._rescue.begin(Lost(old, was, known))
        with suppress(sqlite3.Error, OSError):
            self._save_lost()
        if not self._rescue.pending and not self._rescue.done:
            self._kept_aside = replaced.let_go(old, self._store.path, was)

    def _save_lost(self) -> None:
        """Save a store of which something is gone, if this one is."""
        if told := self._rescue.go_on():
            self._store.tell(told)

    def enter(self, error: sqlite3.Error, known: int) -> bool:
        """Go to memory because of `error`; return whether that could be done.

        `known` is the last `seq` that the store is known to have had.

        Where the store is locked for readers too, what is claimed there cannot be
        known, and there is nothing for it but to wait.
        """
        stand_in, last = self._made(), 0
        self._replaced = replaced_ = isinstance(error, Replaced)
        try:
            settled = not replaced_ or replaced.is_settled(self._store.path)
            # Who opened it beside a strange log would read what is no store.
            if settled and not self._rescue.pending:
                last = stand_in.lay_over(uri(str(self._store.path), "rw"))
        except sqlite3.Error as unreadable:
            if error_codes.code(unreadable) in error_codes.BUSY:
                stand_in.close()
                return False
            stand_in.detach()
        self._code = error_codes.code(error)
        self._since = time.monotonic()
        busy = self._code in error_codes.BUSY
        wait = PATIENCE_SECONDS if busy else 0 if replaced_ else RETRY_SECONDS
        self._again = self._since + wait
        self._go_to(
            stand_in, known if replaced_ and not self._rescue.done else max(last, known)
        )
        self._failed = error
        return True

    def _made(self) -> StandIn:
        store = self._store
        return StandIn(lambda path: store.connect(path, 1.0), store.migrate)

    def _go_to(self, stand_in: StandIn, last: int) -> None:
        self._reader.go_to(stand_in, last)
        self._stand_in = stand_in
        self._begun = time.time()
        if self._kept:
            elsewhere = self._code not in error_codes.BUSY and not self._replaced
            self._journal = Journal(self._store.path, stand_in.rows, elsewhere)

    def keep(self, states: Sequence[AnyState]) -> None:
        """Have what was written, `states` among it, outlive the process.

        Before anybody reads it: the stand-in is locked meanwhile.
        """
        self._states += states
        if self._journal:
            self.unkept = not self._journal.keep(self._states)
        error, self._failed = self._failed, None
        busy = self._code in error_codes.BUSY and not self.unkept
        if error and not busy and not isinstance(error, Replaced):
            self._tell(error)
        elif self.unkept and self._kept and not self._told:
            self._tell(error or sqlite3.OperationalError("it is in use"))

    def leave(self, patience: float = PATIENCE_SECONDS) -> sqlite3.Connection | None:
        """Try to store everything; return the connection to write to from now on.

        None when the store still refuses. Waits `patience` seconds for locks.
        """
        stand_in = self.stand_in
        if not self._kept:
            return None
        connection, began = None, time.monotonic()
        try:
            self._save_lost()
            if not replaced.is_settled(self._store.path) and (
                (self._replaced and not self._rescue.done)
                or self._code in error_codes.DAMAGED
            ):
                # Somebody copies another file there just now.
                self._again = time.monotonic() + replaced.SETTLED_SECONDS
                return None
            if self._code in error_codes.DAMAGED and (mended := self._store.mend()):
                self._store.tell(mended)
                self._mended = True
            connection = self._store.open(patience)
            connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            connection.execute("BEGIN IMMEDIATE")
            found = self._what_is_there(connection, stand_in.start)
            move = stand_in.copy_to(connection)
            move = move._replace(strange=found == STRANGE)
            for state in self._states:
                state.moved(move.number).write(connection)
            if self._journal and self._journal.path:
                Taken(self._journal.id).write(connection)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, LogError) as error:
            if connection:
                abandon(connection)
                connection.close()
            self._refused(error, time.monotonic() - began)
            return None
        self._stand_in = None
        self._states.clear()
        self.unkept = False
        if self._journal:
            self._journal.remove()
            self._journal = None
        self._reader.go_back(move)
        stand_in.close()
        self._tell_what_is_kept(found)
        return connection

    def _what_is_there(self, db: sqlite3.Connection, start: int) -> str:
        """Return what is to be said of the file if it is not the one from before."""
        last = last_seq(db)
        if self._mended or self._rescue.done or not (self._replaced or last < start):
            return ""
        if last == 0 and not db.execute("SELECT 1 FROM conversation").fetchone():
            return GONE if self._kept_aside is None else EMPTY
        marks = ", ".join("?" * len(self._old))
        known = f"SELECT 1 FROM conversation WHERE id IN ({marks})"
        if self._old and not db.execute(known, self._old).fetchone():
            return STRANGE
        # Numbers are never given again, so one that has fewer is an older one.
        return OLDER if last < start else ""

    def _tell_what_is_kept(self, found: str) -> None:
        since = f"since {time.strftime('%H:%M', time.localtime(self._begun))}"
        aside, self._kept_aside, self._replaced = self._kept_aside, None, False
        if not found and aside:
            found = REPLACED
        if found:
            at = f"at {_shown(self._store.path)}, " if found == GONE else ""
            kept = f" What was there before is in {_shown(aside)}." if aside else ""
            self._store.tell(f"{found} {at}with what was said {since}.{kept}")
        elif self._told:
            everything = f"everything said {since}" if self._mended else "everything"
            self._store.tell(
                f"The conversation store can be written again: {everything} is kept."
            )
        self._told = self._mended = self._rescue.done = False

    def close(self) -> None:
        """Save elsewhere what could not be stored, and forget it."""
        stand_in = self.stand_in
        journal, self._journal = self._journal, None
        busy = (
            self._code in error_codes.BUSY and journal is not None and journal.is_beside
        )
        if self._kept and busy and not self.unkept and journal:
            # Nothing is wrong with the disk: it is in good hands there.
            self._store.tell(
                "Another program has locked the conversation store. What was said "
                "last is in a file beside it, and comes into the store when lazychat "
                "is started next."
            )
            journal.leave()
        elif self._kept and (not stand_in.empty or self._states):
            try:
                folder = Path(tempfile.mkdtemp(prefix="lazychat-unsaved-"))
                stand_in.save(str(folder / self._store.path.name))
            except (sqlite3.Error, OSError) as error:
                if journal and journal.path and not self.unkept:
                    self._store.tell(
                        f"What was said last is in {_shown(journal.path)}, and comes "
                        "into the store when lazychat is started next."
                    )
                    journal.leave()
                else:
                    self._store.tell(
                        f"What was said last could not be kept: {error}. It is lost."
                    )
            else:
                if journal:
                    journal.remove()
                self._store.tell(
                    "What was said last could not be kept with the rest and is in "
                    f"{folder}: LAZYCHAT_HOME={folder} lazychat shows it."
                )
        stand_in.close()

    def _refused(self, error: Exception, took: float) -> None:
        _logger.info("%s: %s", self._store.path, error)
        now = time.monotonic()
        busy = error_codes.code(error) in error_codes.BUSY
        # What has gathered in an hour is not to be written each second in vain.
        self._again = now + (RETRY_SECONDS if busy else max(RETRY_SECONDS, 20 * took))
        if self._rescue.goes_on:
            return  # one line will say what has become of it
        if not isinstance(error, sqlite3.Error):
            self._tell(error)
        else:
            self._code = error_codes.code(error)
            if not busy or now - self._since > QUIET_SECONDS:
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Say why and until when nothing is stored, once."""
        if self._told:
            return
        self._told = True
        code = error_codes.code(error)
        if code == sqlite3.SQLITE_FULL:
            why, until = "The disk is full", "there is room"
        elif code in error_codes.BUSY:
            why, until = (
                "Another program has locked the conversation store",
                "it lets go",
            )
        elif code in error_codes.DAMAGED:
            why, until = "The conversation store is damaged", "it is mended"
        elif not self._store.path.exists():
            why = f"The conversation store is gone ({_shown(self._store.path)})"
            until = "it is back"
        else:
            why = f"The conversation store cannot be written ({error})"
            until = "it can"
        _logger.warning("%s: %s", self._store.path, error)
        where = "in memory only"
        if self._journal and self._journal.path and not self.unkept:
            beside = self._journal.is_beside
            where = "in a file " + (
                "beside it" if beside else f"in {_shown(self._journal.path.parent)}"
            )
        self._store.tell(f"{why}: what comes is kept {where}, until {until}.")


def _shown(path: Path) -> str:
    """Return a path as one reads it: a name may be no Unicode."""
    return safe(str(path), newlines=False)
