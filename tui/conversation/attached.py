"""Fetches the bytes of attached files, and puts files into words.

Messages in the log only refer to files; whoever sends or exports a message asks for
their bytes here. A file whose bytes are gone stays a reference.
"""

import re

import msgspec

from tui.eventlog import EventLog
from tui.messages import Attachment, Message
from tui.safe import safe


def filled(log: EventLog, message: Message) -> Message:
    """Return a message with the bytes of its files. Blocks; raises `LogError`."""
    if all(file.data or not file.digest for file in message.attachments):
        return message
    files = tuple(with_bytes(log, file) for file in message.attachments)
    return msgspec.structs.replace(message, attachments=files)


def with_bytes(log: EventLog, file: Attachment) -> Attachment:
    """Return an attachment with its bytes, as far as the store has them."""
    data = None if file.data or not file.digest else log.blob(file.digest)
    return file if data is None else msgspec.structs.replace(file, data=data)


def described(file: Attachment) -> str:
    """Return a file in one line, as screens show it: `◙ cat.png · 800×600 · 120 kB`."""
    parts = [file.title, file.about, spelled_size(file.bytes)]
    mark = "◙" if file.is_image else "≡"
    return f"{mark} {safe(' · '.join(filter(None, parts)), newlines=False)}"


def spelled_size(size: int) -> str:
    """Return a number of bytes as people write it: `34 kB`."""
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1e6:.1f} MB"


def fence_of(text: str) -> str:
    """Return a fence that is longer than any within `text`."""
    runs: list[str] = re.findall("`{3,}", text)
    return "`" * max(3, 1 + max(map(len, runs), default=0))
