"""A server that sends far more than requested, as fast as the client reads.

    with HostileServer("flood", megabytes=200) as server:
        ...                          # POST server.url + "/chat/completions"
        server.wait_gone()           # the client has hung up

Each attack is a generator of bytes, so it needs no memory, and it runs in its own
process, so it takes no time from the test. After sending everything it waits for the
client to leave. `ATTACKS` names them all. GET requests get no answer, except for the
attack `models`.
"""

import itertools
import json
import os
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO

LIMIT = 30.0
"""Seconds after which a wait fails the test."""

_MEGABYTE = 1 << 20
_PIECE = 1 << 16


def _head(status: str = "200 OK", kind: str = "text/event-stream", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *more, "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


def _event(delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


def _end(reason: str = "stop") -> bytes:
    last = {"choices": [{"delta": {}, "finish_reason": reason}]}
    return b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n"


def _many(piece: bytes, size: int) -> Iterator[bytes]:
    """Yield `piece` repeatedly, at least `size` bytes in all."""
    block = piece * max(1, _PIECE // len(piece))
    for _ in range(-(-size // len(block))):
        yield block


def _within(delta: object, filling: bytes, size: int) -> Iterator[bytes]:
    """Yield one event, with `size` bytes of `filling` in place of FILL."""
    before, _, after = _event(delta).partition(b"FILL")
    yield before
    yield from _many(filling, size)
    yield after


def _packed(parts: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


def _line(size: int) -> Iterator[bytes]:
    yield _head() + b'data: {"choices": [{"delta": {"content": "'
    yield from _many(b"x", size)


def _data_lines(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _many(b"data: xyz\n", size)


def _comments(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _many(b": ping\n\n", size)


def _error(size: int) -> Iterator[bytes]:
    yield _head("400 Bad Request", "application/json") + b'{"error": {"message": "'
    yield from _many(b"no ", size)
    yield b'"}}'


def _gzip(size: int) -> Iterator[bytes]:
    yield _head("200 OK", "text/event-stream", "Content-Encoding: gzip")
    yield from _packed(_within({"content": "FILL"}, b"x", size))


def _gzip_error(size: int) -> Iterator[bytes]:
    yield _head("400 Bad Request", "text/plain", "Content-Encoding: gzip")
    yield from _packed(_many(b"no ", size))


def _delta(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _within({"content": "FILL"}, b"x", size)
    yield _end()


def _words(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _within({"content": "FILL"}, rb"lorem ipsum *dolor* sit\n\n", size)
    yield _end()


def _wide(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _within({"content": "FILL"}, "\u8a00\u8449\U0001f600".encode(), size)
    yield _end()


def _reasoning(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _within({"reasoning_content": "FILL"}, b"x", size)
    yield _end()


def _flood(size: int) -> Iterator[bytes]:
    yield _head()
    for number in itertools.count():
        event = _event({"content": f"w{number % 1000:03} "})
        yield event * (_PIECE // len(event))
        size -= _PIECE
        if size < 0:
            break
    yield _end()


def _flood_of_lines(size: int) -> Iterator[bytes]:
    yield _head()
    yield from _many(_event({"content": "all work and no play\n\n" * 200}), size)
    yield _end()


def _flood_of(text: str) -> Callable[[int], Iterator[bytes]]:
    """Return an attack of small pieces, each with `text`."""

    def attack(size: int) -> Iterator[bytes]:
        yield _head()
        yield from _many(_event({"content": text}), size)
        yield _end()

    return attack


def _arguments(size: int) -> Iterator[bytes]:
    yield _head()
    function = {"name": "get_weather", "arguments": '{"city": "'}
    yield _event({"tool_calls": [{"index": 0, "id": "c1", "function": function}]})
    piece = {"index": 0, "function": {"arguments": "x" * 1000}}
    yield from _many(_event({"tool_calls": [piece]}), size)
    piece = {"index": 0, "function": {"arguments": '"}'}}
    yield _event({"tool_calls": [piece]}) + _end("tool_calls")


def _calls(size: int) -> Iterator[bytes]:
    yield _head()
    for number in range(size // 100):
        function = {"name": "get_weather", "arguments": "{}"}
        call = {"index": number, "id": f"c{number}", "function": function}
        yield _event({"tool_calls": [call]})
    yield _end("tool_calls")


def _name(size: int) -> Iterator[bytes]:
    yield _head()
    function = {"name": "FILL", "arguments": "{}"}
    yield from _within({"tool_calls": [{"index": 0, "function": function}]}, b"n", size)
    yield _end("tool_calls")


def _called_in_text(size: int) -> Iterator[bytes]:
    yield _head()
    call = '<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>\n'
    yield from _many(_event({"content": call}), size)
    yield _end()


def _document(size: int) -> Iterator[bytes]:
    yield _head("200 OK", "application/json")
    yield b'{"choices": [{"message": {"content": "'
    yield from _many(b"x", size)
    yield b'"}}]}'


def _page(size: int) -> Iterator[bytes]:
    yield _head("200 OK", "text/html") + b"<html><body>"
    yield from _many(b"<p>Log in</p>", size)


def _models(size: int) -> Iterator[bytes]:
    yield _head("200 OK", "application/json") + b'{"data": ['
    yield from _many(b'{"id": "m", "max_model_len": 4096},', size)
    yield b'{"id": "x"}]}'


ATTACKS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "line": _line,
    "data lines": _data_lines,
    "comments": _comments,
    "error": _error,
    "gzip": _gzip,
    "gzip error": _gzip_error,
    "delta": _delta,
    "words": _words,
    "wide": _wide,
    "reasoning": _reasoning,
    "flood": _flood,
    "flood of lines": _flood_of_lines,
    "flood of tags": _flood_of("<" * 20),
    "flood of links": _flood_of("![a](" * 20),
    "flood of emphasis": _flood_of("**_~`" * 20),
    "flood of tables": _flood_of("| a | b |\n|---|---|\n| c | d |\n" * 5),
    "flood of quotes": _flood_of("> " * 20),
    "flood of marks": _flood_of("e" + "\u0301" * 40),
    "arguments": _arguments,
    "calls": _calls,
    "name": _name,
    "called in text": _called_in_text,
    "document": _document,
    "page": _page,
    "models": _models,
}
"""Generators of about the given number of bytes, by name."""


class HostileServer:
    """Runs one of `ATTACKS` for each request while the `with` block is open."""

    def __init__(self, attack: str, megabytes: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._command = [attack, str(int(megabytes * _MEGABYTE))]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "HostileServer":
        descriptor = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, str(descriptor), *self._command],
            pass_fds=[descriptor],
            stdout=subprocess.PIPE,
        )
        self._listener.close()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.kill()
        self._process.communicate()

    def wait_gone(self) -> int:
        """Wait until a client has hung up; return how many bytes were sent."""
        assert self._process
        assert self._process.stdout
        return int(_line_of(self._process.stdout))


def _line_of(pipe: IO[bytes]) -> bytes:
    import select

    ready, _, _ = select.select([pipe], [], [], LIMIT)
    if not ready:
        raise TimeoutError("the client has not closed its connection")
    return pipe.readline()


def _serve(client: socket.socket, attack: str, size: int) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        data = client.recv(65536)
        if not data:
            return
        request += data
    asks = request.startswith(b"POST")
    if asks:
        head, _, body = request.partition(b"\r\n\r\n")
        at = head.lower().index(b"content-length:") + 15
        missing = int(head[at:].split(b"\r\n")[0]) - len(body)
        while missing > 0:
            missing -= len(client.recv(65536))
    sent = 0
    try:
        if asks != (attack == "models"):
            for part in ATTACKS[attack](size):
                client.sendall(part)
                sent += len(part)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        else:
            client.sendall(_head("404 Not Found", "text/plain") + b"no")
    except OSError:
        pass
    if asks:
        print(sent, flush=True)


def _main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            with client:
                _serve(client, sys.argv[2], int(sys.argv[3]))
            os._exit(0)
        client.close()


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _main()
