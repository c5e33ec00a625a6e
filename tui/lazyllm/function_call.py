"""`FunctionCall`: one round with tools. `FunctionCallAgent`: as many as it takes."""

import copy
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from tui import agents
from tui.agents.merge import merge
from tui.events import Event, MessageAdded
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.history import History, calls_of, wire_call
from tui.lazyllm.modules import ChatModule, ModelAgent, Module
from tui.lazyllm.scope import (
    ABSENT_ARGUMENTS,
    ABSENT_OF_CALLS,
    NEEDLESS_ARGUMENTS,
    refuse,
)
from tui.lazyllm.tool_manager import ToolManager, ungrouped
from tui.messages import Message
from tui.models import Model
from tui.safe import harmless
from tui.tools import ToolBox
from tui.turn import Turn

A = TypeVar("A", bound="AgentModule")


def model_of(llm: object, name: str) -> Model:
    """Return the model of the argument `name`; raises `ArgumentError`."""
    if isinstance(llm, ChatModule):
        return llm.model
    if callable(getattr(llm, "generate", None)):
        return cast(Model, llm)
    raise ArgumentError(
        f"{name} must be a TrainableModule, an OnlineChatModule or a model, not "
        f"{type(llm).__name__}."
    )


class AgentModule(Module):
    """Base of modules that call tools.

    What is not given is as in `llm`: `stream`, `return_trace` and the prompt.
    """

    def __init__(
        self,
        llm: ChatModule | Model,
        tools: Iterable[object] | ToolManager,
        *,
        stream: object = None,
        return_trace: bool | None = None,
        prompt: object = None,
        return_last_tool_calls: bool = False,
        **options: object,
    ) -> None:
        given = [option for option, value in options.items() if value]
        refuse(type(self).__name__, given, ABSENT_ARGUMENTS)
        known = ("llm", "tools", "max_retries", "stream", "return_trace", "prompt")
        odd = set(options) - set(ABSENT_ARGUMENTS) - NEEDLESS_ARGUMENTS
        unknown(type(self).__name__, odd, known)
        self.model = model_of(llm, "llm")
        own: Any = (True, False, None)
        if isinstance(llm, ChatModule):
            own = (llm.stream, llm.return_trace, llm.own_prompt)
        super().__init__(
            own[0] if stream is None else stream,
            own[1] if return_trace is None else return_trace,
            own[2] if prompt is None else prompt,
        )
        made = tools.all_tools if isinstance(tools, ToolManager) else tools
        self.toolbox = ToolBox(ungrouped(made))
        self._returns_calls = return_last_tool_calls

    def _make(self) -> ModelAgent:
        """Return what answers a call."""
        raise NotImplementedError

    def _with_tools(self: A, names: Collection[str]) -> A:
        twin = copy.copy(self)
        twin.toolbox = self.toolbox.select(n for n in self.toolbox.names if n in names)
        return twin

    def _agent(self, options: dict[str, Any]) -> AbstractContextManager[ModelAgent]:
        known = ("input", "llm_chat_history", "stream", "stream_output")
        refuse("A call", options, ABSENT_OF_CALLS)
        unknown(f"A call of {type(self).__name__}", options, known)
        return nullcontext(self._make())

    def _result(self, said: Sequence[Message], answer: Message) -> Any:
        if self._returns_calls and (calls := _calls_with_results(said)):
            return calls
        return harmless(answer.text)


class FunctionCallAgent(AgentModule):
    """An agent that calls tools until it has the answer.

    `tools` are names of registered tools, functions, methods or objects, or a
    `ToolManager`; `max_retries` is the most rounds of tool calls. Text for the user
    streams; function calls are run without being shown. With `return_last_tool_calls`
    a call returns the tool calls with their results, if there were any, and not the
    answer.
    """

    def __init__(
        self,
        llm: ChatModule | Model,
        tools: Iterable[object] | ToolManager,
        max_retries: int = 5,
        return_trace: bool | None = None,
        stream: object = None,
        return_last_tool_calls: bool = False,
        *,
        prompt: object = None,
        **options: object,
    ) -> None:
        super().__init__(
            llm,
            tools,
            stream=stream,
            return_trace=return_trace,
            prompt=prompt,
            return_last_tool_calls=return_last_tool_calls,
            **options,
        )
        self._rounds = max_retries

    def _make(self) -> ModelAgent:
        return agents.FunctionCallAgent(self.model, self.toolbox, self._rounds)


class FunctionCall(AgentModule):
    """One round: the model is asked, and the tools that it calls are run.

    A call returns the answer, or, if the model called tools, a dict with `role`,
    `content`, `tool_calls` and `tool_calls_results`. That dict is the input of the
    next round, whose history ends with the question. `_prompt` and `_tool_manager` are
    LazyLLM's names for `prompt` and `tools`.
    """

    def __init__(
        self,
        llm: ChatModule | Model,
        tools: Iterable[object] | ToolManager = (),
        *,
        return_trace: bool | None = None,
        stream: object = None,
        prompt: object = None,
        _prompt: object = None,
        _tool_manager: ToolManager | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            llm,
            _tool_manager or tools,
            stream=stream,
            return_trace=return_trace,
            prompt=_prompt if prompt is None else prompt,
            **options,
        )

    def _make(self) -> ModelAgent:
        return _Round(self.model, self.toolbox)

    def _request(self, query: Any, history: History | None) -> list[Message]:
        if not isinstance(query, Mapping) or "tool_calls_results" not in query:
            return super()._request(query, history)
        round = cast(Mapping[str, Any], query)
        calls = calls_of(round.get("tool_calls"), "tool_calls")
        results = list(round["tool_calls_results"])
        if len(calls) != len(results):
            raise ArgumentError(
                f"There are {len(calls)} tool_calls and {len(results)} "
                f"tool_calls_results."
            )
        called = Message("assistant", round.get("content") or "", tool_calls=calls)
        told = [
            Message("tool", str(result), tool_call_id=call.id)
            for call, result in zip(calls, results, strict=True)
        ]
        # The prompt puts a system message before; a question it must not add.
        before = self._prompt.messages(Message("user"), history)[:-1]
        return [*before, called, *told]

    def _result(self, said: Sequence[Message], answer: Message) -> Any:
        if not answer.tool_calls:
            return harmless(answer.text)
        results = {m.tool_call_id: m.text for m in said if m.role == "tool"}
        return {
            "role": "assistant",
            "content": harmless(answer.text),
            "tool_calls": [wire_call(call) for call in answer.tool_calls],
            "tool_calls_results": [results[call.id] for call in answer.tool_calls],
        }


class _Round:
    """The agent of one round; its last message may have calls."""

    def __init__(self, model: Model, toolbox: ToolBox) -> None:
        self.model = model
        self._toolbox = toolbox

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        turn = turn or Turn()
        try:
            return (yield from self._run(messages, turn))
        except GeneratorExit:
            turn.cancel.request()
            raise

    def _run(
        self, messages: Sequence[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        turn.cancel.raise_if_requested()
        reply = yield from self.model.generate(messages, self._toolbox.schemas(), turn)
        message = reply.message
        yield MessageAdded(turn.message_id, message, finish_reason=reply.finish_reason)
        runs = [self._toolbox.run(call, turn) for call in message.tool_calls]
        results = (yield from merge(runs)) if runs else []
        for number, result in enumerate(results, 1):
            answer = Message("tool", result.output, tool_call_id=result.call_id)
            yield MessageAdded(f"{turn.message_id}.{number}", answer)
        turn.cancel.raise_if_requested()
        return message


def _calls_with_results(said: Sequence[Message]) -> list[dict[str, Any]]:
    results = {m.tool_call_id: m.text for m in said if m.role == "tool"}
    return [
        {**wire_call(call), "tool_call_result": results.get(call.id)}
        for message in said
        for call in message.tool_calls
    ]
