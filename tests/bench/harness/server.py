"""An OpenAI-compatible server on 127.0.0.1 that says what it is told to say.

    python -m harness.server        prints its port; ends when its stdin is closed

`POST /scenario` with `{"kind", "n", "rate", "end"}` tells the next answers: kind and
number of tokens, tokens a second (0: as fast as it goes), the last token. It also
clears the log. `GET /log` returns when each token was written and what became of each
answer, in seconds of the monotonic clock, which all processes share.
"""

import asyncio
import contextlib
import json
import os
import sys
import threading
from time import monotonic
from typing import Any

from .content import END, tokens


class Server:
    """The answers, and the log of them."""

    def __init__(self) -> None:
        self._scenario: dict[str, Any] = {}
        self._answers: list[dict[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """Answer the requests of one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while request := await reader.readline():
                method, path, _ = request.decode().split(" ", 2)
                length = 0
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                body = json.loads(await reader.readexactly(length) or b"null")
                if path.endswith("/chat/completions"):
                    await self._answer(reader, writer)
                else:
                    await _send(writer, self._control(method, path, body))
        writer.close()

    def _control(self, method: str, path: str, body: Any) -> Any:
        if path == "/scenario" and method == "POST":
            self._scenario = body
            self._answers = []
            return {}
        if path == "/log":
            return self._answers
        return {"object": "list", "data": [{"id": "fake", "object": "model"}]}

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        log: dict[str, Any] = {"tokens": [], "ended": None, "how": ""}
        self._answers.append(log)
        streaming = asyncio.ensure_future(self._stream(writer, log["tokens"]))
        gone = asyncio.ensure_future(reader.read(1))  # says nothing until it leaves
        await asyncio.wait({streaming, gone}, return_when=asyncio.FIRST_COMPLETED)
        log["ended"] = monotonic()
        log["how"] = "done" if streaming.done() else "abort"
        other = gone if streaming.done() else streaming
        other.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await other
        if log["how"] == "abort":
            raise ConnectionAbortedError
        await streaming

    async def _stream(
        self, writer: asyncio.StreamWriter, log: list[tuple[float, str]]
    ) -> None:
        scenario = self._scenario
        rate = scenario.get("rate", 0)
        texts = tokens(scenario["kind"], scenario["n"])
        texts[-1] = scenario.get("end", END)
        events = [_event({"content": text}) for text in texts]
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            + _chunk(_event({"role": "assistant", "content": ""}))
        )
        began = monotonic()
        for number, (text, event) in enumerate(zip(texts, events, strict=True)):
            if rate and (wait := began + number / rate - monotonic()) > 0:
                await asyncio.sleep(wait)
            log.append((monotonic(), text))
            writer.write(_chunk(event))
            if rate or number % 32 == 31:
                await writer.drain()
        rest = _event({}, "stop") + b"data: [DONE]\n\n"
        writer.write(_chunk(rest) + b"0\r\n\r\n")
        await writer.drain()


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "fake",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _send(writer: asyncio.StreamWriter, body: Any) -> None:
    data = json.dumps(body).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(data), data)
    )
    await writer.drain()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


async def _main() -> None:
    server = await asyncio.start_server(Server().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
