"""What is kept of requests and responses for the debug panel."""

import json
from collections.abc import Iterator

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text

from tui.errors import ModelError
from tui.messages import Message
from tui.models.exchanges import MOST, MOST_BYTES, Exchanges
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

KEY = "sk-verysecret-0123456789"


@pytest.fixture
def kept() -> Exchanges:
    return Exchanges()


@pytest.fixture
def model(server: SSEServer, kept: Exchanges) -> Iterator[OpenAIModel]:
    model = OpenAIModel("test", "fake", server.url, KEY, max_retries=0, exchanges=kept)
    yield model
    model.close()


def ask(model: OpenAIModel, words: str = "Hello", turn: str = "t") -> None:
    collect(model.generate([Message("user", words)], (), Turn(turn)))


def test_the_body_sent_and_the_bytes_that_came_are_kept(
    server: SSEServer, model: OpenAIModel, kept: Exchanges
) -> None:
    server.answer(text("Hi"), finish(), DONE)

    ask(model)

    [exchange] = kept.of("t")
    assert json.loads(exchange.request) == server.requests[0].json
    assert "data: " in exchange.response
    assert "Hi" in exchange.response
    assert exchange.outcome == "200"
    assert exchange.message_id == "t.1"
    assert exchange.address == f"{server.url}/chat/completions"


def test_keys_are_masked_wherever_they_stand(
    server: SSEServer, model: OpenAIModel, kept: Exchanges
) -> None:
    server.answer(text(f"It is {KEY}"), finish(), DONE)

    ask(model, f"My key is {KEY}")

    [exchange] = kept.of("t")
    assert KEY not in exchange.request + exchange.response
    assert "My key is ***" in exchange.request


def test_a_refusal_is_kept_with_its_status(
    server: SSEServer, model: OpenAIModel, kept: Exchanges
) -> None:
    server.json({"error": {"message": "no such thing"}}, status=400)

    with pytest.raises(ModelError):
        ask(model)

    exchange = kept.of("t")[0]
    assert exchange.outcome == "400"
    assert "no such thing" in exchange.response


def test_each_body_is_cut_and_says_so(
    server: SSEServer, model: OpenAIModel, kept: Exchanges
) -> None:
    server.answer(text("y" * 300_000), finish(), DONE)

    ask(model, "x" * 300_000)

    [exchange] = kept.of("t")
    for shown in (exchange.request, exchange.response):
        assert len(shown) < MOST_BYTES + 100
        assert "more bytes were not kept" in shown


def test_only_the_last_requests_are_kept(kept: Exchanges) -> None:
    for number in range(MOST + 5):
        kept.begin("t", f"t.{number}", "m", "")

    assert [it.message_id for it in kept.of("t")][:1] == ["t.5"]
    assert len(kept.of("t")) == MOST
    assert len(kept.of("t", "t.7")) == 1
    assert not kept.of("other")
