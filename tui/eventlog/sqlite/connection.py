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

WRITE_SECONDS = 0.15
"""How long a commit waits for another process's lock before it goes to the journal. A
frame waits longer: what is shown of a draft is in one of the two."""


def connect(where: str, seconds: float, network: bool = False) -> sqlite3.Connection:
    """Open a database by path or URI, to wait `seconds` for others' locks."""
    connection = sqlite3.connect(
        where, timeout=seconds, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        # NORMAL: a crash of the process loses nothing, a power cut at most the last
        # moments, and never the file (https://sqlite.org/pragma.html). The last is
        # true of the write-ahead log only.
        connection.execute(f"PRAGMA synchronous = {'FULL' if network else 'NORMAL'}")
        # What is deleted is overwritten; the default of some systems, not of all.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Find out whether the file can be read and written, at little cost."""
    for table in ("event", "conversation"):
        connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        # Writes nothing, and is refused all the same where nothing may be written.
        connection.execute("DELETE FROM event WHERE seq < 0")
    except sqlite3.OperationalError as error:
        if error_codes.code(error) not in error_codes.BUSY:
            raise


def use_wal(connection: sqlite3.Connection, seconds: float) -> None:
    """Switch to the write-ahead log, where readers never wait for the writer.

    Where it is refused SQLite stays with its rollback journal: slower, right. Two
    processes may open a new file at once, and the switch ignores the busy timeout.
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
    """Switch the write-ahead log off; another process that uses it is in the way."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        return
    connection.execute(f"PRAGMA busy_timeout = {int(WRITE_SECONDS * 1000)}")
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = DELETE")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        tell(
            "The conversation store is on a network file system, and another program "
            "has it open in a way that is safe on one machine only. Close that one."
        )


def unopened(path: Path, error: Exception) -> LogError:
    """Return what to tell the user of a store that cannot be opened."""
    code = error_codes.code(error)
    there = code == sqlite3.SQLITE_CANTOPEN and path.exists()
    if there and not os.access(path.parent, os.W_OK):
        code = sqlite3.SQLITE_READONLY  # nothing can be put beside it
    match code:
        case code if code in error_codes.DAMAGED:
            return DamagedError(
                f"The conversation store {path} is damaged: {error}. Start "
                "lazychat: it sets the store aside and saves what can be read."
            )
        case sqlite3.SQLITE_READONLY:
            return LogError(
                f"The conversation store {path} is read-only. Make it "
                "writable, or set LAZYCHAT_HOME to another folder."
            )
        case _:
            return LogError(
                f"The conversation store {path} cannot be opened: {error}. "
                "Check the permissions of the folder, or set LAZYCHAT_HOME to "
                "another one."
            )
