"""The conversations of a store: the list of them, and what runs in each.

What the list shows is kept in a table of its own as the events come, so that a list
costs what it shows and not what the store holds.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from tui import session
from tui.bounds import count, moment
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text
from tui.events import ConversationPinned, ConversationRenamed, TurnStarted, read


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


def new_id() -> str:
    """Return the id of a new conversation; it is stored with its first message."""
    return session.new_id()
