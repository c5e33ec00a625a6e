"""Inserts events as rows, and reads rows back as records.

A row from another program or a bad disk may hold anything. The functions here read as
much of it as possible, so that a bad row never makes the other rows unreadable.
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
from tui.i18n import _

LARGE = 1 << 20
"""Size in bytes above which an event is passed to SQLite as bytes. A `str` would be in
memory twice, because SQLite encodes it."""

HEAD, TAIL = 64 << 10, 4 << 10
"""Bytes read from the start and the end of an event over `bounds.LARGEST_RECORD`."""


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
    """Insert one event, update the derived tables, and return its `seq`.

    With `imported` the event does not count as a use of its conversation. A `seq` of
    None assigns a new one. Raises `sqlite3.IntegrityError` for a second claim or end of
    a turn, and any exception of the encoder for an invalid event.
    """
    message_id = event.message_id if isinstance(event, PROVISIONAL) else None
    kind, data = events.kind(event), events.encode(event)
    if not isinstance(event, Unknown | Unreadable):
        # Decode the event again, so that `follow` gets exactly what is stored. An event
        # with a wrong type or a lone surrogate raises here, before it is stored.
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
    """Return the value for the column `data`: text, or bytes if it is invalid UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:  # an `Unreadable` that is copied from another store
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
    """Update what derives from an event; a complete message deletes its deltas."""
    if isinstance(event, MessageAdded):
        db.execute(
            "DELETE FROM main.event WHERE delta_of = ? AND conversation = ?",
            (event.message_id, conversation),
        )
    projections.keep(db, conversation, turn, seq, time, event, imported=imported)


def record(
    seq: int, conversation: Any, turn: Any, time: Any, kind: Any, data: Any
) -> Record:
    """Return the row as a record; an event that cannot be decoded is `Unreadable`.

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
    """Return the value of a text column as a `str`, whatever type it has."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else "" if value is None else str(value)


def excerpt(kind: str, head: bytes, tail: bytes, size: int) -> Event:
    """Return the beginning of a message that is too long, with a note that says so.

    `head` and `tail` are the first and the last bytes of the event, which has `size`
    bytes. Returns `Unreadable` if they are not parts of a message.
    """
    long = _("it is {size} MB long").format(size=f"{size / 1e6:,.0f}")
    begun = _BEGUN.match(head) if kind == "message_added" else None
    ended = _ENDED.search(tail)
    if begun and ended:
        note = _(
            "[Cut off here: the message is too long to show or send ({long}). An "
            "export contains all of it.]"
        ).format(long=long)
        written = msgspec.json.encode(f"\n\n{note}")[1:]
        whole = begun[0] + written + b"}" + ended[1] + b"}"
        try:
            return events.decode(kind, whole)
        except (msgspec.MsgspecError, UnicodeError):
            pass
    return Unreadable(kind, b"", long)


_BEGUN = re.compile(
    rb'\{"message_id":"[^"\\]*","message":\{"role":"[a-z]+","text":"'
    # Match only complete escapes and complete characters.
    rb"(?:[\x20-\x21\x23-\x5b\x5d-\x7f]|\\u[0-9a-fA-F]{4}|\\[^u]"
    rb"|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3})*"
)
_ENDED = re.compile(rb'\}((?:,"(?:parent|finish_reason)":(?:"[^"\\]*"|null))*)\}$')


class Lenient:
    """While open, makes a connection return any column value, even invalid UTF-8."""

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
    """Run a SELECT and return its rows, with invalid UTF-8 replaced by U+FFFD.

    Calls `odd` if any row has invalid UTF-8.
    """
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        # sqlite3 raises this error itself, so it has no SQLite code.
        if "decode to UTF-8" not in str(error):
            raise
    odd()
    with Lenient(connection):
        return connection.execute(sql, parameters).fetchall()
