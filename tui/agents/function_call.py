"""The usual agent: answer, or call tools and ask the model again."""

from collections.abc import Generator, Iterable, Sequence
from itertools import count

import msgspec

from tui.agents.merge import merge
from tui.errors import ModelError
from tui.events import Event, MessageAdded, NoticeGiven
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models import Model
from tui.tools import ToolBox
from tui.turn import Turn


class FunctionCallAgent:
    """Asks the model, runs the tools it calls, and asks again until it answers."""

    def __init__(
        self,
        model: Model,
        toolbox: ToolBox | Iterable[object] = (),
        max_rounds: int = 8,
        system: str = "",
    ) -> None:
        """Take a model and its tools.

        `toolbox` may be what a `ToolBox` is made of, and may be empty. `max_rounds`
        is how often tools may be called before the model must answer without them; 0
        offers it none. `system` is put before messages that have no system message.
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

        The calls of one message run side by side. Each call is answered by a message
        of role `tool`, also when the turn is cancelled meanwhile, so that the
        conversation can be sent to a model again. Closing this generator early
        cancels the turn, and with it the tools that run.
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
        if self.system and not any(m.role == "system" for m in messages):
            messages.insert(0, Message("system", self.system))
        schemas = self.toolbox.schemas()
        used = {call.id for message in messages for call in message.tool_calls}
        unreadable: set[str] = set()
        for _ in range(self.max_rounds):
            reply = yield from self._ask(messages, schemas, turn)
            message = _distinct(reply.message, used)
            if not message.tool_calls:
                return (yield from self._end(message, reply.finish_reason, turn))
            yield MessageAdded(
                turn.message_id, message, finish_reason=reply.finish_reason
            )
            messages.append(message)
            messages += yield from self._call(message, turn)
            turn.next_message()
            turn.cancel.raise_if_requested()
            if _stuck(message, unreadable):
                yield NoticeGiven(
                    "The model repeats a tool call that cannot be read; it now "
                    "answers without tools."
                )
                break
        else:
            if self.max_rounds:
                yield NoticeGiven(
                    f"Tools have been called {self.max_rounds} times in a row, which "
                    f"is the limit; the model now answers with what it has."
                )
        return (yield from self._answer(messages, turn))

    def _ask(
        self, messages: list[Message], tools: list[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        turn.cancel.raise_if_requested()
        return (yield from self.model.generate(messages, tools, turn))

    def _answer(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        reply = yield from self._ask(messages, [], turn)
        message, finish_reason = reply.message, reply.finish_reason
        if message.tool_calls:
            # Calls that nobody answers would spoil the next request.
            message = msgspec.structs.replace(message, tool_calls=())
            finish_reason = "stop" if finish_reason == "tool_calls" else finish_reason
        return (yield from self._end(message, finish_reason, turn))

    def _end(
        self, message: Message, finish_reason: str, turn: Turn
    ) -> Generator[Event, None, Message]:
        """End with the last message; raises `ModelError` when it says nothing."""
        if message.text or message.reasoning:
            yield MessageAdded(turn.message_id, message, finish_reason=finish_reason)
        if not message.text.strip():
            raise _no_answer(self.model.name, finish_reason)
        return message

    def _call(
        self, message: Message, turn: Turn
    ) -> Generator[Event, None, list[Message]]:
        runs = [self.toolbox.run(call, turn) for call in message.tool_calls]
        results = yield from merge(runs)
        answers: list[Message] = []
        for number, result in enumerate(results, 1):
            answer = Message("tool", result.output, tool_call_id=result.call_id)
            answers.append(answer)
            yield MessageAdded(f"{turn.message_id}.{number}", answer)
        return answers


def _no_answer(model: str, finish_reason: str) -> ModelError:
    if finish_reason == "length":
        return ModelError(
            f"{model} has used up all tokens that its answer may have before the first "
            "word of it (finish_reason length). Allow it more (max_tokens), or ask "
            "for less.",
            "empty",
        )
    return ModelError(
        f"{model} ended without an answer (finish_reason {finish_reason}). Try again, "
        "or ask in other words.",
        "empty",
    )


def _distinct(message: Message, used: set[str]) -> Message:
    """Give calls whose id was used before another, and leave out doubles.

    Some servers number the calls anew in each reply, but events of different rounds
    are told apart by the id. A call that cannot be read is told to the model once.
    """
    calls: list[ToolCall] = []
    seen: set[str] = set()
    for call in message.tool_calls:
        if not call.name:
            if str(call.arguments) in seen:
                continue
            seen.add(str(call.arguments))
        id = call.id
        if id in used or len(id) > 40:  # as many as OpenAI takes
            id = next(i for i in (f"{id[:32]}_{n}" for n in count(2)) if i not in used)
        used.add(id)
        calls.append(msgspec.structs.replace(call, id=id))
    return msgspec.structs.replace(message, tool_calls=tuple(calls))


def _stuck(message: Message, unreadable: set[str]) -> bool:
    """Whether all calls are unreadable ones that the model was told of before."""
    before = set(unreadable)
    unreadable |= {str(c.arguments) for c in message.tool_calls if not c.name}
    return all(not c.name and str(c.arguments) in before for c in message.tool_calls)
