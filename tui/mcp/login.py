"""Logs in to one server, for `lazychat mcp login`."""

import asyncio
from collections.abc import Callable

from tui.config import McpServerConfig
from tui.errors import ConfigError, LazychatError
from tui.i18n import _
from tui.mcp import http, oauth, secrets
from tui.mcp.explaining import explain

CONNECT_SECONDS = 60.0
"""How long the server may take until it wants a login, or is connected."""


def log_in(
    name: str,
    settings: McpServerConfig,
    url: str,
    show: Callable[[str], object],
    take: Callable[[], str],
    seconds: float,
) -> None:
    """Connect to `url`, and have the user log in; the login is stored.

    `show` gets the address to open; `take` blocks until the user has pasted what the
    browser was sent to. Blocks for `seconds` at most. Raises `LazychatError`.
    """
    http.check_address(name, url)
    headers = secrets.headers(name, settings)
    if any(header.lower() == "authorization" for header in headers):
        raise ConfigError(
            _("[mcp.{name}] sends an Authorization header: no login needed.").format(
                name=name
            )
        )
    asked: list[str] = []
    limit = asyncio.Timeout(None)

    async def show_address(address: str) -> None:
        asked.append(address)
        limit.reschedule(asyncio.get_running_loop().time() + seconds)
        show(address)

    async def take_pasted() -> str:
        return await asyncio.to_thread(take)

    async def connect() -> None:
        nonlocal limit
        from mcp.client import Client

        auth = oauth.interactive(name, url, show_address, take_pasted)
        transport = http.connect(url, headers, auth)
        # The user's time begins when there is something to do.
        async with asyncio.timeout(CONNECT_SECONDS) as limit:
            async with Client(transport, cache=None):
                pass

    # A login that is still valid would be used without asking.
    oauth.forget(name, url)
    try:
        asyncio.run(connect())
    except ImportError as error:
        raise LazychatError(
            _('MCP needs one more package: pip install "lazychat[mcp]".')
        ) from error
    except TimeoutError as error:
        if not asked:
            why = _("it did not answer within {connect_seconds:g} seconds")
            why = why.format(connect_seconds=CONNECT_SECONDS)
            raise LazychatError(f"{name}: {why}.") from error
        raise LazychatError(
            _("No login within {seconds:g} seconds.").format(seconds=seconds)
        ) from error
    except Exception as error:
        raise LazychatError(f"{name}: {explain(error)}.") from error
    if not asked:
        raise LazychatError(
            _("{name} is connected and asks for no login.").format(name=name)
        )
