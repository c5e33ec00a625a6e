"""Gets one page over HTTP, connected to addresses that were checked.

Redirects are followed here, one by one, each checked like the first address. No
cookies, credentials, referrers or proxies of the environment are used.
"""

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from typing import NamedTuple
from urllib.parse import urljoin

from tui.errors import Cancelled, ToolError
from tui.tools.bundled import addresses
from tui.tools.bundled.addresses import Target
from tui.tools.running import current

_MOST_HOPS = 5
_SECONDS = 20.0
"""Seconds for all of it, from the first look-up on."""
_PATIENCE = 10.0
"""Seconds for a connection, and between two pieces of an answer."""
_LARGEST = 2_000_000
"""Bytes of a page, before and after it is unpacked."""
_REDIRECTS = (301, 302, 303, 307, 308)
_AGENT = "lazychat (a person's chat; reads one page)"


class Page(NamedTuple):
    """An answer with its body."""

    url: str
    """Where it was found in the end."""
    status: int
    kind: str
    """Its media type in small letters, "" if the server names none."""
    charset: str
    data: bytes
    cut: bool
    """Whether the page is longer than `data`."""


def get(url: str, private: bool, hop: Callable[[str], None]) -> Page:
    """Return the page at `url`; calls `hop` with each address it is led on to.

    Ends the connection when the call of the tool is abandoned. Raises `ToolError`.
    """
    target = addresses.parse(url)
    connection = _Watched()
    timer = threading.Timer(_SECONDS, connection.give_up)
    timer.daemon = True
    timer.start()
    call = current()
    try:
        with nullcontext() if call is None else call.cancel.on(connection.cut):
            for _ in range(_MOST_HOPS + 1):
                found = _one(target, private, connection)
                connection.check()
                if isinstance(found, Page):
                    return found
                target = _next(target, found)
                hop(target.url)
        raise ToolError(f"{target.url} redirects more than {_MOST_HOPS} times")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if call is not None and call.cancel.requested:
            raise Cancelled from error
        raise ToolError(f"{target.url}: {_reason(error, connection)}") from error
    finally:
        timer.cancel()
        connection.cut()


class _Watched:
    """The socket that is in use, which another thread may shut down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        self.late = False

    def use(self, new: socket.socket) -> None:
        """Take the socket of the next connection."""
        with self._lock:
            self._socket = new
            if self._closed:
                _shut(new)

    def cut(self) -> None:
        """End the connection, and those that follow; wakes who waits for it."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                _shut(self._socket)

    def check(self) -> None:
        """Raise `OSError` if the connection was ended here: that looks like its end."""
        if self._closed:
            raise OSError("the connection was ended")

    def give_up(self) -> None:
        """End the connection because the time is over."""
        self.late = True
        self.cut()


def _shut(open_socket: socket.socket) -> None:
    with suppress(OSError):
        open_socket.shutdown(socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    """Connects to one of the given addresses, whatever the name would lead to."""

    def __init__(
        self, target: Target, found: list[addresses.IPAddress], watched: _Watched
    ) -> None:
        super().__init__(target.host, target.port, timeout=_PATIENCE)
        self._target = target
        self._found = found
        self._watched = watched

    def connect(self) -> None:
        """Connect to the first address that answers."""
        problem: OSError = OSError("it has no address")
        for address in self._found[:4]:
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(_PATIENCE)
            self._watched.use(plain)
            try:
                plain.connect((str(address), self._target.port))
                self.sock = self._secured(plain)
            except OSError as error:
                plain.close()
                problem = error
                continue
            return
        raise problem

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._target.scheme == "http":
            return plain
        secured = ssl.create_default_context().wrap_socket(
            plain, server_hostname=self._target.host
        )
        self._watched.use(secured)
        return secured


def _one(target: Target, private: bool, watched: _Watched) -> Page | str:
    """Return the page at `target`, or where the server leads on to."""
    found = addresses.resolve(target, private)
    connection = _Connection(target, found, watched)
    try:
        connection.putrequest(
            "GET", target.path, skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", target.authority)
        connection.putheader("User-Agent", _AGENT)
        connection.putheader(
            "Accept",
            "text/html, text/plain, application/json, application/xml, */*;q=0.1",
        )
        connection.putheader("Accept-Encoding", "gzip")
        connection.putheader("Connection", "close")
        connection.endheaders()
        with closing(connection.getresponse()) as response:
            place = response.getheader("Location")
            if response.status in _REDIRECTS and place:
                return place
            return _page(target, response)
    finally:
        connection.close()


def _page(target: Target, response: http.client.HTTPResponse) -> Page:
    data = response.read(_LARGEST + 1)
    # Where the connection breaks off, `length` is what is missing.
    cut = len(data) > _LARGEST or bool(response.length)
    data, more = _unpacked(data[:_LARGEST], response.getheader("Content-Encoding"))
    kind, charset = _content_type(response)
    return Page(target.url, response.status, kind, charset, data, cut or more)


def _content_type(response: http.client.HTTPResponse) -> tuple[str, str]:
    """Return the media type and the character set, each "" if there is none."""
    headers = response.headers
    if "Content-Type" not in headers:
        return "", ""
    kind = headers.get_content_type()
    try:
        return kind, headers.get_content_charset() or ""
    except (TypeError, ValueError, LookupError):  # of the parser, for `charset*0=`
        return kind, ""


def _next(target: Target, place: str) -> Target:
    # The header is read as Latin-1, but servers send UTF-8.
    place = place.encode("latin-1", "replace").decode("utf-8", "replace")
    following = addresses.parse(urljoin(target.url, place.replace(" ", "%20")))
    if target.scheme == "https" and following.scheme == "http":
        raise ToolError(f"{target.url} redirects to an address without encryption")
    # The user has allowed this host, perhaps as a pattern, and no other.
    if target.host.removeprefix("www.") != following.host.removeprefix("www."):
        raise ToolError(
            f"{target.url} redirects to another host; fetch {following.url} itself"
        )
    return following


def _unpacked(data: bytes, coding: str | None) -> tuple[bytes, bool]:
    """Return the bytes of a page, and whether there are more than allowed."""
    match (coding or "identity").strip().lower():
        case "identity":
            return data, False
        case "gzip" | "x-gzip" | "deflate" as name:
            window = 15 if name == "deflate" else 31
            try:
                unpack = zlib.decompressobj(window)
                unpacked = unpack.decompress(data, _LARGEST)
            except zlib.error as error:
                raise ToolError("the page cannot be unpacked") from error
            return unpacked, bool(unpack.unconsumed_tail)
        case name:
            raise ToolError(
                f"the page is packed as {name[:20]}, which is not known here"
            )


def _reason(error: Exception, connection: _Watched) -> str:
    if connection.late:
        return f"no complete answer within {_SECONDS:g} seconds"
    match error:
        case TimeoutError():
            return f"no answer within {_PATIENCE:g} seconds"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case OSError():
            return (error.strerror or str(error) or "the connection failed").lower()
        case http.client.HTTPException():
            return f"this is not an HTTP answer ({type(error).__name__})"
        case _:
            return str(error) or "the connection was ended"
