"""Errors that a server tells in an answer with status 200, and which of them pass."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes.asking import asked
from support.fakes.collect import text_of
from support.fakes.sse_server import DONE, SSEServer, delta, event, finish, text

from tui.events import Event, RetryScheduled
from tui.models.openai import retries
from tui.models.openai.model import preload


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SSEServer]:
    preload()
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0.02)
    with SSEServer() as server:
        yield server


def whys(events: list[Event]) -> list[str]:
    return [event.why for event in events if isinstance(event, RetryScheduled)]


def error(message: str = "x", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


BUSY = {
    "code": (error(code=429), "rate-limited"),
    "code in a string": (error(code="429"), "rate-limited"),
    "type": (error("Number of requests", type="rate_limit_error"), "rate-limited"),
    "name of a code": (error(code="rate_limit_exceeded"), "rate-limited"),
    "Anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Wait"}},
        "overloaded",
    ),
    "Kimi": (error("The engine is currently overloaded"), "overloaded"),
    "OpenRouter": (error("Provider returned error", code=502), "failed (502)"),
    "SiliconFlow": ({"code": 50505, "msg": "Model service overloaded."}, "overloaded"),
    "MiniMax": (
        {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
        "rate-limited",
    ),
    "GLM": (error("您当前使用该API的并发数过高", code="1302"), "rate-limited"),
    "beside a choice": (
        {"choices": [{"index": 0, "finish_reason": "error"}], **error(code=503)},
        "unavailable (503)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", BUSY)
@pytest.mark.parametrize("whole", [False, True], ids=["stream", "document"])
def test_a_busy_server_is_asked_again_though_its_status_was_good(
    server: SSEServer, how: str, whole: bool
) -> None:
    told, why = BUSY[how]
    if whole:
        server.json(told)
    else:
        server.answer(delta(role="assistant", content=""), event(told))
    server.answer(text("Hello"), finish(), DONE)

    events, reply = asked(server)

    assert reply.message.text == "Hello"
    assert whys(events) == [why]


NEWER = {
    "error": {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down"},
    "failed": {
        "type": "response.failed",
        "response": {
            "status": "failed",
            "error": {"code": "rate_limit_exceeded", "message": "Slow down"},
        },
    },
}


@pytest.mark.parametrize("how", NEWER)
def test_so_is_one_of_the_responses_api(server: SSEServer, how: str) -> None:
    server.answer(event(NEWER[how]))
    said = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}
    server.answer(event(said), event({"type": "response.completed", "response": {}}))

    events, reply = asked(server, api="responses")

    assert reply.message.text == "Hello"
    assert whys(events) == ["rate-limited"]


def test_refusals_and_busy_answers_share_one_count_of_tries(server: SSEServer) -> None:
    busy = error("Slow down", code=429)
    server.json(busy, status=429, headers={"Retry-After-Ms": "10"})
    server.answer(event(busy))
    server.answer(event(busy))

    events, failure = asked(server, max_retries=2)

    assert "Slow down" in str(failure)
    assert whys(events) == ["rate-limited", "rate-limited"]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "told",
    [
        error("You exceeded your current quota", code="insufficient_quota"),
        error("Rate limit reached, try again in 10m0s"),
        error("The prompt is wrong", code=400),
    ],
    ids=["quota", "too long a pause", "bad request"],
)
def test_what_does_not_pass_soon_is_told_at_once(
    server: SSEServer, told: dict[str, Any]
) -> None:
    server.answer(event(told))

    events, failure = asked(server)

    assert json.dumps(told["error"]["message"]) in str(failure)
    assert whys(events) == []
    assert len(server.asked) == 1


def test_nothing_is_asked_again_once_a_word_has_come(server: SSEServer) -> None:
    server.answer(text("Hel"), event(error("Slow down", code=429)))

    events, failure = asked(server)

    assert text_of(events) == "Hel"
    assert "Slow down" in str(failure)
    assert len(server.asked) == 1


def test_what_the_newer_api_refuses_in_an_answer_is_left_out(server: SSEServer) -> None:
    refused = {"type": "error", "message": "Unknown parameter: 'top_k'.", "code": "x"}
    server.answer(event(refused))
    said = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}
    server.answer(event(said), event({"type": "response.completed", "response": {}}))

    _, reply = asked(server, api="responses", options={"top_k": 5})

    assert reply.message.text == "Hello"
    assert "top_k" not in server.asked[1].json
