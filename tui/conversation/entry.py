"""One message of a transcript."""

import msgspec

from tui.messages import Message


class Entry(msgspec.Struct):
    """A message of a transcript, whole or still being said."""

    message_id: str
    message: Message
    turn: str | None = None
    finish_reason: str | None = None
    settled: bool = False
