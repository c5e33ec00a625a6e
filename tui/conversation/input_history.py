"""Returns the user's questions in all conversations, for recall in the composer."""

from tui.eventlog import EventLog
from tui.events import MessageAdded, read

REACH = 50_000
"""How many of the newest events are searched at most."""
LONGEST = 1_000_000
"""Events of more characters are skipped: nobody recalls such a message to send it."""


def questions(log: EventLog, besides: str = "", limit: int = 500) -> list[str]:
    """Return the newest `limit` messages of the user, oldest first.

    Leaves out those of the conversation `besides`. Raises `LogError`.
    """
    # Scan from the end of the table: this finds 500 soon enough to need no index.
    rows = log.query(
        "SELECT CAST(data AS BLOB) FROM event "
        "WHERE seq > :first AND kind = 'message_added' AND conversation != :besides "
        "AND CASE WHEN length(data) > :longest THEN 0 WHEN json_valid(data) "
        "THEN json_extract(data, '$.message.role') = 'user' END "
        "ORDER BY seq DESC LIMIT :limit",
        {
            "first": log.tail() - REACH,
            "besides": besides,
            "limit": limit,
            "longest": LONGEST,
        },
    )
    events = [read("message_added", data) for (data,) in reversed(rows)]
    return [it.message.text for it in events if isinstance(it, MessageAdded)]
