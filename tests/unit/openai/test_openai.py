"""The OpenAI model against a scripted server, over real sockets."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes.collect import collect, opened, reasoning_of, text_of
from support.fakes.sse_server import (
    DONE,
    SSEServer,
    call,
    calls,
    delta,
    event,
    finish,
    text,
    usage,
)

from tui.errors import ModelError
from tui.events import NoticeGiven, TextDelta, UsageReported
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

ASK = [Message("user", "Hello")]
TOOL = ToolSchema("get_weather", "Weather of a city", {"type": "object"})


@pytest.fixture
def model(server: SSEServer) -> Iterator[OpenAIModel]:
    model = OpenAIModel("test", "fake", server.url, max_retries=0)
    yield model
    model.close()


def ask(model: OpenAIModel, tools: tuple[ToolSchema, ...] = ()) -> Any:
    return collect(model.generate(ASK, tools, Turn("t")))


def test_text_streams_and_usage_comes_last(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hel"), text("lo"), finish(), usage(5, 2), DONE)

    events, reply = ask(model)

    assert events[:2] == [TextDelta("t.1", "Hel"), TextDelta("t.1", "lo")]
    assert isinstance(events[2], UsageReported)
    assert (events[2].input_tokens, events[2].output_tokens) == (5, 2)
    assert 0 <= events[2].seconds < 5
    assert reply == Reply(Message("assistant", "Hello"), "stop")
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].json == {
        "model": "fake",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_options_and_tools_go_into_the_request(server: SSEServer) -> None:
    server.answer(finish(), DONE)
    options = {"temperature": 0.2, "min_p": 0.1}
    model = OpenAIModel("test", "fake", server.url, options=options)

    ask(model, (TOOL,))

    model.close()
    body = server.requests[0].json
    assert (body["temperature"], body["min_p"]) == (0.2, 0.1)
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Weather of a city",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]


def test_no_usage_is_made_up(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(text("Hello"), finish(), DONE)

    events, _ = ask(model)

    assert events == [TextDelta("t.1", "Hello")]


@pytest.mark.parametrize(
    "fields",
    [{"prompt_tokens_details": {"cached_tokens": 7}}, {"prompt_cache_hit_tokens": 7}],
    ids=["openai", "deepseek"],
)
def test_cached_tokens_are_reported(
    server: SSEServer, model: OpenAIModel, fields: dict[str, Any]
) -> None:
    server.answer(text("x"), finish(), usage(9, 1, **fields), DONE)

    events, _ = ask(model)

    assert isinstance(events[-1], UsageReported)
    assert events[-1].cached_tokens == 7


def test_usage_that_says_nothing_is_not_reported(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("x"), finish(), event({"choices": [], "usage": {"a": 1}}), DONE)

    events, _ = ask(model)

    assert events == [TextDelta("t.1", "x")]


def test_usage_in_a_choice_is_found(server: SSEServer, model: OpenAIModel) -> None:
    tokens = {"prompt_tokens": 3, "completion_tokens": 4}
    last = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": tokens}
    server.answer(text("x"), event({"choices": [last]}), DONE)

    events, _ = ask(model)

    assert isinstance(events[-1], UsageReported)
    assert events[-1].output_tokens == 4


def test_server_that_refuses_stream_options_is_asked_without(
    server: SSEServer, model: OpenAIModel
) -> None:
    error = {"error": {"message": "Unrecognized request argument: stream_options"}}
    server.json(error, status=400)
    server.answer(text("Hello"), finish(), DONE)

    _, reply = ask(model)
    ask(model)

    assert reply.message.text == "Hello"
    asked = ["stream_options" in request.json for request in server.requests]
    assert asked == [True, False, False]


@pytest.mark.parametrize(
    "message",
    [
        "gemma:2b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and '
        "--tool-call-parser to be set",
        "tools param requires --jinja flag",
    ],
    ids=["ollama", "vllm", "llama.cpp"],
)
def test_server_that_takes_no_tools_is_asked_without_and_says_so(
    server: SSEServer, model: OpenAIModel, message: str
) -> None:
    server.json({"error": {"message": message}}, status=400)
    server.answer(text("Hello"), finish(), DONE)

    events, reply = ask(model, (TOOL,))

    assert reply.message.text == "Hello"
    assert isinstance(events[0], NoticeGiven)
    assert "does not accept tools" in events[0].text
    assert ["tools" in request.json for request in server.requests] == [True, False]


@pytest.mark.parametrize(
    "message", ["Unknown field: stream_options", "fake does not support tools"]
)
def test_refusal_of_what_is_left_out_already_is_no_endless_loop(
    server: SSEServer, message: str
) -> None:
    server.json({"error": {"message": message}}, status=400)
    options = {"stream_options": {"include_usage": True}}
    model = OpenAIModel("test", "fake", server.url, options=options, max_retries=0)

    with pytest.raises(ModelError, match=message):
        ask(model)

    model.close()
    assert len(server.requests) <= 2


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_streams_apart_from_text(
    server: SSEServer, model: OpenAIModel, field: str
) -> None:
    server.answer(
        delta(role="assistant", content=None, **{field: "Let me "}),
        delta(**{field: "think.", "content": None}),
        delta(**{field: None, "content": "Yes."}),
        finish(),
        DONE,
    )

    events, reply = ask(model)

    assert (reasoning_of(events), text_of(events)) == ("Let me think.", "Yes.")
    assert reply.message == Message("assistant", "Yes.", "Let me think.")


def test_reasoning_under_both_names_is_shown_once(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(delta(reasoning="Hm", reasoning_content="Hm"), finish(), DONE)

    events, _ = ask(model)

    assert reasoning_of(events) == "Hm"


def test_refusal_is_text(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(delta(content=None, refusal="I cannot."), finish(), DONE)

    assert ask(model)[1].message.text == "I cannot."


def test_content_in_parts_is_read(server: SSEServer, model: OpenAIModel) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    server.answer(
        delta(content=[thought]),
        delta(content=[{"type": "text", "text": "Yes"}, ", ", {"type": "image"}, 3]),
        delta(content={"text": "sir"}),
        delta(content=["!"]),
        finish(),
        DONE,
    )

    events, _ = ask(model)

    assert (reasoning_of(events), text_of(events)) == ("Hm", "Yes, sir!")


def test_parallel_calls_in_pieces_with_text_between(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(
        calls(call(0, "a", "get_weather", ""), content="Let me look. "),
        calls(call(1, "b", "get_time", "")),
        calls(call(0, arguments='{"city": "To'), call(1, arguments='{"zone"')),
        calls(call(1, arguments=': "UTC"}'), content="One moment."),
        calls(call(0, arguments='kyo"}')),
        finish("tool_calls"),
        DONE,
    )

    events, reply = ask(model, (TOOL,))

    assert text_of(events) == reply.message.text == "Let me look. One moment."
    assert opened(events) == 1
    assert reply.message.tool_calls == (
        ToolCall("a", "get_weather", {"city": "Tokyo"}),
        ToolCall("b", "get_time", {"zone": "UTC"}),
    )
    assert reply.finish_reason == "tool_calls"


def test_calls_with_finish_reason_stop_are_kept(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(calls(call(0, "a", "get_time", "{}")), finish("stop"), DONE)

    _, reply = ask(model)

    assert reply.message.tool_calls == (ToolCall("a", "get_time", {}),)
    assert reply.finish_reason == "tool_calls"


def test_calls_without_ids_get_their_own(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(
        calls(call(0, name="get_time", arguments="{}")),
        calls(call(1, name="get_time", arguments="{}")),
        finish("tool_calls"),
        DONE,
    )

    _, reply = ask(model)

    ids = [call.id for call in reply.message.tool_calls]
    assert len(ids) == len(set(ids)) == 2
    assert all(ids)


def test_old_function_call_is_read(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(
        delta(function_call={"name": "get_time", "arguments": ""}),
        delta(function_call={"arguments": "{}"}),
        finish("function_call"),
        DONE,
    )

    _, reply = ask(model)

    assert [call.name for call in reply.message.tool_calls] == ["get_time"]
    assert reply.finish_reason == "tool_calls"


def test_call_that_is_written_in_both_ways_is_one(
    server: SSEServer, model: OpenAIModel
) -> None:
    """As `python -m llama_cpp.server` writes it."""
    pieces = [call(0, "a", "get_weather", a) for a in ('{"city"', ': "Rome"}')]
    chunks = [calls(piece, function_call=piece["function"]) for piece in pieces]
    server.answer(*chunks, finish("tool_calls"), DONE)

    _, reply = ask(model, (TOOL,))

    assert reply.message.tool_calls == (ToolCall("a", "get_weather", {"city": "Rome"}),)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
    ],
)
def test_finish_reason_is_told_in_openais_words(
    server: SSEServer, model: OpenAIModel, said: str, meant: str
) -> None:
    server.answer(text("x"), finish(said), DONE)

    assert ask(model)[1].finish_reason == meant


def test_end_without_done_is_fine_after_a_finish_reason(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hello"), finish())

    assert ask(model)[1] == Reply(Message("assistant", "Hello"), "stop")


def test_done_without_a_finish_reason_is_fine(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hello"), DONE)

    assert ask(model)[1] == Reply(Message("assistant", "Hello"), "stop")


def test_odd_chunks_cost_nothing(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(
        b": ping\n\n",
        event({"choices": []}),
        event({"choices": None, "usage": None}),
        event({"id": "x"}),
        event({"choices": [{"index": 0, "delta": None}]}),
        event({"choices": [{"delta": {"content": "Hel"}}], "error": None}),
        text("lo"),
        finish(),
        DONE,
    )

    assert ask(model)[1].message.text == "Hello"


def test_half_a_surrogate_pair_spoils_one_character_only(
    server: SSEServer, model: OpenAIModel
) -> None:
    half = b'data: {"choices": [{"delta": {"content": "a\\ud83d b"}}]}\n\n'
    server.answer(half, text("c"), finish(), DONE)

    assert ask(model)[1].message.text == "a\ufffd bc"


def test_events_cut_anywhere_give_the_same_answer(
    server: SSEServer, model: OpenAIModel
) -> None:
    stream = (
        text("你好, ") + calls(call(0, "a", "f", "{}")) + text("👋") + finish() + DONE
    )
    server.answer(*[stream[i : i + 1] for i in range(len(stream))])

    _, reply = ask(model)

    assert reply.message.text == "你好, 👋"
    assert [call.name for call in reply.message.tool_calls] == ["f"]


def test_plain_json_answer_is_read_although_a_stream_was_asked_for(
    server: SSEServer, model: OpenAIModel
) -> None:
    message = {"role": "assistant", "content": "Hello", "tool_calls": None}
    server.json({"choices": [{"message": message, "finish_reason": "stop"}]})

    assert ask(model)[1] == Reply(Message("assistant", "Hello"), "stop")


def test_stream_with_the_wrong_content_type_is_read(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hello"), finish(), DONE, content_type="application/json")

    assert ask(model)[1].message.text == "Hello"


def test_server_that_cannot_stream_is_asked_for_the_whole(server: SSEServer) -> None:
    said = {
        "role": "assistant",
        "content": "Let me look.",
        "reasoning_content": "Hm.",
        "tool_calls": [call(0, "a", "get_weather", '{"city": "Rome"}')],
    }
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls"}
    tokens = {"prompt_tokens": 3, "completion_tokens": 4}
    server.json({"choices": [choice], "usage": tokens})
    model = OpenAIModel("test", "fake", server.url, stream=False)

    events, reply = ask(model, (TOOL,))

    model.close()
    message = reply.message
    assert (message.text, message.reasoning) == ("Let me look.", "Hm.")
    assert message.tool_calls == (ToolCall("a", "get_weather", {"city": "Rome"}),)
    assert opened(events) == 1
    assert isinstance(events[-1], UsageReported)
    body = server.requests[0].json
    assert body["stream"] is False
    assert "stream_options" not in body


def test_compressed_answers_are_read(server: SSEServer, model: OpenAIModel) -> None:
    stream = gzip.compress(text("Hello") + finish() + DONE)
    server.answer(stream[:20], stream[20:], headers={"Content-Encoding": "gzip"})

    assert ask(model)[1].message.text == "Hello"


def test_the_next_round_uses_the_same_connection(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hello"), finish(), DONE)

    ask(model)
    for thread in threading.enumerate():
        if thread.name == "lazychat-settle":
            thread.join(10)
    ask(model)

    first, second = server.requests
    assert first.port == second.port


def test_two_threads_may_ask_at_once(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(text("one"), finish(), DONE)
    server.answer(text("two"), finish(), DONE)
    first = model.generate(ASK, (), Turn("a"))
    second = model.generate(ASK, (), Turn("b"))

    assert [next(first), next(second)] == [
        TextDelta("a.1", "one"),
        TextDelta("b.1", "two"),
    ]
    assert collect(first)[1].message.text == "one"
    assert collect(second)[1].message.text == "two"


def test_the_key_is_asked_for_before_each_request(server: SSEServer) -> None:
    server.answer(finish(), DONE)
    keys = iter(["key-1", "key-2\n"])
    model = OpenAIModel("test", "fake", server.url, lambda: next(keys))

    ask(model)
    ask(model)

    model.close()
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer key-1", "Bearer key-2"]


def test_other_services_learn_nothing_of_openai(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    server.answer(finish(), DONE)
    model = OpenAIModel("test", "fake", server.url)

    ask(model)

    model.close()
    sent = server.requests[0].headers
    assert sent["authorization"] == "Bearer none"
    assert not {"openai-organization", "openai-project"} & set(sent)


def test_no_proxy_is_asked_for_this_machine(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer(text("Hello"), finish(), DONE)
    model = OpenAIModel("test", "fake", server.url, max_retries=0)

    _, reply = ask(model)

    model.close()
    assert reply.message.text == "Hello"


def test_the_library_is_imported_when_it_is_needed() -> None:
    code = (
        "import sys; from tui.models.openai.model import OpenAIModel, preload;"
        "OpenAIModel('a', 'b'); assert 'openai' not in sys.modules;"
        "preload(); assert 'openai' in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
