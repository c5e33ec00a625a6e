"""Drives one claimed turn from its first event to its last.

A turn ends exactly once, and its text so far is settled: by its runner or, when that
process is gone, by whichever process notices first.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from tui import conversation, process_identity
from tui.agents import Agent
from tui.errors import (
    Cancelled,
    ConflictError,
    LazychatError,
    ModelError,
    too_many_files,
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
from tui.masking import mask
from tui.messages import Message
from tui.turn import Turn

_logger = logging.getLogger(__name__)

_AT_ONCE = 128 << 10
"""What a turn may say at any speed: characters, and `_EACH` more for each delta."""
_A_SECOND = 384 << 10
"""What it may say in a second after that. No model comes near it; a server that sends
without end would leave neither the store nor the screen a moment for the keys."""
_EACH = 32
_LOOKED_AT = 16 << 10
"""How much may come between two looks at the clock."""


class Outcome(NamedTuple):
    """How a turn ended."""

    answer: Message | None
    """The last message; None when the turn did not get so far."""
    failure: Exception | None
    """Why it was broken off; `Cancelled` when it was cancelled."""


def drive(
    log: EventLog,
    conversation_id: str,
    turn: Turn,
    make_agent: Callable[[], Agent],
    messages: Sequence[Message] | None = None,
) -> Outcome:
    """Run a claimed turn to its end in this thread; write everything it yields.

    `messages` None means what the log holds. Whatever happens the turn is ended, and
    what was said is settled. Raises only `LogError`.
    """
    said = _Said()
    reason, answer, failure = "stop", None, None
    written: Future[int] | None = None
    told: Event | None = None
    pace = _Pace(turn)

    def write(event: Event) -> None:
        nonlocal written, told
        if isinstance(event, NoticeGiven) and event.left_out:
            # A turn with tools has many requests, mostly without the same messages.
            if event == told:
                return
            told = event
        # Nobody hears the rest of an answer that the disk refuses.
        if written and written.done():
            written.result()
        said.take(event)
        written = log.append(conversation_id, event, turn=turn.id)
        if isinstance(event, TextDelta | ReasoningDelta):
            pace.take(len(event.text))

    try:
        turn.cancel.raise_if_requested()
        if messages is None:
            sent = conversation.fold(log.read(conversation_id)).sent(turn.id)
            turn.sources = [(entry.message_id, entry.message) for entry in sent]
            messages = [entry.message for entry in sent]
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
    problems = [_explained(failure)] if failure and reason == "error" else []
    ending = [*said.unsettled(reason), *problems, TurnFinished(reason)]
    # Ended already: whoever thought this process dead has settled the same.
    with suppress(ConflictError):
        log.append(conversation_id, *ending, turn=turn.id).result()
    return Outcome(answer, failure)


def _explained(error: Exception) -> ErrorRaised:
    match error:
        case ModelError():
            return ErrorRaised(error.kind, mask(str(error)))
        case LazychatError():
            return ErrorRaised("config", mask(str(error)))
        case _ if text := too_many_files(error):
            return ErrorRaised("config", text)
        case _:
            # A fault of ours or of a plugin: a line for the user, the rest for us.
            _logger.error("a turn failed", exc_info=error)
            text = f"{type(error).__name__}: {error}. This is a fault in lazychat."
            return ErrorRaised("internal", mask(text))


class _Pace:
    """Slows a turn down that says more than can be stored and shown."""

    def __init__(self, turn: Turn) -> None:
        self._cancel = turn.cancel
        self._new = 0
        self._ahead = 0.0
        self._looked = time.monotonic()

    def take(self, characters: int) -> None:
        """Count a delta; wait if it came too soon, but not longer than for a stop."""
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
    """What a message that is under way has said so far."""

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
        """Return what settles a message that was broken off."""
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        if not (text or reasoning):
            return []
        message = Message("assistant", text, reasoning)
        return [MessageAdded(self._message_id, message, finish_reason=reason)]


def end_if_gone(
    log: EventLog, conversation_id: str, failed: Collection[str] = ()
) -> None:
    """End the turns of a conversation whose process is gone, as `interrupted`.

    Those in `failed`, whose end could not be written at its time, end as `error`.
    What they had said is settled. Whoever looks at a conversation may call this; the
    log sees to it that it happens once.
    """
    for turn, owner in conversation.running(log, conversation_id):
        if turn in failed:
            end(log, conversation_id, turn, "error")
        elif process_identity.is_gone(owner):
            # What it has said while the store was locked comes first.
            log.take_in_left()
            end(log, conversation_id, turn, "interrupted")


def end(log: EventLog, conversation_id: str, turn: str, reason: str) -> None:
    """End a turn in the place of its runner, which will not: settle what it said.

    Does nothing when it has ended meanwhile.
    """
    said = _Said()
    for record in log.read(conversation_id):
        if record.turn == turn:
            said.take(record.event)
    ending = [*said.unsettled(reason), TurnFinished(reason)]
    with suppress(ConflictError):
        log.append(conversation_id, *ending, turn=turn).result()
