"""Numbers from servers that are none, or none that anything can have."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, calls, finish, text
from support.fault_notes import Tried
from support.start import Start

from tui.errors import ModelError
from tui.events import UsageReported
from tui.messages import Message
from tui.models.openai.calls import CallAssembler
from tui.models.openai.chunks import MOST_TOKENS, count, usage_event
from tui.models.openai.model import OpenAIModel
from tui.models.openai.window import figures, told
from tui.turn import Turn

HUGE = "9" * 401

NO_NUMBERS = [
    HUGE,
    "-5",
    "1e999",
    "NaN",
    "1.5",
    '"9"',
    '"²"',
    "true",
    "[]",
    "{}",
    "null",
]
"""As JSON: what a field for a number may hold."""


def answered(server: SSEServer) -> list[Any]:
    model = OpenAIModel("test", "fake", server.url, max_retries=0)
    events, reply = collect(model.generate([Message("user", "q")], (), Turn("t")))
    model.close()
    assert reply.message.text == "Hello"
    return events


def usage_of(prompt: str, completion: str) -> bytes:
    tokens = f'{{"prompt_tokens": {prompt}, "completion_tokens": {completion}}}'
    return f'data: {{"choices": [], "usage": {tokens}}}\n\n'.encode()


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_what_is_no_number_of_tokens_is_not_reported(
    server: SSEServer, tried: Tried, number: str
) -> None:
    server.answer(text("Hello"), finish(), usage_of(number, number), DONE)
    server.answer(text("Hello"), finish(), usage_of(number, "7"), DONE)

    without, (*_, usage) = answered(server), answered(server)

    assert not any(isinstance(event, UsageReported) for event in without)
    assert (usage.input_tokens, usage.output_tokens) == (0, 7)
    tried("an invalid number from a server", 2)


def test_a_number_of_5000_digits_ends_no_app(start: Start, tried: Tried) -> None:
    with SSEServer() as server:
        server.answer(text("Hello"), finish(), usage_of("9" * 5000, HUGE), DONE)
        model = {"provider": "openai", "model": "x", "base_url": server.url}
        terminal = start(config={"model": "odd", "models": {"odd": model}})
        terminal.type("go")
        terminal.press("enter")
        terminal.wait_for("Hello")
        terminal.wait_for(lambda t: t.row(-1).split()[1] in ("ready", "error"))

        terminal.type("still here")

        terminal.wait_for("still here")
    tried("an invalid number from a server")


@given(st.integers() | st.floats() | st.text() | st.booleans() | st.none())
def test_a_count_is_a_number_of_tokens_or_nothing(value: Any) -> None:
    found = count(value)

    assert found is None or (type(found) is int and 0 <= found <= MOST_TOKENS)
    if type(value) is int and 0 <= value <= MOST_TOKENS:
        assert found == value


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_cached_tokens_are_bounded_too(number: str) -> None:
    cached = json.loads(number)
    usage = {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": cached}}

    event = usage_event(usage, 1.0)

    assert event == UsageReported(5, 0, 1.0, 0)


@pytest.mark.parametrize("number", [*NO_NUMBERS, "0", "1000000001", "2e9"])
def test_a_window_of_an_absurd_size_is_not_known(number: str) -> None:
    entry = {"id": "m", "max_model_len": json.loads(number)}

    assert told({"data": [entry]}, "m") == (0, "")


@pytest.mark.parametrize("rows", [5, "text", {"a": 1}, True, None, [5, None, "x"]])
def test_a_list_of_models_that_is_none_tells_nothing(rows: Any) -> None:
    assert told({"data": rows}, "m") == (0, "")


@pytest.mark.parametrize("digits", [HUGE, "9" * 5000, "²³¹", "0"])
def test_a_refusal_with_absurd_figures_tells_none(digits: str) -> None:
    refusal = f"maximum context length is {digits} tokens, you requested {digits}"

    assert figures(refusal) == (0, 0)


def test_a_refusal_with_absurd_figures_is_an_error_like_any(server: SSEServer) -> None:
    said = f"maximum context length is {'9' * 5000} tokens"
    server.json({"error": {"message": said, "code": "9" * 5000}}, status=400)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    with pytest.raises(ModelError, match="too long for fake"):
        collect(model.generate([Message("user", "q")], (), Turn("t")))

    model.close()


@pytest.mark.parametrize("code", ["9" * 5000, "²²²", HUGE, -1, 1e300, True])
def test_an_error_with_an_absurd_code_is_told(server: SSEServer, code: Any) -> None:
    error = {"error": {"message": "no luck", "code": code}}
    server.answer(b"data: " + json.dumps(error).encode() + b"\n\n")
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    with pytest.raises(ModelError, match="no luck"):
        collect(model.generate([Message("user", "q")], (), Turn("t")))

    model.close()


@pytest.mark.parametrize("wait", ["9" * 5000, "²", "-1", "nan", "1e9"])
def test_an_absurd_time_to_wait_is_not_quoted(server: SSEServer, wait: str) -> None:
    headers = {"Retry-After": wait.encode().decode("latin-1")}
    server.json({"error": "slow down"}, status=429, headers=headers)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    with pytest.raises(ModelError, match="Try again in a moment"):
        collect(model.generate([Message("user", "q")], (), Turn("t")))

    model.close()


@pytest.mark.parametrize("index", ["9" * 5000, "²", 10**400, -1, 1.5, None, [], True])
def test_a_call_with_an_absurd_index_is_read(index: Any) -> None:
    assembler = CallAssembler()
    function = {"name": "get_weather", "arguments": '{"city": "Rome"}'}

    assembler.add([{"index": index, "id": "c", "function": function}])

    (call,) = assembler.finish()
    assert (call.name, call.arguments) == ("get_weather", {"city": "Rome"})


def test_an_answer_with_absurd_numbers_everywhere_is_read(server: SSEServer) -> None:
    chunk = calls().replace(b'"created": 1', b'"created": ' + HUGE.encode())
    chunk = chunk.replace(b'"index": 0', b'"index": ' + HUGE.encode())
    server.answer(chunk, text("Hello"), finish(), DONE)

    answered(server)
