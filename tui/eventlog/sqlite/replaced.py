"""Handles a store whose file was replaced while it was open.

SQLite would play the write-ahead log of the old file into the new one, for nothing in
the log says whose it is (https://sqlite.org/howtocorrupt.html, 1.4). So that goes
first. And what the old file held, which only those can still read who have it open, is
written to a file beside the new one. A file that was removed is not: whoever removes a
store wants it gone.

Where only the log, or its index, was removed or replaced, a file is written of what
those can read who have the old ones open, and takes the store's name.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

SETTLED_SECONDS = 0.3
"""How long a file that was put in the store's place must not have been written to:
then whoever copies it is done."""

Id = tuple[int, int]
"""Which file it is: device and inode."""


class Files(NamedTuple):
    """Which files a store consists of; None where there is none."""

    store: Id | None
    wal: Id | None
    shm: Id | None


def files(path: Path) -> Files:
    """Return which files the store has now."""
    return Files(*(id_of(Path(f"{path}{suffix}")) for suffix in ("", "-wal", "-shm")))


def has_lost_its_log(path: Path, was: Files) -> bool:
    """Return whether the store has its name yet, and its log or index has not.

    Who opens it now begins another log, and never sees what is in the old one, which
    goes with the last process that has it open.
    """
    now = files(path)
    return now.store == was.store and any(
        old is not None and new != old
        for old, new in zip(was[1:], now[1:], strict=True)
    )


def write_anew(old: sqlite3.Connection, path: Path) -> None:
    """Put a file with all that `old` can read in the place of the store.

    A copy rather than a checkpoint: the locks of those who have another index open are
    not seen by `old`. Whoever has the old file open finds it replaced, and keeps what
    he has besides. Raises `sqlite3.Error` and `OSError`; then the store is as it was.
    """
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        _back_up(old, fresh)
        # It is whole: nobody has to wait until it is settled.
        past = time.time() - 2 * SETTLED_SECONDS
        os.utime(fresh, (past, past))
        for suffix in ("-wal", "-shm"):
            # SQLite would play it into the new file.
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def id_of(path: Path) -> Id | None:
    """Return which file has the name `path`, None when none has."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_settled(path: Path) -> bool:
    """Return whether nobody is writing the file just now, as far as can be seen."""
    try:
        found = path.stat()
    except OSError:
        return True
    return not 0 <= time.time() - found.st_mtime < SETTLED_SECONDS


def let_go(old: sqlite3.Connection, path: Path, was: Files) -> Path | None:
    """Part the new file from what belongs to the old one, which `old` has open.

    Returns where all that was in the old one is kept, None when nothing had to be:
    the old file has another name, or was removed, or held nothing.
    """
    aside = None
    if path.exists() and not _has_a_name(path, was):
        with suppress(sqlite3.Error, OSError):
            aside = _copied(old, path)
    for suffix, file in (("-wal", was.wal), ("-shm", was.shm)):
        beside = Path(f"{path}{suffix}")
        if file and id_of(beside) == file:
            beside.unlink(missing_ok=True)
    return aside


def _has_a_name(path: Path, was: Files) -> bool:
    """Return whether the old file is there by another name, with its log."""
    for file in path.parent.iterdir():
        if file != path and id_of(file) == was.store:
            return was.wal is None or id_of(Path(f"{file}-wal")) == was.wal
    return False


def _copied(old: sqlite3.Connection, path: Path) -> Path | None:
    (last,) = old.execute("SELECT max(seq) FROM event").fetchone()
    if last is None:
        return None
    begin = f"{path.name}.replaced-"
    for there in path.parent.glob(f"{begin}*"):
        # Another process has had the same one open.
        with suppress(sqlite3.Error), closing(sqlite3.connect(there)) as db:
            sql = "SELECT max(seq), max(time), count(*) FROM event"
            if db.execute(sql).fetchone() == old.execute(sql).fetchone():
                return there
    day = time.strftime("%Y-%m-%d")
    for number in count(1):
        aside = path.with_name(f"{begin}{day}-{number}")
        try:
            os.close(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            continue
        try:
            _back_up(old, aside)
        except sqlite3.Error:
            aside.unlink(missing_ok=True)
            raise
        return aside
    return None


def _back_up(old: sqlite3.Connection, file: Path) -> None:
    with closing(sqlite3.connect(file)) as target:
        old.backup(target)
        # One file, and no log beside it.
        target.execute("PRAGMA journal_mode = DELETE")
