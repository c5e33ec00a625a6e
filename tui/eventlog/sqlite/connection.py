"""Opens connections in the journal mode that suits the disk."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tui.errors import DamagedError, LogError
from tui.eventlog.sqlite import error_codes
from tui.i18n import _

WRITE_SECONDS = 0.15
"""Seconds that a commit waits for another process's lock before the events go to the
journal. A frame of the screen waits longer than that, so that a draft is in the store
or in the journal before it is shown."""


def connect(where: str, seconds: float, network: bool = False) -> sqlite3.Connection:
    """Open a database by path or URI; `seconds` is its timeout for others' locks."""
    connection = sqlite3.connect(
        where, timeout=seconds, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        # With NORMAL a crash of the process loses nothing, and a power cut at most the
        # last commits, never the file (https://sqlite.org/pragma.html). The guarantee
        # for power cuts needs the write-ahead log, which a network disk does not get.
        connection.execute(f"PRAGMA synchronous = {'FULL' if network else 'NORMAL'}")
        # Overwrite deleted rows. Only some systems have this as SQLite's default.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Check cheaply that the file can be read and written; raise SQLite's error."""
    for table in ("event", "conversation"):
        connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        # Deletes nothing, but SQLite still refuses it if the file is not writable.
        connection.execute("DELETE FROM event WHERE seq < 0")
    except sqlite3.OperationalError as error:
        if error_codes.code(error) not in error_codes.BUSY:
            raise


def use_wal(connection: sqlite3.Connection, seconds: float) -> None:
    """Switch to the write-ahead log, so that readers never wait for the writer.

    If the switch is refused, SQLite keeps its rollback journal: slower, but correct.
    The switch ignores the busy timeout, and two processes may open a new file at the
    same time, so it is tried again for up to `seconds`.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error_codes.code(error) not in error_codes.BUSY:
                raise
        threading.Event().wait(0.02)


def use_rollback_journal(
    connection: sqlite3.Connection, tell: Callable[[str], None]
) -> None:
    """Switch the write-ahead log off, which fails while another process uses it.

    `tell` then gets a line for the user.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        return
    connection.execute(f"PRAGMA busy_timeout = {int(WRITE_SECONDS * 1000)}")
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = DELETE")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        tell(
            _(
                "The conversation store is on a network file system, and another "
                "program has it open in a way that is safe on one machine only. Close "
                "that program."
            )
        )


def unopened(path: Path, error: Exception) -> LogError:
    """Return the error for the user when the store at `path` cannot be opened."""
    code = error_codes.code(error)
    there = code == sqlite3.SQLITE_CANTOPEN and path.exists()
    if there and not os.access(path.parent, os.W_OK):
        code = sqlite3.SQLITE_READONLY  # SQLite cannot create files beside the store
    match code:
        case code if code in error_codes.DAMAGED:
            return DamagedError(
                _(
                    "The conversation store {path} is damaged: {error}. Start "
                    "lazychat: it sets the store aside and saves what can be read."
                ).format(path=path, error=error)
            )
        case sqlite3.SQLITE_READONLY:
            return LogError(
                _(
                    "The conversation store {path} is read-only. Make it writable, or "
                    "set LAZYCHAT_HOME to another folder."
                ).format(path=path)
            )
        case code if isinstance(error, FileExistsError):  # of `make_folder`
            return LogError(
                _(
                    "Cannot create the folder {folder}, because {there} is not a "
                    "folder. Move it away, or set LAZYCHAT_HOME to another folder."
                ).format(folder=path.parent, there=error.filename)
            )
        case code:
            return LogError(
                _(
                    "Cannot open the conversation store {path}: {error}. Check the "
                    "permissions of the folder, or set LAZYCHAT_HOME to another folder."
                ).format(path=path, error=getattr(error, "strerror", "") or error)
            )
