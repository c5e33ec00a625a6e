"""One message of a transcript."""

from dataclasses import dataclass

from tui.messages import Message


@dataclass
class Entry:
    """A message of a transcript, whole or still being said."""

    message_id: str
    message: Message
    turn: str | None = None
    finish_reason: str | None = None
    settled: bool = False
