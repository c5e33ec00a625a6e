"""Drives one claimed turn from its first event to its last.

A turn ends exactly once, and its text so far becomes a message. Its runner does that
or, if the runner's process is gone, the first process that notices.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

import msgspec

from tui import conversation, process_identity
from tui.conversation.attached import filled
from tui.errors import (
    Cancelled,
    ConflictError,
    LazychatError,
    ModelError,
    scarce,
)
from tui.eventlog import EventLog
from tui.events import (
    ErrorRaised,
    Event,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Relabelled,
    TextDelta,
    TurnFinished,
)
from tui.i18n import _
from tui.masking import mask
from tui.messages import Message
from tui.runtime.approvals import LoggedApprover
from tui.runtime.resuming import resume
from tui.turn import Turn

if TYPE_CHECKING:  # slow, as the agents import the gate
    from tui.agents import Agent

_logger = logging.getLogger(__name__)

_AT_ONCE = 128 << 10
"""Characters that a turn may write at any speed; each delta counts `_EACH` more."""
_A_SECOND = 384 << 10
"""Characters per second that it may write after that. No model comes near this rate. A
server that sends without end would otherwise leave no time for keys."""
_EACH = 32
_LOOKED_AT = 16 << 10
"""Characters between two looks at the clock."""


class Outcome(msgspec.Struct, frozen=True):
    """How a turn ended."""

    answer: Message | None
    """The last message; None if the turn did not get that far."""
    failure: Exception | None
    """Why the turn broke off, `Cancelled` after a cancel; None if it did not."""


def drive(
    log: EventLog,
    conversation_id: str,
    turn: Turn,
    make_agent: Callable[[], "Agent"],
    messages: Sequence[Message] | None = None,
    while_asking: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Outcome:
    """Run a claimed turn to its end in this thread and write every event it yields.

    `messages` None means the messages in the log. Whatever happens, the turn is ended
    and its text so far becomes a message. The threads of calls enter `while_asking()`
    for as long as they wait for the user. Raises only `LogError`.
    """
    said = _Said()
    approver = LoggedApprover(log, conversation_id, turn.cancel, while_asking)
    turn.approver = approver
    reason, answer, failure = "stop", None, None
    written: Future[int] | None = None
    noticed: Event | None = None
    pace = _Pace(turn)

    def write(event: Event) -> None:
        nonlocal written, noticed
        if isinstance(event, NoticeGiven) and event.left_out:
            # A turn with tools makes many requests, and most leave out the same
            # messages: give that notice once.
            if event == noticed:
                return
            noticed = event
        # Stop if the last write failed: nobody would see the rest of the answer.
        if written and written.done():
            written.result()
        said.take(event)
        written = log.append(conversation_id, event, turn=turn.id)
        approver.wrote(event, written)
        if isinstance(event, TextDelta | ReasoningDelta):
            pace.take(len(event.text))

    try:
        turn.cancel.raise_if_requested()
        if messages is None:
            resumed = resume(log.read(conversation_id), turn.id)
            turn.options = resumed.configured.options
            turn.open_calls = resumed.open_calls
            turn.plan = resumed.plan
            approver.gave_before(resumed.answered)
            for event in resumed.lost:
                write(event)
            messages = [filled(log, entry.message) for entry in resumed.sent]
            if turn.schema is not None:
                from tui.agents.structured import instructed

                messages = instructed(messages, turn.schema)
            ids = (entry.message_id for entry in resumed.sent)
            turn.sources = list(zip(ids, messages, strict=True))
            if system := resumed.configured.system:
                messages.insert(0, Message("system", system))
        run = make_agent().run(messages, turn)
        while True:
            try:
                write(next(run))
            except StopIteration as stop:
                answer = stop.value
                break
        if said.finish_reason == "length":
            reason = "length"
    except Cancelled as error:
        reason, failure = "cancelled", error
    except Exception as error:
        reason, failure = "error", error
    finally:
        approver.close()
    problems = [_explained(failure)] if failure and reason == "error" else []
    ending = [*said.unsettled(reason), *problems, TurnFinished(reason)]
    # A conflict means that a process which took this one for dead has ended the turn.
    with suppress(ConflictError):
        log.append(conversation_id, *ending, turn=turn.id).result()
    return Outcome(answer, failure)


def _explained(error: Exception) -> ErrorRaised:
    match error:
        case ModelError():
            return ErrorRaised(error.kind, mask(str(error)))
        case LazychatError():
            return ErrorRaised("config", mask(str(error)))
        case _ if text := scarce(error):
            return ErrorRaised("config", text)
        case _:
            # A bug in lazychat or a plugin: the user gets a line, the log a traceback.
            _logger.error("a turn failed", exc_info=error)
            text = _("{name}: {error}. This is a bug in lazychat.").format(
                name=type(error).__name__, error=error
            )
            return ErrorRaised("internal", mask(text))


class _Pace:
    """Slows down a turn that writes faster than its text can be stored and shown."""

    def __init__(self, turn: Turn) -> None:
        self._cancel = turn.cancel
        self._new = 0
        self._ahead = 0.0
        self._looked = time.monotonic()

    def take(self, characters: int) -> None:
        """Count a delta, and wait if the turn is too fast; a cancel ends the wait."""
        self._new += characters + _EACH
        if self._new < _LOOKED_AT:
            return
        now = time.monotonic()
        passed = (now - self._looked) * _A_SECOND
        self._ahead = max(0.0, self._ahead - passed) + self._new
        self._new, self._looked = 0, now
        if self._ahead > _AT_ONCE:
            self._cancel.wait((self._ahead - _AT_ONCE) / _A_SECOND)


class _Said:
    """Collects the text of the message that is being streamed."""

    def __init__(self) -> None:
        self._message_id = ""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.finish_reason: str | None = None

    def take(self, event: Event) -> None:
        match event:
            case TextDelta(message_id, text):
                self._message_id = message_id
                self._text.append(text)
            case ReasoningDelta(message_id, text):
                self._message_id = message_id
                self._reasoning.append(text)
            case Relabelled(as_text=False):
                self._reasoning += self._text
                self._text.clear()
            case Relabelled():
                self._text += self._reasoning
                self._reasoning.clear()
            case MessageAdded() if event.message.role == "assistant":
                self.finish_reason = event.finish_reason
                self._text.clear()
                self._reasoning.clear()
            case _:
                pass

    def unsettled(self, reason: str) -> list[Event]:
        """Return the event that completes an interrupted message, if there is one."""
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        if not (text or reasoning):
            return []
        message = Message("assistant", text, reasoning)
        return [MessageAdded(self._message_id, message, finish_reason=reason)]


def end_if_gone(
    log: EventLog,
    conversation_id: str,
    failed: Collection[str] = (),
    ended: Collection[str] = (),
) -> None:
    """End the turns of a conversation whose process is gone, as `interrupted`.

    Turns in `failed`, whose end could not be written before, end as `error`. Turns in
    `ended` are over, and run again only in an older store that has taken the place of
    the one in use; they end as `interrupted` too. Their text so far becomes a message.
    Any process that opens a conversation may call this; the log makes sure that each
    turn ends only once.
    """
    for turn, owner in conversation.running(log, conversation_id):
        if turn in failed:
            end(log, conversation_id, turn, "error")
        elif turn in ended or process_identity.is_gone(owner):
            # First store the events that it journaled while the store was locked.
            log.take_in_left()
            end(log, conversation_id, turn, "interrupted")


def end(log: EventLog, conversation_id: str, turn: str, reason: str) -> None:
    """End a turn in place of its runner; its text so far becomes a message.

    Does nothing if the turn has ended meanwhile.
    """
    said = _Said()
    for record in log.read(conversation_id):
        if record.turn == turn:
            said.take(record.event)
    ending = [*said.unsettled(reason), TurnFinished(reason)]
    with suppress(ConflictError):
        log.append(conversation_id, *ending, turn=turn).result()
