"""Asks the model for an answer when it may call no more tools.

After several rounds of calls, a model often writes one more, although it is offered no
tools any longer, and its own gate then takes the call for text. So a second gate, which
knows the tools, follows here: such a call is never shown, and the model is reminded
once that it must answer.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tui.events import (
    Event,
    NoticeGiven,
    ReasoningDelta,
    Relabelled,
    TextDelta,
    ToolCallOpened,
)
from tui.i18n import _
from tui.messages import Message, Reply, ToolSchema
from tui.models import Model
from tui.models.gate import Gate, Piece, Reasoning, Text
from tui.turn import Turn

MUST_ANSWER = (
    "No tool can be called any more. Answer the question now, in plain text, with what "
    "you know and what the tools have returned."
)
"""What the model is told, as the user's message; it is not kept."""


def answer(
    model: Model, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
) -> Generator[Event, None, Reply]:
    """Ask `model` for a message without calls; `tools` are those it has called so far.

    Yields and returns what `Model.generate` does. The model is asked twice if it
    writes a call; what it says in both replies is one message.
    """
    known = {tool.name: tool.parameters for tool in tools}
    reply, called = yield from _listen(model, messages, known, turn)
    if not called:
        return reply
    first = reply.message
    asked = [*messages]
    if first.text.strip():
        asked.append(Message("assistant", first.text))
    asked.append(Message("user", MUST_ANSWER))
    turn.cancel.raise_if_requested()
    between = "\n\n" if first.text.strip() else ""
    if between:
        yield TextDelta(turn.message_id, between)
    reply, called = yield from _listen(model, asked, known, turn)
    if called and not reply.message.text.strip():
        yield NoticeGiven(_("The model called another tool instead of answering."))
    message = msgspec.structs.replace(
        reply.message,
        text=f"{first.text}{between}{reply.message.text}",
        reasoning=f"{first.reasoning}{reply.message.reasoning}",
    )
    return msgspec.structs.replace(reply, message=message)


def _listen(
    model: Model,
    messages: Sequence[Message],
    tools: Mapping[str, dict[str, Any]],
    turn: Turn,
) -> Generator[Event, None, tuple[Reply, bool]]:
    """Ask the model; return its message without calls, and whether it has said nothing
    else or wrote one into its text."""
    gate = Gate("auto", tools or None, eager=True)
    heard = _Heard(turn)
    asked = model.generate(messages, [], turn)
    try:
        while True:
            try:
                event = next(asked)
            except StopIteration as end:
                reply: Reply = end.value
                break
            if isinstance(event, TextDelta):
                yield from heard.take(gate.feed(event.text))
            elif isinstance(event, ReasoningDelta):
                yield from heard.take([Reasoning(event.text)])
            elif isinstance(event, Relabelled):
                yield from heard.take(gate.finish())
                gate = Gate("auto", tools or None, eager=True)
                heard.relabel(event.as_text)
                yield event
            elif not isinstance(event, ToolCallOpened):
                yield event
    finally:
        asked.close()
    yield from heard.take(gate.finish())
    message = msgspec.structs.replace(
        reply.message,
        text="".join(heard.text),
        reasoning="".join(heard.reasoning),
        tool_calls=(),
    )
    reason = "stop" if reply.finish_reason == "tool_calls" else reply.finish_reason
    called = heard.called or bool(reply.message.tool_calls and not message.text.strip())
    return Reply(message, reason), called


class _Heard:
    """What is left of a reply without its calls."""

    def __init__(self, turn: Turn) -> None:
        self._id = turn.message_id
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.called = False

    def take(self, pieces: Iterable[Piece]) -> Generator[Event, None, None]:
        for piece in pieces:
            match piece:
                case Text(text):
                    self.text.append(text)
                    yield TextDelta(self._id, text)
                case Reasoning(text):
                    self.reasoning.append(text)
                    yield ReasoningDelta(self._id, text)
                case _:
                    self.called = True

    def relabel(self, as_text: bool) -> None:
        source, target = self.text, self.reasoning
        if as_text:
            source, target = target, source
        target += source
        source.clear()
