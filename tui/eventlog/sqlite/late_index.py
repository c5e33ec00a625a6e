"""Adds long messages to the search index later, a piece at a time.

Finding the search terms of megabytes of text takes about a second, too long for a user
who waits for the end of an answer or has pressed Esc. So such a message is noted in the
table `unindexed`, in the transaction of its event, and the writer thread indexes a
piece of it whenever it is idle. The transaction of a piece also stores the progress:
after a kill the next process continues there, and of several processes only one indexes
each piece.
"""

import sqlite3
from time import monotonic

from tui.eventlog.sqlite.overlay import roll_back
from tui.eventlog.sqlite.projections import (
    DONE,
    INDEX,
    SAID,
    piece_end,
    said,
    terms_of,
)

PAUSE_SECONDS = 0.02
"""Seconds that the writer must be idle before a piece is indexed."""

RETRY_SECONDS = 1.0
"""Seconds to pause when the store cannot be written."""

NEXT = f"SELECT seq, {DONE} FROM unindexed ORDER BY seq DESC LIMIT 1"


class LateIndex:
    """Indexes the long messages of a store. Used only in the writer thread."""

    def __init__(self) -> None:
        self._due = True
        self._again = 0.0
        self._seq = 0
        self._text = ""
        self._found: set[str] = set()
        """The terms of the current message that are already in the index."""

    @property
    def wait(self) -> float | None:
        """Seconds of idle time after which to call `step`; None if nothing is due.

        Read it again for each wait, so that the idle time starts over each time.
        """
        return max(PAUSE_SECONDS, self._again - monotonic()) if self._due else None

    def look(self) -> None:
        """Note that messages were written, which may need indexing."""
        self._due = True

    def step(self, db: sqlite3.Connection) -> None:
        """Index one piece, unless none is due or another program is writing.

        `db` must not be in a transaction. Its busy timeout is restored afterwards.
        """
        try:
            row = db.execute(NEXT).fetchone()
            if row:
                self._index_piece(db, *row)
            else:
                self._due, self._seq, self._text = False, 0, ""
                self._found.clear()
        except sqlite3.Error:
            self._again = monotonic() + RETRY_SECONDS

    def _index_piece(self, db: sqlite3.Connection, seq: int, done: int) -> None:
        if seq != self._seq:
            self._load(db, seq)
        end = piece_end(self._text, done)
        new = terms_of(self._text[done:end]) - self._found
        (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
        db.execute("PRAGMA busy_timeout = 0")
        try:
            db.execute("BEGIN IMMEDIATE")
            # Another process may have indexed it, or the message may be deleted.
            if db.execute(NEXT).fetchone() == (seq, done):
                self._put(db, new, end)
            db.execute("COMMIT")
        finally:
            roll_back(db)
            db.execute(f"PRAGMA busy_timeout = {patience}")

    def _load(self, db: sqlite3.Connection, seq: int) -> None:
        sql = f"SELECT {SAID} FROM event WHERE seq = ?"
        row = db.execute(sql, (seq,)).fetchone()
        self._seq, self._text = seq, said(row[0]).searched if row else ""
        self._found.clear()

    def _put(self, db: sqlite3.Connection, new: set[str], end: int) -> None:
        if new:
            # FTS5 treats several rows with one rowid as one, so add only new terms.
            db.execute(INDEX, (self._seq, " ".join(new)))
            self._found |= new
        if end < len(self._text):
            sql = "UPDATE unindexed SET done = ? WHERE seq = ?"
            db.execute(sql, (end, self._seq))
        else:
            db.execute("DELETE FROM unindexed WHERE seq = ?", (self._seq,))
