"""Keeps deleted conversations for some days, so that they can be restored.

A deletion removes the events from the log, for all followers, and keeps them in two
tables of their own until they are restored, wiped by the user, or too old.
"""

import sqlite3
import time

DAYS = 7
"""Days during which a deleted conversation can be restored."""

TABLES = frozenset({"deleted", "deleted_event"})

SCHEMA = """
    CREATE TABLE deleted(
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        title TEXT NOT NULL,
        draft TEXT NOT NULL,
        time REAL NOT NULL);
    CREATE TABLE deleted_event(
        number INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        turn TEXT,
        kind TEXT NOT NULL,
        time REAL NOT NULL,
        data TEXT NOT NULL);
    CREATE INDEX deleted_event_number ON deleted_event(number, seq)
"""


def put(db: sqlite3.Connection, conversation: str, title: str, draft: str) -> None:
    """Copy a conversation to the trash, before the caller deletes it."""
    row = db.execute(
        "INSERT INTO main.deleted(conversation, title, draft, time) "
        "VALUES (?, ?, ?, ?)",
        (conversation, title, draft, time.time()),
    )
    db.execute(
        "INSERT INTO main.deleted_event SELECT ?, seq, turn, kind, time, data "
        "FROM event WHERE conversation = ? AND kind <> 'conversation_deleted'",
        (row.lastrowid, conversation),
    )


def drop(db: sqlite3.Connection, number: int) -> bool:
    """Remove deletion `number` from the trash; return whether it existed."""
    db.execute("DELETE FROM main.deleted_event WHERE number = ?", (number,))
    gone = db.execute("DELETE FROM main.deleted WHERE number = ?", (number,))
    return gone.rowcount > 0


def wipe(db: sqlite3.Connection, number: int) -> None:
    """Delete deletion `number` permanently; the next purge cleans the files."""
    if drop(db, number):
        db.execute(
            "INSERT OR IGNORE INTO main.purge "
            "SELECT coalesce(max(CAST(seq AS INTEGER)), 0) FROM main.sqlite_sequence"
        )


def expired(db: sqlite3.Connection) -> list[int]:
    """Return the numbers of the deletions that are too old to be restored."""
    since = time.time() - DAYS * 86_400
    rows = db.execute("SELECT number FROM main.deleted WHERE time < ?", (since,))
    return [number for (number,) in rows]


def wipe_expired(db: sqlite3.Connection) -> None:
    """Delete expired deletions permanently; `db` must not be in a transaction."""
    if not expired(db):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for number in expired(db):
            wipe(db, number)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def move(db: sqlite3.Connection, store: sqlite3.Connection) -> None:
    """Copy deletions made in the fallback `db` to `store`."""
    kept = db.execute("SELECT number, conversation, title, draft, time FROM deleted")
    for number, *values in kept.fetchall():
        row = store.execute(
            "INSERT INTO deleted(conversation, title, draft, time) VALUES (?, ?, ?, ?)",
            values,
        )
        store.executemany(
            "INSERT INTO deleted_event VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row.lastrowid, *event)
                for event in db.execute(
                    "SELECT seq, turn, kind, time, data FROM deleted_event "
                    "WHERE number = ? ORDER BY seq",
                    (number,),
                )
            ),
        )
