"""Exports conversations as JSON, and imports them.

The JSON is the log itself, so nothing is lost, not even events of later versions:

    {"format": "lazychat", "version": 1, "conversations": [
      {"id": "...", "title": "...", "created": 1750000000.0, "pinned": false,
       "events": [
         {"kind": "message_added", "time": 1750000000.0, "turn": "...", "data": {
            "message_id": "...", "message": {"role": "user", "text": "..."}}},
         ...]}]}

`kind` and `data` are those of `tui.events`, where each field is explained. Times are
seconds since the epoch. Fields with default values are left out. `title`, `created` and
`pinned` repeat information from the events, for programs that only list a file.

Attached files are in `files`, each once: its bytes in Base64, by the digest to which
the messages refer. A document without any has no `files`.

The file is long because a document to import may be written by another program.
"""

import hashlib
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from tui import bounds, events
from tui.conversation import carried_files
from tui.conversation.carried_files import MESSAGE
from tui.conversation.store import get, new_id
from tui.errors import ConflictError, LogError
from tui.eventlog import EventLog, Imported
from tui.eventlog.sqlite.event_rows import text as text_of
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ConversationDeleted,
    Event,
    Record,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
    Unknown,
    Unreadable,
)
from tui.i18n import _

FORMAT, VERSION = "lazychat", 1
LARGEST_FILE = 512 << 20
"""The most bytes of a document to import: it is read into memory as a whole."""


class _Event(msgspec.Struct, omit_defaults=True):
    kind: str
    time: float
    data: msgspec.Raw
    turn: str | None = None


class _Conversation(msgspec.Struct):
    id: str
    events: list[_Event]
    title: str = ""
    created: float = 0.0
    pinned: bool = False


class _Document(msgspec.Struct, omit_defaults=True):
    format: str
    version: int
    conversations: list[_Conversation]
    files: dict[str, bytes] = {}


class _Kind(msgspec.Struct):
    format: str = ""
    version: int = 0


_EVENTS = "FROM event WHERE conversation = ? AND kind <> 'conversation_deleted'"


def is_exportable(log: EventLog, id: str) -> bool:
    """Return whether the store has events of a conversation, not just a list entry."""
    return bool(log.query(f"SELECT 1 {_EVENTS} LIMIT 1", (id,)))


def export_json(log: EventLog, *ids: str) -> str:
    """Return the conversations `ids` as one JSON document, in that order.

    Raises `LogError` when an id is unknown.
    """
    exported = [_exported(log, id) for id in ids]
    said = (it.data for of in exported for it in of.events if it.kind == MESSAGE)
    document = _Document(FORMAT, VERSION, exported, carried_files.of(log, said))
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _exported(log: EventLog, id: str) -> _Conversation:
    rows = log.query(
        f"SELECT seq, kind, time, CAST(data AS BLOB), turn {_EVENTS} ORDER BY seq",
        (id,),
    )
    if not rows:
        raise LogError(_("There is no conversation {id!r}.").format(id=id))
    stored: list[_Event] = []
    for seq, kind, at, data, turn in rows:
        kind, turn = text_of(kind), None if turn is None else text_of(turn)
        if good := _good(kind, data or b""):
            stored.append(_Event(kind, bounds.moment(at), msgspec.Raw(good), turn))
        else:
            log.note_unreadable(seq)
    if summary := get(log, id):
        return _Conversation(id, stored, summary.title, summary.created, summary.pinned)
    return _Conversation(id, stored, created=stored[0].time if stored else 0.0)


def _good(kind: str, data: bytes) -> bytes:
    """Return the JSON of a stored event for a document, b"" when it is unreadable."""
    try:
        data.decode()  # the parser skips parts, which may be invalid UTF-8
        event = events.read(kind, data)
        if isinstance(event, Unreadable):
            return b""
        if isinstance(event, Unknown):
            bounds.decode(data)
            return data
    except ValueError:
        return b""
    # Deeply nested data is exported in the bounded form in which it is read.
    return events.encode(event) if bounds.may_be_deep(data) else data


def import_json(log: EventLog, text: str | bytes) -> list[str]:
    """Import the conversations of a document from `export_json`; return their ids.

    A conversation keeps its id if a user could type it. If the store already has that
    id, the import gets a new one; existing conversations are never overwritten. An
    interrupted import is completed by the next import of the same conversation. A turn
    that has not ended is ended as `interrupted`, because no process here runs it.

    `text` as bytes is UTF-8, with or without a byte order mark; bytes need less memory.
    Raises `LogError`, before anything is written, when `text` is not such a document;
    the error says what is wrong and where.
    """
    found, files = _read(text)
    del text  # free it: it is as large as everything found in it
    return [_add(log, id, records, files) for id, records in found]


_PLAIN_ID = re.compile(r"[A-Za-z0-9][\w.:-]{0,127}", re.ASCII)
"""Matches ids that a user can type. Another id would be useless in commands."""


def _read(
    text: str | bytes,
) -> tuple[list[tuple[str, list[Record]]], dict[str, bytes]]:
    try:
        data = text.encode() if isinstance(text, str) else _checked(text)
        data = memoryview(data)[3 if data.startswith(b"\xef\xbb\xbf") else 0 :]
        kind = msgspec.json.decode(data, type=_Kind)
        if kind.format != FORMAT:
            raise LogError(
                _('This is not a lazychat export: its "format" is not "lazychat".')
            )
        if kind.version != VERSION:
            raise LogError(
                _(
                    "This export has version {count}; this lazychat reads "
                    "{version}. Update lazychat."
                ).format(count=bounds.count(kind.version), version=VERSION)
            )
        document = msgspec.json.decode(data, type=_Document)
    except RecursionError:
        raise LogError(
            _("This is not a lazychat export: {too_deep}.").format(
                too_deep=bounds.TOO_DEEP
            )
        ) from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise LogError(
            _("This is not a lazychat export: {error}.").format(error=error)
        ) from error
    carried_files.check(document.files)
    conversations = [
        _records(of, _("conversation {number}").format(number=number))
        for number, of in enumerate(document.conversations, 1)
    ]
    return conversations, document.files


def _checked(data: bytes) -> bytes:
    if not bounds.is_utf8(data):
        raise LogError(_("it is not UTF-8 text."))
    return data


def _records(of: _Conversation, where: str) -> tuple[str, list[Record]]:
    if not of.id:
        raise LogError(_("{where} has no id.").format(where=where))
    if not of.events:
        raise LogError(_("{where} has no events.").format(where=where))
    records: list[Record] = []
    for number, stored in enumerate(of.events, 1):
        place = _("{where}, event {number}").format(where=where, number=number)
        if (size := memoryview(stored.data).nbytes) > bounds.LARGEST_RECORD:
            raise LogError(
                _(
                    "{place} has {size:,.0f} MB; the limit for one event is "
                    "{largest_record:,.0f} MB."
                ).format(
                    place=place,
                    size=size / 1000000.0,
                    largest_record=bounds.LARGEST_RECORD / 1000000.0,
                )
            )
        try:
            # Remove the document's line breaks, which the log does not have.
            data = msgspec.json.format(stored.data, indent=-1)
            event = events.decode(stored.kind, data)
        except RecursionError:
            raise LogError(f"{place}: {bounds.TOO_DEEP}.") from None
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise LogError(f"{place}: {error}.") from error
        if isinstance(event, ApprovalRequested):
            continue  # nobody here was asked, and nobody is to be asked by a file
        if isinstance(event, ApprovalGiven):  # nor does a file allow anything
            event = msgspec.structs.replace(event, scope="once", pattern="")
        if not isinstance(event, ConversationDeleted):
            time = bounds.moment(stored.time)
            records.append(Record(number, of.id, stored.turn, time, event))
    records += _endings(records)
    if all(map(_is_id, _ids(of.id, records))):
        return of.id, records
    # Ids appear in lists, in commands and in links, so replace unusual ones.
    id = of.id if _is_id(of.id) else new_id()
    return id, _renamed(records, id)


def _ids(id: str, records: Iterable[Record]) -> Iterator[str | None]:
    yield id
    for record in records:
        yield from (record.turn, *_references(record.event).values())


def _references(event: Event) -> dict[str, str]:
    """Return the fields of an event that name a message."""
    fields = {field: getattr(event, field, None) for field in _REFERENCES}
    return {field: id for field, id in fields.items() if id is not None}


def _is_id(id: str | None) -> bool:
    return not id or bool(_ID.fullmatch(id))


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
"""Matches valid ids. lazychat's own ids have 12 to 32 hexadecimal digits."""


def _endings(records: Sequence[Record]) -> list[Record]:
    """Return the records that end or withdraw all unfinished turns of `records`."""
    open_turns: dict[str, tuple[Record, Event]] = {}
    for record in records:
        turn = record.turn or ""
        match record.event:
            case TurnRequested():
                open_turns[turn] = (record, TurnWithdrawn())
            case TurnStarted():
                open_turns[turn] = (record, TurnFinished("interrupted"))
            case TurnFinished() | TurnWithdrawn():
                open_turns.pop(turn, None)
            case _:
                pass
    return [
        msgspec.structs.replace(record, event=event)
        for record, event in open_turns.values()
    ]


CHUNK, CHUNK_SIZE = 100, 1_000_000
"""How many records, or characters of them, are stored at a time. Other writes can
happen in between. A transaction is held in memory several times over."""


def _add(
    log: EventLog,
    id: str,
    records: Sequence[Record],
    files: Mapping[str, bytes],
    *,
    imported: bool = True,
) -> str:
    """Store a conversation in small transactions; resume an interrupted import."""
    source = _digest(records)
    rows = log.query(
        "SELECT conversation, done FROM importing WHERE source = ?", (source,)
    )
    into, done = rows[0] if rows else ("", 0)
    if not into and not _PLAIN_ID.fullmatch(id):
        into = new_id()
    for __ in range(3):
        if into and into != id:
            id, records = into, _renamed(records, into)
        try:
            _add_from(log, id, records, source, done, files, imported)
            return id
        except ConflictError:
            into, done = new_id(), 0
    raise LogError(
        _(
            "Cannot import the conversation {id!r}: one of its turns begins or "
            "ends twice."
        ).format(id=id)
    )


def add_copy(log: EventLog, id: str, records: Sequence[Record]) -> str:
    """Store records of this store again, as the conversation `id`.

    Turns and messages get new ids. The files to which messages refer are in the store
    already. Returns the id, which is another one if `id` is taken.
    """
    return _add(log, id, _renamed(records, id), {}, imported=False)


def put_back(
    log: EventLog,
    id: str,
    records: Sequence[Record],
    also: Callable[[sqlite3.Connection], bool],
) -> str:
    """Restore a conversation that was in the store before; return its id, see `_add`.

    Calls `also` in the same transaction; if that returns False, nothing is written.
    Raises `LogError` when the conversation is not in the trash any more.
    """
    records = [*records, *_endings(records)]
    for __ in range(3):
        free = _is_free(id)
        try:
            log.add(records, guard=lambda db, free=free: free(db) and also(db)).result()
            return id
        except ConflictError:
            id = new_id()
            records = _renamed(records, id)
    raise LogError(_("Cannot restore the conversation: it is no longer in the trash."))


def _add_from(
    log: EventLog,
    id: str,
    records: Sequence[Record],
    source: str,
    done: int,
    files: Mapping[str, bytes],
    imported: bool,
) -> None:
    for start, end in _chunks(records, done):
        began = time.monotonic()
        last = end == len(records)
        # An import in a single transaction needs no note of its progress.
        noted = () if (start, last) == (0, True) else (Imported(source, id, end),)
        if last and noted:
            noted = (Imported(source, id, -1),)
        log.add(
            records[start:end],
            guard=_is_free(id) if start == 0 else None,
            states=(*carried_files.blobs(records[start:end], files), *noted),
            imported=imported,
        ).result()
        if not last:
            # SQLite polls for the lock: give waiting processes a chance to get it.
            threading.Event().wait(time.monotonic() - began)


def _chunks(records: Sequence[Record], done: int) -> Iterator[tuple[int, int]]:
    """Yield chunks of the records after the first `done`, cut only between turns.

    A runner that saw half of a turn would run it.
    """
    start, size, turns = done, 0, set[str | None]()
    for number, record in enumerate(records, 1):
        size += _size(record.event) if number > start else 0
        match record.event:
            case TurnRequested() | TurnStarted():
                turns.add(record.turn)
            case TurnFinished() | TurnWithdrawn():
                turns.discard(record.turn)
            case _:
                pass
        enough = number - start >= CHUNK or size >= CHUNK_SIZE
        if number > start and ((enough and not turns) or number == len(records)):
            yield start, number
            start, size = number, 0


def _size(event: Event) -> int:
    """Return roughly how many characters an event has."""
    if isinstance(event, events.MessageAdded):
        return len(event.message.text) + len(event.message.reasoning)
    text = getattr(event, "text", "")
    return len(text) if isinstance(text, str) else 0


def _digest(records: Sequence[Record]) -> str:
    digest = hashlib.sha256()
    for it in records:
        digest.update(
            f"{it.conversation} {it.turn} {it.time} ".encode(errors="replace")
        )
        digest.update(events.encode(it.event))
    return digest.hexdigest()


def _is_free(id: str) -> Callable[[sqlite3.Connection], bool]:
    return lambda db: db.execute(TAKEN, (id,)).fetchone() is None


TAKEN = (
    "SELECT 1 FROM event WHERE conversation = ? "
    "AND kind NOT IN ('conversation_deleted', 'turn_withdrawn') LIMIT 1"
)


def _renamed(records: Iterable[Record], id: str) -> list[Record]:
    """Return the records with new ids, because ids are unique in a store.

    They depend only on `id` and the old ids, so an interrupted import can be resumed.
    """

    def fresh(name: str | None) -> str | None:
        if not name:
            return name
        return hashlib.sha256(f"{id} {name}".encode()).hexdigest()[:32]

    renamed: list[Record] = []
    for record in records:
        event = record.event
        changes = {f: fresh(id) for f, id in _references(event).items()}
        if changes:
            event = msgspec.structs.replace(event, **changes)
        renamed.append(Record(0, id, fresh(record.turn), record.time, event))
    return renamed


_REFERENCES = ("message_id", "parent", "first_message_id", "last_message_id")
