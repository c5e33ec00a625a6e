"""The conversations of a store: the list of them, and what runs in each."""

from collections.abc import Sequence

import msgspec

from tui import session
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import TurnStarted


class Summary(msgspec.Struct, frozen=True):
    """A line of the list of conversations."""

    id: str
    title: str
    created: float
    """Seconds since the epoch."""


def recent(log: EventLog, limit: int = -1) -> Sequence[Summary]:
    """Return the conversations, the newest first; `limit` -1 means all."""
    rows = log.query(
        "SELECT id, title, created FROM conversation ORDER BY created DESC, id LIMIT ?",
        (limit,),
    )
    return [Summary(*row) for row in rows]


def find(log: EventLog, prefix: str) -> str:
    """Return the id of the one conversation whose id begins with `prefix`.

    Raises `LogError` when there is none or more than one.
    """
    rows = log.query(
        "SELECT id FROM conversation WHERE substr(id, 1, length(?)) = ? LIMIT 2",
        (prefix, prefix),
    )
    if len(rows) == 1 and prefix:
        return rows[0][0]
    problem = "Several conversations have" if rows else "No conversation has"
    raise LogError(f"{problem} an id that begins with {prefix!r}.")


def running(log: EventLog, id: str) -> list[tuple[str, TurnStarted]]:
    """Return the turns of a conversation that have started and not ended."""
    rows = log.query(RUNNING, (id,))
    return [(turn, msgspec.json.decode(data, type=TurnStarted)) for turn, data in rows]


RUNNING = (
    "SELECT turn, data FROM event AS started WHERE kind = 'turn_started' "
    "AND conversation = ? AND NOT EXISTS (SELECT 1 FROM event AS ended "
    "WHERE ended.turn = started.turn AND ended.kind = 'turn_finished')"
)


def new_id() -> str:
    """Return the id of a new conversation; it is stored with its first message."""
    return session.new_id()
