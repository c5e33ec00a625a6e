"""What an event is in the store's tables; for the writer and for what it catches up."""

import sqlite3

from tui import events
from tui.events import PROVISIONAL, Event, MessageAdded


def insert(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    time: float,
    event: Event,
) -> int:
    """Insert one event and return its `seq`.

    A message that is whole removes its deltas, and the first of a user's enters its
    conversation in the list. Raises `sqlite3.IntegrityError` for a second claim or
    end of a turn.
    """
    row = db.execute(
        "INSERT INTO main.event(conversation, turn, kind, time, delta_of, data) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            conversation,
            turn,
            events.kind(event),
            time,
            event.message_id if isinstance(event, PROVISIONAL) else None,
            events.encode(event).decode(),
        ),
    )
    if isinstance(event, MessageAdded):
        settle(db, conversation, time, event)
    return row.lastrowid or 0


def settle(
    db: sqlite3.Connection, conversation: str, time: float, event: MessageAdded
) -> None:
    """Remove the deltas of a message that is whole; list its conversation."""
    db.execute("DELETE FROM main.event WHERE delta_of = ?", (event.message_id,))
    if event.message.role == "user":
        # Its first question is its title.
        db.execute(
            "INSERT OR IGNORE INTO conversation(id, title, created) VALUES (?, ?, ?)",
            (conversation, " ".join(event.message.text.split())[:80], time),
        )
