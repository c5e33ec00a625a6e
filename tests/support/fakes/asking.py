"""Asks a model on a server of a test one question."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.fakes.collect import collect
from support.fakes.sse_server import SSEServer
from tui.errors import ModelError
from tui.events import Event
from tui.messages import Message
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn


def asked(server: SSEServer | str, **options: Any) -> tuple[list[Event], Any]:
    """Return all events of a question, and the reply or the error.

    `server` may be an address; `options` are those of `OpenAIModel`.
    """
    url = server if isinstance(server, str) else server.url
    model = OpenAIModel("test", "fake", url, **options)
    events: list[Event] = []
    question = [Message("user", "Hello")]
    try:
        return events, collect(model.generate(question, (), Turn("t")), events)[1]
    except ModelError as error:
        return events, error
    finally:
        model.close()


@contextmanager
def full_port() -> Iterator[str]:
    """Yield the base URL of a port that lets nobody connect: its queue is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}/v1"
        for client in waiting:
            client.close()
