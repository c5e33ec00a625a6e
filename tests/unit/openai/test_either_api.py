"""Answers in the events of the API that was not asked."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fakes.asking import asked
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, call, calls, delta, event, finish

from tui.errors import ModelError
from tui.events import UsageReported
from tui.messages import Reply
from tui.models.gate import Gate
from tui.models.openai.either_stream import EitherReader
from tui.models.openai.errors import Where
from tui.models.openai.stream import Response
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

X = '{"x": 1}'
TOKENS = {"prompt_tokens": 3, "completion_tokens": 2}
CHAT = [
    delta(role="assistant", content=""),
    delta(reasoning_content="Hm."),
    delta(content="Hel"),
    delta(content="lo"),
    calls(call(0, "c1", "double", X)),
    finish("tool_calls"),
    event({"choices": [], "usage": TOKENS}),
    DONE,
]


def named(type: str, **fields: Any) -> bytes:
    return f"event: {type}\n".encode() + event({"type": type, **fields})


def said(piece: str) -> bytes:
    return named("response.output_text.delta", delta=piece, output_index=1)


WISH = {
    "type": "function_call",
    "call_id": "c1",
    "name": "double",
    "arguments": X,
}
USAGE = {"input_tokens": 3, "output_tokens": 2}
NEWER = [
    named("response.created", response={"status": "in_progress", "output": []}),
    named("response.reasoning_text.delta", delta="Hm.", output_index=0),
    said("Hel"),
    said("lo"),
    named("response.output_item.done", item=WISH, output_index=2),
    named("response.completed", response={"status": "completed", "usage": USAGE}),
]
STREAMS = {"chat": CHAT, "responses": NEWER}
WORDS = {"type": "output_text", "text": "Hello"}
OUTPUT = [
    {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]},
    {"type": "message", "content": [WORDS]},
    WISH,
]
MESSAGE = {
    "content": "Hello",
    "reasoning_content": "Hm.",
    "tool_calls": [call(0, "c1", "double", X)],
}
DOCUMENTS: dict[str, Any] = {
    "chat": {
        "choices": [{"message": MESSAGE, "finish_reason": "tool_calls"}],
        "usage": TOKENS,
    },
    "responses": {
        "object": "response",
        "status": "completed",
        "output": OUTPUT,
        "usage": USAGE,
    },
}
ASKED = ("chat", "responses")


def read(pieces: Sequence[bytes], newer: bool) -> tuple[list[Any], Reply]:
    where = Where("m", "http://127.0.0.1", "", "", "")
    builder = ReplyBuilder(Turn("t"), Gate("auto", {"double": {}}))
    response = Response(builder, Cancellation(), where, kind="text/event-stream")
    return collect(EitherReader(response, newer).read(iter(pieces)))


def told(events: list[Any], reply: Reply) -> tuple[Any, ...]:
    message = reply.message
    usage = [e for e in events if isinstance(e, UsageReported)]
    return (
        message.text,
        message.reasoning,
        [(c.name, c.arguments) for c in message.tool_calls],
        reply.finish_reason,
        [(u.input_tokens, u.output_tokens) for u in usage],
    )


WHOLE = ("Hello", "Hm.", [("double", {"x": 1})], "tool_calls", [(3, 2)])


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("sent", STREAMS)
def test_the_events_of_either_api_are_read(
    server: SSEServer, path: str, sent: str
) -> None:
    server.answer(*STREAMS[sent])

    assert told(*asked(server, api=path, max_retries=0)) == WHOLE


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("sent", DOCUMENTS)
def test_a_document_of_either_api_is_read(
    server: SSEServer, path: str, sent: str
) -> None:
    server.json(DOCUMENTS[sent])

    assert told(*asked(server, api=path, max_retries=0)) == WHOLE


IDLE = [
    b": ping\n\n",
    b"data: ping\n\n",
    b"event: ping\ndata: {}\n\n",
    event({"type": "ping"}),
    event("[]"),
]


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("sent", STREAMS)
@settings(max_examples=40)
@given(data=st.data())
def test_the_api_is_told_wherever_the_stream_is_cut(
    newer: bool, sent: str, data: st.DataObject
) -> None:
    idle = data.draw(st.lists(st.sampled_from(IDLE), max_size=3))
    whole = b"".join([*idle, *STREAMS[sent]])
    places = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1))))
    cuts = zip([0, *places], [*places, None], strict=True)

    assert told(*read([whole[a:b] for a, b in cuts], newer)) == WHOLE


@pytest.mark.parametrize("newer", [False, True])
def test_a_failure_in_the_other_api_is_quoted(newer: bool) -> None:
    error = {"code": "server_error", "message": "boom"}
    failed = named("response.failed", response={"status": "failed", "error": error})
    chat = event({"choices": [], "error": {"message": "boom", "code": 500}})

    for stream in ([said("Hel"), failed], [delta(content="Hel"), chat]):
        with pytest.raises(ModelError, match="boom"):
            read(stream, newer)


@pytest.mark.parametrize("newer", [False, True])
def test_a_stream_that_tells_no_api_ends_as_before(newer: bool) -> None:
    with pytest.raises(ModelError, match="ended early"):
        read([b"data: ping\n\n", b"data: {}\n\n"], newer)


def test_what_belongs_to_chat_goes_back_as_chat() -> None:
    reply = read(CHAT, newer=True)[1]

    assert reply.message.reasoning_field == "reasoning_content"
