"""Wipes traces of deleted conversations from the store's files.

`PRAGMA secure_delete` overwrites deleted rows, but SQLite copies rows when it splits
and merges pages, and the gaps of those pages keep the copies; FTS5 keeps a deleted
term until the segment it is in is merged; and the write-ahead log has the pages as
they were. So: the index is merged into one segment, the file written anew, and the
log cut to nothing. (FTS5's own `secure-delete` would save the first, but from then on
an SQLite before 3.42 could not read the store.)
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tui.eventlog.sqlite import trash

MERGED_PAGES = 400
"""Pages of the index that one transaction merges, so that others' writes come
between: 30 ms."""


class Purge:
    """Wipes on demand; and once from the start when a process before could not."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._at_work: sqlite3.Connection | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Do in a thread what is due from before; `close` breaks it off."""
        self._thread = threading.Thread(
            target=self.run, args=(0.0,), name="lazychat-log-purge", daemon=True
        )
        self._thread.start()

    def run(self, seconds: float) -> str:
        """Do what is due; return "" when no trace is left, else why one may be.

        Each write of others waits for a part of it; the longest is the writing anew:
        0.4 s for 100,000 messages. A reader that holds an old state of the file, such
        as a process that was stopped in the middle of a read, keeps the write-ahead
        log from being cut: it is waited for, `seconds` at most. What could not be
        done stays due: for the next deletion, and for who opens the store next.
        """
        with self._lock:
            try:
                self._at_work = self._connect()
                return self._run(self._at_work, seconds)
            except sqlite3.Error as error:
                return (
                    "Traces of what was deleted may still be in the conversation "
                    f"store: {error}. They are wiped when lazychat is next started."
                )
            finally:
                connection, self._at_work = self._at_work, None
                if connection:
                    connection.close()

    def _run(self, connection: sqlite3.Connection, seconds: float) -> str:
        trash.wipe_expired(connection)
        due = connection.execute(DUE).fetchone()[0]
        if due is None:
            return ""
        _merge_index(connection)
        connection.execute("VACUUM")
        if not self._cut_log(connection, seconds):
            return (
                "Another program is reading the conversation store, so its log could "
                "not be wiped: traces of what was deleted may be in it until that "
                "program ends and lazychat is next started."
            )
        connection.execute("DELETE FROM purge WHERE seq <= ?", (due,))
        return ""

    def _cut_log(self, connection: sqlite3.Connection, seconds: float) -> bool:
        """Empty the write-ahead log; return whether nobody held it for too long."""
        end = time.monotonic() + seconds
        connection.execute("PRAGMA busy_timeout = 100")
        while True:
            # (busy, pages in the log, pages copied); no log: (0, -1, -1)
            checkpoint = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not checkpoint.fetchone()[0]:
                return True
            if self._stop.is_set() or time.monotonic() >= end:
                return False

    def close(self) -> None:
        """Break off what was begun by `start`; it stays due."""
        self._stop.set()
        thread = self._thread
        while thread and thread.is_alive():
            if connection := self._at_work:
                with suppress(sqlite3.Error):
                    connection.interrupt()
            thread.join(0.05)


DUE = "SELECT max(seq) FROM purge"


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
