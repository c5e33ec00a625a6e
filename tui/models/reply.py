"""Builds a model's reply from its stream, whatever the backend.

The one place where the gate stands between a stream and the events: a model hands
over text as it comes and yields what comes back.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from tui import bounds
from tui.events import Event, ReasoningDelta, TextDelta, ToolCallOpened
from tui.messages import Message, Reply, ToolCall
from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text
from tui.turn import Turn


class ReplyBuilder:
    """Turns the pieces of one answer into events and, at the end, a `Reply`."""

    def __init__(self, turn: Turn, gate: Gate) -> None:
        self._id = turn.message_id
        self._gate = gate
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return bool(self._text or self._reasoning or self._calls)

    def text(self, text: str) -> Iterator[Event]:
        """Take text as the model wrote it, function calls and all."""
        return self._events(self._gate.feed(text))

    def reasoning(self, text: str) -> Iterator[Event]:
        """Take thinking aloud that the server has told apart already."""
        return self._events([Reasoning(text)] if text else [])

    def opened(self) -> Event:
        """Say that a structured call has begun."""
        return ToolCallOpened(self._id)

    def call(self, call: ToolCall) -> None:
        """Take a structured call; one without an id, or with a used one, gets one."""
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
