"""Handles a store whose file was replaced while it was open.

SQLite would play the write-ahead log of the old file into the new one, for nothing in
the log says whose it is (https://sqlite.org/howtocorrupt.html, 1.4). So that goes
first. And what the old file held, which only those can still read who have it open, is
written to a file beside the new one. A file that was removed is not: whoever removes a
store wants it gone.

A store that has lost its log, or a part of itself, is another matter: see
`fallback/rescue.py`.
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


def id_of(path: Path) -> Id | None:
    """Return which file has the name `path`, None when none has."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def disk_of(folder: Path) -> int | None:
    """Return which file system a folder is on, None when there is none."""
    with suppress(OSError):
        return folder.stat().st_dev
    return None


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
            back_up(old, aside)
        except sqlite3.Error:
            aside.unlink(missing_ok=True)
            raise
        return aside
    return None


def back_up(old: sqlite3.Connection, file: Path) -> None:
    """Write all that `old` can read into the database `file`, as one file."""
    with closing(sqlite3.connect(file)) as target:
        old.backup(target)
        # One file, and no log beside it.
        target.execute("PRAGMA journal_mode = DELETE")
