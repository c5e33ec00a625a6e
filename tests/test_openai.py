"""The OpenAI model against a scripted server, over real sockets."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.sse_server import DONE, SSEServer, finish, text, usage

from tui.events import Event, TextDelta, UsageReported
from tui.messages import Message, Reply
from tui.models.openai import OpenAIModel
from tui.turn import Turn

ASK = [Message("user", "Hello")]


@pytest.fixture
def server() -> Iterator[SSEServer]:
    with SSEServer() as server:
        yield server


@pytest.fixture
def model(server: SSEServer) -> Iterator[OpenAIModel]:
    model = OpenAIModel("test", "fake", server.url, max_retries=0)
    yield model
    model.close()


def run(model: OpenAIModel, messages=ASK, tools=(), turn: Turn | None = None) -> Any:
    """Return the events of an answer and the reply."""
    events: list[Event] = []
    generator = model.generate(messages, tools, turn or Turn("t"))
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            assert isinstance(stop.value, Reply)
            return events, stop.value


def test_text_streams_and_usage_follows(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(text("Hel"), text("lo"), finish(), usage(5, 2), DONE)

    events, reply = run(model)

    assert events[:2] == [TextDelta("t.1", "Hel"), TextDelta("t.1", "lo")]
    assert isinstance(events[2], UsageReported)
    assert (events[2].input_tokens, events[2].output_tokens) == (5, 2)
    assert reply == Reply(Message("assistant", "Hello"), "stop")
