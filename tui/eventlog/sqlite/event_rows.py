"""Inserts events as rows, and reads them back.

And what a row is that another program, or a bad disk, has written: anything. It is
read for as much as can be made of it, so that one row never takes the others along.
"""

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from tui import bounds, events
from tui.eventlog.sqlite import projections
from tui.events import (
    PROVISIONAL,
    Event,
    MessageAdded,
    Record,
    Unknown,
    Unreadable,
)

LARGE = 1 << 20
"""Bytes of an event from which it is handed to SQLite as it is: a `str` of it would be
in memory twice, for SQLite has it encoded."""

HEAD, TAIL = 64 << 10, 4 << 10
"""Bytes that are looked at of an event that is longer than `bounds.LARGEST_RECORD`."""


def insert(
    db: sqlite3.Connection,
    conversation: str,
    turn: str | None,
    time: float,
    event: Event,
    *,
    imported: bool = False,
    seq: int | None = None,
) -> int:
    """Insert one event, with all that follows from it, and return its `seq`.

    `imported`: nobody has said it here. `seq` is given anew when it is None. Raises
    `sqlite3.IntegrityError` for a second claim or end of a turn, and whatever encoding
    raises for what is no event.
    """
    message_id = event.message_id if isinstance(event, PROVISIONAL) else None
    kind, data = events.kind(event), events.encode(event)
    if not isinstance(event, Unknown | Unreadable):
        # What is stored is to be read again, and `follow` wants what is stored: what
        # is no text where text has to be, or no Unicode, ends here. 0.5 µs.
        event = events.decode(kind, data)
    column, value = "?", data
    if len(data) > LARGE and not isinstance(event, Unknown | Unreadable):
        column = "CAST(? AS TEXT)"
    else:
        value = _column(data)
    row = db.execute(
        "INSERT INTO main.event(seq, conversation, turn, kind, time, delta_of, data) "
        f"VALUES (?, ?, ?, ?, ?, ?, {column})",
        (seq, conversation, turn, kind, time, message_id, value),
    )
    seq = seq or row.lastrowid or 0
    if message_id is None:
        follow(db, conversation, turn, seq, time, event, imported=imported)
    return seq


def _column(data: bytes) -> str | bytes:
    """Return the value of the column `data`: what is no text is kept as it is."""
    try:
        return data.decode()
    except UnicodeDecodeError:  # of an `Unreadable` that is moved
        return data


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
    projections.keep(db, conversation, turn, seq, time, event, imported=imported)


def record(
    seq: int, conversation: Any, turn: Any, time: Any, kind: Any, data: Any
) -> Record:
    """Return the record that a row is; `Unreadable` what makes no sense.

    `data` is the event as JSON, or the event itself.
    """
    of, kind = text(conversation), text(kind)
    if not isinstance(data, bytes | Event):
        data = text(data).encode("utf-8", "surrogatepass")
    if isinstance(data, Event):
        event = data
    elif len(data) > bounds.LARGEST_RECORD:
        event = excerpt(kind, data[:HEAD], data[-TAIL:], len(data))
    else:
        event = events.read(kind, data)
    turn = None if turn is None else text(turn)
    return Record(seq, of, turn, bounds.moment(time), event)


def text(value: Any) -> str:
    """Return what a column of text holds, whatever it is."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else "" if value is None else str(value)


def excerpt(kind: str, head: bytes, tail: bytes, size: int) -> Event:
    """Return the beginning of a message that is too long, of which it says so.

    `head` and `tail` are the first and the last bytes of the `size` that it has.
    """
    long = f"it is {size / 1e6:,.0f} MB long"
    begun = _BEGUN.match(head) if kind == "message_added" else None
    ended = _ENDED.search(tail)
    if begun and ended:
        note = "\\n\\n[Cut off here: the message is too long to be shown or sent, "
        note += f"{long}; an export has all of it.]"
        whole = begun[0] + note.encode() + b'"}' + ended[1] + b"}"
        try:
            return events.decode(kind, whole)
        except (msgspec.MsgspecError, UnicodeError):
            pass
    return Unreadable(kind, b"", long)


_BEGUN = re.compile(
    rb'\{"message_id":"[^"\\]*","message":\{"role":"[a-z]+","text":"'
    # Whole escapes, and no first bytes of a character without the others.
    rb"(?:[\x20-\x21\x23-\x5b\x5d-\x7f]|\\u[0-9a-fA-F]{4}|\\[^u]"
    rb"|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3})*"
)
_ENDED = re.compile(rb'\}((?:,"(?:parent|finish_reason)":(?:"[^"\\]*"|null))*)\}$')


class Lenient:
    """Reads rows whatever they hold, over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.text_factory = text

    def __exit__(self, *_: object) -> None:
        self._connection.text_factory = str


def fetch(
    connection: sqlite3.Connection,
    sql: str,
    parameters: Any,
    odd: Callable[[], None] = lambda: None,
) -> list[Any]:
    """Run a SELECT and return its rows; bytes that are no UTF-8 become U+FFFD.

    `odd` is called if there are some.
    """
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        # Python's own error, which has no code.
        if "decode to UTF-8" not in str(error):
            raise
    odd()
    with Lenient(connection):
        return connection.execute(sql, parameters).fetchall()
