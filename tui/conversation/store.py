"""Queries over all conversations: the list, and what runs in each.

What the list shows is kept in a table of its own as the events come, so that a list
costs what it shows and not what the store holds.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from tui import session
from tui.bounds import count, moment
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text
from tui.eventlog.writer import Guard
from tui.events import (
    ConversationPinned,
    ConversationRenamed,
    Record,
    TurnStarted,
    read,
)


class Summary(msgspec.Struct, frozen=True):
    """A line of the list of conversations."""

    id: str
    title: str
    """The first question's beginning until it is renamed; "" before there is one."""
    created: float
    """Seconds since the epoch."""
    updated: float
    """When the last message of the user or a model was added; seconds since the
    epoch."""
    messages: int
    """How many the user and the models have said, those without text not counted."""
    pinned: bool


_SUMMARY = "SELECT id, title, created, updated, messages, pinned FROM conversation "
RECENT = _SUMMARY + "ORDER BY pinned DESC, updated DESC, id LIMIT ?"
# Clocks go wrong, and back: what was said last has the highest number.
NEWEST = _SUMMARY + "ORDER BY used DESC, updated DESC LIMIT 1"
FIND = (
    "SELECT id FROM conversation WHERE id >= :begin AND id < :end ORDER BY id LIMIT 2"
)


def recent(log: EventLog, limit: int = -1) -> Sequence[Summary]:
    """Return the conversations: the pinned, then the others, the last used first.

    `limit` -1 means all.
    """
    return [_summary(row) for row in log.query(RECENT, (limit,))]


def newest(log: EventLog) -> Summary | None:
    """Return the conversation that was used last, pinned or not; None without any.

    What was imported has not been used here, as long as nobody goes on with it.
    """
    rows = log.query(NEWEST)
    return _summary(rows[0]) if rows else None


def get(log: EventLog, id: str) -> Summary | None:
    """Return the summary of one conversation; None when the store has none."""
    rows = log.query(_SUMMARY + "WHERE id = ?", (id,))
    return _summary(rows[0]) if rows else None


def _summary(row: tuple[Any, ...]) -> Summary:
    id, title, created, updated, messages, pinned = row
    return Summary(
        text(id),
        text(title),
        moment(created),
        moment(updated),
        count(messages),
        bool(pinned),
    )


def find(log: EventLog, prefix: str) -> str:
    """Return the id of the one conversation whose id is, or begins with, `prefix`.

    Raises `LogError` when there is none or more than one.
    """
    ends = {"begin": prefix, "end": prefix + "\U0010ffff"}
    rows = log.query(FIND, ends)
    if prefix and rows and (len(rows) == 1 or rows[0][0] == prefix):
        return text(rows[0][0])
    problem = "Several conversations have" if rows else "No conversation has"
    raise LogError(f"{problem} an id that begins with {prefix!r}.")


def short_ids(log: EventLog, ids: Sequence[str]) -> list[str]:
    """Return the shortest beginnings of `ids` that `find` knows each by.

    At least `SHORTEST` characters, so that most are of one length.
    """
    return [_short_id(log, id) for id in ids]


SHORTEST = 6
NEIGHBOURS = (
    "SELECT max(id) FROM conversation WHERE id < :id "
    "UNION ALL SELECT min(id) FROM conversation WHERE id > :id"
)


def _short_id(log: EventLog, id: str) -> str:
    neighbours = [text(found) for (found,) in log.query(NEIGHBOURS, {"id": id})]
    length = SHORTEST
    while length < len(id) and any(it.startswith(id[:length]) for it in neighbours):
        length += 1
    return id[:length]


def rename(log: EventLog, id: str, title: str) -> "Future[int]":
    """Give a conversation a new title, on one line; the future as of `log.append`.

    It may have no message yet. Raises `LogError` when nothing is left of `title`.
    """
    title = " ".join(title.split())
    if not title:
        raise LogError("A title needs at least one character.")
    return log.append(id, ConversationRenamed(title))


def pin(log: EventLog, id: str, pinned: bool = True) -> "Future[int]":
    """Keep a conversation at the top of lists, or no longer.

    The future is as of `log.append`.
    """
    return log.append(id, ConversationPinned(pinned))


def running(log: EventLog, id: str) -> list[tuple[str, TurnStarted]]:
    """Return the turns of a conversation that have started and not ended."""
    rows = log.query(RUNNING, (id,))
    return [
        (text(turn), started)
        for turn, data in rows
        if isinstance(started := read("turn_started", data), TurnStarted)
    ]


def running_anywhere(log: EventLog) -> dict[str, list[TurnStarted]]:
    """Return what runs in the whole store, by conversation; costs what it returns."""
    found: dict[str, list[TurnStarted]] = {}
    for conversation, data in log.query(RUNNING_ANYWHERE):
        started = read("turn_started", data)
        if isinstance(started, TurnStarted):
            found.setdefault(text(conversation), []).append(started)
    return found


RUNNING = (
    "SELECT turn, CAST(data AS BLOB) FROM event AS started WHERE kind = 'turn_started' "
    "AND conversation = ? AND NOT EXISTS (SELECT 1 FROM event AS ended "
    "WHERE ended.turn = started.turn AND ended.kind = 'turn_finished')"
)
RUNNING_ANYWHERE = (
    "SELECT running.conversation, CAST(started.data AS BLOB) "
    "FROM running CROSS JOIN event AS started ON started.turn = running.turn "
    "AND started.kind = 'turn_started' ORDER BY started.seq"
)


def last_seq(log: EventLog, id: str) -> int:
    """Return the `seq` of the last record of a conversation, 0 without any."""
    rows = log.query("SELECT max(seq) FROM event WHERE conversation = ?", (id,))
    return rows[0][0] or 0


def conversation_of(log: EventLog, turn: str) -> str:
    """Return the conversation that a turn is in. Raises `LogError` without any."""
    rows = log.query("SELECT conversation FROM event WHERE turn = ? LIMIT 1", (turn,))
    if not rows:
        raise LogError(f"There is no turn {turn}.")
    return text(rows[0][0])


def titles(log: EventLog, ids: Sequence[str]) -> dict[str, str]:
    """Return the titles of those of `ids` that are stored. Raises `LogError`."""
    places = ", ".join("?" * len(ids))
    rows = log.query(
        f"SELECT id, title FROM conversation WHERE id IN ({places})", list(ids)
    )
    return {id: text(title) for id, title in rows}


def newest_request(log: EventLog) -> int:
    """Return the `seq` of the newest request for an answer, 0 without any."""
    rows = log.query(
        "SELECT seq FROM event WHERE kind = 'turn_requested' ORDER BY seq DESC LIMIT 1"
    )
    return rows[0][0] if rows else 0


def has_followed(log: EventLog, request: Record, *kinds: str) -> bool:
    """Return whether an event of one of `kinds` has come in the turn of a `request`."""
    return any(log.query(_FOLLOWED, _after(request, kind)) for kind in kinds)


def may_start(request: Record) -> Guard:
    """Return a guard for the transaction that claims a turn, as of `EventLog.append`.

    Nothing runs in its conversation, and it is still wanted.
    """

    def look(db: sqlite3.Connection) -> bool:
        running = db.execute(RUNNING, (request.conversation,)).fetchone()
        withdrawn = db.execute(_FOLLOWED, _after(request, "turn_withdrawn")).fetchone()
        return running is None and withdrawn is None

    return look


_FOLLOWED = (
    "SELECT 1 FROM event WHERE conversation = ? AND seq > ? AND turn = ? "
    "AND kind = ? LIMIT 1"
)


def _after(request: Record, kind: str) -> tuple[object, ...]:
    return request.conversation, request.seq, request.turn, kind


def new_id() -> str:
    """Return the id of a new conversation; it is stored with its first message."""
    return session.new_id()
