"""Conversations: the fold of events into messages, and the list of them.

The law of the project: whoever folds a conversation's records, whenever they
attached and whatever had settled by then, ends with the same transcript.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from tui import session
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import (
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message


@dataclass
class Entry:
    """A message of a transcript, whole or still being said."""

    message_id: str
    message: Message
    turn: str | None = None
    finish_reason: str | None = None
    settled: bool = False


@dataclass
class Transcript:
    """What a conversation looks like after the records applied so far."""

    requested: list[str] = field(default_factory=list[str])
    """Turns that wait for a runner, oldest first."""
    running: set[str] = field(default_factory=set[str])
    """Turns that have been claimed and have not ended."""
    finished: dict[str, str] = field(default_factory=dict[str, str])
    """Turns that have ended, with the reason."""
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
            case _:
                pass

    def messages(self) -> list[Message]:
        """Return what is sent to a model: settled messages, calls all answered.

        Servers refuse a call without a result. A turn that was broken off may have
        left some: they are told as not run.
        """
        messages: list[Message] = []
        open_calls: dict[str, None] = {}
        for entry in self.entries.values():
            message = entry.message
            if message.role == "tool":
                if message.tool_call_id in open_calls:
                    del open_calls[message.tool_call_id]
                    messages.append(message)
                continue
            messages += _not_run(open_calls)
            if message.role == "assistant":
                if not (message.text or message.tool_calls):
                    continue
                open_calls = dict.fromkeys(call.id for call in message.tool_calls)
            messages.append(message)
        return messages + _not_run(open_calls)

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


def _not_run(open_calls: dict[str, None]) -> list[Message]:
    results = [Message("tool", "not run", tool_call_id=id) for id in open_calls]
    open_calls.clear()
    return results


def fold(records: Iterable[Record]) -> Transcript:
    """Return the transcript that one conversation's `records` make."""
    transcript = Transcript()
    for record in records:
        transcript.apply(record)
    return transcript


class Summary(msgspec.Struct, frozen=True):
    """A line of the list of conversations."""

    id: str
    title: str
    created: float
    """Seconds since the epoch."""


def recent(log: EventLog, limit: int = -1) -> Sequence[Summary]:
    """Return the conversations, the newest first; `limit` -1 means all."""
    rows = log.query(
        "SELECT id, title, created FROM conversation ORDER BY created DESC, id LIMIT ?",
        (limit,),
    )
    return [Summary(*row) for row in rows]


def find(log: EventLog, prefix: str) -> str:
    """Return the id of the one conversation whose id begins with `prefix`.

    Raises `LogError` when there is none or more than one.
    """
    rows = log.query(
        "SELECT id FROM conversation WHERE substr(id, 1, length(?)) = ? LIMIT 2",
        (prefix, prefix),
    )
    if len(rows) == 1 and prefix:
        return rows[0][0]
    problem = "Several conversations have" if rows else "No conversation has"
    raise LogError(f"{problem} an id that begins with {prefix!r}.")


def running(log: EventLog, id: str) -> list[tuple[str, TurnStarted]]:
    """Return the turns of a conversation that have started and not ended."""
    rows = log.query(RUNNING, (id,))
    return [(turn, msgspec.json.decode(data, type=TurnStarted)) for turn, data in rows]


RUNNING = (
    "SELECT turn, data FROM event AS started WHERE kind = 'turn_started' "
    "AND conversation = ? AND NOT EXISTS (SELECT 1 FROM event AS ended "
    "WHERE ended.turn = started.turn AND ended.kind = 'turn_finished')"
)


def new_id() -> str:
    """Return the id of a new conversation; it is stored with its first message."""
    return session.new_id()
