"""The HTTP and WebSocket server, in a thread of its own.

`/?t=TOKEN` gives the browser its cookie and leads to `/`, which leads to a new
conversation, `/c/ID`. The page there opens the WebSocket `/c/ID/ws`: binary messages
are what is typed and what the terminal shows, a text message is a change of size. All
addresses in answers are relative, so that it works under another port or path.
"""

import asyncio
import errno
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tui import session
from tui.errors import ConfigError
from tui.i18n import N_, _
from tui.runtime.served import Served
from tui.safe import decoded
from tui.web import files
from tui.web.access import LOOPBACK, Access
from tui.web.page import FAILED, FULL, LEFT, Page
from tui.web.process import PageProcess

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

MOST_PAGES = 8
"""Pages that may be open at a time; each is a process of about 60 MB."""
IDLE_SECONDS = 3600.0
"""Seconds without typing and without output after which a page is closed."""
MESSAGE_LIMIT = 1 << 20
"""Most bytes of a message from a page: that of a pasted text."""


Ports = int | Sequence[int] | range
"""A port, or several of which the first free one is taken; 0 is any free one."""

_CONVERSATION = re.compile(r"/c/([\w-]{1,64})(/ws)?", re.ASCII)
_PAGE_HEADERS = {"Content-Type": "text/html; charset=utf-8"}


class WebServer:
    """Serves the app to browsers. `stop` may be called in any thread, repeatedly."""

    def __init__(
        self,
        served: Callable[[], Served],
        *,
        host: str = "127.0.0.1",
        ports: Ports = 0,
        title: str = "",
        pages: int = MOST_PAGES,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Set what is served; `served` is asked for each page, in the server's thread.

        `host` is the name or address to listen on, `title` that of the pages.
        """
        self._served = served
        self._host = host
        self._ports = [ports] if isinstance(ports, int) else list(ports)
        self._title = title or "lazychat"
        self._most = pages
        self._idle = idle_seconds
        self._pages: set[asyncio.Task[object]] = set()
        self._ends: set[asyncio.Task[int]] = set()  # of processes that are ending
        self._thread: threading.Thread | None = None
        self._stopping = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self.port = 0
        """The port that it listens on, after `start`."""
        self._access: Access | None = None

    def start(self) -> None:
        """Listen, and return once a browser can connect.

        Raises `ConfigError` if the extra `web` is missing or no port is free.
        """
        _check_library()
        listening = _listen(self._host, self._ports)
        self.port = listening.getsockname()[1]
        self._access = Access(self._host, self.port)
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(listening, ready)),
            name="lazychat-web",
            daemon=True,
        )
        self._thread.start()
        ready.result()

    def stop(self) -> None:
        """Close all pages and stop listening; running turns are not touched."""
        with self._stopping:
            if self._thread and self._loop and self._ending:
                with suppress(RuntimeError):  # it has ended by itself
                    self._loop.call_soon_threadsafe(self._ending.set)
                self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def pages(self) -> int:
        """Number of open pages."""
        return len(self._pages)

    @property
    def url(self) -> str:
        """The address to open, with its token; "" before `start`."""
        if not self._access:
            return ""
        host = socket.gethostname() if _is_any(self._host) else self._host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/?t={self._access.token}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return self._host in LOOPBACK

    # -- in the server's thread

    async def _run(self, listening: socket.socket, ready: "Future[None]") -> None:
        from websockets.asyncio.server import serve

        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await serve(
                self._open,
                sock=listening,
                process_request=self._answer,
                max_size=MESSAGE_LIMIT,
                server_header=None,
                close_timeout=2,
            )
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        async with server:
            await self._ending.wait()
            for page in self._pages:
                page.cancel()
            await asyncio.gather(*self._pages, return_exceptions=True)
            await asyncio.gather(*self._ends, return_exceptions=True)

    def _answer(
        self, connection: "ServerConnection", request: "Request"
    ) -> "Response | None":
        """Answer a request, or return None to open a WebSocket."""
        access = self._access
        assert access
        url = urlsplit(request.path)
        is_socket = url.path.endswith("/ws")
        headers = request.headers
        if problem := access.foreign(headers, needs_origin=is_socket):
            return _reply(HTTPStatus.FORBIDDEN, problem)
        if url.path == "/" and (given := parse_qs(url.query).get("t")):
            if access.has_token(given[0]):
                return _lead("./", access.cookie)
            return _reply(HTTPStatus.FORBIDDEN, _(_ASK_FOR_TOKEN))
        if not access.has_cookie(headers):
            return _reply(HTTPStatus.FORBIDDEN, _(_ASK_FOR_TOKEN))
        if url.path == "/":
            return _lead(f"c/{session.new_id()}")
        if (name := url.path.removeprefix("/static/")) in files.TYPES:
            return _file(name, headers.get("If-None-Match"))
        found = _CONVERSATION.fullmatch(url.path)
        if found and found[2]:
            return None
        if found:
            text, more = files.page(self._title, headers["Host"])
            return _reply(HTTPStatus.OK, text, _PAGE_HEADERS | more)
        return _reply(HTTPStatus.NOT_FOUND, _("There is no such page."))

    async def _open(self, connection: "ServerConnection") -> None:
        """Serve a page for as long as its WebSocket is open."""
        assert connection.request
        url = urlsplit(connection.request.path)
        found = _CONVERSATION.fullmatch(url.path)
        assert found
        task = asyncio.current_task()
        if len(self._pages) >= self._most:
            many = _("{most} pages are open, and no more are allowed.").format(
                most=self._most
            )
            await connection.close(FULL, _("{many} Close one.").format(many=many))
            return
        assert task
        self._pages.add(task)
        try:
            query = parse_qs(url.query)
            columns, rows = _number(query, "columns", 80), _number(query, "rows", 24)
            await self._serve_page(connection, found[1], columns, rows)
        except asyncio.CancelledError:  # by `stop`
            await connection.close(1001, _("The server is stopping."))
        finally:
            self._pages.discard(task)

    async def _serve_page(
        self, connection: "ServerConnection", id: str, columns: int, rows: int
    ) -> None:
        try:
            process = PageProcess.start(self._served(), id, columns, rows)
        except OSError as error:
            why = error.strerror or str(error)
            await connection.close(
                FAILED, _("The page could not start: {why}.").format(why=why)[:120]
            )
            return
        page = Page(connection, process, self._idle)
        code, reason = 1001, ""
        try:
            code, reason = await page.run()
        finally:
            end = asyncio.create_task(process.end(left=code == LEFT))
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)
            ended = await asyncio.shield(end)
        if code == LEFT and ended:
            reason = _("The page ended with an error (status {ended}).").format(
                ended=ended
            )
        await connection.close(code, reason)


_ASK_FOR_TOKEN = N_(
    "Open the address that the server printed, including the token, which changes at "
    "each start."
)


def _check_library() -> None:
    try:
        found = find_spec("websockets.asyncio")
    except ModuleNotFoundError:
        found = None
    if not found:
        raise ConfigError(
            _(
                "The browser front end needs the package websockets: pip install "
                "'lazychat[web]', or `make run` in lazychat's folder."
            )
        )


def _listen(host: str, ports: Iterable[int]) -> socket.socket:
    """Return a socket on the first free port."""
    asked = list(ports)
    last: OSError | None = None
    for port in asked:
        if not 0 <= port <= 65535:
            raise ConfigError(
                _("A port is a number up to 65535, not {port}.").format(port=port)
            )
        try:
            family, *__, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            return socket.create_server(address[:2], family=family)
        except socket.gaierror as error:
            raise ConfigError(
                _("This machine cannot listen on {host}: {strerror}.").format(
                    host=host, strerror=error.strerror
                )
            ) from error
        except UnicodeError as error:  # no name of a host is like that
            raise ConfigError(
                _("This machine cannot listen on {host}: {strerror}.").format(
                    host=decoded(host), strerror=os.strerror(errno.EINVAL)
                )
            ) from error
        except OSError as error:
            last = error
    if not asked or last is None:
        raise ConfigError(
            _("There is no port to listen on: give one, as in port=8000.")
        )
    which = (
        f"{asked[0]}"
        if len(asked) == 1
        else _("{asked} to {asked2}").format(asked=asked[0], asked2=asked[-1])
    )
    raise ConfigError(
        _(
            "Cannot listen on {host}, port {which}: {strerror}. Choose another "
            "port, or stop the program that uses it."
        ).format(host=host, which=which, strerror=os.strerror(last.errno or 0))
    ) from last


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _number(query: dict[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[0]
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else default


def _lead(place: str, cookie: str = "") -> "Response":
    more = {"Location": place, "Cache-Control": "no-store"}
    if cookie:
        more["Set-Cookie"] = cookie
    return _reply(HTTPStatus.SEE_OTHER, "", more)


def _file(name: str, has: str | None) -> "Response":
    found = files.static(name)
    more = {"ETag": found.tag, "Cache-Control": "no-cache"}
    if has == found.tag:
        return _reply(HTTPStatus.NOT_MODIFIED, b"", more)
    more |= {"Content-Type": found.type, "Content-Encoding": "gzip"}
    return _reply(HTTPStatus.OK, found.data, more)


def _reply(
    status: HTTPStatus, body: str | bytes, more: dict[str, str] | None = None
) -> "Response":
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    data = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": "text/plain; charset=utf-8"} | files.ALWAYS
    headers |= {"Content-Length": str(len(data)), "Connection": "close"} | (more or {})
    return Response(status.value, status.phrase, Headers(headers), data)
