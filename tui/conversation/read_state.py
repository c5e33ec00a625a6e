"""Stores read markers and drafts, and finds conversations that are being answered.

This is state, not history: it is stored beside the events, so that another screen or
the next start knows it. A message is read if a visible screen has shown it, or if it
came before a message that the user sent there. A turn that ended later is unread,
unless the user cancelled it. A conversation that no screen has ever shown, such as an
imported one, is not unread: nobody is waiting for it.

A draft belongs to its conversation. If nothing was ever sent in that conversation, no
list shows it, so the key of its draft also names the process that holds it. When that
process is gone, the next new conversation offers the draft; while it lives, a second
terminal does not.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

import msgspec

from tui import bounds, process_identity
from tui.conversation.store import get, running
from tui.eventlog import Blob, Draft, EventLog
from tui.eventlog.separation import reference
from tui.eventlog.sqlite.event_rows import text as as_text
from tui.eventlog.states import Seen
from tui.events import TurnStarted, without_surrogates
from tui.messages import Attachment

_NEW = "new"
"""First word of the key of a draft in a conversation that was never sent; not an id."""

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
    """Return the `seq` up to which any screen has shown a conversation, 0 if none."""
    rows = log.query("SELECT seq FROM seen WHERE conversation = ?", (id,))
    return bounds.count(rows[0][0]) if rows else 0


def mark_seen(log: EventLog, id: str, seq: int) -> "Future[int]":
    """Store that a screen has shown everything up to `seq`; it never moves back."""
    return log.append(id, states=(Seen(id, seq),))


def is_unseen(log: EventLog, id: str) -> bool:
    """Return whether a turn was requested, started or ended since the read marker.

    A cancelled turn does not count: the user who cancelled it has seen it.
    """
    return bool(log.query(_UNSEEN, (id, seen(log, id))))


def unread(log: EventLog, among: Iterable[str] | None = None) -> set[str]:
    """Return the conversations in which a turn has ended since they were last shown.

    `among` None means all conversations. Raises `LogError`.
    """
    if among is None:
        return {as_text(row[0]) for row in log.query(_UNREAD.format(only=""))}
    ids = list(among)
    only = f"conversation IN ({', '.join('?' * len(ids))}) AND"
    return {as_text(row[0]) for row in log.query(_UNREAD.format(only=only), ids)}


def answering(log: EventLog, ids: Iterable[str]) -> set[str]:
    """Return those of `ids` in which a turn is running.

    A turn whose process is gone does not count, even if it has not been ended yet.
    """
    return {
        id
        for id in ids
        if any(not process_identity.is_gone(owner) for _, owner in running(log, id))
    }


# -- drafts


def draft(log: EventLog, key: str) -> str:
    """Return the draft that `save_draft` stored under `key`, "" when there is none."""
    rows = log.query("SELECT text FROM draft WHERE conversation = ?", (key,))
    return as_text(rows[0][0]) if rows else ""


def draft_files(log: EventLog, key: str) -> tuple[Attachment, ...]:
    """Return the files of a draft: references, see `conversation.attached`."""
    rows = log.query("SELECT attachments FROM draft WHERE conversation = ?", (key,))
    try:
        return bounds.decode_as(rows[0][0], tuple[Attachment, ...]) if rows else ()
    except (ValueError, TypeError):  # none, or another program wrote it
        return ()


def save_draft(
    log: EventLog, key: str, text: str, files: Sequence[Attachment] = ()
) -> "Future[int]":
    """Store a draft; without `text` and `files` it is deleted.

    `key` is the id of a conversation, or any other name of the draft.
    """
    return log.append(key, states=_states(key, text, files))


def _states(key: str, text: str, files: Sequence[Attachment]) -> list[Blob | Draft]:
    bare = [reference(file) for file in files]
    kept = Draft(
        without_surrogates(key),
        without_surrogates(text),
        time.time(),
        tuple(file for file, _ in bare),
    )
    return [*(blob for _, blob in bare if blob), kept]


def drafts(log: EventLog, beginning: str) -> Sequence[tuple[str, str]]:
    """Return key and text of drafts whose key starts with `beginning`, newest first.

    `beginning` must not contain SQL wildcards. Raises `LogError`.
    """
    rows = log.query(
        "SELECT conversation, text FROM draft WHERE conversation LIKE ? "
        "ORDER BY rowid DESC",
        (f"{beginning}%",),
    )
    return [(as_text(key), as_text(text)) for key, text in rows]


def forgotten(key: str) -> Draft:
    """Return the state that deletes a draft, to append together with other events."""
    return Draft(without_surrogates(key), "", 0.0)


def move_draft(
    log: EventLog, old: str, new: str, text: str, files: Sequence[Attachment] = ()
) -> "Future[int]":
    """Move a draft to another key, in one transaction."""
    return log.append(new, states=(*_states(new, text, files), forgotten(old)))


def new_key(id: str) -> str:
    """Return the key for this process's draft in a conversation that was never sent."""
    owner = msgspec.json.encode(process_identity.claim()).decode()
    return f"{_NEW} {id} {owner}"


# -- all of it at once


class Opened(msgspec.Struct, frozen=True):
    """The state of a conversation, besides its records, when a screen opens it."""

    stored: bool
    """Whether anything was ever sent in the conversation."""
    seen: int
    """The `seq` up to which any screen has shown it, 0 when none has."""
    draft: str
    """The draft, "" when there is none."""
    offered: str = ""
    """The key of `draft` if an exited process left it in another conversation."""
    files: tuple[Attachment, ...] = ()
    """The files of the draft."""


def opened(log: EventLog, id: str, *, adopt: bool) -> Opened:
    """Return the stored state of a conversation. Raises `LogError`.

    With `adopt`, a new conversation is offered the newest draft whose process is gone.
    """
    stored = get(log, id) is not None
    text, files = draft(log, id), draft_files(log, id)
    # Whether any process left one is asked first: this process's key takes 3 ms.
    if not (text or files or stored) and drafts(log, f"{_NEW} {id} "):
        key = new_key(id)
        text, files = draft(log, key), draft_files(log, key)
    if text or files or stored or not adopt:
        return Opened(stored, seen(log, id), text, files=files)
    for key, left in drafts(log, f"{_NEW} "):
        if _is_orphaned(key):
            return Opened(stored, 0, left, key, draft_files(log, key))
    return Opened(stored, 0, "")


def _is_orphaned(key: str) -> bool:
    try:
        owner = key.split(" ", 2)[2]
        if owner.startswith("{"):
            return process_identity.is_gone(bounds.decode_as(owner, TurnStarted))
        # The format of earlier versions. The host is last, as its name may have spaces.
        boot_id, pid, start, host = owner.split(" ", 3)
        return process_identity.is_gone(
            TurnStarted(host, boot_id, int(pid), int(start))
        )
    except (IndexError, ValueError):  # another program wrote the key
        return False
