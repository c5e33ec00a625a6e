"""Deletes conversations, first with undo, then permanently.

`trash` removes a conversation from all lists, searches and screens; for some days
`restore` undoes that. `delete` and `wipe` leave no text of the conversation in any of
the store's files. Only a record without text stays, which reports the deletion to
followers of the conversation in other processes.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from tui import bounds
from tui.conversation import read_state
from tui.conversation.export_import import TAKEN, put_back
from tui.conversation.store import get
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog
from tui.eventlog.sqlite import event_rows
from tui.eventlog.sqlite import trash as bin
from tui.events import ConversationDeleted, Record, TurnWithdrawn
from tui.i18n import _

DAYS = bin.DAYS
"""Days during which the trash can be restored; after that a start wipes it."""


class Deleted(msgspec.Struct, frozen=True):
    """Conversations that were deleted permanently."""

    ids: tuple[str, ...]
    traces: str
    """"" when no trace is left in the files; else a sentence for the user that says
    where traces may be and what wipes them."""


class Trashed(msgspec.Struct, frozen=True):
    """A deleted conversation that can be restored."""

    number: int
    """The number of the deletion; later deletions have larger numbers."""
    id: str
    title: str
    time: float
    """When it was deleted; seconds since the epoch."""
    draft: str = ""
    """The draft of the conversation."""


def delete(log: EventLog, *ids: str, seconds: float = 5.0) -> Deleted:
    """Delete the conversations `ids` and all their traces permanently, all or none.

    Also deletes those in the trash, and withdraws questions that still wait for an
    answer. Blocks until the files are clean, which takes seconds for a large store, and
    at most `seconds` more for programs that are reading it; call it in a thread.

    Raises `LogError` when an id is unknown, or a turn runs in one of the conversations
    (see `tui.runtime.turn_driver.end_if_gone` for turns whose process has died), or the
    store is read-only.
    """
    _require_writable(log)
    there = [id for id in ids if log.query(TAKEN, (id,))]
    gone = [it.number for it in trashed(log) if it.id in ids]
    for id in ids:
        if id not in there and not any(it.id == id for it in trashed(log)):
            raise LogError(_("There is no conversation {id!r}.").format(id=id))

    def wipe_those(db: sqlite3.Connection) -> None:
        for number in gone:
            bin.wipe(db, number)

    _remove(log, there, wipe_those)
    return Deleted(ids, log.purge(seconds))


def trash(log: EventLog, id: str) -> Trashed:
    """Delete a conversation so that it can be restored for `DAYS` days.

    Raises `LogError` in the same cases as `delete`.
    """
    _require_writable(log)
    log.flush()  # the draft may have been saved, or sent, a moment ago
    summary, draft = get(log, id), read_state.draft(log, id)
    title = summary.title if summary else ""
    _remove(log, [id], lambda db: bin.put(db, id, title, draft))
    return next(it for it in trashed(log) if it.id == id)


def trashed(log: EventLog) -> list[Trashed]:
    """Return the restorable conversations, last deleted first. Raises `LogError`."""
    found = log.query(
        "SELECT number, conversation, title, time, draft FROM deleted "
        "WHERE time >= ? ORDER BY number DESC",
        (time.time() - DAYS * 86_400,),
    )
    return [
        Trashed(
            number,
            event_rows.text(id),
            event_rows.text(title),
            bounds.moment(at),
            draft,
        )
        for number, id, title, at, draft in found
    ]


def restore(log: EventLog, deleted: Trashed) -> str:
    """Restore a conversation; return its id, a new one if the old one is in use.

    All of it counts as seen: nobody deletes what they still wait for.
    Raises `LogError` when the store cannot be written, or the conversation is not in
    the trash any more.
    """
    if log.refusal:
        raise LogError(_("Cannot restore: {refusal}.").format(refusal=log.refusal))
    found = log.query(
        "SELECT seq, turn, time, kind, CAST(data AS BLOB) FROM deleted_event "
        "WHERE number = ? ORDER BY seq",
        (deleted.number,),
    )
    records = [
        event_rows.record(seq, deleted.id, turn, at, kind, data)
        for seq, turn, at, kind, data in found
    ]
    if not records:
        raise LogError(_("Another program has already restored or wiped it."))
    id = put_back(log, deleted.id, records, lambda db: bin.drop(db, deleted.number))
    # Its records have new numbers, so its read marker would be before all of them.
    read_state.mark_seen(log, id, _last(log, id))
    if deleted.draft:
        read_state.save_draft(log, id, event_rows.text(deleted.draft))
    log.flush()
    return id


def wipe(log: EventLog, deleted: Sequence[Trashed], seconds: float = 5.0) -> str:
    """Wipe conversations in the trash permanently; return `Deleted.traces`. Blocks."""
    _require_writable(log)

    def write(db: sqlite3.Connection) -> bool:
        for it in deleted:
            bin.wipe(db, it.number)
        return True

    log.append("", guard=write).result()
    return log.purge(seconds)


def _require_writable(log: EventLog) -> None:
    if log.refusal:
        raise LogError(_("Cannot delete: {refusal}.").format(refusal=log.refusal))


def _remove(
    log: EventLog, ids: Sequence[str], also: Callable[[sqlite3.Connection], object]
) -> None:
    """Remove conversations from the log, and call `also` in the same transaction."""
    for __ in range(10):
        look = _Unchanged({id: _last(log, id) for id in ids}, also)
        now = time.time()
        records = [Record(0, id, None, now, ConversationDeleted()) for id in ids]
        records += [
            Record(0, id, turn, now, TurnWithdrawn())
            for id in ids
            for (turn,) in log.query(WAITING, {"id": id})
        ]
        with suppress(ConflictError):
            log.add(records, guard=look).result()
            return
        if look.runs:
            raise LogError(
                _(
                    "An answer is running in the conversation {runs}: stop it first."
                ).format(runs=look.runs)
            )
    raise LogError(_("Cannot delete: the conversation keeps changing. Try again."))


class _Unchanged:
    """A guard: refuses to delete if a turn runs or records were added meanwhile."""

    def __init__(
        self, lasts: dict[str, int], also: Callable[[sqlite3.Connection], object]
    ) -> None:
        self._lasts = lasts
        self._also = also
        self.runs = ""
        """The id of a conversation in which a turn runs, "" if there is none."""

    def __call__(self, db: sqlite3.Connection) -> bool:
        for id, last in self._lasts.items():
            if db.execute(RUNS, (id,)).fetchone():
                self.runs = id
                return False
            if db.execute(LAST, (id,)).fetchone()[0] != last:
                return False
        self._also(db)
        return True


def _last(log: EventLog, id: str) -> int:
    if not log.query(TAKEN, (id,)):
        raise LogError(_("There is no conversation {id!r}.").format(id=id))
    return log.query(LAST, (id,))[0][0]


LAST = "SELECT max(seq) FROM event WHERE conversation = ?"
RUNS = "SELECT 1 FROM running WHERE conversation = ? LIMIT 1"
WAITING = (
    "SELECT turn FROM event WHERE conversation = :id AND kind = 'turn_requested' "
    "EXCEPT SELECT turn FROM event WHERE conversation = :id "
    "AND kind IN ('turn_started', 'turn_withdrawn', 'turn_finished')"
)
