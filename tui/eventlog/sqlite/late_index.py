"""Fills the search index with long messages afterwards, a piece at a time.

To work out what a text of megabytes is found by takes a second, which whoever waits for
the end of an answer, or has pressed Esc, is not to wait for. So such a message is noted
in the table `unindexed` with its event, and the thread that writes takes in a piece of
it when it has nothing else to do. How far it is stands in the transaction of the piece:
after a kill the next process goes on there, and of several each piece is taken by one.
"""

import sqlite3
from time import monotonic

from tui.eventlog.sqlite.overlay import abandon
from tui.eventlog.sqlite.projections import INDEX, SAID, piece_end, said, terms_of

PAUSE_SECONDS = 0.02
"""How long nothing else has to be written before a piece is taken in."""

RETRY_SECONDS = 1.0
"""How long it rests when the store cannot be written."""

NEXT = "SELECT seq, done FROM unindexed ORDER BY seq DESC LIMIT 1"


class LateIndex:
    """What is to be indexed of a store. One thread, which writes to it."""

    def __init__(self) -> None:
        self._due = True
        self._again = 0.0
        self._seq = 0
        self._text = ""
        self._found: set[str] = set()
        """What the message is found by already."""

    @property
    def wait(self) -> float | None:
        """Seconds until `step` is to be called if nothing else is to be done, or None.

        Each time anew, so that it comes when there was nothing to do for that long.
        """
        return max(PAUSE_SECONDS, self._again - monotonic()) if self._due else None

    def look(self) -> None:
        """Take it that something was written."""
        self._due = True

    def step(self, db: sqlite3.Connection) -> None:
        """Take in a piece, 30 ms; nothing where another program writes, or none is due.

        `db` is in no transaction; its busy timeout is as before afterwards.
        """
        try:
            row = db.execute(NEXT).fetchone()
            if row:
                self._take_in(db, *row)
            else:
                self._due, self._seq, self._text = False, 0, ""
                self._found.clear()
        except sqlite3.Error:
            self._again = monotonic() + RETRY_SECONDS

    def _take_in(self, db: sqlite3.Connection, seq: int, done: int) -> None:
        if seq != self._seq:
            self._load(db, seq)
        end = piece_end(self._text, done)
        new = terms_of(self._text[done:end]) - self._found
        (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
        db.execute("PRAGMA busy_timeout = 0")
        try:
            db.execute("BEGIN IMMEDIATE")
            # Another process may have done it, or the message may have been deleted.
            if db.execute(NEXT).fetchone() == (seq, done):
                self._put(db, new, end)
            db.execute("COMMIT")
        finally:
            abandon(db)
            db.execute(f"PRAGMA busy_timeout = {patience}")

    def _load(self, db: sqlite3.Connection, seq: int) -> None:
        sql = f"SELECT {SAID} FROM event WHERE seq = ?"
        row = db.execute(sql, (seq,)).fetchone()
        self._seq, self._text = seq, said(row[0]).text if row else ""
        self._found.clear()

    def _put(self, db: sqlite3.Connection, new: set[str], end: int) -> None:
        if new:
            # A message may have several rows of one number: they count as one.
            db.execute(INDEX, (self._seq, " ".join(new)))
            self._found |= new
        if end < len(self._text):
            sql = "UPDATE unindexed SET done = ? WHERE seq = ?"
            db.execute(sql, (end, self._seq))
        else:
            db.execute("DELETE FROM unindexed WHERE seq = ?", (self._seq,))
