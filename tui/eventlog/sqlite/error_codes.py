"""Groups SQLite's error codes (https://sqlite.org/rescode.html)."""

import sqlite3

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""Somebody else has it locked; nothing is wrong with it."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""The file itself is broken. Nothing else may be taken for this."""

REFUSED = (
    BUSY
    | DAMAGED
    | {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOLFS,
    }
)
"""The store cannot be had, whatever was asked of it. All others are about one
statement."""


ONCE = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_TRIGGER,
    }
)
"""What may be there once is there already; extended codes."""


def is_short(error: BaseException | None) -> bool:
    """Return whether a page was not there: the log was cut short in use."""
    found = getattr(error, "sqlite_errorcode", 0)
    return found == sqlite3.SQLITE_IOERR_SHORT_READ


def code(error: BaseException | None) -> int:
    """Return the primary result code, 0 when `error` has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
