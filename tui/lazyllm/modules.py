"""LazyLLM's callable modules: they take a question and return the answer.

Each call is a turn in the log of the current session.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tui import agents, config, process_identity, session
from tui.errors import ConfigError, ModelError
from tui.events import MessageAdded, TurnRequested
from tui.lazyllm import pool
from tui.lazyllm.file_queue import default_log
from tui.messages import Message
from tui.models import Model
from tui.models.catalog import ModelCatalog
from tui.runtime.turn_driver import drive
from tui.tools import Tool, register
from tui.turn import Turn

F = TypeVar("F", bound=Callable[..., Any])

History = Sequence[Sequence[str] | Mapping[str, str]]
"""`[user, assistant]` pairs, or dicts with `role` and `content`."""


class _Module:
    """Base of modules that can be called with a question."""

    def __init__(self, stream: bool) -> None:
        self.stream = stream
        """If False, the queue gets each message at once; may be changed at any time."""

    def _agent(self) -> agents.FunctionCallAgent:
        raise NotImplementedError

    def __call__(self, query: str, *, llm_chat_history: History = ()) -> str:
        """Answer `query` in this thread; the text streams into the log.

        Raises `LazychatError`; the text so far stays in the log.
        """
        if not isinstance(query, str):  # pyright: ignore[reportUnnecessaryIsInstance] # callers may not be type-checked
            what = type(query).__name__
            raise ConfigError(f"A question must be text, not {what}: {query!r:.60}.")
        log, id = default_log(), session.current()
        turn, agent = Turn(), self._agent()
        question = Message("user", query)
        log.append(
            id,
            MessageAdded(f"{turn.id}.0", question),
            TurnRequested(
                agent.model.name, options={"stream": self.stream}, runner="lazyllm"
            ),
            process_identity.claim(),
            turn=turn.id,
        ).result()
        messages = [*_messages(llm_chat_history), question]
        with pool.breakable(turn.cancel):
            outcome = drive(log, id, turn, lambda: agent, messages)
        if outcome.failure or outcome.answer is None:
            raise outcome.failure or ModelError("The model gave no answer.")
        return outcome.answer.text


class _ChatModule(_Module):
    """A model without tools."""

    def __init__(self, model: Model, stream: bool) -> None:
        super().__init__(stream)
        self.model = model

    def _agent(self) -> agents.FunctionCallAgent:
        return agents.FunctionCallAgent(self.model)


class TrainableModule(_ChatModule):
    """A local model: `[models.NAME]` of the configuration, or a GGUF file.

    If there is neither, the starter is used, and a line on stderr reports it.
    """

    def __init__(self, base_model: str = "", stream: bool = True) -> None:
        settings = config.load()
        catalog = ModelCatalog(settings)
        name = base_model
        try:
            catalog.find(name)
        except ConfigError:
            name = "starter"
            print(
                f'lazychat: no model is named "{base_model}"; using the starter.',
                file=sys.stderr,
            )
        super().__init__(catalog.get(name), stream)


class OnlineChatModule(_ChatModule):
    """A model on an OpenAI-compatible server.

    `source` is a supplier such as `openai` or `deepseek`; None uses the first one whose
    key is set. `base_url` is the address of the user's own server, which may need no
    key. Otherwise a missing key raises `ModelError`, which names its variable.
    """

    def __init__(
        self,
        source: str | None = None,
        model: str | None = None,
        stream: bool = True,
        base_url: str = "",
    ) -> None:
        from tui.models.suppliers import SUPPLIERS

        if source is None and not base_url:
            usable = [
                name
                for name, preset in SUPPLIERS.items()
                if _has_key(preset.key_env) and not preset.key_for_more
            ]
            if not usable:
                raise ModelError(
                    "No online model has a key: set the variable OPENAI_API_KEY, or "
                    "that of another supplier.",
                    "missing_key",
                )
            source = usable[0]
        source = source or "openai"
        preset = SUPPLIERS.get(source)
        variable = preset.key_env if preset else ""
        keyed = _has_key(variable)
        if variable and not keyed and not base_url:
            raise ModelError(
                f"The supplier {source} needs a key: set the variable {variable}.",
                "missing_key",
            )
        model = model or (preset.model if preset else "")
        if base_url:  # the user's own server may need no key
            chosen = config.OpenAIModelConfig(
                model, base_url, api_key_env=variable if keyed else ""
            )
        else:
            chosen = config.OpenAIModelConfig(model, supplier=source)
        settings = config.Config(models={source: chosen})
        super().__init__(ModelCatalog(settings).get(source), stream)


class FunctionCallAgent(_Module):
    """An agent that calls tools until it has the answer.

    `tools` are names of registered tools, functions or bound methods; `max_retries` is
    the most rounds of tool calls. Text for the user streams; function calls are run
    without being shown. `stream` None means the setting of `llm`.
    """

    def __init__(
        self,
        llm: _ChatModule | Model,
        tools: Iterable[object],
        max_retries: int = 5,
        stream: bool | None = None,
    ) -> None:
        if isinstance(llm, _ChatModule):
            model, streams = llm.model, llm.stream
        else:
            model, streams = llm, True
        super().__init__(streams if stream is None else stream)
        self._function_call = agents.FunctionCallAgent(model, list(tools), max_retries)

    def _agent(self) -> agents.FunctionCallAgent:
        return self._function_call


def fc_register(group: str) -> Callable[[F], F]:
    """Register the decorated function as a tool; `group` must be `tool`.

    Raises `ConfigError` for another group and for a function without a docstring.
    """
    if group != "tool":
        raise ConfigError(f'fc_register knows the group "tool", not "{group}".')

    def decorate(function: F) -> F:
        register(Tool(function))
        return function

    return decorate


def _messages(history: History) -> list[Message]:
    messages: list[Message] = []
    for said in history:
        if isinstance(said, Mapping):
            role: Any = said["role"]
            messages.append(Message(role, said["content"] or ""))
        else:
            question, answer = said
            messages += [Message("user", question), Message("assistant", answer)]
    return messages


def _has_key(variable: str) -> bool:
    return bool(variable and os.environ.get(variable))
