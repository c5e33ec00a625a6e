"""Groups SQLite's error codes (https://sqlite.org/rescode.html)."""

import sqlite3

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""Another connection has locked the file; the file itself is fine."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""The file itself is damaged. No other error may be treated as damage."""

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
"""The store is unavailable, whatever the statement. All other codes are about one
statement."""

ONCE = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_TRIGGER,
    }
)
"""A row that may exist only once exists already; extended codes."""


def is_short(error: BaseException | None) -> bool:
    """Return whether SQLite missed a page because the log was truncated in use."""
    found = getattr(error, "sqlite_errorcode", 0)
    return found == sqlite3.SQLITE_IOERR_SHORT_READ


def code(error: BaseException | None) -> int:
    """Return the primary result code, 0 when `error` has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
