"""Servers that send a byte now and then, and never an answer."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from support.fakes.asking import asked
from support.fakes.collect import text_of
from support.fakes.sse_server import LIMIT, delta, finish, text

from tui.errors import ModelError
from tui.models.openai import limits, link
from tui.models.openai.model import preload
from tui.models.setup import Place, models_at
from tui.models.setup import trying as setup_trying

QUIET = 0.04


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    preload()
    monkeypatch.setattr(limits, "QUIET", QUIET)
    monkeypatch.setattr(link, "QUIET", QUIET)


@contextmanager
def trickling(begin: bytes, again: bytes) -> Iterator[str]:
    """Yield the address of a server that sends `begin`, then `again` byte by byte."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            client, _ = listening.accept()
            with client, suppress(OSError):
                client.recv(1 << 16)
                client.sendall(begin)
                while True:
                    # The rest of the request, or the client's end.
                    told = select.select([client], [], [], 0.02)[0]
                    if told and not client.recv(1 << 16):
                        return
                    client.sendall(again)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        thread.join(LIMIT)
        assert not thread.is_alive(), "the client has not left"


def head(kind: str, status: str = "200 OK") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"HTTP/1.1 ", b"2"),
        (b"HTTP/1.1 200 OK\r\nX-Wait: ", b"a"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (head("application/json", "400 Bad Request") + b'{"error": "', b"a"),
        (head("application/json") + b'{"choices": "', b"a"),
        (head("text/html") + b"<html>", b"a"),
        (head("text/event-stream") + b'data: {"x": "', b"a"),
        (head("text/event-stream"), b" "),
    ],
)
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    begin: bytes, again: bytes
) -> None:
    with trickling(begin, again) as url:
        _, error = asked(url, timeout=30.0)

    assert isinstance(error, ModelError)
    assert error.kind == "dropped"
    assert "has kept the connection open for 1.2 seconds without answering" in str(
        error
    )


@pytest.mark.parametrize("again", [b": ping\n", delta(content=""), b"\n"])
def test_an_answer_that_has_ended_is_whole_whatever_is_sent_behind_it(
    again: bytes,
) -> None:
    begin = head("text/event-stream") + text("Here.") + finish()
    with trickling(begin, again) as url:
        events, reply = asked(url, timeout=30.0)

    assert text_of(events) == reply.message.text == "Here."


def test_a_list_of_models_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup_trying, "SECONDS", 30.0)

    with (
        trickling(head("application/json") + b'{"data": [', b" ") as url,
        pytest.raises(ModelError, match="within 30 seconds"),
    ):
        models_at(Place("Acme", url))
