"""What the user has asked in all conversations: the history of the input line."""

import msgspec

from tui.eventlog import EventLog
from tui.events import MessageAdded

REACH = 50_000
"""How many of the newest events are looked through, at most."""


def questions(log: EventLog, besides: str = "", limit: int = 500) -> list[str]:
    """Return the newest `limit` messages of the user, the oldest of them first.

    Those of the conversation `besides` are left out. Raises `LogError`.
    """
    # From the end of the table: 500 are found before an index of its own would pay.
    rows = log.query(
        "SELECT data FROM event WHERE seq > :first AND kind = 'message_added' "
        "AND conversation != :besides "
        "AND json_extract(data, '$.message.role') = 'user' "
        "ORDER BY seq DESC LIMIT :limit",
        {"first": log.tail() - REACH, "besides": besides, "limit": limit},
    )
    decoder = msgspec.json.Decoder(MessageAdded)
    return [decoder.decode(data).message.text for (data,) in reversed(rows)]
