"""LazyLLM's callable modules: they take a question and return the answer.

Each call is a turn in the log of the current session, but for calls within a tool,
which are the tool's own business: they return their answer to it and write nothing.
"""

import copy
import sys
from collections.abc import AsyncGenerator, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from typing import Any, Protocol, TypeVar

from tui import agent_names, agents, config, process_identity, session
from tui.errors import ConfigError, ModelError
from tui.events import Event, MessageAdded, TurnRequested
from tui.lazyllm import pool
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.file_queue import default_log
from tui.lazyllm.history import History
from tui.lazyllm.prompts import ChatPrompter, Instruction, prompter
from tui.lazyllm.scope import (
    ABSENT,
    ABSENT_METHODS,
    ABSENT_OF_CALLS,
    ABSENT_OF_SHARE,
    refuse,
)
from tui.lazyllm.stream_call import StreamCallHelper
from tui.lazyllm.trace import told
from tui.messages import Message
from tui.models import Model
from tui.models.catalog import ModelCatalog
from tui.runtime.turn_driver import drive
from tui.safe import harmless
from tui.tools import report, running
from tui.turn import Turn

M = TypeVar("M", bound="Module")


class ModelAgent(agents.Agent, Protocol):
    """An agent that asks one model."""

    model: Model


class Module:
    """Base of modules that can be called with a question.

    A subclass says in `_agent` what answers.
    """

    agent_name = agent_names.DEFAULT
    """What the log calls it."""

    def __init__(
        self, stream: object = True, return_trace: bool = False, prompt: object = None
    ) -> None:
        self.stream = bool(stream)
        """If False, the queue gets each message at once; may be changed at any time."""
        self.return_trace = return_trace
        """Whether `lazy_trace` gets what happens inside of the calls."""
        self._prompt = prompter(prompt)

    def __init_subclass__(cls) -> None:
        if "forward" in vars(cls):
            raise ArgumentError(
                f"{cls.__name__}: a module has no forward to override: override "
                f"__call__, or {ABSENT['ModuleBase']}."
            )

    @property
    def own_prompt(self) -> ChatPrompter:
        """What is said before each question."""
        return self._prompt

    def start(self: M) -> M:
        """Return this module: it needs no start, and loads a model when it is asked."""
        return self

    def prompt(
        self: M,
        prompt: ChatPrompter | Instruction | None = None,
        history: History | None = None,
    ) -> M:
        """Set the prompt that precedes each question, and return this module.

        None removes it. `history` comes before the history of a call.
        """
        made = copy.copy(prompter(prompt))
        if history is not None:
            made.history = ChatPrompter(history=history).history
        self._prompt = made
        return self

    def share(
        self: M,
        prompt: ChatPrompter | Instruction | None = None,
        format: None = None,
        stream: object = None,
        history: History | None = None,
        copy_static_params: bool = False,
    ) -> M:
        """Return a copy with the same model, and with the given changes.

        `format` must be None. Options of the copy never change those of the original,
        whatever `copy_static_params` is.
        """
        if format is not None:
            refuse("share", ["format"], ABSENT_OF_SHARE)
        twin = copy.copy(self)
        if stream is not None:
            twin.stream = bool(stream)
        if prompt is not None or history is not None:
            twin.prompt(self._prompt if prompt is None else prompt, history)
        return twin

    def _agent(self, options: dict[str, Any]) -> AbstractContextManager[ModelAgent]:
        """Return what answers one call; `options` are the other arguments of it.

        It may be left once the call is over. Raises `ArgumentError`.
        """
        raise NotImplementedError

    def _request(self, query: Any, history: History | None) -> list[Message]:
        return self._prompt.messages(query, history)

    def _result(self, said: Sequence[Message], answer: Message) -> Any:
        """Return the value of a call; `said` are the messages that it added."""
        return harmless(answer.text)

    def __call__(
        self,
        input: Any,
        llm_chat_history: History | None = None,
        *,
        stream_output: object = None,
        stream: object = None,
        **options: Any,
    ) -> Any:
        """Answer `input` in this thread; the text streams into the log.

        `input` is the question, or a dict with it under `input` and the values that
        the prompt names. `stream` and `stream_output` mean the same: whether this call
        streams. Raises `LazychatError`; the text so far stays in the log.

        Within a tool nothing is written: the answer is returned to the tool, and the
        debug panel shows what happens. It ends when the tool is abandoned.
        """
        options = {k: v for k, v in options.items() if v or k not in ABSENT_OF_CALLS}
        messages = self._request(input, llm_chat_history)
        chosen = next((s for s in (stream, stream_output) if s is not None), None)
        streams = self.stream if chosen is None else bool(chosen)
        with self._agent(options) as inner:
            agent = _Listener(inner)
            if call := running.current():
                answer = _answer_tool(agent, messages, call)
            else:
                answer = self._answer(agent, messages, streams)
        return self._result(agent.said, answer)

    async def astream_call(self, *args: Any, **options: Any) -> AsyncGenerator[str]:
        """Call it in a thread, in a session of its own, and yield the text as it comes.

        Takes what a call takes.
        """
        async with aclosing(StreamCallHelper(self).astream(*args, **options)) as pieces:
            async for piece in pieces:
                yield piece

    def answer(
        self,
        messages: Sequence[Message],
        turn: Turn | None = None,
        tools: Collection[str] = (),
    ) -> Generator[Event, None, Message]:
        """Answer a conversation as agents do, with the prompt: see `agents.Agent.run`.

        Of the module's tools only those in `tools` are used. Nothing is written to the
        log.
        """
        *before, asked = messages
        if asked.role != "user":  # an answer that is continued
            request = self._request(Message("user"), messages)[:-1]
        elif asked.attachments or not self._prompt.has_slots:
            request = self._request(asked, before)
        else:
            request = self._request(asked.text, before)
        with self._with_tools(tools)._agent({}) as inner:
            return (yield from inner.run(request, turn))

    def _with_tools(self: M, names: Collection[str]) -> M:
        return self

    def _answer(
        self, agent: "_Listener", messages: list[Message], streams: bool
    ) -> Message:
        log, id, turn = default_log(), session.current(), Turn()
        options: dict[str, Any] = {"stream": streams}
        if self.return_trace:
            options["trace"] = True
        asked = [m for m in messages[-1:] if m.role == "user"]
        log.append(
            id,
            *(MessageAdded(f"{turn.id}.0", question) for question in asked),
            TurnRequested(
                agent.model.name, self.agent_name, options=options, runner="lazyllm"
            ),
            process_identity.claim(),
            turn=turn.id,
        ).result()
        with pool.breakable(turn.cancel):
            outcome = drive(log, id, turn, lambda: agent, messages)
        if outcome.failure or outcome.answer is None:
            raise outcome.failure or ModelError("The model gave no answer.")
        return outcome.answer

    def __getattr__(self, name: str) -> Any:
        if why := ABSENT_METHODS.get(name):
            raise AttributeError(f"{type(self).__name__} has no {name}: {why}.")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")


class _Listener:
    """An agent that keeps the messages that another one adds."""

    def __init__(self, agent: ModelAgent) -> None:
        self.said: list[Message] = []
        self.model = agent.model
        self._agent = agent

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        with closing(self._agent.run(messages, turn)) as run:
            while True:
                try:
                    event = next(run)
                except StopIteration as end:
                    return end.value
                if isinstance(event, MessageAdded):
                    self.said.append(event.message)
                yield event


def _answer_tool(
    agent: _Listener, messages: list[Message], call: running.Running
) -> Message:
    turn = Turn(cancel=call.cancel)
    with closing(agent.run(messages, turn)) as run:
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                return end.value
            if line := told(event):
                report(line)


class ChatModule(Module):
    """A model without tools."""

    def __init__(
        self,
        model: Model,
        stream: object = True,
        return_trace: bool = False,
        prompt: object = None,
    ) -> None:
        super().__init__(stream, return_trace, prompt)
        self.model = model

    @property
    def static_params(self) -> Mapping[str, Any]:
        """Further fields of each request."""
        return {}

    @static_params.setter
    def static_params(self, given: Mapping[str, Any]) -> None:
        if given:
            raise ArgumentError(
                f"{type(self).__name__} has no static_params: set options in "
                f"[models.NAME] of the configuration."
            )

    def _agent(self, options: dict[str, Any]) -> AbstractContextManager[ModelAgent]:
        refuse("A call", options, ABSENT_OF_CALLS)
        unknown(
            f"A call of {type(self).__name__}",
            options,
            ("input", "llm_chat_history", "stream", "stream_output"),
            " Set options in [models.NAME] of the configuration.",
        )
        return nullcontext(agents.FunctionCallAgent(self.model))


_OF_DOWNLOADS = frozenset({"trust_remote_code", "source", "use_model_map"})
"""Arguments about LazyLLM's downloads and training, which have no effect here."""
_NO_TARGET = (
    "TrainableModule has no target_path: give the path of a GGUF file as base_model."
)


def check_type(type: str | None) -> None:
    """Raise `ArgumentError` unless the type is that of chat models."""
    if type is not None and type.lower() not in ("llm", "vlm", "chat"):
        raise ArgumentError(
            f"type={type!r} is not offered: lazychat has chat models, llm or vlm."
        )


class TrainableModule(ChatModule):
    """A local model: `[models.NAME]` of the configuration, or a GGUF file.

    If there is neither, the starter is used, and a line on stderr reports it. LazyLLM's
    arguments about downloads are accepted; nothing is downloaded.
    """

    def __init__(
        self,
        base_model: str = "",
        target_path: str | bool | None = "",
        *,
        stream: object = True,
        return_trace: bool = False,
        type: str | None = None,
        **options: object,
    ) -> None:
        check_type(type)
        if isinstance(target_path, bool):  # the second argument of other modules
            stream, target_path = target_path, ""
        if target_path:
            raise ArgumentError(_NO_TARGET)
        unknown(
            "TrainableModule",
            set(options) - _OF_DOWNLOADS,
            ("base_model", "stream", "return_trace", "type", *_OF_DOWNLOADS),
        )
        if not isinstance(base_model, str):  # pyright: ignore[reportUnnecessaryIsInstance] # callers may not be type-checked
            raise ArgumentError(
                f"base_model must be a name or a path, not {base_model!r:.60}."
            )
        settings = config.load()
        catalog = ModelCatalog(settings)
        name = base_model
        try:
            catalog.find(name)
        except ConfigError:
            name = "starter"
            lack = f'is named "{base_model}"' if base_model else "is configured"
            print(f"lazychat: no model {lack}; using the starter.", file=sys.stderr)
        super().__init__(catalog.get(name), stream, return_trace)
