"""How far the user has seen a conversation, kept so that another screen knows it.

Seen is what stood on a screen that was shown, or what the user has sent there; what
came after it is unread, unless the user ended it. A conversation that no screen has
ever shown, such as an imported one, is not unread: nobody waits for it.
"""

from collections.abc import Iterable

from tui.eventlog import EventLog

_UNREAD = (
    "SELECT conversation FROM seen WHERE {only} EXISTS (SELECT 1 FROM event "
    "WHERE event.conversation = seen.conversation AND event.seq > seen.seq "
    "AND kind = 'turn_finished' AND CASE WHEN json_valid(data) "
    "THEN json_extract(data, '$.reason') ELSE '' END != 'cancelled')"
)


def mark_seen(log: EventLog, conversation: str, seq: int) -> None:
    """Keep that everything up to `seq` has been seen; returns at once.

    A disk that refuses it is no reason to trouble anybody: it stays unread.
    """
    if seq > 0:
        log.mark_seen(conversation, seq)


def unread(log: EventLog, among: Iterable[str] | None = None) -> set[str]:
    """Return the conversations in which a turn has ended unseen.

    `among` None means all of them. Raises `LogError`.
    """
    if among is None:
        return {row[0] for row in log.query(_UNREAD.format(only=""))}
    ids = list(among)
    only = f"conversation IN ({', '.join('?' * len(ids))}) AND"
    return {row[0] for row in log.query(_UNREAD.format(only=only), ids)}
