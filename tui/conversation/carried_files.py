"""Carries attached files in exported documents: each once, by its digest."""

from collections.abc import Iterable, Mapping

import msgspec

from tui import events
from tui.errors import LogError
from tui.eventlog import Blob, EventLog
from tui.eventlog.sqlite.blobs import digest_of
from tui.events import Event, MessageAdded, Record
from tui.i18n import _

MESSAGE = "message_added"
"""The kind of the events that refer to files."""


def of(log: EventLog, said: Iterable[msgspec.Raw]) -> dict[str, bytes]:
    """Return the bytes of the files to which stored messages refer."""
    found: dict[str, bytes] = {}
    for data in map(bytes, said):
        if b'"digest"' not in data:
            continue
        for digest in _digests(events.read(MESSAGE, data)):
            if digest not in found and (held := log.blob(digest)) is not None:
                found[digest] = held
    return found


def check(files: Mapping[str, bytes]) -> None:
    """Raise `LogError` if a file is not the one that its digest names."""
    for digest, data in files.items():
        if digest_of(data) != digest:
            raise LogError(
                _("its attached file {digest!r} is damaged.").format(digest=digest[:12])
            )


def blobs(records: Iterable[Record], files: Mapping[str, bytes]) -> list[Blob]:
    """Return the files to which records refer, to be stored with them."""
    wanted = {digest for record in records for digest in _digests(record.event)}
    return [Blob(digest, files[digest]) for digest in wanted & files.keys()]


def _digests(event: Event) -> list[str]:
    if not isinstance(event, MessageAdded):
        return []
    return [file.digest for file in event.message.attachments if file.digest]
