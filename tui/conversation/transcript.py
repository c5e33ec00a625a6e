"""Folds a conversation's events into messages.

The law of the project: every reader that folds a conversation's records ends with the
same transcript, no matter when it attached and which messages were complete by then.
"""

from collections.abc import Iterable

import msgspec

from tui.conversation.approvals import Approvals
from tui.conversation.branches import Branches, Versions
from tui.conversation.entry import Entry, purpose
from tui.conversation.summaries import apply_summaries, settled
from tui.events import (
    CancelRequested,
    ConversationConfigured,
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
from tui.messages import Attachment, Message, ToolCall

_Pieces = tuple[list[str], list[str]]
"""The pieces of a text, and of the reasoning before it."""


class Transcript(msgspec.Struct):
    """The state of a conversation after the records applied so far."""

    requests: dict[str, TurnRequested] = {}
    """The request of each turn, whatever became of it."""
    requested: list[str] = []
    """Turns that wait for a runner, oldest first."""
    running: dict[str, TurnStarted] = {}
    """Turns that were claimed and have not ended, with the claiming process."""
    cancelled: set[str] = set()
    """The running turns for which a cancel was requested."""
    finished: dict[str, str] = {}
    """Turns that have ended, with the reason."""
    summaries: list[SummaryAdded] = []
    """All summaries, newest last, including those that no longer apply."""
    configured: ConversationConfigured = ConversationConfigured()
    """The conversation's own settings."""
    questions: list[str] = []
    """The user's questions in all versions, in the order in which their turns began."""
    _unasked: dict[str, str] = {}
    """The questions of turns that no runner has claimed."""
    _said: dict[str, Entry] = {}
    _pieces: dict[str, _Pieces] = {}
    """The pieces of streaming messages, not joined: to copy a text for each new piece
    would take time quadratic in its length."""
    approvals: Approvals = msgspec.field(default_factory=Approvals)
    """The open questions whether a tool may run, and what was allowed."""
    branches: Branches = msgspec.field(default_factory=Branches)
    """The tree of versions, and the path that is shown."""

    @property
    def entries(self) -> dict[str, Entry]:
        """The messages by id, on the path that is shown: the newest unless chosen.

        Turns are in the order in which they began. A queued question is not included:
        it is asked when its own turn begins, and can be withdrawn until then.
        """
        return {id: self._entry(id) for id in self.branches.path()}

    @property
    def queued(self) -> list[Entry]:
        """The queued questions, oldest first."""
        return [e for e in self._said.values() if e.turn in self.requested]

    @property
    def current(self) -> str | None:
        """The running turn, None while there is none."""
        return next(reversed(self.running), None)

    @property
    def owner(self) -> TurnStarted | None:
        """The process that runs the current turn, None while there is none."""
        return self.running[self.current] if self.current else None

    def question(self, turn: str) -> str:
        """Return the question of a turn; "" when it has none of its own."""
        said = (self._said[id].message for id in self.branches.questions(turn))
        asked = [message.text for message in said if message.role == "user"]
        return asked[-1] if asked else ""

    def files(self, turn: str) -> tuple[Attachment, ...]:
        """Return the files of a turn's question."""
        asked = list(self.branches.questions(turn))
        return self.files_of(asked[-1]) if asked else ()

    def text_of(self, message_id: str) -> str:
        """Return the text of a complete message; "" of an unknown one."""
        said = self._said.get(message_id)
        return said.message.text if said else ""

    def files_of(self, message_id: str) -> tuple[Attachment, ...]:
        """Return the files of a message; none of an unknown one."""
        said = self._said.get(message_id)
        return said.message.attachments if said else ()

    def purpose(self, message_id: str) -> str:
        """Return the purpose of a message, see `MessageAdded.purpose`."""
        return self._said[message_id].purpose

    def sums_up(self, turn: str | None) -> bool:
        """Whether a turn makes a summary instead of an answer."""
        request = self.requests.get(turn or "")
        return request is not None and request.agent == "summary"

    def versions(self, message_id: str) -> Versions:
        """Return the versions of a message; see `Branches.versions`."""
        return self.branches.versions(message_id)

    def choose(self, message_id: str) -> None:
        """Show the path through a message and the newest messages that follow it.

        This is the viewer's choice and is not logged. A turn that begins later is shown
        in any case.
        """
        self.branches.choose(message_id)

    def apply(self, record: Record) -> None:
        """Apply the next record of the conversation."""
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
        self.approvals.apply(turn, event)
        match event:
            case MessageAdded():
                self._add(record, event)
            case SummaryAdded():
                self.summaries.append(event)
            case ConversationConfigured():
                self.configured = event
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
                # Records after it, if any, come from a restored conversation.
                nothing = Transcript()
                for name in self.__struct_fields__:
                    setattr(self, name, getattr(nothing, name))
            case _:
                pass

    def give_up(self, turn: str) -> None:
        """Treat a turn as ended although the log cannot record its end.

        Like `choose`, this is the viewer's knowledge and is not logged.
        """
        self.branches.begin(turn)
        self._ended(turn)

    def messages(self, turn: str | None = None) -> list[Message]:
        """Return the messages that are sent to a model; see `sent`."""
        return [entry.message for entry in self.sent(turn)]

    def sent(self, turn: str | None = None) -> list[Entry]:
        """Return the entries that are sent to a model that answers `turn`.

        These are the messages on the path to the end of the turn, whichever path is
        shown, with summaries applied and a result for each tool call. None, or an
        unknown turn, means the path that is shown.
        """
        path = self.branches.path(turn if turn in self.branches else None)
        entries = [self._entry(id) for id in path]
        return settled(apply_summaries(entries, self.summaries))

    def open_calls(self, turn: str) -> list[ToolCall]:
        """Return the calls of a turn's last message that have no result."""
        calls: dict[str, ToolCall] = {}
        for id in self.branches.path(turn):
            message = self._said[id].message
            if message.role == "tool":
                calls.pop(message.tool_call_id or "", None)
            else:
                calls = {call.id: call for call in message.tool_calls}
        return list(calls.values())

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
    """Return the transcript of one conversation's `records`."""
    transcript = Transcript()
    for record in records:
        transcript.apply(record)
    return transcript
