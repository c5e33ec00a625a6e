"""`MCPClient`: the tools of one MCP server, for agents and to be called."""

import asyncio
import atexit
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.config import McpServerConfig
from tui.errors import LazychatError, ToolError
from tui.lazyllm.arguments import ArgumentError
from tui.lazyllm.scope import ABSENT_OF_CLIENTS
from tui.mcp import Servers
from tui.mcp.naming import server_prefix
from tui.mcp.text import line
from tui.mcp.tool import McpTool

_CONNECT_SECONDS = 65.0
"""Most seconds to wait; the connection itself gives up before."""
_TRANSPORTS = ("auto", "stdio", "streamable-http")


class MCPClient:
    """A server of tools: a command on this machine, or the address of one.

    It is connected at the first use, stays connected for all of its tools, and ends
    with `close` or with the program. `timeout` is in seconds, for each call; None means
    60. A command inherits only variables such as PATH, and gets those of `env`.
    `transport` follows from the address; "sse", which MCP has given up, is not offered.
    Needs the extra `mcp`. Raises `ArgumentError`.
    """

    def __init__(
        self,
        command_or_url: str,
        args: Iterable[str] | None = None,
        env: Mapping[str, str] | None = None,
        headers: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        transport: str = "auto",
    ) -> None:
        if transport not in _TRANSPORTS:
            raise ArgumentError(
                f"transport={transport!r} is not offered; there are: "
                f"{', '.join(_TRANSPORTS)}."
            )
        if timeout is not None and timeout <= 0:
            raise ArgumentError("timeout must be above 0 seconds, or None.")
        by_address = command_or_url.startswith(("http://", "https://"))
        if transport == "auto":
            transport = "streamable-http" if by_address else "stdio"
        given: dict[str, Any] = {"timeout": timeout} if timeout else {}
        if transport == "stdio":
            given["command"] = command_or_url
            given["args"] = tuple(_literal(str(arg)) for arg in args or ())
            given["env"] = {key: str(value) for key, value in (env or {}).items()}
        else:
            given["url"] = _literal(command_or_url)
            given["headers"] = {k: str(v) for k, v in (headers or {}).items()}
        name = _host(command_or_url) if "url" in given else Path(command_or_url).name
        self._what = line(name, 40)
        self._servers = Servers({self._what: McpServerConfig(**given)})
        self._lock = threading.Lock()
        self._begun = False

    def get_tools(self, allowed_tools: Iterable[str] | None = None) -> list[McpTool]:
        """Return the server's tools, or those of them that are named.

        They can be given to agents, and called with their arguments by name. As other
        tools of a program they run without asking. Blocks while the server starts.
        Raises `LazychatError` if it cannot be reached.
        """
        tools = self._connected()
        if allowed_tools is not None and (names := list(allowed_tools)):
            tools = [tool for tool in tools if tool.read.name in names]
        prefix = server_prefix(self._what)
        given = [tool.renamed(tool.name.removeprefix(prefix)) for tool in tools]
        for tool in given:
            tool.policy = "allow"
        return given

    async def aget_tools(
        self, allowed_tools: Iterable[str] | None = None
    ) -> list[McpTool]:
        """Do the same as `get_tools` without blocking the event loop."""
        return await asyncio.to_thread(self.get_tools, allowed_tools)

    async def list_tools(self) -> list[McpTool]:
        """Return all of the server's tools."""
        return await self.aget_tools()

    async def call_tool(
        self, tool_name: str, arguments: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a tool and return its result, text if that is all that it has.

        Raises `LazychatError` if it fails, or if there is none of that name.
        """

        def call() -> Any:
            tools = {tool.read.name: tool for tool in self._connected()}
            if tool_name not in tools:
                raise ToolError(f"{self._what} has no tool {tool_name}.")
            return tools[tool_name](**(arguments or {}))

        return await asyncio.to_thread(call)

    def close(self) -> None:
        """End the server; its tools can no longer be called."""
        self._servers.close()
        atexit.unregister(self._servers.close)

    def __getattr__(self, name: str) -> Any:
        if why := ABSENT_OF_CLIENTS.get(name):
            raise AttributeError(f"MCPClient has no {name}: {why}.")
        raise AttributeError(f"'MCPClient' object has no attribute {name!r}")

    def __enter__(self) -> "MCPClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> list[McpTool]:
        with self._lock:
            if not self._begun:
                self._begun = True
                self._servers.start()
                atexit.register(self._servers.close)
        self._servers.wait(_CONNECT_SECONDS)
        (state,) = self._servers.states
        if state.phase != "ready":
            raise LazychatError(
                f"The MCP server {self._what} cannot be used: {state.describe()}."
            )
        return self._servers.tools


def _host(url: str) -> str:
    """Return what to call the server at `url`, which itself may have a key in it."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError as error:
        raise ArgumentError(f"the address cannot be read: {error}.") from error


def _literal(text: str) -> str:
    """Return `text` so that `${` in it stands for itself, as in LazyLLM."""
    return text.replace("${", "$${")
