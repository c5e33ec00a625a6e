"""Computes the text that a printing follower still has to print."""

from tui.events import (
    MessageAdded,
    Record,
    Relabelled,
    TextDelta,
    TurnFinished,
    TurnRequested,
)


class SpokenText:
    """Returns each piece of an answer once, to a follower that prints it.

    Printed text cannot be undone. But when a message is complete, the log replaces its
    deltas by the whole message while a reader is following. So this class remembers how
    much of each message it has returned, and returns only the rest of a complete
    message. A turn requested with the option `stream` false is returned message by
    message.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._whole: set[str | None] = set()

    def take(self, record: Record) -> str:
        """Return the answer text that `record` adds, "" when it adds none."""
        match record.event:
            case TurnRequested(options={"stream": False}):
                self._whole.add(record.turn)
                return ""
            case TurnFinished():
                self._whole.discard(record.turn)
                return ""
            case TextDelta(message_id, text) if record.turn not in self._whole:
                self._given[message_id] = self._given.get(message_id, 0) + len(text)
                return text
            case Relabelled(message_id):
                # What was given was no part of the text, which begins only now.
                self._given[message_id] = 0
                return ""
            case MessageAdded(message_id, message) if message.role == "assistant":
                return message.text[self._given.pop(message_id, 0) :]
            case _:
                return ""

    def copy(self) -> "SpokenText":
        """Return an independent copy with the same progress."""
        twin = SpokenText()
        twin._given = dict(self._given)
        twin._whole = set(self._whole)
        return twin
