"""Handles a store whose file was replaced while it was open.

SQLite would apply the write-ahead log of the old file to the new one, because a log
does not name its database (https://sqlite.org/howtocorrupt.html, 1.4). So the old log
is removed first. Only connections that have the old file open can still read its
content, so that is copied to a file beside the new one. A removed file is not copied: a
user who removes the store wants it gone.

For a store that has lost its log, or a part of itself, see `fallback/rescue.py`.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

SETTLED_SECONDS = 0.3
"""Seconds without a write after which a replacement file counts as complete."""

Id = tuple[int, int]
"""The identity of a file: device and inode."""


class Files(NamedTuple):
    """The identities of the files of a store; None for a missing file."""

    store: Id | None
    wal: Id | None
    shm: Id | None


def files(path: Path) -> Files:
    """Return the identities of the store's current files."""
    return Files(*(id_of(Path(f"{path}{suffix}")) for suffix in ("", "-wal", "-shm")))


def id_of(path: Path) -> Id | None:
    """Return the identity of the file at `path`, None when there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def disk_of(folder: Path) -> int | None:
    """Return the device of the folder's file system, None without the folder."""
    with suppress(OSError):
        return folder.stat().st_dev
    return None


def is_settled(path: Path) -> bool:
    """Return whether the file has not been modified in the last `SETTLED_SECONDS`.

    A missing file counts as settled.
    """
    try:
        found = path.stat()
    except OSError:
        return True
    return not 0 <= time.time() - found.st_mtime < SETTLED_SECONDS


def release(old: sqlite3.Connection, path: Path, was: Files) -> Path | None:
    """Separate the new file from the old one's log and save the old one's content.

    `old` has the old file open, `was` are its files. Returns the file with the saved
    content, None when nothing needed saving: the old file still exists under another
    name, or was removed, or was empty.
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
    """Return whether the old file exists under another name, with its log."""
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
        # Another process that had the old file open may have copied it already.
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
    """Copy all that `old` can read to the database `file`, as a single file."""
    with closing(sqlite3.connect(file)) as target:
        old.backup(target)
        # Leave a single file, without a write-ahead log beside it.
        target.execute("PRAGMA journal_mode = DELETE")
