"""Rewrites a store that lost its write-ahead log, or a part of itself, while in use.

The log was removed, or the log or the store was truncated. The content comes from three
sources, in this order: a connection that has the old files open, with the pages in its
memory; the files themselves, as far as they are left; and this process's commits since
the log was last copied into the store (`Recent`). The new file takes the store's name,
and its table `taken` names the store it was made from. So other processes that have the
old file open recognise the new one, and add their own commits.
"""

import errno
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from tui.eventlog.fallback import recovery
from tui.eventlog.fallback.recent import Recent
from tui.eventlog.sqlite import error_codes
from tui.eventlog.sqlite.overlay import last_seq
from tui.eventlog.sqlite.replaced import (
    SETTLED_SECONDS,
    Files,
    Id,
    back_up,
    files,
    id_of,
)
from tui.eventlog.sqlite.watched_files import problem
from tui.i18n import N_, _

GAP = 1000
"""How many `seq` numbers stay free in the new file for events that other processes
wrote to the old one."""

TRIES = 3
"""How often reading an unreadable store is tried before a new one is created."""

SAVED = N_(
    "The log of the conversation store (its -wal or -shm file) was removed "
    "while in use. Its content is saved."
)
SAVED_CUT = N_(
    "The conversation store, or its log (its -wal file), was truncated while "
    "in use. Its content is saved."
)
CUT = N_(
    "The conversation store, or its log, was removed or truncated while in "
    "use. All that could be read, and the latest messages from here, are saved."
)
BEGUN = N_(
    "The conversation store was removed or truncated while in use and cannot "
    "be read: a new one was created, with the latest messages from here."
)


class Lost(msgspec.Struct, frozen=True):
    """A store that has lost data."""

    old: sqlite3.Connection
    """A connection that has the store open."""
    was: Files
    """The files that the store consisted of."""
    known: int
    """The last `seq` that the store had."""


class Rescue:
    """Rewrites one store. For `connect` and `migrate` see `memory_fallback.Store`."""

    def __init__(
        self,
        path: Path,
        connect: recovery.Connect,
        migrate: recovery.Migrate,
        recent: Recent,
    ) -> None:
        self._path = path
        self._connect = connect
        self._migrate = migrate
        self._recent = recent
        self._lost: Lost | None = None
        self._failures = 0
        self.done = False
        """Whether the store at the path was made from the one that lost data."""

    @property
    def pending(self) -> bool:
        """Whether a rewrite is still due; until then the file must not be opened."""
        return self._lost is not None

    @property
    def goes_on(self) -> bool:
        """Whether reading failed and will be tried again, at most `TRIES` times."""
        return self.pending and self._failures > 0

    def begin(self, lost: Lost) -> None:
        """Note the store that the next call of `go_on` rewrites."""
        self._lost, self._failures = lost, 0

    def go_on(self) -> str:
        """Rewrite the store, or add commits to the one that another process rewrote.

        Returns a message for the user, "" for none; `done` tells whether the store at
        the path is the rewritten one. Raises `sqlite3.Error` and `OSError` when the
        caller must try again later.
        """
        lost = self._lost
        if not lost:
            return ""
        message, here = "", id_of(self._path) == lost.was.store
        if here:
            with recovery.alone(self._path):
                # Another process may have rewritten or repaired it meanwhile.
                if here := id_of(self._path) == lost.was.store:
                    message = self._rewrite(lost)
        self.done = here or self._add(lost)
        self._recent.clear()
        self._lost = None
        return message

    def _rewrite(self, lost: Lost) -> str:
        fresh = self._path.with_name(f"{self._path.name}.new-{os.getpid()}")
        copy = fresh.with_name(f"{fresh.name}-old")
        aside = None
        try:
            try:
                message = self._made(lost, fresh, copy)
            except (sqlite3.Error, OSError) as error:
                if _has_no_room(error):
                    raise
                self._failures += 1
                if self._failures < TRIES:
                    raise
                _empty(fresh)
                message = BEGUN
            self._complete(lost, fresh)
            if message == BEGUN:
                aside = recovery.set_aside(self._path, fresh)
                return _("{message} The old file is {aside}.").format(
                    message=_(message), aside=aside
                )
            if copy.exists():
                aside = recovery.name_aside(self._path)
                copy.rename(aside)
            for suffix in ("-wal", "-shm"):
                # SQLite would apply the old log to the new file.
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            fresh.replace(self._path)
        finally:
            for file in (fresh, copy):
                recovery.remove(file)
        return (
            _("{message} The old file is {aside}.").format(
                message=_(message), aside=aside
            )
            if aside
            else _(message)
        )

    def _made(self, lost: Lost, fresh: Path, copy: Path) -> str:
        """Write the readable content of the old store to `fresh`; return the message.

        Copies rather than checkpoints, because `old` does not see the locks of
        processes that have another `-shm` file open.
        """
        _empty(fresh)
        with suppress(sqlite3.Error):
            back_up(lost.old, fresh)
            with closing(sqlite3.connect(fresh)) as db:
                if last_seq(db) >= lost.known and not problem(db):
                    removed = files(self._path) != lost.was
                    return SAVED if removed else SAVED_CUT
        _empty(fresh)
        shutil.copyfile(self._path, copy)
        copy.chmod(0o600)
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{self._path}-wal", f"{copy}-wal")
        try:
            with closing(self._connect(str(copy), 1.0)) as db:
                if last_seq(db) and not problem(db):
                    db.execute("PRAGMA journal_mode = DELETE")
                    back_up(db, fresh)
                    return CUT
        except sqlite3.DatabaseError as error:
            if _has_no_room(error):
                raise
        _empty(fresh)
        recovery.save(copy, fresh, self._connect, self._migrate)
        return CUT

    def _complete(self, lost: Lost, fresh: Path) -> None:
        """Add the remembered commits to the new file, and note its origin in it."""
        with closing(self._connect(str(fresh), 1.0)) as db:
            self._migrate(db)
            db.execute("BEGIN IMMEDIATE")
            (last,) = db.execute("SELECT max(seq) FROM event").fetchone()
            self._recent.write_to(db, last or 0)
            # Never reuse a `seq` that another process may have used.
            end = max(last_seq(db), lost.known) + GAP
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
            sql = "INSERT INTO sqlite_sequence(name, seq) VALUES ('event', ?)"
            db.execute(sql, (end,))
            sql = "INSERT OR IGNORE INTO taken VALUES (?)"
            db.execute(sql, (f"{_mark(lost.was.store)} {last or 0}",))
            db.execute("COMMIT")
        # Backdate the complete file, so that no process waits for it to settle.
        past = time.time() - 2 * SETTLED_SECONDS
        os.utime(fresh, (past, past))

    def _add(self, lost: Lost) -> bool:
        """Add the remembered commits to a store that another process has rewritten.

        Returns False if that store was not made from ours.
        """
        if not self._path.exists():
            return False
        for suffix, file in (("-wal", lost.was.wal), ("-shm", lost.was.shm)):
            beside = Path(f"{self._path}{suffix}")
            if file and id_of(beside) == file:
                beside.unlink(missing_ok=True)  # see `replaced.release`
        mark = _mark(lost.was.store)
        try:
            with closing(self._connect(str(self._path), 1.0)) as db:
                found = db.execute(
                    "SELECT journal FROM taken WHERE journal LIKE ?", (f"{mark} %",)
                ).fetchone()
                if not found:
                    return False
                db.execute("BEGIN IMMEDIATE")
                self._recent.write_to(db, int(found[0].rpartition(" ")[2]))
                db.execute("COMMIT")
        except sqlite3.Error as error:
            if error_codes.code(error) in error_codes.BUSY:
                raise
            return False
        return True


def _mark(store: Id | None) -> str:
    """Return the name, for the table `taken`, of a store that was rewritten."""
    return "anew {} {}".format(*(store or (0, 0)))


def _empty(file: Path) -> None:
    recovery.remove(file)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _has_no_room(error: Exception) -> bool:
    """Return whether `error` means that the new file cannot be written."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
    return error_codes.code(error) in full
