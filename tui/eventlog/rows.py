"""What an event is in the store's tables; for the writer and for what it catches up."""

import sqlite3

from tui import events
from tui.eventlog import listing
from tui.events import PROVISIONAL, Event, MessageAdded, Unknown


def insert(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    time: float,
    event: Event,
    *,
    imported: bool = False,
) -> int:
    """Insert one event, with all that follows from it, and return its `seq`.

    `imported`: nobody has said it here. Raises `sqlite3.IntegrityError` for a second
    claim or end of a turn, and whatever encoding raises for what is no event.
    """
    message_id = event.message_id if isinstance(event, PROVISIONAL) else None
    kind, data = events.kind(event), events.encode(event)
    if not isinstance(event, Unknown):
        # What is stored is to be read again, and `follow` wants what is stored: what
        # is no text where text has to be, or no Unicode, ends here. 0.5 µs.
        event = events.decode(kind, data)
    row = db.execute(
        "INSERT INTO main.event(conversation, turn, kind, time, delta_of, data) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (conversation, turn, kind, time, message_id, data.decode()),
    )
    seq = row.lastrowid or 0
    if message_id is None:
        follow(db, conversation, turn, seq, time, event, imported=imported)
    return seq


def follow(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    seq: int,
    time: float,
    event: Event,
    *,
    imported: bool = False,
) -> None:
    """Write what follows from an event: a whole message removes its deltas."""
    if isinstance(event, MessageAdded):
        db.execute(
            "DELETE FROM main.event WHERE delta_of = ? AND conversation = ?",
            (event.message_id, conversation),
        )
    listing.keep(db, conversation, turn, seq, time, event, imported=imported)
