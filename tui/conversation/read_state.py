"""Read markers, drafts, and which conversations are being answered.

State and no history: it is kept beside the events, so that another screen, or the
next start, knows it. Read is what stood on a screen that was shown, or came before
what the user sent there; what came after it is unread, unless the user ended it. A
conversation that no screen has ever shown, such as an imported one, is not unread:
nobody waits for it.

A draft belongs to its conversation. One of a conversation that was never sent has none
to come back to, so its key also names the process that holds it: when that is gone, the
next new conversation is offered it; while it lives, a second terminal is not.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import msgspec

from tui import bounds, process_identity
from tui.conversation.store import get, running
from tui.eventlog import Draft, EventLog
from tui.eventlog.sqlite.event_rows import text as as_text
from tui.eventlog.states import Seen
from tui.events import TurnStarted, without_surrogates

_NEW = "new"
"""How the key of a draft begins whose conversation was never sent; no id does."""

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


def forgotten(key: str) -> Draft:
    """Return what forgets a draft in the transaction of something else."""
    return Draft(without_surrogates(key), "", 0.0)


def move_draft(log: EventLog, old: str, new: str, text: str) -> "Future[int]":
    """Keep a draft under another key, in one transaction."""
    kept = Draft(without_surrogates(new), without_surrogates(text), time.time())
    return log.append(new, states=(kept, forgotten(old)))


def new_key(id: str) -> str:
    """Return the key of a draft of this process in a conversation never sent."""
    owner = msgspec.json.encode(process_identity.claim()).decode()
    return f"{_NEW} {id} {owner}"


# -- all of it at once


class Opened(NamedTuple):
    """What is known of a conversation besides its records, when one opens it."""

    stored: bool
    """Whether anything was ever sent in it."""
    seen: int
    """The `seq` up to which any screen has shown it, 0 when none has."""
    draft: str
    """What was being written."""
    offered: str = ""
    """The key of `draft` where a program that is gone has left it in another one."""


def opened(log: EventLog, id: str, *, adopt: bool) -> Opened:
    """Return what is known of a conversation. Raises `LogError`.

    With `adopt` one that is new is offered the newest draft that is nobody's.
    """
    stored = get(log, id) is not None
    text = draft(log, id)
    if not text and not stored:
        text = draft(log, new_key(id))
    if text or stored or not adopt:
        return Opened(stored, seen(log, id), text)
    for key, left in drafts(log, f"{_NEW} "):
        if _is_nobodys(key):
            return Opened(stored, 0, left, key)
    return Opened(stored, 0, "")


def _is_nobodys(key: str) -> bool:
    try:
        owner = key.split(" ", 2)[2]
        if owner.startswith("{"):
            return process_identity.is_gone(bounds.decode_as(owner, TurnStarted))
        # As earlier versions wrote it. A host's name may hold anything: it is last.
        boot_id, pid, start, host = owner.split(" ", 3)
        return process_identity.is_gone(
            TurnStarted(host, boot_id, int(pid), int(start))
        )
    except (IndexError, ValueError):  # another program has written it
        return False
