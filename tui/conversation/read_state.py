"""What the user has not seen yet."""

from tui.eventlog import EventLog


def is_unseen(log: EventLog, id: str) -> bool:
    """Return whether a turn was asked for or has ended that nobody has seen.

    One that was cancelled was seen by whoever did that.
    """
    return bool(
        log.query(
            "SELECT 1 FROM event WHERE conversation = ? AND seq > ? AND "
            "(kind IN ('turn_requested', 'turn_started') OR kind = 'turn_finished' "
            "AND CASE WHEN json_valid(data) THEN json_extract(data, '$.reason') "
            "ELSE '' END != 'cancelled') LIMIT 1",
            (id, log.seen(id)),
        )
    )
