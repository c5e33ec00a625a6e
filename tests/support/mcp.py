"""MCP servers for tests: a misbehaving one, and real ones."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import ROOT
from tui.config import McpServerConfig
from tui.events import Event, ToolCallFinished, ToolProgressed
from tui.mcp import Servers, ServerState
from tui.messages import ToolCall, ToolResult
from tui.tools import ToolBox
from tui.turn import Turn

LIMIT = 60.0
"""Seconds after which a wait fails the test."""
FAKE = ROOT / "tests" / "support" / "fakes" / "mcp_server.py"
REAL = Path(os.environ.get("LAZYCHAT_MCP_SERVERS", ROOT / ".cache" / "mcp-servers"))
"""Where .ci/mcp-servers installs the real servers."""


def fake(*how: str, **settings: object) -> McpServerConfig:
    """Return the misbehaving server; see its module for `how`."""
    return McpServerConfig(
        command=sys.executable,
        args=(str(FAKE), *how),
        **settings,  # pyright: ignore[reportArgumentType]
    )


def real(name: str, *arguments: str, **settings: object) -> McpServerConfig:
    """Return a real server by the name of its program; skips where it is missing."""
    for folder in ("venv/bin", "node_modules/.bin"):
        program = REAL / folder / name
        if program.exists():
            return McpServerConfig(
                command=str(program),
                args=arguments,
                **settings,  # pyright: ignore[reportArgumentType]
            )
    pytest.skip(f"{name} is missing: run .ci/mcp-servers")


@contextmanager
def connected(**configured: McpServerConfig) -> Iterator[Servers]:
    """Connect to servers, and end them."""
    servers = Servers(configured)
    servers.start()
    try:
        servers.wait(LIMIT)
        yield servers
    finally:
        servers.close()


def state(servers: Servers, name: str = "fake") -> ServerState:
    """Return the state of one server."""
    return next(state for state in servers.states if state.name == name)


def call(
    servers: Servers, tool: str, /, *, turn: Turn | None = None, **arguments: object
) -> ToolResult:
    """Call a tool as a turn does; return its result."""
    return called(servers, tool, turn=turn, **arguments)[0]


def called(
    servers: Servers, tool: str, /, *, turn: Turn | None = None, **arguments: object
) -> tuple[ToolResult, list[Event]]:
    """Call a tool as a turn does; return its result and the events."""
    run = ToolBox(servers.tools).run(ToolCall("c1", tool, arguments), turn)
    events: list[Event] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            assert isinstance(events[-1], ToolCallFinished) or turn
            return end.value, events


def progress(events: list[Event]) -> list[str]:
    """Return what a call has reported."""
    return [event.text for event in events if isinstance(event, ToolProgressed)]
