"""Reaches a server by streamable HTTP, with bounds on what it sends.

The SDK follows a redirect only to the same origin, so headers with secrets reach no
other host.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.errors import ConfigError, LazychatError
from tui.i18n import _

if TYPE_CHECKING:
    import httpx2
    from mcp.client._transport import TransportStreams

LARGEST_BODY = 16 << 20
"""Most bytes of a response, and of an event in a stream."""
CONNECT_SECONDS = 15.0
READ_SECONDS = 300.0
"""How long a stream may be silent; a call has its own limit."""


def check_address(name: str, url: str) -> None:
    """Raise `ConfigError` if `url` of `[mcp.NAME]` cannot be that of a server."""
    try:
        parts = urlsplit(url)
        host, __ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            _(
                "[mcp.{name}]: url must begin with http:// or https:// and name a host"
            ).format(name=name)
        )
    if parts.username or parts.password:
        raise ConfigError(
            _("[mcp.{name}]: put no password into url; headers_env sends one").format(
                name=name
            )
        )


@asynccontextmanager
async def connect(
    url: str, headers: Mapping[str, str], auth: "httpx2.Auth | None"
) -> "AsyncGenerator[TransportStreams]":
    """Keep a connection while the context is open: a transport for the SDK."""
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    class Bounded(httpx2.AsyncBaseTransport):
        """Ends a response that is too long; events are bounded by the SDK."""

        def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
            self._inner = inner

        async def handle_async_request(
            self, request: httpx2.Request
        ) -> httpx2.Response:
            response = await self._inner.handle_async_request(request)
            kind = response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                assert isinstance(response.stream, httpx2.AsyncByteStream)
                response.stream = Counted(response.stream)
            return response

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Counted(httpx2.AsyncByteStream):
        def __init__(self, inner: httpx2.AsyncByteStream) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for piece in self._inner:
                size += len(piece)
                if size > LARGEST_BODY:
                    limit = LARGEST_BODY >> 20
                    raise LazychatError(
                        _("it sent more than {limit} MB at once").format(limit=limit)
                    )
                yield piece

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Client(httpx2.AsyncClient):
        """Has the bound behind each proxy that the environment names."""

        def _init_transport(self, *args: object, **options: object):  # pyright: ignore
            return Bounded(super()._init_transport(*args, **options))  # pyright: ignore

        def _init_proxy_transport(self, *args: object, **options: object):  # pyright: ignore
            return Bounded(super()._init_proxy_transport(*args, **options))  # pyright: ignore

    timeout = httpx2.Timeout(CONNECT_SECONDS, read=READ_SECONDS)
    async with (
        Client(headers=dict(headers), auth=auth, timeout=timeout) as client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=LARGEST_BODY
        ) as streams,
    ):
        yield streams
