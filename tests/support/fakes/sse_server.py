"""A scripted HTTP server that answers byte for byte as a test specifies.

It stands for any OpenAI-compatible server, with all possible quirks and faults. Real
sockets on 127.0.0.1, a port chosen by the system unless one is named, stdlib only, no
sleeping: a script waits for the test (`Pause`) or for its client (`Stall`).

    with SSEServer() as server:
        server.answer(text("Hel"), text("lo"), finish(), DONE)
        ...                          # POST server.url + "/chat/completions"
        assert server.requests[0].json["stream"] is True

An answer is a script: a list of steps, executed in order by the server's thread.

    bytes       sent unchanged in one write (and as one chunk of the chunked
                transfer), so a test decides where each event is cut
    Pause()     the test waits with `pause.reached()`, then continues it with
                `pause.go()`; a client that leaves ends the answer
    Stall()     send nothing more until the client leaves
    Repeat(b)   send the bytes 50 times a second until the client leaves
    Close()     close the connection in the middle of the answer
    Reset()     the same with a TCP reset

Answers are used up in order, one for each request. Those with a `path` serve only
requests whose path ends with it, those without only POST; the last answer stays. If no
answer matches, the status is 404. `server.gone` is set whenever a client has left
before the end of its answer. Nothing waits longer than `LIMIT` seconds.
"""

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

LIMIT = 30.0
"""Seconds after which a wait fails the test."""


class Pause:
    """A step in a script where the server waits for the test."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._waiting, self._going = socket.socketpair()

    def reached(self) -> None:
        """Wait until the server is here; raises TimeoutError after `LIMIT`."""
        if not self._reached.wait(LIMIT):
            raise TimeoutError("the server has not reached this pause")

    def go(self) -> None:
        """Let the server continue, now or when it gets here."""
        with contextlib.suppress(OSError):
            self._going.send(b"!")

    def hold(self, client: socket.socket) -> bool:
        """Wait in the server's thread; return whether the client is still connected."""
        self._reached.set()
        ready, _, _ = select.select([self._waiting, client], [], [], LIMIT)
        return self._waiting in ready

    def close(self) -> None:
        """Close the sockets, once nothing waits any more."""
        self._waiting.close()
        self._going.close()


class Stall(Pause):
    """The server sends nothing more until the client leaves."""


@dataclass(frozen=True)
class Repeat:
    """The server sends the same again and again until the client leaves."""

    data: bytes


class Close:
    """The server ends the connection here."""


class Reset(Close):
    """The server resets the connection here."""


Step = bytes | Pause | Repeat | Close


@dataclass
class Answer:
    """The server's answer to one request."""

    steps: Sequence[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "text/event-stream"
    chunked: bool = True
    """False: the body ends when the connection is closed, as with HTTP/1.0."""
    before: Pause | None = None
    """The server waits here before it sends the status line."""
    path: str = ""
    """Answer only requests whose path ends with this."""


@dataclass(frozen=True)
class Request:
    """A client's request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    port: int
    """The client's port: distinguishes connections."""

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class SSEServer:
    """The server; runs while the `with` block is open."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.gone = threading.Event()
        """Set when a client has left before the end of its answer."""
        self._answers: list[Answer] = []
        self._pauses: list[Pause] = []
        self._lock = threading.Lock()
        self._http = _HTTPServer(("127.0.0.1", port), _Handler)
        self._http.script = self
        self.port: int = self._http.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        # The short poll interval lets each test end quickly.
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join(LIMIT)
        for pause in self._pauses:
            pause.close()

    def answer(self, *steps: Step, **options: Any) -> Answer:
        """Add an answer; `options` are the fields of `Answer`."""
        answer = Answer(steps, **options)
        with self._lock:
            self._answers.append(answer)
        self._pauses += [s for s in (*steps, answer.before) if isinstance(s, Pause)]
        return answer

    @property
    def asked(self) -> list[Request]:
        """The requests for an answer: the app also queries the model's window."""
        return [request for request in self.requests if request.method == "POST"]

    @property
    def connections(self) -> int:
        """Number of connections so far."""
        return len(self._http.connections)

    def json(self, value: object, **options: Any) -> Answer:
        """Add an answer that is a single JSON document."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return self.answer(body, **{"content_type": "application/json", **options})

    def wait_gone(self) -> None:
        """Wait until a client has left early; raises TimeoutError after `LIMIT`."""
        if not self.gone.wait(LIMIT):
            raise TimeoutError("the client has not closed its connection")

    def take(self, request: Request) -> Answer | None:
        """Record a request and return its answer. Called by the handler."""
        with self._lock:
            self.requests.append(request)
            for path in (True, False):
                fitting = [
                    a
                    for a in self._answers
                    if bool(a.path) is path
                    and request.path.endswith(a.path)
                    and (path or request.method == "POST")
                ]
                if fitting:
                    if len(fitting) > 1:
                        self._answers.remove(fitting[0])
                    return fitting[0]
        return None


class _HTTPServer(ThreadingHTTPServer):
    # Closing the server waits for all handlers, so that no test leaves a thread.
    daemon_threads = False
    script: SSEServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: set[socket.socket] = set()

    def get_request(self) -> Any:
        request, address = super().get_request()
        self.connections.add(request)
        return request, address

    def hang_up(self) -> None:
        """End all connections, and with them the waits of the handlers."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report nothing: many tests are about clients that leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise two writes may arrive as one
    server: _HTTPServer

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _reply(self, body: bytes) -> None:
        script = self.server.script
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = script.take(
            Request(self.command, self.path, headers, body, self.client_address[1])
        )
        if answer is None:
            answer = Answer((b'{"error": "no such path"}',), 404)
        if not self._play(answer):
            self.close_connection = True
            script.gone.set()

    def _play(self, answer: Answer) -> bool:
        """Execute all steps; return False if the client left before the end."""
        if answer.before is not None and not answer.before.hold(self.connection):
            return False
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            for step in answer.steps:
                match step:
                    case Pause():
                        if not step.hold(self.connection):
                            return False
                    case Repeat():
                        while not select.select([self.connection], [], [], 0.02)[0]:
                            self._send(step.data, answer.chunked)
                        return False
                    case Close():
                        self._end(reset=isinstance(step, Reset))
                        return True
                    case _:
                        self._send(step, answer.chunked)
            if answer.chunked:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            return False
        return True

    def _send(self, data: bytes, chunked: bool) -> None:
        if chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self.wfile.write(data)

    def _end(self, reset: bool) -> None:
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # The socket is closed only after its files; the base class closes them at
            # the end of the request.
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the log."""


# Messages of the protocol, as a well-behaved server writes them.

DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    """Return one server-sent event that carries `value` as JSON."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    """Return a chunk whose first choice has this delta."""
    return event(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}],
        }
    )


def text(content: str) -> bytes:
    """Return a chunk with a piece of the answer's text."""
    return delta(content=content)


def call(
    index: int | None = None,
    id: str | None = None,
    name: str | None = None,
    arguments: Any = None,
) -> dict[str, Any]:
    """Return a piece of a tool call that has only the given keys."""
    function = {"name": name, "arguments": arguments}
    piece = {
        "index": index,
        "id": id,
        "function": {k: v for k, v in function.items() if v is not None},
    }
    return {k: v for k, v in piece.items() if v is not None}


def calls(*pieces: dict[str, Any], **fields: Any) -> bytes:
    """Return a chunk with pieces of tool calls."""
    return delta(tool_calls=list(pieces), **fields)


def finish(reason: str = "stop") -> bytes:
    """Return the chunk that ends the answer."""
    return delta(reason)


def usage(prompt: int, completion: int, **more: Any) -> bytes:
    """Return the chunk that `include_usage` requests."""
    tokens = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return event({"choices": [], "usage": tokens | more})
