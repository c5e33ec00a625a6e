"""Deletion that is one: nothing of what was said is left in any of the store's files.

What stays is a record without text that says so, for those who follow the
conversation elsewhere. Undo is the import of an export that was kept in memory.
"""

import sqlite3
import time
from contextlib import suppress

import msgspec

from tui.conversation.exporting import TAKEN, export_json, import_json
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog
from tui.events import ConversationDeleted, Record, TurnWithdrawn


class Deleted(msgspec.Struct, frozen=True):
    """Conversations that were deleted, with all that `restore` needs."""

    ids: tuple[str, ...]
    document: str
    """Of `export_json`. As long as this is in memory, the words are there."""
    drafts: dict[str, str]
    traces: str
    """"" when no trace is left in the files; else a sentence for the user that says
    where one may be and what wipes it."""


def delete(log: EventLog, *ids: str, seconds: float = 5.0) -> Deleted:
    """Remove the conversations `ids` from the store, all or none, and every trace.

    Blocks until the files are clean: about 2 s for 100,000 messages in the store,
    and at most `seconds` more for programs that are reading it; call it in a thread.
    Questions that still wait to be answered are taken back.

    Raises `LogError` when there is none of an id, or a turn runs in one (see
    `tui.drive.end_if_gone` for turns whose process has died), or the store is
    read-only.
    """
    if log.refusal:
        raise LogError(f"Nothing can be deleted: {log.refusal}.")
    deleted = _remove(log, ids)
    return msgspec.structs.replace(deleted, traces=log.purge(seconds))


def restore(log: EventLog, deleted: Deleted) -> list[str]:
    """Take a deletion back; return the ids, the same ones unless taken meanwhile."""
    restored = import_json(log, deleted.document)
    for old, new in zip(deleted.ids, restored, strict=True):
        if draft := deleted.drafts.get(old):
            log.save_draft(new, draft)
    log.flush()
    return restored


def _remove(log: EventLog, ids: tuple[str, ...]) -> Deleted:
    for _ in range(10):
        look = _Unchanged({id: _last(log, id) for id in ids})
        drafts = {id: draft for id in ids if (draft := log.draft(id))}
        deleted = Deleted(ids, export_json(log, *ids), drafts, "")
        now = time.time()
        records = [Record(0, id, None, now, ConversationDeleted()) for id in ids]
        records += [
            Record(0, id, turn, now, TurnWithdrawn())
            for id in ids
            for (turn,) in log.query(WAITING, {"id": id})
        ]
        with suppress(ConflictError):
            log.add(records, guard=look).result()
            return deleted
        if look.runs:
            raise LogError(
                f"An answer is being written in the conversation {look.runs}: cancel "
                "it first."
            )
    raise LogError("The conversation changes while it is to be deleted: try again.")


class _Unchanged:
    """Within the transaction: what was kept is all there is, and nothing runs."""

    def __init__(self, lasts: dict[str, int]) -> None:
        self._lasts = lasts
        self.runs = ""
        """The conversation in which a turn runs."""

    def __call__(self, db: sqlite3.Connection) -> bool:
        for id, last in self._lasts.items():
            if db.execute(RUNS, (id,)).fetchone():
                self.runs = id
                return False
            if db.execute(LAST, (id,)).fetchone()[0] != last:
                return False
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
