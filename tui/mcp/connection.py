"""Keeps the connection to one server, and everything that comes over it.

All of it runs in the event loop of `Servers`, except for the properties that other
threads read: those are replaced as a whole, never changed.

The file is long because one task goes through all states of a connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tui.config import McpServerConfig
from tui.errors import Cancelled, ConfigError, LazychatError, ToolError
from tui.i18n import N_, _
from tui.mcp import listing, reading, transport
from tui.mcp.asking import Asking
from tui.mcp.explaining import explain, is_invalid, is_lost, wants_login
from tui.mcp.mending import mended
from tui.mcp.naming import tool_names
from tui.mcp.reading import Throttle
from tui.mcp.retrying import BETWEEN_LISTS, Backoff
from tui.mcp.stdio import Child
from tui.mcp.text import line
from tui.mcp.tool import Begin, McpTool, Report
from tui.mcp.values import Prompt, Resource, ResourceText, ServerState

if TYPE_CHECKING:
    import mcp_types as types
    from mcp.client import Client, IncomingMessage

T = TypeVar("T")

CONNECT_SECONDS = 60.0
"""How long a server may take to start: npx and uvx download it the first time."""
ASK_SECONDS = 30.0
"""How long a server may take for a list, a prompt or a resource."""
_MISSING = N_('MCP needs one more package: pip install "lazychat[mcp]"')


class Connection:
    """The connection to `[mcp.NAME]`."""

    def __init__(
        self,
        name: str,
        settings: McpServerConfig,
        *,
        begin: Begin,
        asking: Asking,
        changed: Callable[[], object],
        note: Callable[[str], object],
    ) -> None:
        """Prepare to connect; nothing runs yet.

        `begin` begins a call from any thread. `changed` is called in the loop after
        `state` or a list has changed; `note` with each line that the server writes or
        logs while no call can show it.
        """
        self.name = name
        self._settings = settings
        self._begin = begin
        self._asking = asking
        self._changed = changed
        self._note = note
        self._client: Client | None = None
        self._child: Child | None = None
        self._reports: list[Callable[[str], object]] = []
        """Show what the server says with each of the running calls."""
        self._woken = asyncio.Event()
        """Whether `reconnect` or `stop` was called."""
        self._broken = asyncio.Event()
        self._broken_by = ""
        """What has broken the connection, "" if we end it."""
        self._stopped = False
        self._backoff = Backoff()
        self._since: float | None = None
        """When this connection became ready."""
        self._was_ready = False
        self._stale = asyncio.Event()
        """Whether the server says that its lists have changed."""
        self.state = ServerState(
            name, "disabled" if settings.disabled else "connecting"
        )
        self.tools: tuple[McpTool, ...] = ()
        self.prompts: tuple[Prompt, ...] = ()
        self.resources: tuple[Resource, ...] = ()

    @property
    def pid(self) -> int:
        """The server's process, 0 if it has none."""
        return self._child.pid if self._child else 0

    # -- connecting

    async def run(self) -> None:
        """Connect, and again when that is lost or `reconnect` asks, until cancelled.

        A server that has never been ready, or wants a login, waits for `reconnect`.
        """
        if self._settings.disabled:
            return
        while True:
            self._woken.clear()
            if self._stopped:
                self._show(phase="failed", problem=_("stopped"))
                await self._woken.wait()
                continue
            if self.state.phase != "retrying":
                self._show(phase="connecting", problem="")
            self._since = None
            failed: Exception | None = None
            try:
                await self._serve()
            except Exception as error:
                failed = error
            finally:
                self._client = None
                self._asking.withdraw(self.name)
            if failed and not self._stopped:
                await self._wait_after(failed)

    async def _wait_after(self, error: Exception) -> None:
        """Show why there is no connection, and wait until it is time to try again."""
        if self._since is not None:
            self._backoff.lost(monotonic() - self._since)
            self._was_ready = True
        useless = wants_login(error) or isinstance(error, ConfigError)
        if not self._was_ready or useless:
            self._fail(error)
            await self._woken.wait()
            return
        pause = self._backoff.pause()
        self._show(phase="retrying", problem=self._why(error), pause=pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), pause)

    def reconnect(self) -> None:
        """End the connection, if there is one, and connect again at once."""
        self._stopped = False
        self._backoff.reset()
        self._wake()

    def stop(self) -> None:
        """End the connection, and do not connect again until `reconnect`."""
        self._stopped = True
        self._wake()

    def check(self) -> None:
        """Ask for the lists again if nothing else shows that the server has gone."""
        if self._client and not self._child:
            self._stale.set()

    def _wake(self) -> None:
        self._woken.set()
        self._broken.set()
        if self.state.phase == "retrying":
            self._show(phase="connecting", problem="")

    async def _serve(self) -> None:
        """Connect, and stay connected until the server or `reconnect` ends it."""
        async with AsyncExitStack() as stack:
            if not self._woken.is_set():
                self._broken.clear()
            self._broken_by = ""
            self._stale.clear()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    client = await self._connect(stack)
                    await self._list(client)
            except TimeoutError:
                raise LazychatError(
                    _("it did not answer within {connect_seconds:g} seconds").format(
                        connect_seconds=CONNECT_SECONDS
                    )
                ) from None
            self._client = client
            self._since = monotonic()
            self._show(phase="ready", problem="")
            await self._follow(client, stack)
        if not self._woken.is_set():
            raise LazychatError(self._child.why if self._child else self._broken_by)

    async def _connect(self, stack: AsyncExitStack) -> "Client":
        try:
            from mcp.client import Client
            from mcp_types import Implementation
        except ImportError as error:
            raise LazychatError(_(_MISSING)) from error
        self._child = None
        note = Throttle(50, 10.0, monotonic, self._hear_line)
        reached, self._child = await transport.prepare(self.name, self._settings, note)
        return await stack.enter_async_context(
            Client(
                mended(reached, self._note),
                client_info=Implementation(
                    name="lazychat", version=listing.own_version()
                ),
                cache=None,  # a list is asked for only when it has changed
                message_handler=self._hear,
                logging_callback=self._log,
                log_level="info",
                elicitation_callback=partial(self._asking.ask, self.name),
            )
        )

    async def _follow(self, client: "Client", stack: AsyncExitStack) -> None:
        """Read changed lists again until the connection ends."""
        ends = [asyncio.ensure_future(self._broken.wait())]
        if self._child:
            ends.append(asyncio.ensure_future(self._child.ended.wait()))
        listening = asyncio.ensure_future(self._listen(client))
        try:
            while not any(end.done() for end in ends):
                stale = asyncio.ensure_future(self._stale.wait())
                await asyncio.wait({*ends, stale}, return_when="FIRST_COMPLETED")
                stale.cancel()
                if self._stale.is_set():
                    self._stale.clear()
                    await self._list_again(client)
                    await asyncio.wait(ends, timeout=BETWEEN_LISTS)
        finally:
            for task in (*ends, listening):
                task.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, client: "Client") -> None:
        """Follow changes of a server that is asked for them: revisions since 2026."""
        async for __ in listing.changes(client):
            self._stale.set()

    # -- lists

    async def _list(self, client: "Client") -> None:
        """Ask for all that the server offers."""
        found = await listing.ask(client)
        read, left_out = reading.tools(found.tools)
        names = tool_names(self.name, [tool.name for tool in read])
        self.tools = tuple(
            McpTool(
                tool,
                names[tool.name],
                self.name,
                self._settings,
                self._begin,
                self._offers,
            )
            for tool in read
        )
        self.prompts = reading.prompts(self.name, found.prompts)
        self.resources = reading.resources(self.name, found.resources)
        info = client.server_info
        self._show(
            tools=len(self.tools),
            prompts=len(self.prompts),
            resources=len(self.resources),
            title=line(f"{info.name} {info.version}", 80) if info else "",
            left_out=left_out,
        )

    def _offers(self, read: reading.ReadTool) -> bool:
        return any(tool.read == read for tool in self.tools)

    async def _list_again(self, client: "Client") -> None:
        """Ask for changed lists; what was there stays if that fails."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._list(client)
        except TimeoutError:
            self._show(problem=_("it did not return its changed lists"))
        except Exception as error:
            self._failed(error)

    async def _hear(self, message: "IncomingMessage") -> None:
        if "list_changed" in getattr(message, "method", ""):
            self._stale.set()

    async def _log(self, params: "types.LoggingMessageNotificationParams") -> None:
        self._hear_line(reading.log_line(params))

    def _hear_line(self, text: str) -> None:
        """Show a line with the running call, if it is clear which; else note it."""
        if len(self._reports) == 1:
            self._reports[0](text)
        else:
            self._note(text)

    # -- using

    async def call(
        self, tool: str, arguments: Mapping[str, Any], report: Report
    ) -> reading.Result:
        """Call a tool; raises `ToolError` with one line if that fails.

        If cancelled, the server is told to stop.
        """
        client = self._connected()

        def show(text: str) -> None:
            with suppress(Cancelled):  # then the future is cancelled too
                report(text)

        async def progressed(
            progress: float, total: float | None, message: str | None
        ) -> None:
            shown(reading.progress_line(progress, total, message))

        shown = Throttle(20, 2.0, monotonic, show)
        request = asyncio.ensure_future(
            client.call_tool(tool, dict(arguments), progress_callback=progressed)
        )
        request.add_done_callback(listing.forget)
        self._reports.append(shown)
        try:
            result = await self._within_limit(tool, request)
        except ToolError:
            raise
        except Exception as error:
            raise ToolError(self._failed(error)) from error
        finally:
            request.cancel()
            self._reports.remove(shown)
            if not self._reports:
                self._asking.withdraw(self.name)
        return reading.result(self.name, result)

    async def _within_limit(self, tool: str, request: "asyncio.Future[T]") -> T:
        """Wait for a request; what the user takes to answer does not count."""
        left, before = self._settings.timeout, monotonic()
        while not request.done():
            await asyncio.wait({request}, timeout=min(left, 0.5))
            now = monotonic()
            if not self._asking.waits_for(self.name):
                left -= now - before
            before = now
            if left <= 0 and not request.done():
                raise ToolError(
                    f"{self.name} did not answer within {self._settings.timeout:g} "
                    "seconds and was told to stop"
                )
        return request.result()

    async def prompt(self, name: str, arguments: dict[str, str]) -> str:
        """Return the text of a prompt; raises `LazychatError`."""
        client = self._connected()
        return reading.prompt_text(await self._ask(client.get_prompt(name, arguments)))

    async def resource(self, uri: str) -> list[ResourceText]:
        """Return what a resource contains; raises `LazychatError`."""
        found = await self._ask(self._connected().read_resource(uri))
        return [reading.resource_text(each) for each in found.contents[:100]]

    async def _ask(self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await asked
        except TimeoutError:
            raise LazychatError(
                _("{name} did not answer within {ask_seconds:g} seconds").format(
                    name=self.name, ask_seconds=ASK_SECONDS
                )
            ) from None
        except Exception as error:
            raise LazychatError(self._failed(error)) from error

    def _connected(self) -> "Client":
        ended = self._child is not None and self._child.ended.is_set()
        if self._client is None or ended:
            why = self._child.why if ended and self._child else self.state.describe()
            raise ToolError(f"the MCP server {self.name} is not connected ({why})")
        return self._client

    # -- state

    def _failed(self, error: BaseException) -> str:
        """Return what went wrong with a request, and show it."""
        if self._child and self._child.ended.is_set():
            return _("the MCP server {name} has ended: {why}").format(
                name=self.name, why=self._child.why
            )
        if wants_login(error):
            self._show(phase="login", problem=_("it wants you to log in"))
            return _("the MCP server {name} {state}").format(
                name=self.name, state=self.state.describe()
            )
        why = explain(error)
        self._show(problem=why)
        if is_lost(error) and not self._child:
            self._broken_by = why
            self._broken.set()
        return f"{self.name}: {why}"

    def _fail(self, error: BaseException) -> None:
        if wants_login(error):
            self._show(phase="login", problem=_("it wants you to log in"))
        else:
            self._show(phase="failed", problem=self._why(error))

    def _why(self, error: BaseException) -> str:
        # A server whose answer is invalid is ended by us: that is not the reason.
        child = None if is_invalid(error) else self._child
        return child.why if child and child.ended.is_set() else explain(error)

    def _show(self, **changes: Any) -> None:
        new = msgspec.structs.replace(self.state, **changes)
        if new != self.state or "tools" in changes:
            self.state = new
            self._changed()
