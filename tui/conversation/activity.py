"""Where something goes on: which conversation was last, what runs anywhere."""

from typing import NamedTuple

import msgspec

from tui.eventlog import EventLog
from tui.events import TurnStarted


class Running(NamedTuple):
    """A turn that has started and not ended."""

    conversation: str
    turn: str
    owner: TurnStarted
    started: float
    """Seconds since the epoch."""


def running_everywhere(log: EventLog) -> list[Running]:
    """Return the turns of all conversations that have started and not ended.

    Their processes may be gone: see `process.is_gone`.
    """
    rows = log.query(
        "SELECT conversation, turn, data, time FROM event AS started "
        "WHERE kind = 'turn_started' AND NOT EXISTS (SELECT 1 FROM event AS ended "
        "WHERE ended.turn = started.turn AND ended.kind = 'turn_finished') "
        "ORDER BY seq"
    )
    return [
        Running(of, turn, msgspec.json.decode(data, type=TurnStarted), time)
        for of, turn, data, time in rows
    ]


def last(log: EventLog) -> str | None:
    """Return the conversation in which a question was asked last."""
    # From the end of the log backwards: no index is needed to find the first.
    rows = log.query(
        "SELECT conversation FROM event WHERE kind = 'turn_requested' "
        "ORDER BY seq DESC LIMIT 1"
    )
    return rows[0][0] if rows else None


def is_unseen(log: EventLog, id: str) -> bool:
    """Return whether a turn was asked for or has ended that nobody has seen.

    One that was cancelled was seen by whoever did that.
    """
    return bool(
        log.query(
            "SELECT 1 FROM event WHERE conversation = ? AND seq > ? AND "
            "(kind IN ('turn_requested', 'turn_started') OR kind = 'turn_finished' "
            "AND json_extract(data, '$.reason') != 'cancelled') LIMIT 1",
            (id, log.seen(id)),
        )
    )
