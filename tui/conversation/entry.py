"""One message of a transcript."""

import msgspec

from tui.events import MessageAdded
from tui.messages import Message

CONTINUE = "continue"
"""The `purpose` of a message that goes on with an answer that was broken off."""

GO_ON = "Go on exactly where your last message stopped. Repeat nothing of it."
"""Such a message, as the user could have written it. An answer that is only begun at
the end of a request would do too, but not all servers go on with one; some refuse."""


def purpose(added: MessageAdded) -> str:
    """Return what a message is for; logs of earlier versions tell it by its text."""
    if added.purpose or (added.message.role, added.message.text) != ("user", GO_ON):
        return added.purpose
    return CONTINUE


class Entry(msgspec.Struct):
    """A message of a transcript, whole or still being said."""

    message_id: str
    message: Message
    turn: str | None = None
    finish_reason: str | None = None
    settled: bool = False
    purpose: str = ""
    """As of `MessageAdded`."""
