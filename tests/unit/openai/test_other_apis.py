"""Answers in the events of other services' own APIs."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fakes.asking import asked
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, calls, delta, event, finish

from tui.messages import Reply
from tui.models.gate import Gate
from tui.models.openai.calls import read_arguments
from tui.models.openai.either_stream import EitherReader
from tui.models.openai.errors import Where
from tui.models.openai.stream import Response
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

X = '{"x": 1}'


def named(type: str, **fields: Any) -> bytes:
    return f"event: {type}\n".encode() + event({"type": type, **fields})


def block(index: int, **fields: Any) -> bytes:
    return named("content_block_delta", index=index, delta=fields)


def cohere(type: str, **message: Any) -> bytes:
    return event({"type": type, "index": 0, "delta": {"message": message}})


def gemini(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": parts, "role": "model"}, **fields}]}


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


TOOL = {"type": "tool_use", "id": "t", "name": "double", "input": {}}
PLAN = {"id": "t", "type": "function", "function": {"name": "double", "arguments": ""}}
STREAMS: dict[str, list[bytes]] = {
    "anthropic": [
        named("message_start", message={"role": "assistant", "content": []}),
        named("content_block_start", index=0, content_block={"type": "thinking"}),
        named("ping"),
        block(0, type="thinking_delta", thinking="Hm."),
        named("content_block_stop", index=0),
        named("content_block_start", index=1, content_block={"type": "text"}),
        block(1, type="text_delta", text="Hel"),
        block(1, type="text_delta", text="lo"),
        named("content_block_start", index=2, content_block=TOOL),
        block(2, type="input_json_delta", partial_json='{"x"'),
        block(2, type="input_json_delta", partial_json=": 1}"),
        named("message_delta", delta={"stop_reason": "tool_use"}),
        named("message_stop"),
    ],
    "gemini": [
        event(gemini({"text": "Hm.", "thought": True})),
        event(gemini({"text": "Hel"})),
        event(gemini({"text": "lo"})),
        event(gemini({"functionCall": {"name": "double", "args": {"x": 1}}})),
        event(gemini({"text": ""}, finishReason="STOP")),
    ],
    "cohere": [
        event({"type": "message-start", "delta": {"message": {"role": "assistant"}}}),
        cohere("tool-plan-delta", tool_plan="Hm."),
        cohere("content-delta", content={"text": "Hel"}),
        cohere("content-delta", content={"text": "lo"}),
        cohere("tool-call-start", tool_calls=PLAN),
        cohere("tool-call-delta", tool_calls={"function": {"arguments": X}}),
        event({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}),
    ],
    "ollama": [
        lines(
            {"message": {"role": "assistant", "content": "", "thinking": "Hm."}},
            {"message": {"role": "assistant", "content": "Hello"}, "done": False},
            {
                "message": {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [
                        {"function": {"name": "double", "arguments": {"x": 1}}}
                    ],
                },
                "done": True,
            },
        )
    ],
}


def read(pieces: list[bytes]) -> Reply:
    where = Where("m", "http://127.0.0.1", "", "", "")
    builder = ReplyBuilder(Turn("t"), Gate("auto", {"double": {}}))
    response = Response(builder, Cancellation(), where, kind="text/event-stream")
    return collect(EitherReader(response, newer=False).read(iter(pieces)))[1]


@pytest.mark.parametrize("api", STREAMS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_events_of_another_api_are_an_answer(api: str, data: st.DataObject) -> None:
    whole = b"".join(STREAMS[api])
    places = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1))))
    cuts = zip([0, *places], [*places, None], strict=True)

    message = read([whole[a:b] for a, b in cuts]).message

    assert (message.text, message.reasoning) == ("Hello", "Hm.")
    assert [(c.name, c.arguments) for c in message.tool_calls] == [("double", {"x": 1})]


@pytest.mark.parametrize(
    "steps",
    [
        [event({"content": "Hel", "stop": False}),
         event({"content": "lo", "stop": True})],
        [lines({"response": "Hel", "done": False}, {"response": "lo", "done": True})],
        [event({"token": {"text": "Hel", "special": False}, "generated_text": None}),
         event({"token": {"text": "lo", "special": False}, "details": None}),
         event({"token": {"text": "</s>", "special": True}, "generated_text": "Hello",
                "details": {"finish_reason": "eos_token"}})],
        [event({"result": "Hel", "is_end": False}),
         event({"result": "lo", "is_end": True})],
    ],
    ids=["llama.cpp", "ollama", "tgi", "ernie"],
)  # fmt: skip
def test_text_in_the_events_of_another_api_is_an_answer(
    server: SSEServer, steps: list[bytes]
) -> None:
    server.answer(*steps)

    reply = asked(server, max_retries=0)[1]

    assert (reply.message.text, reply.finish_reason) == ("Hello", "stop")


@pytest.mark.parametrize(
    "document",
    [
        {
            "type": "message",
            "content": [
                {"type": "thinking", "thinking": "Hm."},
                {"type": "text", "text": "Hello"},
                {**TOOL, "input": {"x": 1}},
            ],
            "stop_reason": "tool_use",
        },
        gemini(
            {"text": "Hm.", "thought": True},
            {"text": "Hello"},
            {"functionCall": {"name": "double", "args": {"x": 1}}},
            finishReason="STOP",
        ),
        [gemini({"text": "Hm.", "thought": True}),
         gemini({"text": "Hello"}),
         gemini({"functionCall": {"name": "double", "args": {"x": 1}}},
                finishReason="STOP")],
    ],
    ids=["anthropic", "gemini", "gemini's list"],
)  # fmt: skip
def test_a_document_of_another_api_is_an_answer(
    server: SSEServer, document: Any
) -> None:
    server.json(document)

    message = asked(server, max_retries=0)[1].message

    assert (message.text, message.reasoning) == ("Hello", "Hm.")
    assert [(c.name, c.arguments) for c in message.tool_calls] == [("double", {"x": 1})]


def test_the_plan_of_a_tool_call_is_reasoning(server: SSEServer) -> None:
    wish = {"index": 0, "id": "a", "function": {"name": "double", "arguments": X}}
    server.answer(delta(tool_plan="I double."), calls(wish), finish("TOOL_CALL"), DONE)

    message = asked(server, max_retries=0)[1].message

    assert (message.reasoning, message.reasoning_field) == ("I double.", "tool_plan")


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        (['{"city": "Rome"', "}", '"}'], {"city": "Rome"}),
        (['{"a": {"b": 1}', "}", "}"], {"a": {"b": 1}}),
        (['{"a": ["x"]}', ']}'], {"a": ["x"]}),
        (['{"a": 1}', '"}'], '{"a": 1}"}'),
        (['{"a": 1', "}x}"], '{"a": 1}x}'),
    ],
)  # fmt: skip
def test_an_end_that_comes_twice_is_no_part_of_the_arguments(
    server: SSEServer, pieces: list[str], arguments: Any
) -> None:
    said = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    first = {"index": 0, "id": "a", "function": {"name": "look", "arguments": ""}}
    server.answer(calls(first), *map(calls, said), finish("tool_calls"), DONE)

    (call,) = asked(server, max_retries=0)[1].message.tool_calls

    assert call.arguments == arguments
    assert isinstance(read_arguments("".join(pieces)), str)
