"""`WebModule`: the app itself, in a browser, for what a program has made.

The program answers: its models, agents, tools and keys stay in its process. A page of
the browser is the app of a process without them, which only follows conversations.
"""

import inspect
import logging
import math
import sys
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, cast

from tui import agents
from tui.errors import Cancelled, LazychatError, ModelError
from tui.events import (
    Event,
    MessageAdded,
    ToolCallFinished,
    ToolCallStarted,
    ToolProgressed,
    TurnRequested,
)
from tui.lazyllm.arguments import ArgumentError, unknown
from tui.lazyllm.file_queue import default_log
from tui.lazyllm.function_call import AgentModule
from tui.lazyllm.modules import ChatModule, Module
from tui.messages import Message, ToolCall
from tui.models import window_of
from tui.runtime.runner import Runner
from tui.runtime.served import Served, ServedModel
from tui.safe import safe
from tui.tools import running
from tui.turn import Turn
from tui.web import MOST_PAGES, Ports, WebServer

_logger = logging.getLogger(__name__)

_PORTS = range(20500, 20800)
_IGNORED = (
    *("components", "text_mode", "trace_mode", "audio", "files_target"),
    *("static_paths", "encode_files"),
)
"""Arguments of LazyLLM's page that the app has no use for."""


class WebModule:
    """Serves a module, an agent or a function `text -> text` to browsers.

    `port` is one port or several, of which the first free one is taken; `title` is
    that of the pages. With `stream` false, pages begin with their stream switch off.
    `history` is accepted: a module always gets the conversation so far, a function only
    if it has a parameter `llm_chat_history`. `host` is the address to listen on, and
    `pages` the most pages that may be open at a time. Raises `ArgumentError`.
    """

    class Mode:
        """LazyLLM's ways to show a text; the app has its own, which streams."""

        Dynamic, Refresh, Appendix = range(3)

    def __init__(
        self,
        m: object,
        *,
        title: str = "",
        port: Ports | None = None,
        history: Iterable[object] = (),
        stream: object = True,
        host: str = "127.0.0.1",
        pages: int = MOST_PAGES,
        share: bool = False,
        **options: object,
    ) -> None:
        if share:
            raise ArgumentError(
                "share=True would send the conversations through a public server of "
                "others. From another machine: ssh -L PORT:localhost:PORT THIS_MACHINE."
            )
        known = ("title", "port", "history", "stream", "host", "pages", *_IGNORED)
        unknown("WebModule", set(options) - set(_IGNORED), known)
        for name in sorted(name for name, value in options.items() if value):
            print(f"lazychat: WebModule ignores {name}.", file=sys.stderr)
        self._behind = _behind(m)
        self._stream = bool(stream) and self._behind.stream
        self._runner: Runner | None = None
        self._server = WebServer(
            self._describe,
            host=host,
            ports=_PORTS if port is None else port,
            title=title,
            pages=pages,
        )
        self._stopped = threading.Event()

    def start(self) -> "WebModule":
        """Serve, print the address to open, and return this object.

        Raises `ConfigError` if no port is free or the package websockets is missing.
        """
        if self._server.running:
            return self
        runner = Runner(default_log(), self._behind.agent)
        runner.start()
        self._runner = runner
        try:
            self._server.start()
        except BaseException:
            runner.close()
            raise
        self._stopped.clear()
        print(f"lazychat: open {self.url}", flush=True)
        load: Any = getattr(self._behind.model, "preload", None)
        if load:
            threading.Thread(
                target=_quietly, args=(load,), name="lazychat-preload", daemon=True
            ).start()
        return self

    update = start

    def wait(self) -> None:
        """Block until Ctrl+C or `stop`; Ctrl+C stops it, and then this returns."""
        try:
            while self._server.running and not self._stopped.wait(1.0):
                pass
        except KeyboardInterrupt:
            print(file=sys.stderr)
        self.stop()

    def stop(self) -> None:
        """Close the pages; running answers are cancelled, and what they said is kept.

        May be called in any thread, more than once.
        """
        self._stopped.set()
        self._server.stop()
        runner, self._runner = self._runner, None
        if runner:
            runner.close()

    @property
    def url(self) -> str:
        """The address to open, with its token; "" before `start`."""
        return self._server.url

    @property
    def status(self) -> str:
        """`running` or `stopped`."""
        return "running" if self._server.running else "stopped"

    def _describe(self) -> Served:
        behind, runner = self._behind, self._runner
        schemas = behind.tools.schemas() if behind.tools is not None else []
        window = window_of(behind.model) if behind.model else 0
        return Served(
            runner.id if runner else "",
            behind.name,
            {behind.name: ServedModel("what the program serves", window=window)},
            tuple(schemas),
            tuple(schema.name for schema in schemas),
            self._stream,
        )


def _quietly(load: Callable[[], object]) -> None:
    with suppress(Exception):  # what is wrong is said when the model is asked
        load()


def _behind(m: object) -> "_ModuleBehind | _FunctionBehind":
    if isinstance(m, Module):
        return _ModuleBehind(m)
    if callable(getattr(m, "generate", None)):
        return _ModuleBehind(ChatModule(cast(Any, m)))
    if callable(m):
        return _FunctionBehind(m)
    raise ArgumentError(
        f"WebModule takes a module, an agent or a function, not {type(m).__name__}."
    )


class _ModuleBehind:
    """A module of the program."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.stream = module.stream
        self.tools = module.toolbox if isinstance(module, AgentModule) else None
        self.model: Any = getattr(module, "model", None)
        self.name: str = getattr(self.model, "name", "") or type(module).__name__

    def agent(self, request: TurnRequested) -> agents.Agent:
        """Return what answers `request`, with the tools that it names."""
        if request.agent == "summary":
            return agents.SummaryAgent(self.model, str(request.options.get("keep", "")))
        return _ModuleAgent(self._module, request.tools)


class _ModuleAgent:
    def __init__(self, module: Module, tools: Collection[str]) -> None:
        self._module = module
        self._tools = tools

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        return (yield from self._module.answer(messages, turn, self._tools))


class _FunctionBehind:
    """A function of the program. What it asks models is shown with the tool calls."""

    stream = True
    tools = None
    model = None

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)

    def agent(self, request: TurnRequested) -> agents.Agent:
        """Return what answers `request`."""
        if request.agent == "summary":
            raise ModelError("A function cannot summarise a conversation.")
        return _FunctionAgent(self._function, self.name)


class _FunctionAgent:
    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self._name = name

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        turn = turn or Turn()
        turn.cancel.raise_if_requested()
        question = next((m.text for m in reversed(messages) if m.role == "user"), "")
        history: dict[str, Any] = {}
        if _takes_history(self._function):
            said = [m for m in messages[:-1] if m.role in ("user", "assistant")]
            history["llm_chat_history"] = [
                {"role": m.role, "content": m.text} for m in said
            ]
        call = ToolCall(f"{turn.message_id}.f", self._name, {"input": question})
        yield ToolCallStarted(call)
        began = monotonic()
        work = partial(self._function, question, **history)
        try:
            answer = yield from self._listen(work, call, turn)
        except LazychatError as error:
            yield ToolCallFinished(call.id, monotonic() - began, str(error))
            raise
        yield ToolCallFinished(call.id, monotonic() - began)
        message = Message("assistant", safe(answer))
        yield MessageAdded(turn.message_id, message, finish_reason="stop")
        return message

    def _listen(
        self, work: Callable[[], Any], call: ToolCall, turn: Turn
    ) -> Generator[Event, None, str]:
        # As a tool, so that modules that it calls write nothing into the conversation.
        for news in running.run(work, math.inf, turn.cancel, self._name, call.id):
            match news:
                case running.Progress(text=text):
                    yield ToolProgressed(call.id, safe(text))
                case running.Returned(value=value):
                    return value if isinstance(value, str) else str(value)
                case running.Raised(error=error):
                    if isinstance(error, LazychatError):
                        raise error
                    _logger.error("%s failed", self._name, exc_info=error)
                    raise ModelError(
                        f"{self._name} failed: {type(error).__name__}: {error}"
                    ) from error
                case _:
                    break
        raise Cancelled


def _takes_history(function: Callable[..., Any]) -> bool:
    with suppress(TypeError, ValueError):
        return "llm_chat_history" in inspect.signature(function).parameters
    return False
