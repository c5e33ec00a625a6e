"""Connects to each configured MCP server."""

from collections.abc import Iterator

from tui.cli.doctor.findings import Check, Finding
from tui.config import Config
from tui.i18n import _, labelled
from tui.mcp import Servers

SECONDS = 6.0
"""Seconds that the servers, all at the same time, have to connect."""
CLOSE_SECONDS = 1.0
"""Seconds that they then have to end by themselves."""


def checks(settings: Config) -> list[Check]:
    """Return a check of all servers, none if none is configured."""
    if not settings.mcp:
        return []
    return [Check("mcp", lambda: _connect(settings), SECONDS + CLOSE_SECONDS + 1.0)]


def _connect(settings: Config) -> Iterator[Finding]:
    servers = Servers(settings.mcp)
    servers.start()
    try:
        servers.wait(SECONDS)
        states = servers.states
    finally:
        servers.close(CLOSE_SECONDS)
    for state in states:
        text = labelled(state.name, state.describe())
        match state.phase:
            case "ready" | "disabled":
                yield Finding("mcp", "ok", text)
                for why in state.left_out:
                    yield Finding("mcp", "warning", labelled(state.name, why))
            case "connecting":
                slow = _("{name}: it did not answer within {seconds:g} seconds").format(
                    name=state.name, seconds=SECONDS
                )
                once = _(
                    "If it is downloaded at its first start, as npx and uvx do, run "
                    "its command once by hand"
                )
                remedy = f"{_remedy(state.name)}. {once}"
                yield Finding("mcp", "warning", slow, remedy)
            case "login":
                yield Finding("mcp", "warning", text)
            case _:
                yield Finding("mcp", "warning", text, _remedy(state.name))


def _remedy(name: str) -> str:
    return _(
        "Check [mcp.{name}] in config.toml; disabled = true there turns it off"
    ).format(name=name)
