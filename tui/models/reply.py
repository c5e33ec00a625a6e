"""Builds a model's reply from its stream, whatever the backend.

The one place where the gate stands between a stream and the events: a model hands
over text as it comes and yields what comes back.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tui import bounds
from tui.errors import TooMuch
from tui.events import Event, ReasoningDelta, TextDelta, ToolCallOpened
from tui.messages import Message, Reply, ToolCall
from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text
from tui.turn import Turn

CHARACTERS = 2 << 20
"""Of the text and the reasoning of one message. The longest that any model gives are
128,000 tokens, which is 0.6 million; what has no end is stopped here."""

CALL_CHARACTERS = 1 << 20
"""Of the arguments of all calls of one message."""

MOST_CALLS = 128
"""In one message."""

_PIECE = 16 << 10
"""Characters of one event. Some servers send all of a long answer at once, and whoever
takes an event (the gate, the store, the screen) does nothing else meanwhile."""


class ReplyBuilder:
    """Turns the pieces of one answer into events and, at the end, a `Reply`.

    Raises `TooMuch` when the message is beyond measure; what was taken before is kept.
    """

    def __init__(self, turn: Turn, gate: Gate) -> None:
        self._id = turn.message_id
        self._gate = gate
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._room = CHARACTERS

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return bool(self._text or self._reasoning or self._calls)

    def text(self, text: str) -> Iterator[Event]:
        """Take text as the model wrote it, function calls and all."""
        self._room -= len(text)
        if self._room < 0 or len(text) > _PIECE:
            return self._in_pieces(text, self._gate.feed)
        return self._events(self._gate.feed(text))

    def reasoning(self, text: str) -> Iterator[Event]:
        """Take thinking aloud that the server has told apart already."""
        self._room -= len(text)
        if self._room < 0 or len(text) > _PIECE:
            return self._in_pieces(text, lambda piece: [Reasoning(piece)])
        return self._events([Reasoning(text)] if text else [])

    def opened(self) -> Event:
        """Say that a structured call has begun."""
        return ToolCallOpened(self._id)

    def call(self, call: ToolCall) -> None:
        """Take a structured call; one without an id, or with a used one, gets one."""
        if len(self._calls) >= MOST_CALLS:
            raise TooMuch(f"more than {MOST_CALLS} tool calls at once")
        used = {c.id for c in self._calls}
        id = call.id
        if not id or id in used:
            id = f"call_{uuid.uuid4().hex[:12]}"
        self._calls.append(ToolCall(id, call.name, _bounded(call.arguments)))

    def end_text(self) -> Iterator[Event]:
        """Take the end of the text: what the gate still held comes out."""
        return self._events(self._gate.finish())

    def reply(self, finish_reason: str = "stop") -> Reply:
        """Return the whole message; `end_text` comes before."""
        if self._calls and finish_reason == "stop":
            finish_reason = "tool_calls"
        return Reply(
            Message(
                "assistant",
                "".join(self._text),
                "".join(self._reasoning),
                tuple(self._calls),
            ),
            finish_reason,
        )

    def _in_pieces(
        self, text: str, take: Callable[[str], Iterable[Piece]]
    ) -> Iterator[Event]:
        """Take a text that is long, or of which only the beginning has room."""
        end = len(text) + min(self._room, 0)
        for start in range(0, end, _PIECE):
            yield from self._events(take(text[start : min(start + _PIECE, end)]))
        if self._room < 0:
            self._room = 0
            raise TooMuch(f"an answer of more than {CHARACTERS:,} characters")

    def _events(self, pieces: Iterable[Piece]) -> Iterator[Event]:
        for piece in pieces:
            match piece:
                case Text(text):
                    self._text.append(text)
                    yield TextDelta(self._id, text)
                case Reasoning(text):
                    self._reasoning.append(text)
                    yield ReasoningDelta(self._id, text)
                case CallOpened():
                    yield ToolCallOpened(self._id)
                case Call(name, arguments, id):
                    self.call(ToolCall(id, name, arguments))
                case Broken(kind, text):
                    # A nameless call is refused by the tool box, so that the model
                    # hears of it once and the debug panel shows it.
                    self.call(ToolCall("", "", f"{kind}: {text}"))


def _bounded(arguments: dict[str, Any] | str) -> dict[str, Any] | str:
    """Return arguments that are too deep as text, which is told and never run."""
    if isinstance(arguments, str) or not bounds.is_deep(arguments):
        return arguments
    import json  # seldom needed

    # One level more than is allowed: so it can be told what is wrong with them.
    return json.dumps(bounds.shallow(arguments, bounds.DEEPEST + 1), ensure_ascii=False)
