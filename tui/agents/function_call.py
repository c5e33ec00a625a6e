"""The usual agent: answer, or call tools and ask the model again."""

from collections.abc import Generator, Iterable, Sequence
from itertools import count

import msgspec

from tui.agents import last_round
from tui.agents.merge import merge
from tui.errors import ModelError
from tui.events import Event, MessageAdded, NoticeGiven
from tui.i18n import _
from tui.messages import Message, Reply, ToolCall, ToolResult, ToolSchema
from tui.models import Model
from tui.tools import ToolBox
from tui.tools.asking_order import Place, places
from tui.turn import Turn


class FunctionCallAgent:
    """Asks the model, runs the tools it calls, and repeats until it answers."""

    def __init__(
        self,
        model: Model,
        toolbox: ToolBox | Iterable[object] = (),
        max_rounds: int = 8,
        system: str = "",
    ) -> None:
        """Set the model and its tools.

        `toolbox` may also be an argument for `ToolBox`, and may be empty. After
        `max_rounds` rounds of tool calls the model must answer without tools; 0 offers
        none. `system` is inserted if the messages have no system message.
        """
        if max_rounds < 0:
            raise ValueError(f"max_rounds must not be below 0, but is {max_rounds}")
        self.model = model
        self.toolbox = toolbox if isinstance(toolbox, ToolBox) else ToolBox(toolbox)
        self.max_rounds = max_rounds
        self.system = system

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        """Answer `messages`; see `Agent.run`.

        The calls of one message run in parallel. Each call gets an answer of role
        `tool`, even if the turn is cancelled, so that the conversation can be sent to a
        model again. Closing this generator early cancels the turn and its running
        tools.
        """
        turn = turn or Turn()
        try:
            return (yield from self._run(list(messages), turn))
        except GeneratorExit:
            turn.cancel.request()
            raise

    def _run(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        messages = self.with_system(messages)
        schemas = self.toolbox.schemas()
        used = {call.id for message in messages for call in message.tool_calls}
        unreadable: set[str] = set()
        if turn.open_calls:
            called = Message("assistant", tool_calls=tuple(turn.open_calls))
            results = yield from self.call(called, turn)
            messages += map(as_message, results)
            turn.next_message()
            turn.cancel.raise_if_requested()
        for __ in range(self.max_rounds):
            reply = yield from self._ask(messages, schemas, turn)
            message = _distinct(reply.message, used)
            if not message.tool_calls:
                return (yield from self._end(message, reply.finish_reason, turn))
            yield MessageAdded(
                turn.message_id, message, finish_reason=reply.finish_reason
            )
            messages.append(message)
            results = yield from self.call(message, turn)
            messages += map(as_message, results)
            turn.next_message()
            turn.cancel.raise_if_requested()
            if _stuck(message, unreadable):
                yield NoticeGiven(
                    _(
                        "The model keeps repeating a tool call that cannot be read; "
                        "it now answers without tools."
                    )
                )
                break
        else:
            if self.max_rounds:
                yield NoticeGiven(
                    _(
                        "The model has called tools {max_rounds} times in a row, "
                        "the limit; it now answers without more calls."
                    ).format(max_rounds=self.max_rounds)
                )
        return (yield from self.answer_now(messages, turn))

    def with_system(self, messages: Sequence[Message]) -> list[Message]:
        """Return `messages` with a system message, if there is something to say."""
        if self.system and not any(m.role == "system" for m in messages):
            return [Message("system", self.system), *messages]
        return list(messages)

    def _ask(
        self, messages: list[Message], tools: list[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        turn.cancel.raise_if_requested()
        return (yield from self.model.generate(messages, tools, turn))

    def answer_now(
        self, messages: Sequence[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        """Answer `messages` without more calls; see `Agent.run`."""
        turn.cancel.raise_if_requested()
        tools = self.toolbox.schemas() if self.max_rounds else []
        reply = yield from last_round.answer(self.model, messages, tools, turn)
        return (yield from self._end(reply.message, reply.finish_reason, turn))

    def _end(
        self, message: Message, finish_reason: str, turn: Turn
    ) -> Generator[Event, None, Message]:
        """End with the last message; raises `ModelError` when it says nothing."""
        if message.text or message.reasoning:
            yield MessageAdded(turn.message_id, message, finish_reason=finish_reason)
        if not message.text.strip():
            raise _no_answer(self.model.name, finish_reason)
        return message

    def call(
        self, message: Message, turn: Turn
    ) -> Generator[Event, None, list[ToolResult]]:
        """Run the calls of `message` in parallel; return their results in order.

        Each result is added as it arrives: another call may wait for the user.
        """
        calls = message.tool_calls
        numbered = enumerate(zip(calls, places(len(calls)), strict=True), 1)
        runs = [self._one(call, n, turn, place) for n, (call, place) in numbered]
        return (yield from merge(runs))

    def _one(
        self, call: ToolCall, number: int, turn: Turn, place: Place
    ) -> Generator[Event, None, ToolResult]:
        result = yield from self.toolbox.run(call, turn, place)
        yield MessageAdded(f"{turn.message_id}.{number}", as_message(result))
        return result


def as_message(result: ToolResult) -> Message:
    """Return the message that tells a model the result of a call."""
    return Message(
        "tool",
        result.output,
        tool_call_id=result.call_id,
        attachments=result.attachments,
    )


def _no_answer(model: str, finish_reason: str) -> ModelError:
    if finish_reason == "length":
        return ModelError(
            _(
                "{model} reached its token limit before the first word of the answer "
                "(finish_reason length). Raise max_tokens, or ask for less."
            ).format(model=model),
            "empty",
        )
    return ModelError(
        _(
            "{model} ended without an answer (finish_reason {finish_reason}). Try "
            "again, or rephrase the question."
        ).format(model=model, finish_reason=finish_reason),
        "empty",
    )


def _distinct(message: Message, used: set[str]) -> Message:
    """Give reused call ids a new value, and drop duplicate unreadable calls.

    Some servers restart the numbering of calls in each reply, but the id must
    distinguish the events of different rounds. An unreadable call is reported to the
    model once.
    """
    calls: list[ToolCall] = []
    seen: set[str] = set()
    for call in message.tool_calls:
        if not call.name:
            if str(call.arguments) in seen:
                continue
            seen.add(str(call.arguments))
        id = call.id
        if id in used or len(id) > 40:  # OpenAI's limit
            id = next(i for i in (f"{id[:32]}_{n}" for n in count(2)) if i not in used)
        used.add(id)
        calls.append(msgspec.structs.replace(call, id=id))
    return msgspec.structs.replace(message, tool_calls=tuple(calls))


def _stuck(message: Message, unreadable: set[str]) -> bool:
    """Return whether all calls are unreadable and were reported before."""
    before = set(unreadable)
    unreadable |= {str(c.arguments) for c in message.tool_calls if not c.name}
    return all(not c.name and str(c.arguments) in before for c in message.tool_calls)
