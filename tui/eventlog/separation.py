"""Separates the bytes of attached files from the messages that are appended.

The log keeps them as states beside the events, so that the fallback, its journal and
the memory of recent commits treat them like any other state.
"""

from collections.abc import Iterable

import msgspec

from tui.eventlog.sqlite.blobs import digest_of
from tui.eventlog.states import Blob
from tui.events import Event, MessageAdded, Record
from tui.messages import Attachment


def separated(events: Iterable[Event]) -> tuple[tuple[Event, ...], tuple[Blob, ...]]:
    """Return the events with references only, and the bytes of their files."""
    kept: dict[str, Blob] = {}
    return tuple(_without(event, kept) for event in events), tuple(kept.values())


def separated_records(
    records: Iterable[Record],
) -> tuple[tuple[Record, ...], tuple[Blob, ...]]:
    """Do the same for records."""
    kept: dict[str, Blob] = {}
    changed: list[Record] = []
    for record in records:
        event = _without(record.event, kept)
        if event is not record.event:
            record = msgspec.structs.replace(record, event=event)
        changed.append(record)
    return tuple(changed), tuple(kept.values())


def reference(file: Attachment) -> tuple[Attachment, Blob | None]:
    """Return an attachment without its bytes, and the bytes if it has any."""
    if not file.data:
        return file, None
    digest = digest_of(file.data)
    bare = msgspec.structs.replace(file, data=b"", digest=digest, size=len(file.data))
    return bare, Blob(digest, file.data)


def has_bytes(event: Event) -> bool:
    """Return whether an event has bytes to be separated."""
    if not isinstance(event, MessageAdded):
        return False
    return any(file.data for file in event.message.attachments)


def _without(event: Event, kept: dict[str, Blob]) -> Event:
    if not has_bytes(event):
        return event
    assert isinstance(event, MessageAdded)
    files: list[Attachment] = []
    for file in event.message.attachments:
        bare, blob = reference(file)
        files.append(bare)
        if blob:
            kept[blob.digest] = blob
    message = msgspec.structs.replace(event.message, attachments=tuple(files))
    return msgspec.structs.replace(event, message=message)
