"""Wipes what deleted conversations have left in the store's files.

`PRAGMA secure_delete` overwrites deleted rows, but SQLite copies rows when it splits
and merges pages, and the gaps of those pages keep the copies; FTS5 keeps a deleted
term until the segment it is in is merged; and the write-ahead log has the pages as
they were. So: the index is merged into one segment, the file written anew, and the
log cut to nothing. (FTS5's own `secure-delete` would save the first, but from then on
an SQLite before 3.42 could not read the store.)
"""

import sqlite3
import time
from collections.abc import Callable

MERGED_PAGES = 400
"""Pages of the index that one transaction merges, so that others' writes come
between: 30 ms."""


def purge(connect: Callable[[], sqlite3.Connection], seconds: float) -> str:
    """Do what is due; return "" when no trace is left, else a sentence that says why.

    Each write of others waits for parts of it; the longest is the writing anew, 7 s
    for each GB. A reader that holds an old state of the file, such as a process that
    was stopped in the middle of a read, keeps the write-ahead log from being cut: it
    is waited for, `seconds` at most. What could not be done stays due.
    """
    connection = connect()
    try:
        due = connection.execute("SELECT max(seq) FROM purge").fetchone()[0]
        if due is None:
            return ""
        _merge_index(connection)
        connection.execute("VACUUM")
        if not _cut_log(connection, seconds):
            return (
                "Another program is reading the conversation store, so its log could "
                "not be wiped: traces of what was deleted may be in it until the next "
                "deletion, or until all lazychats are closed."
            )
        connection.execute("DELETE FROM purge WHERE seq <= ?", (due,))
        return ""
    except sqlite3.Error as error:
        return (
            f"Traces of what was deleted may still be in the conversation store: "
            f"{error}. The next deletion wipes them too."
        )
    finally:
        connection.close()


def _merge_index(connection: sqlite3.Connection) -> None:
    """Merge all segments of the index, which drops what was deleted from them."""
    pages = -MERGED_PAGES  # negative: begin with everything
    while True:
        before = connection.total_changes
        connection.execute(
            "INSERT INTO message_text(message_text, rank) VALUES ('merge', ?)", (pages,)
        )
        if connection.total_changes - before < 2:
            return
        pages = MERGED_PAGES


def _cut_log(connection: sqlite3.Connection, seconds: float) -> bool:
    """Empty the write-ahead log; return whether nobody held it for too long."""
    end = time.monotonic() + seconds
    connection.execute("PRAGMA busy_timeout = 100")
    while True:
        # (busy, pages in the log, pages copied); no log: (0, -1, -1)
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if not busy or time.monotonic() >= end:
            return not busy
