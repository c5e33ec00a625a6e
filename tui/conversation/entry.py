"""Defines `Entry`, one message of a transcript, and the purposes of messages."""

import msgspec

from tui.events import MessageAdded
from tui.messages import Message

CONTINUE = "continue"
"""The `purpose` of a message that asks to continue an interrupted answer."""

GO_ON = "Go on exactly where your last message stopped. Repeat nothing of it."
"""The text of such a message, sent in the user's role. A request could also end with
the partial answer, but not all servers continue that, and some refuse it."""


def purpose(added: MessageAdded) -> str:
    """Return the purpose of a message; in older logs only its text tells it."""
    if added.purpose or (added.message.role, added.message.text) != ("user", GO_ON):
        return added.purpose
    return CONTINUE


class Entry(msgspec.Struct):
    """A message of a transcript, complete or still streaming."""

    message_id: str
    message: Message
    turn: str | None = None
    finish_reason: str | None = None
    settled: bool = False
    purpose: str = ""
    """See `MessageAdded.purpose`."""
