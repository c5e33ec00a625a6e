"""The fold of a conversation's events into messages.

The law of the project: whoever folds a conversation's records, whenever they
attached and whatever had settled by then, ends with the same transcript.
"""

from collections.abc import Iterable

import msgspec

from tui.conversation.branches import Branches, Versions
from tui.conversation.entry import Entry, purpose
from tui.conversation.summaries import apply_summaries, settled
from tui.events import (
    CancelRequested,
    ConversationDeleted,
    MessageAdded,
    ReasoningDelta,
    Record,
    Relabelled,
    SummaryAdded,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message

_Pieces = tuple[list[str], list[str]]
"""The pieces of a text, and of the reasoning before it."""


class Transcript(msgspec.Struct):
    """What a conversation looks like after the records applied so far."""

    requests: dict[str, TurnRequested] = {}
    """What was asked for by each turn, whatever became of it."""
    requested: list[str] = []
    """Turns that wait for a runner, oldest first."""
    running: dict[str, TurnStarted] = {}
    """Turns that have been claimed and have not ended, with the process that did."""
    cancelled: set[str] = set()
    """Those of them that were asked to stop."""
    finished: dict[str, str] = {}
    """Turns that have ended, with the reason."""
    summaries: list[SummaryAdded] = []
    """All that were made, the newest last; some may stand for nothing any more."""
    questions: list[str] = []
    """What the user asked, of all versions, in the order in which it was taken up."""
    _unasked: dict[str, str] = {}
    """The questions of turns that nobody has taken up."""
    _said: dict[str, Entry] = {}
    _pieces: dict[str, _Pieces] = {}
    """What is being said, not joined: a text that is copied for each piece of it costs
    the square of its length."""
    branches: Branches = msgspec.field(default_factory=Branches)
    """Which message follows which, and the path that is shown."""

    @property
    def entries(self) -> dict[str, Entry]:
        """The messages by id, on the path that is shown: the newest unless chosen.

        Turns stand in the order in which they began. A question that waits for the
        turn before it is not among them: it is asked when its own turn begins, and
        until then may be taken back.
        """
        return {id: self._entry(id) for id in self.branches.path()}

    @property
    def queued(self) -> list[Entry]:
        """The questions that wait, the oldest first."""
        return [e for e in self._said.values() if e.turn in self.requested]

    @property
    def current(self) -> str | None:
        """The turn that runs; None while none does."""
        return next(reversed(self.running), None)

    @property
    def owner(self) -> TurnStarted | None:
        """The process that runs it."""
        return self.running[self.current] if self.current else None

    def question(self, turn: str) -> str:
        """Return what a turn asks; "" when it has no question of its own."""
        said = (self._said[id].message for id in self.branches.questions(turn))
        asked = [message.text for message in said if message.role == "user"]
        return asked[-1] if asked else ""

    def purpose(self, message_id: str) -> str:
        """Return what a message is for, as of `MessageAdded.purpose`."""
        return self._said[message_id].purpose

    def sums_up(self, turn: str | None) -> bool:
        """Whether a turn sums up what was said, and answers nothing."""
        request = self.requests.get(turn or "")
        return request is not None and request.agent == "summary"

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
        event = record.event
        if isinstance(event, (TextDelta, ReasoningDelta)):
            pieces = self._pieces.get(event.message_id) or self._open(record, event)
            pieces[type(event) is ReasoningDelta].append(event.text)
            return
        if isinstance(event, Relabelled):
            self._relabel(event)
            return
        self.branches.apply(record)
        turn = record.turn or ""
        match event:
            case MessageAdded():
                self._add(record, event)
            case SummaryAdded():
                self.summaries.append(event)
            case TurnRequested():
                self.requests[turn] = event
                self.requested.append(turn)
            case TurnWithdrawn():
                self._claimed(turn)
                self._unasked.pop(turn, None)
            case TurnStarted():
                self._begun(turn)
                self.running[turn] = event
            case CancelRequested():
                if turn in self.running:
                    self.cancelled.add(turn)
            case TurnFinished(reason):
                self._ended(turn)
                self.finished[turn] = reason
            case ConversationDeleted():
                # What comes after it, if anything, is a deletion that was undone.
                nothing = Transcript()
                for name in self.__struct_fields__:
                    setattr(self, name, getattr(nothing, name))
            case _:
                pass

    def give_up(self, turn: str) -> None:
        """Take it that a turn has ended of which the log can say no more.

        Like `choose` that is the viewer's knowledge and stands in no log.
        """
        self.branches.begin(turn)
        self._ended(turn)

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
        entries = [self._entry(id) for id in path]
        return settled(apply_summaries(entries, self.summaries))

    def _add(self, record: Record, added: MessageAdded) -> None:
        id, message, turn = added.message_id, added.message, record.turn
        self._pieces.pop(id, None)
        self._said[id] = Entry(
            id, message, turn, added.finish_reason, settled=True, purpose=purpose(added)
        )
        if message.role == "user":
            if turn:
                self._unasked[turn] = message.text
            else:
                self.questions.append(message.text)

    def _relabel(self, event: Relabelled) -> None:
        if pieces := self._pieces.get(event.message_id):
            text, reasoning = pieces
            source, target = (reasoning, text) if event.as_text else (text, reasoning)
            target += source
            source.clear()

    def _open(self, record: Record, delta: TextDelta | ReasoningDelta) -> _Pieces:
        id = delta.message_id
        self.branches.apply(record)
        said = self._said.setdefault(id, Entry(id, Message("assistant"), record.turn))
        self._pieces[id] = [said.message.text], [said.message.reasoning]
        return self._pieces[id]

    def _entry(self, id: str) -> Entry:
        entry = self._said[id]
        if pieces := self._pieces.get(id):
            text, reasoning = map("".join, pieces)
            entry.message = msgspec.structs.replace(
                entry.message, text=text, reasoning=reasoning
            )
        return entry

    def _begun(self, turn: str) -> None:
        self._claimed(turn)
        if turn in self._unasked:
            self.questions.append(self._unasked.pop(turn))

    def _ended(self, turn: str) -> None:
        self._begun(turn)
        self.running.pop(turn, None)
        self.cancelled.discard(turn)

    def _claimed(self, turn: str) -> None:
        if turn in self.requested:
            self.requested.remove(turn)


def fold(records: Iterable[Record]) -> Transcript:
    """Return the transcript that one conversation's `records` make."""
    transcript = Transcript()
    for record in records:
        transcript.apply(record)
    return transcript
