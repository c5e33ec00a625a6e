"""Gives a follower that prints each piece of an answer once."""

from tui.events import (
    MessageAdded,
    Record,
    Relabelled,
    TextDelta,
    TurnFinished,
    TurnRequested,
)


class SpokenText:
    """What a follower that prints has still to print.

    A printed character cannot be taken back, and a message settles under the
    reader's feet: its deltas vanish and the whole comes in their place. So it
    remembers how much of each message it has given, and of a settled message gives
    only the rest. A turn that was requested with the option `stream` false is given
    message by message.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._whole: set[str | None] = set()

    def take(self, record: Record) -> str:
        """Return the user-facing text that `record` adds, "" when none."""
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
        """Return one that goes on by itself from here."""
        twin = SpokenText()
        twin._given = dict(self._given)
        twin._whole = set(self._whole)
        return twin
