"""What an event is in the store's tables; for the writer and for what it catches up."""

import sqlite3

from tui import events
from tui.eventlog import listing
from tui.events import PROVISIONAL, Event, MessageAdded


def insert(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    time: float,
    event: Event,
) -> int:
    """Insert one event, with all that follows from it, and return its `seq`.

    Raises `sqlite3.IntegrityError` for a second claim or end of a turn.
    """
    message_id = event.message_id if isinstance(event, PROVISIONAL) else None
    row = db.execute(
        "INSERT INTO main.event(conversation, turn, kind, time, delta_of, data) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            conversation,
            turn,
            events.kind(event),
            time,
            message_id,
            events.encode(event).decode(),
        ),
    )
    seq = row.lastrowid or 0
    if message_id is None:
        follow(db, conversation, turn, seq, time, event)
    return seq


def follow(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    seq: int,
    time: float,
    event: Event,
) -> None:
    """Write what follows from an event: a whole message removes its deltas."""
    if isinstance(event, MessageAdded):
        db.execute(
            "DELETE FROM main.event WHERE delta_of = ? AND conversation = ?",
            (event.message_id, conversation),
        )
    listing.keep(db, conversation, turn, seq, time, event)
