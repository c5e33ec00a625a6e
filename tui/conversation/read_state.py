"""Read markers, drafts, and which conversations are being answered.

State and no history: it is kept beside the events, so that another screen, or the
next start, knows it. Read is what stood on a screen that was shown, or came before
what the user sent there; what came after it is unread, unless the user ended it. A
conversation that no screen has ever shown, such as an imported one, is not unread:
nobody waits for it.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from tui import process_identity
from tui.conversation.store import running
from tui.eventlog import Draft, EventLog
from tui.eventlog.sqlite.event_rows import text as as_text
from tui.eventlog.states import Seen
from tui.events import without_surrogates

_ENDED_BY_ITSELF = (
    "kind = 'turn_finished' AND CASE WHEN json_valid(data) "
    "THEN json_extract(data, '$.reason') ELSE '' END != 'cancelled'"
)
_UNREAD = (
    "SELECT conversation FROM seen WHERE {only} EXISTS (SELECT 1 FROM event "
    "WHERE event.conversation = seen.conversation AND event.seq > seen.seq "
    f"AND {_ENDED_BY_ITSELF})"
)
_UNSEEN = (
    "SELECT 1 FROM event WHERE conversation = ? AND seq > ? AND "
    f"(kind IN ('turn_requested', 'turn_started') OR {_ENDED_BY_ITSELF}) LIMIT 1"
)


def seen(log: EventLog, id: str) -> int:
    """Return the `seq` up to which any screen has shown it, 0 when none has."""
    rows = log.query("SELECT seq FROM seen WHERE conversation = ?", (id,))
    return rows[0][0] if rows else 0


def mark_seen(log: EventLog, id: str, seq: int) -> "Future[int]":
    """Keep that a screen has shown everything up to `seq`; it never goes back."""
    return log.append(id, states=(Seen(id, seq),))


def is_unseen(log: EventLog, id: str) -> bool:
    """Return whether a turn was asked for, runs or has ended that nobody has seen.

    One that was cancelled was seen by whoever did that.
    """
    return bool(log.query(_UNSEEN, (id, seen(log, id))))


def unread(log: EventLog, among: Iterable[str] | None = None) -> set[str]:
    """Return the conversations in which a turn has ended since they were shown.

    `among` None means all of them. Raises `LogError`.
    """
    if among is None:
        return {row[0] for row in log.query(_UNREAD.format(only=""))}
    ids = list(among)
    only = f"conversation IN ({', '.join('?' * len(ids))}) AND"
    return {row[0] for row in log.query(_UNREAD.format(only=only), ids)}


def answering(log: EventLog, ids: Iterable[str]) -> set[str]:
    """Return those of `ids` in which a turn runs.

    One whose process is gone does not, even if nobody has ended it yet.
    """
    return {
        id
        for id in ids
        if any(not process_identity.is_gone(owner) for _, owner in running(log, id))
    }


# -- drafts


def draft(log: EventLog, key: str) -> str:
    """Return what `save_draft` has kept under `key`, "" when nothing."""
    rows = log.query("SELECT text FROM draft WHERE conversation = ?", (key,))
    return as_text(rows[0][0]) if rows else ""


def save_draft(log: EventLog, key: str, text: str) -> "Future[int]":
    """Keep what the user is writing; "" forgets it.

    `key` is a conversation, or anything else that names what is written.
    """
    kept = Draft(without_surrogates(key), without_surrogates(text), time.time())
    return log.append(key, states=(kept,))


def drafts(log: EventLog, beginning: str) -> Sequence[tuple[str, str]]:
    """Return key and text of the drafts whose key begins so, the newest first.

    `beginning` holds no wildcard of SQL. Raises `LogError`.
    """
    return log.query(
        "SELECT conversation, text FROM draft WHERE conversation LIKE ? "
        "ORDER BY rowid DESC",
        (f"{beginning}%",),
    )
