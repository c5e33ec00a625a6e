"""Deletes conversations: first so that it can be undone, then for good.

`trash` takes a conversation out of all lists, searches and screens; for some days
`restore` brings it back. `delete` and `wipe` leave nothing of what was said in any of
the store's files. What stays then is a record without text that says so, for those who
follow the conversation elsewhere.
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

DAYS = bin.DAYS
"""How long what is in the trash can be brought back; then it is wiped at a start."""


class Deleted(msgspec.Struct, frozen=True):
    """Conversations that were deleted for good."""

    ids: tuple[str, ...]
    traces: str
    """"" when no trace is left in the files; else a sentence for the user that says
    where one may be and what wipes it."""


class Trashed(msgspec.Struct, frozen=True):
    """A conversation that was deleted and can be brought back."""

    number: int
    """Which deletion; they are numbered in their order."""
    id: str
    title: str
    time: float
    """When it was deleted; seconds since the epoch."""
    draft: str = ""
    """What was being written in it."""


def delete(log: EventLog, *ids: str, seconds: float = 5.0) -> Deleted:
    """Remove the conversations `ids` from the store, all or none, and every trace.

    Those in the trash too. Blocks until the files are clean: about 2 s for 100,000
    messages in the store, and at most `seconds` more for programs that are reading it;
    call it in a thread. Questions that still wait to be answered are taken back.

    Raises `LogError` when there is none of an id, or a turn runs in one (see
    `tui.runtime.turn_driver.end_if_gone` for turns whose process has died), or the
    store is read-only.
    """
    _require_writable(log)
    there = [id for id in ids if log.query(TAKEN, (id,))]
    gone = [it.number for it in trashed(log) if it.id in ids]
    for id in ids:
        if id not in there and not any(it.id == id for it in trashed(log)):
            raise LogError(f"There is no conversation {id!r}.")

    def wipe_those(db: sqlite3.Connection) -> None:
        for number in gone:
            bin.wipe(db, number)

    _remove(log, there, wipe_those)
    return Deleted(ids, log.purge(seconds))


def trash(log: EventLog, id: str) -> Trashed:
    """Delete a conversation so that it can be brought back, for `DAYS` days.

    Raises `LogError` as `delete` does.
    """
    _require_writable(log)
    summary, draft = get(log, id), read_state.draft(log, id)
    title = summary.title if summary else ""
    _remove(log, [id], lambda db: bin.put(db, id, title, draft))
    return next(it for it in trashed(log) if it.id == id)


def trashed(log: EventLog) -> list[Trashed]:
    """Return what can be brought back, the last deleted first. Raises `LogError`."""
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
    """Bring a conversation back; return its id, the same one unless taken meanwhile.

    Raises `LogError` when it cannot be written, or is not in the trash any more.
    """
    if log.refusal:
        raise LogError(f"Nothing can be brought back: {log.refusal}.")
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
        raise LogError("It has been brought back, or wiped, by another program.")
    id = put_back(log, deleted.id, records, lambda db: bin.drop(db, deleted.number))
    if deleted.draft:
        read_state.save_draft(log, id, event_rows.text(deleted.draft))
    log.flush()
    return id


def wipe(log: EventLog, deleted: Sequence[Trashed], seconds: float = 5.0) -> str:
    """Wipe what is in the trash, for good; return `Deleted.traces`. Blocks for it."""
    _require_writable(log)

    def write(db: sqlite3.Connection) -> bool:
        for it in deleted:
            bin.wipe(db, it.number)
        return True

    log.append("", guard=write).result()
    return log.purge(seconds)


def _require_writable(log: EventLog) -> None:
    if log.refusal:
        raise LogError(f"Nothing can be deleted: {log.refusal}.")


def _remove(
    log: EventLog, ids: Sequence[str], also: Callable[[sqlite3.Connection], object]
) -> None:
    """Take conversations out of the log, and do `also` in the same transaction."""
    for _ in range(10):
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
                f"An answer is being written in the conversation {look.runs}: cancel "
                "it first."
            )
    raise LogError("The conversation changes while it is to be deleted: try again.")


class _Unchanged:
    """Within the transaction: nothing runs, and what was looked at is all there is."""

    def __init__(
        self, lasts: dict[str, int], also: Callable[[sqlite3.Connection], object]
    ) -> None:
        self._lasts = lasts
        self._also = also
        self.runs = ""
        """The conversation in which a turn runs."""

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
        raise LogError(f"There is no conversation {id!r}.")
    return log.query(LAST, (id,))[0][0]


LAST = "SELECT max(seq) FROM event WHERE conversation = ?"
RUNS = "SELECT 1 FROM running WHERE conversation = ? LIMIT 1"
WAITING = (
    "SELECT turn FROM event WHERE conversation = :id AND kind = 'turn_requested' "
    "EXCEPT SELECT turn FROM event WHERE conversation = :id "
    "AND kind IN ('turn_started', 'turn_withdrawn', 'turn_finished')"
)
