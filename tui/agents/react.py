"""ReAct: tools for models without tool calling, by a text protocol.

The model writes `Thought:`, `Action:` and `Action Input:`, is told `Observation:`, and
ends with `Final Answer:` (Yao et al., "ReAct", 2022). Only what follows `Final Answer:`
is the answer; everything before it is reasoning. The rounds are those of the usual
agent, since calls in this form are handled like any others.

A model with native tool calls may be asked for those instead, and is then told only how
to proceed. Calls that it writes in the text form are still recognised.
"""

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import Any

import msgspec

from tui.agents.function_call import FunctionCallAgent
from tui.agents.react_listener import Listener
from tui.events import (
    Event,
    NoticeGiven,
    ReasoningDelta,
    Relabelled,
    TextDelta,
    ToolCallOpened,
)
from tui.i18n import _
from tui.messages import Message, Reply, ToolCall, ToolSchema, since_question
from tui.models import Model, calls_tools, takes_instructions, window_of
from tui.tools import ToolBox
from tui.turn import Turn

_FORM = """\
You can use tools. These are all there are:

{tools}

Write in this form, and in no other:

Thought: what to do next, and why
Action: the name of one tool
Action Input: its arguments, as a JSON object

Then stop. The tool's result is given to you as "Observation: ...", after which you go \
on in the same form. Never write an observation yourself. As soon as you know the \
answer, or when no tool is needed, write:

Thought: why this is the answer
Final Answer: the answer to the user, in the language of the question"""

_LAST = """\
Tools cannot be used any more. Write the answer with what you know, in this form:

Final Answer: the answer to the user, in the language of the question"""

_STEPS = """\
Solve the task step by step. Before each step, think about what you still need to \
know. If a tool can tell you, call the one that fits best, and look at its result \
before you go on. Call no tool once you know enough. Then write the answer alone, \
without the steps that led to it, in the language of the question."""

_GO_ON = (
    'Go on from there: write either "Action:" and "Action Input:", or "Final Answer:".'
)


class ReactAgent(FunctionCallAgent):
    """Answers step by step, with tools that the model calls in ReAct's format."""

    def __init__(
        self,
        model: Model,
        toolbox: ToolBox | Iterable[object] = (),
        max_rounds: int = 8,
        system: str = "",
        *,
        native: bool = False,
    ) -> None:
        """Set the model and its tools; see `FunctionCallAgent`.

        With `native`, a model that has tool calls of its own is asked for those; a
        system message replaces the advice that it is given. A model that is too small
        for the format is asked as usual, and so is one without tools.
        """
        super().__init__(model, toolbox, max_rounds, system)
        self._too_small = False
        if len(self.toolbox) and max_rounds:
            self._too_small = not takes_instructions(model)
            self.model: Model = model if self._too_small else ReactModel(model, native)

    def _run(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        if self._too_small:
            yield NoticeGiven(
                _(
                    "{name} is too small for ReAct; it calls tools in its own format."
                ).format(name=self.model.name)
            )
        return (yield from super()._run(messages, turn))


class ReactModel:
    """A model that is asked in ReAct's format, and calls tools like any other."""

    def __init__(self, model: Model, native: bool = False) -> None:
        """Set the model; with `native` it is asked for tool calls of its own first."""
        self._model = model
        self._native = native

    @property
    def name(self) -> str:
        """The name of the model that is asked."""
        return self._model.name

    @property
    def window(self) -> int:
        """See `window_of`."""
        return window_of(self._model)

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`; see `Model.generate`.

        Without `tools` the model is told that it can call no more. The model is
        interrupted once it has written a call. If it thinks and does nothing, it is
        told once to go on.
        """
        if self._native and calls_tools(self._model):
            listener = Listener(turn.message_id, tools, thinks_first=False)
            reply = yield from self._ask(_advised(messages), tools, listener, turn)
            if reply is not None:
                return reply
        listener = Listener(turn.message_id, tools)
        reply = yield from self._ask(in_form(messages, tools), (), listener, turn)
        assert reply is not None, "nothing was offered that could be refused"
        return reply

    def _ask(
        self,
        asked: list[Message],
        tools: Sequence[ToolSchema],
        listener: Listener,
        turn: Turn,
    ) -> Generator[Event, None, Reply | None]:
        """Ask the model; return None if it takes no tools, and has said nothing."""
        reason = yield from self._listen(asked, tools, listener, turn)
        if reason is None:
            return None
        if listener.only_thinks:
            turn.cancel.raise_if_requested()
            asked = [*asked, Message("assistant", listener.written), _GO_ON_MESSAGE]
            yield from listener.again()
            again = yield from self._listen(asked, tools, listener, turn)
            reason = again or "stop"
        yield from listener.answer()
        if listener.calls:
            reason = "tool_calls" if reason == "stop" else reason
        elif reason == "tool_calls":
            reason = "stop"
        return Reply(listener.message(), reason)

    def _listen(
        self,
        asked: Sequence[Message],
        tools: Sequence[ToolSchema],
        listener: Listener,
        turn: Turn,
    ) -> Generator[Event, None, str | None]:
        """Ask the model and return its finish reason, None as `_ask` does."""
        begun = False
        with closing(self._model.generate(asked, tools, turn)) as run:
            while not listener.called:
                try:
                    event = next(run)
                except StopIteration as end:
                    reply: Reply = end.value
                    yield from listener.end(reply.message.tool_calls)
                    return reply.finish_reason
                # A server's refusal is known before the first word.
                if tools and not begun and not calls_tools(self._model):
                    return None
                begun = True
                match event:
                    case TextDelta(_, text):
                        yield from listener.text(text)
                    case ReasoningDelta(_, text):
                        yield from listener.reasoning(text)
                    case Relabelled(_, as_text):
                        yield from listener.relabel(as_text)
                    case ToolCallOpened():
                        yield from listener.opened()
                    case _:
                        begun = False
                        yield event
        yield from listener.end(())
        return "stop"


def _advised(messages: Sequence[Message]) -> list[Message]:
    """Return a request that says how to go about it, unless a system message does."""
    if any(message.role == "system" for message in messages):
        return list(messages)
    return [Message("system", _STEPS), *messages]


_GO_ON_MESSAGE = Message("user", _GO_ON)


def in_form(messages: Sequence[Message], tools: Sequence[ToolSchema]) -> list[Message]:
    """Return a request without tools: text describes them and their results."""
    form = _FORM.format(tools="\n".join(map(described, tools))) if tools else _LAST
    system = [m.text for m in messages if m.role == "system"]
    asked = [Message("system", "\n\n".join([*system, form]))]
    first = len(since_question(messages)[0])  # of what was said since
    observed = False
    for number, message in enumerate(messages):
        match message.role:
            case "system":
                continue
            case "assistant":
                written = _written(message, thinks=number >= first)
                asked.append(Message("assistant", written))
            case "tool":
                told = f"Observation: {message.text}"
                files = message.attachments
                if observed:
                    before = asked.pop()
                    told = f"{before.text}\n{told}"
                    files = (*before.attachments, *files)
                asked.append(Message("user", told, attachments=files))
            case "user":
                asked.append(message)
        observed = message.role == "tool"
    return asked


def described(tool: ToolSchema) -> str:
    """Return a tool in a line: its name, what it does, its parameters."""
    about = " ".join(tool.description.split())
    parameters: Any = tool.parameters.get("properties") or {}
    required: Any = tool.parameters.get("required") or []
    schema = json.dumps(
        {"properties": parameters, "required": required}, ensure_ascii=False
    )
    return f"- {tool.name}: {about} Arguments: {schema}"


def _written(message: Message, thinks: bool) -> str:
    """Return an assistant's message as it would be in the form."""
    if not message.tool_calls:
        return f"Final Answer: {message.text}"
    thought = (message.text or (message.reasoning if thinks else "")).strip()
    lines = [f"Thought: {thought}"] if thought else []
    return "\n".join([*lines, *map(_action, message.tool_calls)])


def _action(call: ToolCall) -> str:
    arguments = call.arguments
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    return f"Action: {call.name}\nAction Input: {arguments}"
