"""Chooses how a server is reached: as a child process, or by HTTP."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.config import McpServerConfig
from tui.errors import ConfigError
from tui.i18n import _
from tui.mcp import secrets
from tui.mcp.stdio import Child

if TYPE_CHECKING:
    from mcp.client._transport import Transport


async def prepare(
    name: str, settings: McpServerConfig, note: Callable[[str], object]
) -> "tuple[Transport, Child | None]":
    """Return the transport of `[mcp.NAME]` for the SDK, and its process if it has one.

    `note` is called with what the process writes besides its messages. Raises
    `ConfigError` if a key is missing or the table is wrong.
    """
    if bool(settings.command) == bool(settings.url):
        raise ConfigError(
            _("[mcp.{name}] needs either command or url").format(name=name)
        )
    if settings.url:
        from tui.mcp import http, oauth

        url = secrets.address(name, settings)
        http.check_address(name, url)
        headers = await asyncio.to_thread(secrets.headers, name, settings)
        own = any(header.lower() == "authorization" for header in headers)
        auth = None if own else oauth.stored(name, url)
        return http.connect(url, headers, auth), None
    environment = await asyncio.to_thread(secrets.environment, name, settings)
    child = Child(
        (secrets.program(name, settings), *secrets.arguments(name, settings)),
        environment,
        secrets.folder(name, settings),
        note,
    )
    return child.connect(), child
