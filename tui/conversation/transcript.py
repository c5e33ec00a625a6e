"""The fold of a conversation's events into messages.

The law of the project: whoever folds a conversation's records, whenever they
attached and whatever had settled by then, ends with the same transcript.
"""

from collections.abc import Iterable

import msgspec

from tui.conversation.branches import Branches, Versions
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


class Transcript(msgspec.Struct):
    """What a conversation looks like after the records applied so far."""

    requested: list[str] = []
    """Turns that wait for a runner, oldest first."""
    running: set[str] = set()
    """Turns that have been claimed and have not ended."""
    finished: dict[str, str] = {}
    """Turns that have ended, with the reason."""
    summaries: list[SummaryAdded] = []
    """All that were made, the newest last; some may stand for nothing any more."""
    _said: dict[str, Entry] = {}
    branches: Branches = msgspec.field(default_factory=Branches)
    """Which message follows which, and the path that is shown."""

    @property
    def entries(self) -> dict[str, Entry]:
        """The messages by id, on the path that is shown: the newest unless chosen.

        Turns stand in the order in which they began. A question that waits for the
        turn before it is not among them: it is asked when its own turn begins, and
        until then may be taken back.
        """
        return {id: self._said[id] for id in self.branches.path()}

    @property
    def queued(self) -> list[Entry]:
        """The questions that wait, the oldest first."""
        return [e for e in self._said.values() if e.turn in self.requested]

    def versions(self, message_id: str) -> Versions:
        """Return what may stand where a message does; see `Branches.versions`."""
        return self.branches.versions(message_id)

    def choose(self, message_id: str) -> None:
        """Show the path through a message, with the newest of what follows it.

        That is the viewer's choice and stands in no log; a turn that begins is shown
        whatever was chosen before.
        """
        self.branches.choose(message_id)

    def apply(self, record: Record) -> None:
        """Take the next record of the conversation."""
        self.branches.apply(record)
        turn = record.turn or ""
        match record.event:
            case MessageAdded(message_id, message):
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
                self.running.add(turn)
            case TurnFinished(reason):
                self._claimed(turn)
                self.running.discard(turn)
                self.finished[turn] = reason
            case ConversationDeleted():
                # What comes after it, if anything, is a deletion that was undone.
                nothing = Transcript()
                for name in self.__struct_fields__:
                    setattr(self, name, getattr(nothing, name))
            case _:
                pass

    def messages(self, turn: str | None = None) -> list[Message]:
        """Return what is sent to a model; see `sent`."""
        return [entry.message for entry in self.sent(turn)]

    def sent(self, turn: str | None = None) -> list[Entry]:
        """Return what is sent to a model that answers `turn`.

        These are the messages on the way to the end of the turn, whatever is shown,
        with summaries in place and calls all answered. None, or a turn of which
        nothing is known, means the path that is shown.
        """
        path = self.branches.path(turn if turn in self.branches else None)
        entries = [self._said[id] for id in path]
        return settled(apply_summaries(entries, self.summaries))

    def _open(self, message_id: str, turn: str | None) -> Entry:
        if message_id not in self._said:
            self._said[message_id] = Entry(message_id, Message("assistant"), turn)
        return self._said[message_id]

    def _claimed(self, turn: str) -> None:
        if turn in self.requested:
            self.requested.remove(turn)


def fold(records: Iterable[Record]) -> Transcript:
    """Return the transcript that one conversation's `records` make."""
    transcript = Transcript()
    for record in records:
        transcript.apply(record)
    return transcript
