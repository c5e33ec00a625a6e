"""Keeps the connections to all configured servers, in one background thread.

The thread has an event loop for all servers. A slow or dead server therefore delays
neither the start nor a turn: until it is connected, it just has no tools.
"""

import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tui.config import McpServerConfig
from tui.errors import LazychatError, ToolError
from tui.i18n import _
from tui.mcp.asking import Asking
from tui.mcp.values import Answer, Prompt, Question, Resource, ResourceText, ServerState

if TYPE_CHECKING:  # loaded in the thread: most programs have no servers
    import asyncio

    from tui.mcp.connection import Connection
    from tui.mcp.reading import Result
    from tui.mcp.tool import McpTool, Report

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that programs without a screen wait for servers to connect."""
CLOSE_SECONDS = 4.0
"""Most seconds that `close` waits for servers to end; then they are killed."""

_logger = logging.getLogger(__name__)


class Servers:
    """The servers of the configuration. Any thread may use it.

    `start` begins to connect; `close` ends all servers. Without servers both do
    nothing, and no thread is started.
    """

    def __init__(self, configured: Mapping[str, McpServerConfig]) -> None:
        self._configured = dict(configured)
        self._connections: dict[str, Connection] = {}
        self._asking = Asking()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._closed = False
        # Guards what follows, and is notified of each change.
        self._changes = threading.Condition()
        self._ready = False
        self.on_change: Callable[[], object] | None = None
        """Called in the loop after a state, a list or the questions have changed; it
        must not block."""
        self.on_note: Callable[[str, str], object] | None = None
        """Called in the loop with the name of a server and a line that it has written
        or logged, which no running call shows; it must not block."""

    def __bool__(self) -> bool:
        """Whether any server is configured."""
        return bool(self._configured)

    # -- life

    def start(self) -> None:
        """Begin to connect to all servers; only the first call counts."""
        if not self._configured or self._thread or self._closed:
            return
        self._thread = threading.Thread(
            target=self._run, name="lazychat-mcp", daemon=True
        )
        self._thread.start()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """End all servers; those that take more than `seconds` are killed."""
        self._closed = True
        if not self._thread:
            return
        with self._changes:
            self._changes.wait_for(lambda: self._ready, seconds)
        loop, stop = self._loop, self._stop
        if loop and stop:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(stop.set)
        self._thread.join(seconds)
        if self._thread.is_alive():
            from tui.mcp.stdio import end_group

            for connection in self._connections.values():
                end_group(connection.pid, signal.SIGKILL)

    def reconnect(self, name: str = "") -> list[str]:
        """Connect again to a server, or to all that are not connected.

        Returns the names of those servers; none if there is none called `name`.
        """
        if name:
            chosen = [s.name for s in self.states if s.name == name]
        else:
            lost = ("failed", "login", "retrying")
            chosen = [s.name for s in self.states if s.phase in lost]
        chosen = [each for each in chosen if not self._configured[each].disabled]
        for each in chosen:
            if connection := self._connections.get(each):
                self._call_soon(connection.reconnect)
        return chosen

    def check(self) -> None:
        """Ask the servers on HTTP whether they are still there; returns at once.

        A lost connection is made again, as its state shows. The
        others have processes, whose end is noticed at once.
        """
        for connection in list(self._connections.values()):
            self._call_soon(connection.check)

    def stop(self, name: str) -> bool:
        """End a server until `reconnect`; return whether there is one of that name."""
        connection = self._connections.get(name)
        if connection is None or self._configured[name].disabled:
            return False
        self._call_soon(connection.stop)
        return True

    def wait(self, seconds: float) -> None:
        """Wait until no server is connecting any more, for `seconds` at most."""
        if not self._thread:
            return
        with self._changes:
            self._changes.wait_for(
                lambda: all(s.phase != "connecting" for s in self.states), seconds
            )

    # -- what there is

    @property
    def states(self) -> tuple[ServerState, ...]:
        """The servers in the order of the configuration."""
        return tuple(
            connection.state
            if (connection := self._connections.get(name))
            else ServerState(name, "disabled" if settings.disabled else "connecting")
            for name, settings in self._configured.items()
        )

    @property
    def tools(self) -> "list[McpTool]":
        """The tools of all servers, with different names.

        Those of a server that has ended stay, and calling one says what happened.
        """
        found: dict[str, McpTool] = {}
        for connection in list(self._connections.values()):
            for tool in connection.tools:
                found.setdefault(tool.name, tool)
        return list(found.values())

    def may_have(self, name: str) -> bool:
        """Return whether `name` is one that tools of a configured server have.

        The server may not be connected yet, or have no such tool.
        """
        from tui.mcp.naming import server_prefix

        return any(name.startswith(server_prefix(each)) for each in self._configured)

    @property
    def prompts(self) -> list[Prompt]:
        """The prompts of all servers."""
        connections = list(self._connections.values())
        return [prompt for each in connections for prompt in each.prompts]

    @property
    def resources(self) -> list[Resource]:
        """The resources of all servers."""
        connections = list(self._connections.values())
        return [resource for each in connections for resource in each.resources]

    def prompt_text(self, prompt: Prompt, arguments: Mapping[str, str]) -> str:
        """Return the text of a prompt. Blocks; raises `LazychatError`."""
        connection = self._of(prompt.server)
        return self._result(connection.prompt(prompt.name, dict(arguments)))

    def read_resource(self, server: str, uri: str) -> list[ResourceText]:
        """Return what a resource contains. Blocks; raises `LazychatError`."""
        return self._result(self._of(server).resource(uri))

    # -- questions of servers

    @property
    def questions(self) -> tuple[Question, ...]:
        """What servers ask the user now, oldest first."""
        return self._asking.open

    def listen_to_questions(self) -> None:
        """Keep questions until they are answered; before, each is declined at once."""
        self._asking.on_change = self._changed

    def leave(self) -> None:
        """Call nobody any more: the screen is gone. Open questions are declined."""
        self.on_change = self.on_note = None
        self._asking.on_change = None
        for question in self.questions:
            self.answer(question.id, Answer("decline"))

    def answer(self, id: str, answer: Answer) -> None:
        """Answer a question; one that is no longer open is ignored."""
        self._asking.answer(id, answer)

    # -- the thread

    def _run(self) -> None:
        import asyncio

        try:
            asyncio.run(self._serve())
        except Exception as error:
            _logger.error("the thread for MCP servers has ended", exc_info=error)
        finally:
            with self._changes:
                self._ready = True
                self._changes.notify_all()

    async def _serve(self) -> None:
        import asyncio

        from tui.mcp.connection import Connection

        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_problem)
        self._stop = asyncio.Event()
        self._connections = {
            name: Connection(
                name,
                settings,
                begin=partial(self._begin, name),
                asking=self._asking,
                changed=self._changed,
                note=partial(self._note, name),
            )
            for name, settings in self._configured.items()
        }
        with self._changes:
            self._ready = True
            self._changes.notify_all()
        _quiet_libraries()
        tasks = [asyncio.ensure_future(c.run()) for c in self._connections.values()]
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, name: str, tool: str, arguments: Mapping[str, Any], report: "Report"
    ) -> "Future[Result]":
        return self._submit(self._of(name).call(tool, arguments, report))

    def _of(self, name: str) -> "Connection":
        connection = self._connections.get(name)
        if connection is None:
            raise LazychatError(_("There is no MCP server {name}.").format(name=name))
        return connection

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        import asyncio

        loop = self._loop
        try:
            if loop is None:
                raise RuntimeError("not started")
            return asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:
            work.close()
            raise ToolError("the MCP servers have ended") from error

    def _result(self, work: Coroutine[Any, Any, T]) -> T:
        return self._submit(work).result()

    def _call_soon(self, work: Callable[[], object]) -> None:
        if self._loop:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(work)

    def _changed(self) -> None:
        with self._changes:
            self._changes.notify_all()
        if tell := self.on_change:
            with suppress(RuntimeError):  # the screen has just ended
                tell()

    def _note(self, name: str, text: str) -> None:
        _logger.info("MCP server %s: %s", name, text)
        if tell := self.on_note:
            with suppress(RuntimeError):
                tell(name, text)


def _quiet_libraries() -> None:
    """Keep the libraries' loggers from printing over the screen."""
    for name in ("mcp", "client", "httpx2", "httpcore2", "asyncio"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _log_problem(loop: "asyncio.AbstractEventLoop", context: dict[str, Any]) -> None:
    """Log what no code awaits; asyncio would print it over the screen."""
    _logger.error("%s", context.get("message"), exc_info=context.get("exception"))
