"""Cancelling the OpenAI model from another thread, wherever it waits."""

import queue
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from support.fakes.asking import full_port
from support.fakes.collect import collect, text_of
from support.fakes.sse_server import LIMIT, SSEServer, Stall, text

from tui.errors import Cancelled
from tui.events import Event
from tui.messages import Message
from tui.models.openai.model import OpenAIModel, preload
from tui.turn import Turn

ASK = [Message("user", "Hello")]
SOON = 10.0
"""Seconds, much less than what is waited for in each test; measured 0.2 to 6 ms."""


@pytest.fixture
def server() -> Iterator[SSEServer]:
    preload()
    with SSEServer() as server:
        yield server


def wait_for_helpers() -> None:
    """Wait until the threads that were left behind have ended."""
    for thread in threading.enumerate():
        if thread.name in ("lazychat-request", "lazychat-settle"):
            thread.join(LIMIT)


class Asking:
    """A model that answers in a thread of its own."""

    def __init__(self, url: str, **options: object) -> None:
        self.turn = Turn("t")
        self.said: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.error: BaseException | None = None
        self.model = OpenAIModel("test", "fake", url, **options)  # type: ignore[arg-type]  # of any kind
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self.model.generate(ASK, (), self.turn):
                self.said.put(event)
        except BaseException as error:
            self.error = error

    def cancel(self) -> float:
        """Cancel; return the seconds until the generator has raised."""
        start = time.monotonic()
        self.turn.cancel.request()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        self.model.close()
        return time.monotonic() - start


def test_stalled_stream_ends_at_once_and_the_server_sees_it(server: SSEServer) -> None:
    server.answer(text("Hel"), text("lo"), Stall())
    asking = Asking(server.url)
    said = [asking.said.get(timeout=LIMIT) for _ in range(2)]

    seconds = asking.cancel()

    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    assert text_of(said) == "Hello"
    server.wait_gone()


@pytest.mark.parametrize("stream", [True, False])
def test_wait_for_headers_ends_at_once_and_the_server_sees_it(
    server: SSEServer, stream: bool
) -> None:
    stall = Stall()
    server.answer(before=stall)
    asking = Asking(server.url, stream=stream)
    stall.reached()

    seconds = asking.cancel()

    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    server.wait_gone()


def test_wait_for_headers_on_a_kept_connection_ends_too(server: SSEServer) -> None:
    stall = Stall()
    server.json({"choices": [{"message": {"content": "x"}}]})
    server.answer(before=stall)
    model = OpenAIModel("test", "fake", server.url, stream=False)
    collect(model.generate(ASK, (), Turn("s")))
    wait_for_helpers()
    turn = Turn("t")
    threading.Thread(target=lambda: (stall.reached(), turn.cancel.request())).start()

    with pytest.raises(Cancelled):
        collect(model.generate(ASK, (), turn))

    server.wait_gone()
    model.close()
    assert len({request.port for request in server.requests}) == 1


def test_wait_between_two_tries_ends_at_once_and_nothing_more_is_sent(
    server: SSEServer,
) -> None:
    server.json({}, status=429, headers={"Retry-After": "20"})
    asking = Asking(server.url)
    deadline = time.monotonic() + LIMIT
    while not server.requests:
        assert time.monotonic() < deadline

    seconds = asking.cancel()

    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    wait_for_helpers()
    assert len(server.requests) == 1


def test_connecting_ends_at_once() -> None:
    with full_port() as url:
        asking = Asking(url, timeout=LIMIT)

        seconds = asking.cancel()

        assert isinstance(asking.error, Cancelled)
        assert seconds < SOON
    wait_for_helpers()


def test_tls_handshake_ends_at_once() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        asking = Asking(f"https://127.0.0.1:{listening.getsockname()[1]}/v1")
        client, _ = listening.accept()
        client.settimeout(LIMIT)
        assert client.recv(1)  # the first word of the handshake

        seconds = asking.cancel()

        client.close()
    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    wait_for_helpers()


def test_wait_for_the_key_ends_at_once_and_nothing_is_sent(server: SSEServer) -> None:
    asked, go = threading.Event(), threading.Event()

    def find_key() -> str:
        asked.set()
        go.wait(LIMIT)
        return "key"

    asking = Asking(server.url, api_key=find_key)
    assert asked.wait(LIMIT)

    seconds = asking.cancel()
    go.set()

    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    wait_for_helpers()
    assert server.connections == 0


def test_host_that_is_found_after_a_cancel_is_sent_nothing(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = threading.Event(), threading.Event()
    find = socket.getaddrinfo

    def find_slowly(*args: Any, **more: Any) -> Any:
        asked.set()
        go.wait(LIMIT)
        return find(*args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find_slowly)
    asking = Asking(server.url)
    assert asked.wait(LIMIT)

    seconds = asking.cancel()
    go.set()

    assert isinstance(asking.error, Cancelled)
    assert seconds < SOON
    wait_for_helpers()
    assert server.requests == []


def test_cancelled_turn_sends_nothing(server: SSEServer) -> None:
    turn = Turn("t")
    turn.cancel.request()
    model = OpenAIModel("test", "fake", server.url)

    with pytest.raises(Cancelled):
        collect(model.generate(ASK, (), turn))

    assert server.requests == []


@pytest.mark.parametrize(
    "pieces", [[text("one"), text("two")], [text("one") + text("two")]]
)
def test_text_in_store_is_not_given_after_a_cancel(
    server: SSEServer, pieces: list[bytes]
) -> None:
    stall = Stall()
    server.answer(*pieces, stall)
    model = OpenAIModel("test", "fake", server.url)
    turn = Turn("t")
    generator = model.generate(ASK, (), turn)
    next(generator)
    stall.reached()
    events: list[Event] = []

    turn.cancel.request()

    with pytest.raises(Cancelled):
        collect(generator, events)
    assert events == []


def test_generator_that_is_closed_closes_the_connection(server: SSEServer) -> None:
    server.answer(text("Hello"), Stall())
    model = OpenAIModel("test", "fake", server.url)
    generator = model.generate(ASK, (), Turn("t"))
    next(generator)

    generator.close()

    server.wait_gone()


def test_a_server_that_only_sends_learns_that_nobody_reads_any_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        link = OpenAIModel("test", "fake", url)._links.new()
        with ThreadPoolExecutor(1) as pool:
            body = {"model": "fake", "stream": True}
            asked = pool.submit(link.ask, Turn("t").cancel, body)
            client, _ = listening.accept()
            assert client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            response = asked.result(LIMIT)
        while select.select([], [client], [], 0.2)[1]:  # until its window is shut
            client.send(b": still thinking\n\n")

        link.abort()
        with suppress(Exception):
            list(response.iter_raw())  # what has come, which does not open the window
        link.close()

        client.settimeout(LIMIT)
        with client, pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.sendall(bytes(1 << 26))
