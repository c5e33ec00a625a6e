"""What servers put into an answer in another shape, in another place, or twice."""

import json
from typing import Any

import pytest
from support.fakes.asking import asked
from support.fakes.collect import collect, reasoning_of, text_of
from support.fakes.sse_server import (
    DONE,
    SSEServer,
    call,
    calls,
    delta,
    event,
    finish,
    text,
)

from tui.events import NoticeGiven, UsageReported
from tui.messages import Message, Reply, ToolSchema
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

X = '{"x": 1}'


def reply_of(server: SSEServer, *steps: bytes) -> Reply:
    server.answer(*steps)
    reply = asked(server, max_retries=0)[1]
    assert isinstance(reply, Reply), reply
    return reply


@pytest.mark.parametrize(
    "steps",
    [
        [delta(content="No", refusal=" way.")],
        [delta(content="No"), delta(content="", refusal=" way.")],
        [delta(reasoning_content="Hm", refusal="No way.")],
        [delta(refusal=["No ", "way."])],
        [delta(refusal={"text": "No way."})],
        [delta(content=[{"type": "refusal", "refusal": "No way."}])],
        [delta(audio={"id": "a", "data": "AA", "transcript": "No"}),
         delta(audio={"data": "AA", "transcript": " way."})],
    ],
)  # fmt: skip
def test_words_beside_the_content_are_shown(
    server: SSEServer, steps: list[bytes]
) -> None:
    assert reply_of(server, *steps, finish(), DONE).message.text == "No way."


CHUNK = {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}
WHOLE = {
    "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]
}


@pytest.mark.parametrize("name", ["data", "result", "output", "response", "body"])
@pytest.mark.parametrize("streams", [True, False])
def test_an_envelope_around_an_answer_is_opened(
    server: SSEServer, name: str, streams: bool
) -> None:
    if streams:
        server.answer(event({"code": 200, name: CHUNK}), finish(), DONE)
    else:
        server.json({"code": 200, "msg": "ok", name: WHOLE})

    assert asked(server, max_retries=0)[1].message.text == "Hello"


def test_a_list_of_all_events_is_an_answer(server: SSEServer) -> None:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    server.json([CHUNK, CHUNK, end])

    assert asked(server, max_retries=0)[1].message.text == "HelloHello"


def test_a_message_without_choices_is_an_answer(server: SSEServer) -> None:
    piece = {"message": {"role": "assistant", "content": "Hel"}, "done": False}
    rest = {"message": {"role": "assistant", "content": "lo"}, "done": True}
    server.answer(event(piece), event(rest))

    assert asked(server, max_retries=0)[1].message.text == "Hello"


@pytest.mark.parametrize(
    "ends",
    [
        [finish("length"), finish("stop")],
        [finish("length"), event({"choices": [{"index": 0, "delta": {}}]})],
        [finish("stop"), finish("length")],
        [finish("length"), finish("null")],
    ],
)
def test_a_later_stop_does_not_hide_why_the_answer_ended(
    server: SSEServer, ends: list[bytes]
) -> None:
    reply = reply_of(server, text("Hel"), *ends, DONE)

    assert reply.finish_reason == "length"


TOKENS = {"prompt_tokens": 3, "completion_tokens": 2}


@pytest.mark.parametrize(
    "chunks",
    [
        [{"usage": TOKENS}, {"usage": {"prompt_tokens": 0, "completion_tokens": 0}}],
        [{"usage": TOKENS}, {"usage": {"total_tokens": 5}}],
        [{"usage": TOKENS}, {"usage": []}],
        [{"usage": None}, {"usage": {"input_tokens": 3, "output_tokens": 2}}],
        [{"x_groq": {"id": "r", "usage": TOKENS}}],
        [{"usage": {"prompt_tokens": 3, "completion_tokens": 1}}, {"usage": TOKENS}],
    ],
)
def test_token_counts_are_found(server: SSEServer, chunks: list[Any]) -> None:
    last = [event({"choices": [], **chunk}) for chunk in chunks]
    server.answer(text("Hello"), finish(), *last, DONE)

    *_, usage = asked(server)[0]

    assert isinstance(usage, UsageReported)
    assert (usage.input_tokens, usage.output_tokens) == (3, 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]},
        {"content": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]},
        {"content": [{"type": "output_image", "image": "x"}]},
        {"audio": {"id": "a", "data": "AAAA"}},
    ],
)
def test_what_cannot_be_shown_is_named_once(
    server: SSEServer, fields: dict[str, Any]
) -> None:
    server.answer(text("Here:"), delta(**fields), delta(**fields), finish(), DONE)

    said, reply = asked(server, max_retries=0)

    assert reply.message.text == "Here:"
    (notice,) = [e.text for e in said if isinstance(e, NoticeGiven)]
    assert "cannot be shown" in notice


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}]},
        {"provider_specific_fields": {"reasoning_content": "Hm"}},
        {"reasoningContent": {"text": "Hm"}},
        {"content": "Hm", "thought": True},
        {"content": "Hm", "extra_content": {"google": {"thought": True}}},
        {"content": "<thought>Hm", "extra_content": {"google": {"thought": True}}},
        {"reasoning_content": "Hm", "thinking_blocks": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"}]},
        {"reasoning_content": "Hm", "provider_specific_fields": {
            "reasoning_content": "Hm"}},
    ],
)  # fmt: skip
def test_thoughts_are_found_where_relays_put_them(
    server: SSEServer, fields: dict[str, Any]
) -> None:
    server.answer(delta(**fields), text("Yes."), finish(), DONE)

    said, reply = asked(server)

    assert (reasoning_of(said), text_of(said)) == ("Hm", "Yes.")
    assert "extra_content" not in reply.message.opaque


@pytest.mark.parametrize(
    "piece",
    [
        json.dumps([call(0, "a", "f", X)]),
        [{"id": "a", "function": "f", "arguments": X}],
        [{"id": "a", "name": "f", "input": {"x": 1}}],
        [{"id": "a", "function": {"name": "f", "args": {"x": 1}}}],
        [{"id": "a", "type": "custom", "custom": {"name": "f", "input": X}}],
    ],
)
def test_calls_are_read_in_whatever_shape(server: SSEServer, piece: Any) -> None:
    reply = reply_of(server, delta(tool_calls=piece), finish("tool_calls"), DONE)

    (made,) = reply.message.tool_calls
    assert (made.name, made.arguments) == ("f", {"x": 1})


def test_a_call_told_in_the_text_too_is_made_once(server: SSEServer) -> None:

    tool = ToolSchema("f", "F", {"type": "object", "properties": {"x": {}}})
    said = '<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>'
    signed = call(0, "a", "f", X) | {"extra_content": {"sig": "s"}}
    other = call(1, "b", "f", '{"x": 2}')
    server.answer(text(said), calls(signed), calls(other), finish("tool_calls"), DONE)
    model = OpenAIModel("test", "fake", server.url)

    _, reply = collect(model.generate([Message("user", "q")], [tool], Turn("t")))

    model.close()
    made = reply.message.tool_calls
    assert [each.arguments for each in made] == [{"x": 1}, {"x": 2}]
    assert made[0].opaque == {"extra_content": {"sig": "s"}}


FUNCTION = {"name": "double", "arguments": X}
CALL = {"index": 0, "id": "c1", "type": "function", "function": FUNCTION}
NAMES: dict[str, Any] = {
    "toolCalls": [CALL],
    "toolCall": CALL,
    "tool_call": CALL,
    "function_calls": [FUNCTION],
    "functionCalls": [FUNCTION],
    "functionCall": FUNCTION,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("streams", [True, False])
def test_calls_are_found_by_other_names(
    server: SSEServer, name: str, streams: bool
) -> None:
    fields = {"content": "Let me see.", name: NAMES[name]}
    if streams:
        server.answer(delta(**fields), finish("tool_calls"), DONE)
    else:
        message = {"message": fields, "finish_reason": "tool_calls"}
        server.json({"choices": [message]})

    reply = asked(server, max_retries=0)[1]

    assert reply.message.text == "Let me see."
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [
        ("double", {"x": 1})
    ]


def in_choice(**fields: Any) -> bytes:
    return event({"choices": [{"index": 0, **fields}]})


@pytest.mark.parametrize(
    "steps",
    [
        [in_choice(content="Hel"), in_choice(content="lo")],
        [in_choice(text="Hel", delta={}), in_choice(text="lo", delta={})],
        [in_choice(text="Hel", delta={"content": ""}), in_choice(text="lo")],
        [in_choice(content=[{"type": "text", "text": "Hel"}]), in_choice(content="lo")],
        [in_choice(delta={"content": "Hel"}, text="Hel"), in_choice(delta="lo")],
        [text("Hel"), text("lo"), in_choice(delta={}, text="Hello")],
        [text("Hel"), text("lo"), in_choice(delta={}, content="Hello")],
        [text("Hel"), in_choice(role="assistant", content="Hello")],
    ],
)
def test_text_right_in_a_choice_is_the_answer_once(
    server: SSEServer, steps: list[bytes]
) -> None:
    assert reply_of(server, *steps, finish(), DONE).message.text == "Hello"


def test_all_of_a_message_may_stand_right_in_a_choice(server: SSEServer) -> None:
    server.answer(
        in_choice(role="assistant", reasoning_content="Hm", content=None),
        in_choice(content=None, tool_calls=[CALL], finishReason="tool_calls"),
        event({"choices": [], "usage": {"promptTokens": 3, "completionTokens": 2}}),
        DONE,
    )

    said, reply = asked(server, max_retries=0)

    assert reply.message.reasoning == "Hm"
    assert [call.name for call in reply.message.tool_calls] == ["double"]
    assert reply.finish_reason == "tool_calls"
    usage = next(e for e in said if isinstance(e, UsageReported))
    assert (usage.input_tokens, usage.output_tokens) == (3, 2)


def test_a_reason_in_camel_case_is_one(server: SSEServer) -> None:
    server.answer(text("Hel"), in_choice(delta={}, finishReason="length"), DONE)

    assert asked(server, max_retries=0)[1].finish_reason == "length"
