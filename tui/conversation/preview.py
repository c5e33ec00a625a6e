"""Reads a few messages of a conversation, for a preview beside a list.

It costs as much as the messages that it returns, not as the conversation's length, so
it reads them from their end and does not fold the log.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from tui.eventlog import EventLog
from tui.eventlog.sqlite.projections import SAID, said

LONGEST = 20_000
"""Most characters of a message that are returned."""
BEHIND = 2
"""Messages after a match that are returned."""
_LOOKED_AT = 40
"""Most messages that are read: others are versions that are not shown."""

BEFORE = (
    f"SELECT turn, {SAID} FROM event WHERE conversation = :id "
    "AND kind = 'message_added' AND seq <= :seq ORDER BY seq DESC LIMIT :limit"
)
AFTER = (
    f"SELECT {SAID} FROM event WHERE conversation = :id AND kind = 'message_added' "
    "AND seq > :seq ORDER BY seq LIMIT :limit"
)
_NEWEST = 2**62


class Spoken(msgspec.Struct, frozen=True):
    """A message of the user or a model in a preview."""

    role: str
    """`user` or `assistant`."""
    text: str
    matches: bool = False
    """Whether it is the message that was asked for."""


class _Place(msgspec.Struct):
    message_id: str = ""
    parent: str | None = None


_place = msgspec.json.Decoder(_Place).decode


def preview(log: EventLog, id: str, seq: int = 0, limit: int = 8) -> list[Spoken]:
    """Return the last messages of a conversation, `limit` at most, in their order.

    With the `seq` of a message (`Hit.seq`), return that one with those before it and
    `BEHIND` after it. Of several versions, those before the last message are the ones
    that led to it. Raises `LogError`.
    """
    about = {"id": id, "seq": seq or _NEWEST, "limit": _LOOKED_AT}
    found = _path(log.query(BEFORE, about), limit)
    if seq:
        if found:
            found[-1] = msgspec.structs.replace(found[-1], matches=True)
        rows = log.query(AFTER, {**about, "limit": BEHIND})
        found += filter(None, (_spoken(data) for (data,) in rows))
    return found


def _path(rows: Sequence[tuple[Any, ...]], limit: int) -> list[Spoken]:
    """Return the messages that led to the first of `rows`, which has the newest.

    A row is a turn and the JSON of a message.
    """
    placed = [(turn, _read(data), _spoken(data)) for turn, data in rows]
    turns = {place.message_id: turn for turn, place, _ in placed if turn}
    found: list[Spoken] = []
    wanted: str | None = None
    """The message or turn to which the next one has to belong; None: any."""
    for turn, place, spoken in placed:
        if len(found) == limit or wanted == "":
            break
        if wanted is not None and wanted not in (place.message_id, turn):
            continue
        wanted = place.parent
        if spoken:
            found.append(spoken)
            if spoken.role == "user" and wanted:
                # A question follows the whole turn of the message that it names.
                wanted = turns.get(wanted, wanted)
    return found[::-1]


def _read(data: bytes | None) -> _Place:
    try:
        return _place(data or b"")
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _Place()


def _spoken(data: bytes | None) -> Spoken | None:
    message = said(data)
    if message.role not in ("user", "assistant") or not message.text.strip():
        return None
    return Spoken(message.role, message.text[:LONGEST])
