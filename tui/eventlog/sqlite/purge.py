"""Wipes traces of deleted conversations from the store's files.

`PRAGMA secure_delete` overwrites deleted rows, but that is not enough: SQLite copies
rows when it splits and merges pages, and gaps in those pages keep the copies; FTS5
keeps a deleted term until its segment is merged; and the write-ahead log has the old
pages. So a purge merges the index into one segment, rewrites the file (VACUUM) and
truncates the log. (FTS5's own `secure-delete` would save the first step, but then an
SQLite before 3.42 could no longer read the store.)
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tui.eventlog.sqlite import blobs, event_rows, trash
from tui.i18n import _

MERGED_PAGES = 400
"""Pages of the index that one transaction merges; other writes may come in between."""


class Purge:
    """Wipes traces on demand, and at startup those that an earlier process left."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._at_work: sqlite3.Connection | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run the purge that is still due, in a thread; `close` interrupts it."""
        self._thread = threading.Thread(
            target=self.run, args=(0.0,), name="lazychat-log-purge", daemon=True
        )
        self._thread.start()

    def run(self, seconds: float) -> str:
        """Wipe all due traces; return "" when none is left, else the reason.

        Writes by other threads and processes wait for parts of the purge, longest for
        the rewriting of the file. A reader that holds an old snapshot of the file, such
        as a process that was stopped in the middle of a read, prevents the truncation
        of the write-ahead log; the purge waits for it for up to `seconds`. An
        incomplete purge stays due: the next deletion, or the next process that opens
        the store, tries it again.
        """
        with self._lock:
            try:
                self._at_work = self._connect()
                # A row with invalid UTF-8 must not keep the traces of others.
                self._at_work.text_factory = event_rows.text
                return self._run(self._at_work, seconds)
            except sqlite3.Error as error:
                return _(
                    "Traces of deleted conversations may still be in the conversation "
                    "store: {error}. lazychat will wipe them at its next start."
                ).format(error=error)
            finally:
                connection, self._at_work = self._at_work, None
                if connection:
                    connection.close()

    def _run(self, connection: sqlite3.Connection, seconds: float) -> str:
        trash.wipe_expired(connection)
        due = connection.execute(DUE).fetchone()[0]
        if due is None:
            return ""
        blobs.free(connection)
        _merge_index(connection)
        connection.execute("VACUUM")
        if not self._cut_log(connection, seconds):
            return _(
                "Another program is reading the conversation store, so its log could "
                "not be wiped. Traces of deleted conversations may stay in it until "
                "that program ends and lazychat is started again."
            )
        connection.execute("DELETE FROM purge WHERE seq <= ?", (due,))
        return ""

    def _cut_log(self, connection: sqlite3.Connection, seconds: float) -> bool:
        """Truncate the write-ahead log; return False if a reader blocks it too long."""
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
        """Interrupt the purge begun by `start`; it stays due."""
        self._stop.set()
        thread = self._thread
        while thread and thread.is_alive():
            if connection := self._at_work:
                with suppress(sqlite3.Error):
                    connection.interrupt()
            thread.join(0.05)


DUE = "SELECT max(seq) FROM purge"


def _merge_index(connection: sqlite3.Connection) -> None:
    """Merge all segments of the index, which removes deleted terms."""
    pages = -MERGED_PAGES  # negative: begin with everything
    while True:
        before = connection.total_changes
        connection.execute(
            "INSERT INTO message_text(message_text, rank) VALUES ('merge', ?)", (pages,)
        )
        if connection.total_changes - before < 2:
            return
        pages = MERGED_PAGES
