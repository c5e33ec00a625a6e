"""Folds the questions whether a tool may run, and queries them in the store.

A question stays open when its process dies: the next screen asks it again, and the
answer lets the turn go on. Only the first answer to a question counts; the guard of
`answer` lets the store decide which one that is.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text
from tui.eventlog.writer import Guard
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    ApprovalRevoked,
    CancelRequested,
    Event,
    Record,
    ToolCallFinished,
    TurnFinished,
    TurnRequested,
    read,
)
from tui.grants import Grant


class Question(msgspec.Struct, frozen=True):
    """A call that waits for the user's permission."""

    turn: str
    request: ApprovalRequested


def lines_of_command(asked: ApprovalRequested) -> int:
    """Return how many lines of the text are the command's own.

    The lines after them say how it is run. Only the command's own lines get a mark at
    their start, so that no command can forge the others.
    """
    begins = bool(asked.subject) and asked.text.startswith(f"{asked.subject}\n")
    return (asked.subject if begins else asked.text).count("\n") + 1


class Approvals(msgspec.Struct):
    """The open questions of a conversation, and what is allowed in it."""

    grants: dict[Grant, None] = {}
    """What the user has allowed for this conversation."""
    _open: dict[tuple[str, str], ApprovalRequested] = {}
    """By turn and call: ids of calls are unique only within a turn."""
    _ended: set[str] = set()
    """Turns of `_open` whose process is gone."""

    @property
    def questions(self) -> list[Question]:
        """The open questions, oldest first."""
        return [Question(turn, asked) for (turn, _), asked in self._open.items()]

    @property
    def oldest(self) -> Question | None:
        """The open question to ask first; takes no time, however many there are."""
        for (turn, _), asked in self._open.items():
            return Question(turn, asked)
        return None

    @property
    def count(self) -> int:
        """The number of open questions."""
        return len(self._open)

    def is_open(self, turn: str, call_id: str) -> bool:
        """Whether a question has no answer yet."""
        return (turn, call_id) in self._open

    def outlives(self, turn: str) -> bool:
        """Whether a turn has ended and left open questions."""
        return turn in self._ended

    def apply(self, turn: str, event: Event) -> ApprovalRequested | None:
        """Apply the next event; return the question that it answers, if it does."""
        match event:
            case ApprovalRequested(call_id):
                self._open[turn, call_id] = event
            case ApprovalGiven(call_id):
                return self._answer(turn, event)
            case ApprovalRevoked(tool, origin):
                self.grants.pop(Grant(tool, origin), None)
            case ToolCallFinished(call_id):
                self._open.pop((turn, call_id), None)
            case CancelRequested():
                self._drop({turn})
            case TurnFinished(reason):
                if reason == "interrupted" and any(t == turn for t, _ in self._open):
                    self._ended.add(turn)
                else:
                    self._drop({turn})
            case TurnRequested():
                # It resumes what has ended, or goes on without it.
                self._drop(self._ended)
            case _:
                pass
        return None

    def _answer(self, turn: str, given: ApprovalGiven) -> ApprovalRequested | None:
        # The answer that resumes a turn belongs to the turn that goes on.
        turns = (turn, *self._ended)
        keys = [(each, given.call_id) for each in turns]
        key = next((key for key in keys if key in self._open), None)
        if key is None:
            return None
        asked = self._open.pop(key)
        if given.allow and given.scope == "conversation":
            self.grants[Grant(asked.tool, asked.origin)] = None
        return asked

    def _drop(self, turns: set[str]) -> None:
        for key in [key for key in self._open if key[0] in turns]:
            del self._open[key]
        self._ended -= turns


KINDS = (
    "approval_requested",
    "approval_given",
    "approval_revoked",
    "tool_call_finished",
    "cancel_requested",
    "turn_finished",
    "turn_requested",
)
"""The kinds of events that `Approvals` applies."""

_EVENTS = (
    "SELECT turn, kind, CAST(data AS BLOB) FROM event WHERE conversation = ? "
    f"AND kind IN ({', '.join(map(repr, KINDS))}) ORDER BY seq"
)
WAITING = (
    "SELECT DISTINCT conversation FROM running WHERE "
    "(SELECT count(*) FROM event WHERE event.conversation = running.conversation "
    "AND event.turn = running.turn AND kind = 'approval_requested') > "
    "(SELECT count(*) FROM event WHERE event.conversation = running.conversation "
    "AND event.turn = running.turn AND kind = 'approval_given')"
)


def fold(events: Iterable[tuple[str, Event]]) -> Approvals:
    """Return the state after `events` of one conversation, each with its turn."""
    approvals = Approvals()
    for turn, event in events:
        approvals.apply(turn, event)
    return approvals


def of(log: EventLog, conversation: str) -> Approvals:
    """Return the state of a conversation. Raises `LogError`."""
    return fold(_events(log.query(_EVENTS, (conversation,))))


def _events(rows: Iterable[Sequence[Any]]) -> Iterable[tuple[str, Event]]:
    for turn, kind, data in rows:
        yield text(turn or ""), read(text(kind), data or b"")


def waiting(log: EventLog) -> set[str]:
    """Return the conversations with a running turn that waits for the user."""
    return {text(id) for (id,) in log.query(WAITING)}


def answer(
    log: EventLog,
    conversation: str,
    question: Question,
    given: ApprovalGiven,
    resumes: TurnRequested | None = None,
    new_turn: str = "",
) -> "Future[int]":
    """Store the answer to a question, unless it has one already.

    If the turn's process is gone, `resumes` requests `new_turn`, which goes on from
    there; both are stored in one transaction. The future raises `ConflictError` if
    another answer was first, or the turn was stopped.
    """
    turn, call_id = question.turn, question.request.call_id

    def is_open(db: sqlite3.Connection) -> bool:
        rows = db.execute(_EVENTS, (conversation,))
        state = fold(_events(rows))
        return state.is_open(turn, call_id) and (
            state.outlives(turn) == (resumes is not None)
        )

    guard: Guard = is_open
    if resumes is None:
        return log.append(conversation, given, turn=turn, guard=guard)
    return log.append(conversation, given, resumes, turn=new_turn, guard=guard)


def answered(
    records: Iterable[Record], turn: str
) -> list[tuple[ApprovalRequested, ApprovalGiven]]:
    """Return the answers that were given as a turn was requested, with the questions.

    `records` are those of the conversation.
    """
    state, found = Approvals(), list[tuple[ApprovalRequested, ApprovalGiven]]()
    for record in records:
        asked = state.apply(record.turn or "", record.event)
        if asked and record.turn == turn and isinstance(record.event, ApprovalGiven):
            found.append((asked, record.event))
    return found
