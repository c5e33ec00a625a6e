"""Writes a store anew that has lost its log, or a part of itself, in use.

The log was removed, or it or the store was cut short. What can be had of it comes from
three places, in this order: a connection that has the old files open, with the pages
that it has in memory; the files themselves, as far as they go; and what this process
has committed since the log was last copied into the store (`Recent`). The new file
takes the store's name, and says in its table `taken` of which one it was made: so
other processes that have the old one open know it, and add what they have besides.
"""

import errno
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

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

GAP = 1000
"""How many numbers are left free in the new file for what other processes have written
to the old one."""

TRIES = 3
"""How often a store that cannot be read at all is tried before a new one is begun."""

SAVED = (
    "The log of the conversation store (its -wal or -shm file) was removed in use: "
    "what was in it is saved."
)
SAVED_CUT = (
    "The conversation store, or its log (its -wal file), was cut short in use: what "
    "was in it is saved."
)
CUT = (
    "The conversation store, or its log, was removed or cut short in use: what could "
    "be read of it, and what was said here last, is saved."
)
BEGUN = (
    "The conversation store was removed or cut short in use and cannot be read: a new "
    "one was begun, with what was said here last."
)


class Lost(NamedTuple):
    """A store of which something is gone."""

    old: sqlite3.Connection
    """Has it open."""
    was: Files
    """Which files it was."""
    known: int
    """The last `seq` that it had."""


class Rescue:
    """Saves one store; `connect` and `migrate` as in `memory_fallback.Store`."""

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
        """Whether the store that is there now was made of the one that was lost."""

    @property
    def pending(self) -> bool:
        """Whether a store has to be saved yet: nobody may open what is there."""
        return self._lost is not None

    @property
    def goes_on(self) -> bool:
        """Whether a store that could not be read is tried again: that has an end."""
        return self.pending and self._failures > 0

    def begin(self, lost: Lost) -> None:
        """Have this store saved by `go_on`."""
        self._lost, self._failures = lost, 0

    def go_on(self) -> str:
        """Save the store, or add to what another process has saved of it.

        Returns what to tell the user, "" for nothing; `done` says whether it was that
        store at all. Raises `sqlite3.Error` and `OSError` when it has to be tried
        again.
        """
        lost = self._lost
        if not lost:
            return ""
        told, here = "", id_of(self._path) == lost.was.store
        if here:
            with recovery.alone(self._path):
                # Another process may have saved it, or mended it.
                if here := id_of(self._path) == lost.was.store:
                    told = self._write_anew(lost)
        self.done = here or self._add(lost)
        self._recent.clear()
        self._lost = None
        return told

    def _write_anew(self, lost: Lost) -> str:
        fresh = self._path.with_name(f"{self._path.name}.new-{os.getpid()}")
        copy = fresh.with_name(f"{fresh.name}-old")
        aside = None
        try:
            try:
                told = self._made(lost, fresh, copy)
            except (sqlite3.Error, OSError) as error:
                if _has_no_room(error):
                    raise
                self._failures += 1
                if self._failures < TRIES:
                    raise
                _empty(fresh)
                told = BEGUN
            self._complete(lost, fresh)
            if told == BEGUN:
                aside = recovery.set_aside(self._path, fresh)
                return f"{told} What there was is in {aside}."
            if copy.exists():
                aside = recovery.name_aside(self._path)
                copy.rename(aside)
            for suffix in ("-wal", "-shm"):
                # SQLite would play it into the new file.
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            fresh.replace(self._path)
        finally:
            for file in (fresh, copy):
                recovery.remove(file)
        return f"{told} What there was is in {aside}." if aside else told

    def _made(self, lost: Lost, fresh: Path, copy: Path) -> str:
        """Write what can be read of the old store to `fresh`.

        A copy rather than a checkpoint: the locks of those who have another index open
        are not seen by `old`.
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
        """Add what is remembered to the new file."""
        with closing(self._connect(str(fresh), 1.0)) as db:
            self._migrate(db)
            db.execute("BEGIN IMMEDIATE")
            (last,) = db.execute("SELECT max(seq) FROM event").fetchone()
            self._recent.write_to(db, last or 0)
            # Numbers that others have given are not given again.
            end = max(last_seq(db), lost.known) + GAP
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
            sql = "INSERT INTO sqlite_sequence(name, seq) VALUES ('event', ?)"
            db.execute(sql, (end,))
            sql = "INSERT OR IGNORE INTO taken VALUES (?)"
            db.execute(sql, (f"{_mark(lost.was.store)} {last or 0}",))
            db.execute("COMMIT")
        # It is whole: nobody has to wait until it is settled.
        past = time.time() - 2 * SETTLED_SECONDS
        os.utime(fresh, (past, past))

    def _add(self, lost: Lost) -> bool:
        """Add what is remembered to a store that another process has saved.

        Returns False if it is none that was made of ours.
        """
        if not self._path.exists():
            return False
        for suffix, file in (("-wal", lost.was.wal), ("-shm", lost.was.shm)):
            beside = Path(f"{self._path}{suffix}")
            if file and id_of(beside) == file:
                beside.unlink(missing_ok=True)  # as `replaced.let_go`
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
    """Return what the table `taken` calls a store of which another was made."""
    return "anew {} {}".format(*(store or (0, 0)))


def _empty(file: Path) -> None:
    recovery.remove(file)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _has_no_room(error: Exception) -> bool:
    """Return whether it is the new file that cannot be written."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
    return error_codes.code(error) in full
