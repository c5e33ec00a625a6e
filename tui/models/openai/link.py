"""A connection to a server that any thread can abort.

Closing a response from another thread does not wake a thread that waits in `recv`
on it: the system keeps the socket until that call returns. Shutting the socket
down does. Hence each link has an HTTP client of its own, learns its socket from
the client's trace (so also while it waits for headers, when there is no response
yet), and is lent to one request at a time. In the middle of an answer it is closed with
a reset: a server that only sends would wait for room for as long as TCP probes for it.

What has no socket to shut down (the import of the library, finding the host,
connecting) happens in a helper thread that is left behind on cancel, or when the
connection takes too long, and then ends without sending anything.
"""

import contextlib
import queue
import socket
import struct
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from tui.errors import Cancelled, TooMuch
from tui.models.openai import limits
from tui.models.openai.client import Settings, http_client
from tui.models.openai.errors import never_connected
from tui.models.openai.limits import QUIET
from tui.models.openai.listing import Models, listed
from tui.models.openai.retries import KeptWaiting, NoConnection
from tui.turn import Cancellation

T = TypeVar("T")

_IDLE = 4
"""How many connections a pool keeps: as many turns may run at once with reuse."""

_LONGEST_WAIT = 1e6
"""Seconds; longer waits are more than a lock takes on some systems."""

_RESET = struct.pack("ii", 1, 0)
"""For `SO_LINGER`: closing sends a reset at once."""


class Link:
    """See the module's docstring. `abort` is for any thread, the rest for one."""

    def __init__(self, settings: Settings, api_key: Callable[[], str]) -> None:
        self._settings = settings
        self._api_key = api_key
        self.key = ""
        """The API key of the last request, "" for none."""
        self._client: Any = None
        self._socket: socket.socket | None = None
        self._aborted = False
        self._unread = False
        """Whether more of a response may come."""
        self._unconnected: Callable[[], None] = lambda: None
        """What to do when there is no connection within its limit."""
        self._connecting: threading.Timer | None = None

    @property
    def proxy(self) -> str:
        """The proxy that the configuration names, "" for none."""
        return self._settings.proxy

    def ask(
        self, cancel: Cancellation, body: Mapping[str, Any], responses: bool = False
    ) -> Any:
        """Send a request once; return the HTTP response when its headers have arrived.

        `responses` selects the Responses API instead of chat completions.

        Raises `Cancelled`, the library's errors for bad statuses (redirects included),
        `NoConnection` and `KeptWaiting`, after which this link cannot be used again,
        and whatever `api_key` raises.
        """

        def work() -> Any:
            rest = dict(body)
            model, stream = rest.pop("model"), rest.pop("stream")
            # The raw response, since its bytes are decoded faster here. All else as
            # extra_body, which takes the place of what is given as arguments: the
            # library refuses fields of other servers, and checks each message (400
            # of them: 75 ms of CPU for each request).
            # It is said to be a stream in any case: the library then leaves the body
            # to be read here, where it is bounded.
            rest["stream"] = stream
            client = self._ready()
            if responses:
                raw = client.responses.with_raw_response.create(
                    model=model, input=[], stream=True, extra_body=rest
                )
            else:
                raw = client.chat.completions.with_raw_response.create(
                    model=model, messages=[], stream=True, extra_body=rest
                )
            return raw.http_response

        try:
            return self._run(cancel, work, self._settings.timeout)
        except Exception as error:
            if never_connected(error):
                raise NoConnection(min(self._settings.timeout, self._limit)) from error
            raise

    def models(self, cancel: Cancellation, seconds: float) -> Models:
        """Return the server's models; none when it does not list them in `seconds`.

        Raises `Cancelled`.
        """
        try:
            return listed(self.read(cancel, "/models", seconds))
        except Cancelled:
            raise
        except Exception as error:
            return Models(too_long=_caused_by(error, TooMuch))

    def look_up(self, cancel: Cancellation, path: str, seconds: float) -> Any:
        """Return the JSON at a path below the base URL, or at a full URL.

        None on any failure or after `seconds`: no caller depends on it. Raises
        `Cancelled`.
        """
        try:
            return self.read(cancel, path, seconds)
        except Cancelled:
            raise
        except Exception:
            return None

    def read(self, cancel: Cancellation, path: str, seconds: float) -> Any:
        """Return the JSON at a path below the base URL, or at a full URL.

        Raises as `ask` does; `seconds` without a byte are a timeout, and so are
        `limits.QUIET` times as many in all.
        """

        def work() -> Any:
            client = self._ready().with_options(timeout=seconds)
            return client.get(path, cast_to=object)

        value = self._run(cancel, work, seconds)
        self._unread = False
        return value

    def abort(self) -> None:
        """Stop whatever this link is doing; it cannot be used again."""
        self._aborted = True
        self._shut_down()

    def close(self) -> None:
        """Abort, and close the connection."""
        self.abort()
        if self._client is not None:
            self._client.close()

    def settle(self, rest: Iterator[bytes], seconds: float = 1.0) -> bool:
        """Read the end of a response, so that the connection can be used again.

        Waits at most `seconds`; returns whether it can.
        """
        # The end may be read already or not; only reading tells, and it may block.
        watchdog = threading.Timer(seconds, self.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._unread = next(rest, None) is not None
            return not self._unread and not self._aborted
        except Exception:
            return False  # the answer itself has arrived; a new link will do
        finally:
            watchdog.cancel()

    def _ready(self) -> Any:
        """Return the client, with the key of this moment."""
        self.key = self._api_key()
        # The library insists on one; servers that want none ignore it.
        key = self.key or "none"
        if self._client is None:
            response = [limits.keep_address, limits.bound]
            hooks = {"request": [self._watch], "response": response}
            http = http_client(self._settings, hooks)
            import openai

            client = openai.OpenAI(
                api_key=key,
                base_url=self._settings.base_url,
                timeout=openai.Timeout(
                    self._settings.timeout,
                    connect=min(self._settings.timeout, self._limit),
                ),
                max_retries=0,  # unseen, it would wait for minutes
                http_client=http,
            )
            if not self._settings.own_service:
                # Taken from OPENAI_ORG_ID and OPENAI_PROJECT_ID: nobody else's
                # business.
                client.organization = client.project = None
            self._client = client
        self._client.api_key = key
        return self._client

    def _run(self, cancel: Cancellation, work: Callable[[], T], seconds: float) -> T:
        """Do `work` in a helper thread; return or raise as soon as it or `cancel`.

        The HTTP library's limit of `seconds` begins anew with each byte, so that there
        is another one for all of the work.
        """
        done: queue.SimpleQueue[tuple[T | None, BaseException | None]]
        done = queue.SimpleQueue()

        def helper() -> None:
            try:
                result = work()
            except BaseException as error:
                done.put((None, error))
            else:
                done.put((result, None))
            finally:
                self._connected()

        def give_up() -> None:
            self.abort()
            done.put((None, NoConnection(self._limit)))

        def wake() -> None:
            self.abort()
            done.put((None, Cancelled()))

        self._unconnected = give_up
        self._unread = True
        with cancel.on(wake):
            threading.Thread(
                target=helper, name="lazychat-request", daemon=True
            ).start()
            in_all = min(seconds * QUIET, _LONGEST_WAIT)
            try:
                result, error = done.get(timeout=in_all)
            except queue.Empty:
                self.abort()
                result, error = None, KeptWaiting(in_all)
        if error is not None:
            cancel.raise_if_requested()
            raise error
        return cast(T, result)

    def _watch(self, request: Any) -> None:
        """Look at a request before it is sent; from now on it is being connected."""
        if self._aborted:
            raise Cancelled
        request.extensions["trace"] = self._traced
        # The library's own limit is for each address of the host, and anew for TLS;
        # the system's search for the host has none.
        self._connecting = threading.Timer(self._limit, lambda: self._unconnected())
        self._connecting.daemon = True
        self._connecting.start()

    @property
    def _limit(self) -> float:
        # More than a day is not a limit, and more than a timer takes.
        return min(self._settings.connect_timeout, 86_400.0)

    def _connected(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None

    def _traced(self, name: str, info: Mapping[str, Any]) -> None:
        """Learn which socket is used: the plain one, then the one inside TLS.

        Then the request is sent on it; before, a proxy is asked for the way.
        """
        if name.endswith(".send_request_headers.started"):
            if info["request"].method != b"CONNECT":
                self._connected()
            return
        if name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._aborted:
                self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            if self._unread:
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            # The base class's method: SSLSocket's own takes the TLS layer away
            # under the feet of the thread that reads.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class LinkPool:
    """Keeps connections to one server for the next round of a turn. Thread-safe."""

    def __init__(self, settings: Settings, api_key: Callable[[], str]) -> None:
        self._settings = settings
        self._api_key = api_key
        self._lock = threading.Lock()
        self._idle: list[Link] = []
        self._closed = False
        weakref.finalize(self, _close_all, self._idle)

    def lend(self) -> Link:
        """Return a link, one that is connected if there is one."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self.new()

    def new(self) -> Link:
        """Return a link that was never used."""
        return Link(self._settings, self._api_key)

    def take_back(self, link: Link, rest: Iterator[bytes]) -> None:
        """Keep a link whose answer has arrived, or close it.

        The end of the transfer (`rest`) may come a moment after that of the answer.
        Nobody should wait for it, so this is done in a thread of its own.
        """

        def settle() -> None:
            if link.settle(rest):
                with self._lock:
                    if len(self._idle) < _IDLE and not self._closed:
                        self._idle.append(link)
                        return
            link.close()

        threading.Thread(target=settle, name="lazychat-settle", daemon=True).start()

    def close(self) -> None:
        """Close all idle links, and every other link when it is returned."""
        with self._lock:
            self._closed = True
            _close_all(self._idle)


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error or one of its causes is of a type."""
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None or isinstance(cause, kind):
            break
        cause = cause.__cause__ or cause.__context__
    return isinstance(cause, kind)


def _close_all(links: list[Link]) -> None:
    while links:
        links.pop().close()
