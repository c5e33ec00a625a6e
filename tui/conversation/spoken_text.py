"""Computes the text that a printing follower still has to print."""

from tui.events import (
    MessageAdded,
    Record,
    Relabelled,
    TextDelta,
    TurnFinished,
    TurnRequested,
)

_COMPARED = 200
"""Characters of the beginning that tell an answer from the reasoning before it."""


class SpokenText:
    """Returns each piece of an answer once, to a follower that prints it.

    Printed text cannot be undone. But when a message is complete, the log replaces its
    deltas by the whole message while a reader is following. So this class remembers how
    much of each message it has returned, and returns only the rest of a complete
    message. A turn requested with the option `stream` false is returned message by
    message.

    The whole message may replace a `Relabelled` too: then its text does not begin with
    what was returned, and its reasoning does.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._begun: dict[str, str] = {}
        """How each begins, as far as it was returned."""
        self.was_reasoning = False
        """Whether what `take` had returned of the last record's message is reasoning,
        without a `Relabelled` having said so."""
        self._whole: set[str | None] = set()

    def take(self, record: Record) -> str:
        """Return the answer text that `record` adds, "" when it adds none."""
        self.was_reasoning = False
        match record.event:
            case TurnRequested(options={"stream": False}):
                self._whole.add(record.turn)
                return ""
            case TurnFinished():
                self._whole.discard(record.turn)
                return ""
            case TextDelta(message_id, text) if record.turn not in self._whole:
                given = self._given.get(message_id, 0)
                if given < _COMPARED:
                    begun = self._begun.get(message_id, "") + text
                    self._begun[message_id] = begun[:_COMPARED]
                self._given[message_id] = given + len(text)
                return text
            case Relabelled(message_id):
                # What was given was not part of the text, which begins only now.
                self._given[message_id] = 0
                self._begun.pop(message_id, None)
                return ""
            case MessageAdded(message_id, message) if message.role == "assistant":
                given = self._given.pop(message_id, 0)
                begun = self._begun.pop(message_id, "").strip()
                if begun and not message.text.lstrip().startswith(begun):
                    self.was_reasoning = message.reasoning.lstrip().startswith(begun)
                return message.text[0 if self.was_reasoning else given :]
            case _:
                return ""

    def copy(self) -> "SpokenText":
        """Return an independent copy with the same progress."""
        twin = SpokenText()
        twin._given = dict(self._given)
        twin._begun = dict(self._begun)
        twin._whole = set(self._whole)
        return twin
