"""Queries the list of conversations and the turns that run in them.

A table of its own holds the list and is updated with the events, so that showing a list
costs as much as its length, not as the size of the store.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from tui import process_identity, session
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
from tui.i18n import _


class Summary(msgspec.Struct, frozen=True):
    """An entry in the list of conversations."""

    id: str
    title: str
    """The start of the first question, until it is renamed; "" before there is one."""
    created: float
    """Seconds since the epoch."""
    updated: float
    """When the user or a model last added a message; seconds since the epoch."""
    messages: int
    """How many messages of the user and the models have text."""
    pinned: bool


_SUMMARY = "SELECT id, title, created, updated, messages, pinned FROM conversation "
RECENT = _SUMMARY + "ORDER BY pinned DESC, updated DESC, id LIMIT ?"
# Order by `used`, a `seq`: clocks can be wrong and go backwards.
NEWEST = _SUMMARY + "ORDER BY used DESC, updated DESC LIMIT 1"
FIND = (
    "SELECT id FROM conversation WHERE id >= :begin AND id < :end ORDER BY id LIMIT 2"
)


def recent(log: EventLog, limit: int = -1) -> Sequence[Summary]:
    """Return the pinned conversations, then the others, each last used first.

    `limit` -1 means no limit.
    """
    return [_summary(row) for row in log.query(RECENT, (limit,))]


def newest(log: EventLog) -> Summary | None:
    """Return the conversation that was used last, pinned or not; None without any.

    An import does not count as a use; a message added to the conversation later does.
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
    """Return the id that is equal to `prefix`, or is the only one that begins with it.

    Raises `LogError` when there is none or more than one.
    """
    ends = {"begin": prefix, "end": prefix + "\U0010ffff"}
    rows = log.query(FIND, ends)
    if prefix and rows and (len(rows) == 1 or rows[0][0] == prefix):
        return text(rows[0][0])
    problem = _("Several conversations have") if rows else _("No conversation has")
    raise LogError(
        _("{problem} an id that begins with {prefix!r}.").format(
            problem=problem, prefix=prefix
        )
    )


def short_ids(log: EventLog, ids: Sequence[str]) -> list[str]:
    """Return the shortest prefix of each of `ids` that is unique for `find`.

    Prefixes have at least `SHORTEST` characters, so that most have the same length.
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
    """Give a conversation a new title, on one line; for the future see `log.append`.

    The conversation need not have a message yet. Raises `LogError` when `title` is only
    white space.
    """
    title = " ".join(title.split())
    if not title:
        raise LogError(_("A title needs at least one character."))
    return log.append(id, ConversationRenamed(title))


def pin(log: EventLog, id: str, pinned: bool = True) -> "Future[int]":
    """Pin a conversation to the top of lists, or unpin it.

    For the future see `log.append`.
    """
    return log.append(id, ConversationPinned(pinned))


def running(log: EventLog, id: str) -> list[tuple[str, TurnStarted]]:
    """Return the turns of a conversation that have started and not ended.

    A turn whose claim cannot be read belongs to a process that is gone: otherwise it
    would hold up the conversation for ever.
    """
    found: list[tuple[str, TurnStarted]] = []
    for turn, data in log.query(RUNNING, (id,)):
        started = read("turn_started", data)
        if not isinstance(started, TurnStarted):
            started = msgspec.structs.replace(process_identity.claim(), pid=0)
        found.append((text(turn), started))
    return found


def running_anywhere(log: EventLog) -> dict[str, list[TurnStarted]]:
    """Return the running turns in the whole store, by conversation.

    Costs only as much as the number of these turns.
    """
    found: dict[str, list[TurnStarted]] = {}
    for conversation, data in log.query(RUNNING_ANYWHERE):
        started = read("turn_started", data)
        if isinstance(started, TurnStarted):
            found.setdefault(text(conversation), []).append(started)
    return found


RUNNING = (
    "SELECT turn, CAST(data AS BLOB) FROM event AS started WHERE kind = 'turn_started' "
    "AND conversation = ? AND turn IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM event AS ended "
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
    """Return the conversation of a turn. Raises `LogError` for an unknown turn."""
    rows = log.query("SELECT conversation FROM event WHERE turn = ? LIMIT 1", (turn,))
    if not rows:
        raise LogError(_("There is no turn {turn}.").format(turn=turn))
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
    """Return whether an event of one of `kinds` followed `request` in its turn."""
    return any(log.query(_FOLLOWED, _after(request, kind)) for kind in kinds)


def may_start(request: Record) -> Guard:
    """Return a guard (see `EventLog.append`) for the transaction that claims a turn.

    It refuses the claim if a turn runs in the conversation or the request was
    withdrawn.
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
    """Return an id for a new conversation, which is stored with its first message."""
    return session.new_id()
