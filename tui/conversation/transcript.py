"""The fold of a conversation's events into messages.

The law of the project: whoever folds a conversation's records, whenever they
attached and whatever had settled by then, ends with the same transcript.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from tui.conversation.entry import Entry
from tui.conversation.summaries import apply_summaries, settled
from tui.events import (
    ConversationDeleted,
    MessageAdded,
    ReasoningDelta,
    Record,
    SummaryAdded,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message


@dataclass
class Transcript:
    """What a conversation looks like after the records applied so far."""

    requested: list[str] = field(default_factory=list[str])
    """Turns that wait for a runner, oldest first."""
    running: set[str] = field(default_factory=set[str])
    """Turns that have been claimed and have not ended."""
    finished: dict[str, str] = field(default_factory=dict[str, str])
    """Turns that have ended, with the reason."""
    summaries: list[SummaryAdded] = field(default_factory=list[SummaryAdded])
    """All that were made, the newest last; some may stand for nothing any more."""
    _said: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _ranks: dict[str | None, int] = field(default_factory=dict[str | None, int])
    """The turns that have begun, numbered in that order."""

    @property
    def entries(self) -> dict[str, Entry]:
        """The messages by id, turn after turn in the order in which these began.

        A question that waits for the turn before it is not among them: it is asked
        when its own turn begins, and until then may be taken back.
        """
        begun = [e for e in self._said.values() if e.turn in self._ranks]
        begun.sort(key=lambda entry: self._ranks[entry.turn])
        return {entry.message_id: entry for entry in begun}

    @property
    def queued(self) -> list[Entry]:
        """The questions that wait, the oldest first."""
        return [e for e in self._said.values() if e.turn in self.requested]

    def apply(self, record: Record) -> None:
        """Take the next record of the conversation."""
        turn = record.turn or ""
        match record.event:
            case MessageAdded(message_id, message):
                if record.turn is None or message.role != "user":
                    self._begun(record.turn)
                self._said[message_id] = Entry(
                    message_id,
                    message,
                    record.turn,
                    record.event.finish_reason,
                    settled=True,
                )
            case TextDelta(message_id, text):
                entry = self._open(message_id, record.turn)
                message = entry.message
                entry.message = msgspec.structs.replace(
                    message, text=message.text + text
                )
            case ReasoningDelta(message_id, text):
                entry = self._open(message_id, record.turn)
                message = entry.message
                entry.message = msgspec.structs.replace(
                    message, reasoning=message.reasoning + text
                )
            case SummaryAdded():
                self.summaries.append(record.event)
            case TurnRequested():
                self.requested.append(turn)
            case TurnWithdrawn():
                self._claimed(turn)
            case TurnStarted():
                self._claimed(turn)
                self._begun(turn)
                self.running.add(turn)
            case TurnFinished(reason):
                self._claimed(turn)
                self.running.discard(turn)
                self.finished[turn] = reason
            case ConversationDeleted():
                # What comes after it, if anything, is a deletion that was undone.
                self.__init__()
            case _:
                pass

    def messages(self) -> list[Message]:
        """Return what is sent to a model; see `sent`."""
        return [entry.message for entry in self.sent()]

    def sent(self) -> list[Entry]:
        """Return what is sent to a model: summaries in place, calls all answered."""
        return settled(apply_summaries(list(self.entries.values()), self.summaries))

    def _open(self, message_id: str, turn: str | None) -> Entry:
        if message_id not in self._said:
            self._said[message_id] = Entry(message_id, Message("assistant"), turn)
        self._begun(turn)
        return self._said[message_id]

    def _begun(self, turn: str | None) -> None:
        self._ranks.setdefault(turn, len(self._ranks))

    def _claimed(self, turn: str) -> None:
        if turn in self.requested:
            self.requested.remove(turn)


def fold(records: Iterable[Record]) -> Transcript:
    """Return the transcript that one conversation's `records` make."""
    transcript = Transcript()
    for record in records:
        transcript.apply(record)
    return transcript
