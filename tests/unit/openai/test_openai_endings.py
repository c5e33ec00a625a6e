"""How an answer ends, and what servers put between its beginning and its end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
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

from tui.agents import FunctionCallAgent
from tui.errors import ModelError
from tui.events import Event, MessageAdded, NoticeGiven
from tui.messages import Message, Reply
from tui.models.openai import envelopes
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

ASK = [Message("user", "Hello")]


@pytest.fixture
def model(server: SSEServer) -> Iterator[OpenAIModel]:
    model = OpenAIModel("test", "fake", server.url, max_retries=0)
    yield model
    model.close()


def ask(model: OpenAIModel) -> tuple[list[Event], Reply]:
    return collect(model.generate(ASK, (), Turn("t")))


def fail(model: OpenAIModel) -> tuple[list[Event], ModelError]:
    events: list[Event] = []
    with pytest.raises(ModelError) as raised:
        collect(model.generate(ASK, (), Turn("t")), events)
    return events, raised.value


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, NoticeGiven)]


@pytest.mark.parametrize("content", ["", None, " \n"])
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
@pytest.mark.parametrize("thought", ["", "The answer is 4."])
def test_an_answer_without_a_word_is_an_error(
    server: SSEServer, model: OpenAIModel, content: Any, reason: str, thought: str
) -> None:
    server.answer(
        delta(role="assistant", content=content, reasoning_content=thought),
        finish(reason),
        DONE,
    )
    events: list[Event] = []

    with pytest.raises(ModelError) as raised:
        events += FunctionCallAgent(model).run(ASK)

    assert raised.value.kind == "empty"
    assert f"finish_reason {reason}" in str(raised.value)


def test_thoughts_before_an_answer_without_a_word_are_kept(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(delta(reasoning_content="It is 4."), finish(), DONE)
    events: list[Event] = []

    run = FunctionCallAgent(model).run(ASK)
    with pytest.raises(ModelError):
        events.extend(run)

    (added,) = [e for e in events if isinstance(e, MessageAdded)]
    assert added.message.reasoning == "It is 4."


@pytest.mark.parametrize(
    "reason",
    [
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "server_error", "Timeout"),
        *("insufficient_system_resource", "network_error", "abort"),
    ],
)
def test_an_end_that_is_a_failure_is_one_and_named(
    server: SSEServer, model: OpenAIModel, reason: str
) -> None:
    server.answer(text("Let me "), finish(reason), DONE)

    events, error = fail(model)

    assert text_of(events) == "Let me "
    assert error.kind == "dropped"
    assert reason in str(error)


@pytest.mark.parametrize(
    "reason", ["OTHER", "RECITATION", "moon_phase", "model_context_window_exceeded"]
)
def test_an_end_of_another_name_is_named(
    server: SSEServer, model: OpenAIModel, reason: str
) -> None:
    server.answer(text("Let me "), finish(reason), DONE)
    server.answer(finish(reason), DONE)

    events, _ = ask(model)
    _, error = fail(model)

    assert reason in notices(events)[0]
    assert reason in str(error)
    assert error.kind == "empty"


@pytest.mark.parametrize("reason", ["STOP", "eos", "end_turn", "stop_sequence", 1])
def test_ends_that_are_as_usual_are_not_told(
    server: SSEServer, model: OpenAIModel, reason: Any
) -> None:
    server.answer(text("Hi"), finish(reason))

    events, reply = ask(model)

    assert (notices(events), reply.finish_reason) == ([], "stop")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"code": 30001, "msg": "account balance too low"}, "account balance too low"),
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no more"}},
         "no more"),
        ({"choices": [], "base_resp": {"status_code": 1008, "status_msg": "no more"}},
         "no more"),
        ({"status": "error", "detail": "worker died"}, "worker died"),
        ({"detail": [{"loc": ["x"], "msg": "worker died"}]}, "worker died"),
        ({"error": "out of memory"}, "out of memory"),
        ({"error_code": 336003, "error_msg": "quota"}, "quota"),
        ({"type": "error", "error": {"message": "Overloaded"}}, "Overloaded"),
        ({"message": "worker died"}, "worker died"),
        ({"errors": [{"message": "worker died"}]}, "worker died"),
        ({"success": False, "message": "worker died"}, "worker died"),
        ({"ErrorMsg": "worker died", "ErrorCode": 12}, "worker died"),
        ({"errcode": 40001, "errmsg": "worker died"}, "worker died"),
        ({"Message": "worker died"}, "worker died"),
        ({"title": "worker died", "status": 503, "detail": ""}, "worker died"),
        ({"error_code": "E1", "reason": "worker died"}, "worker died"),
        ({"errors": {"model": ["worker died"]}}, "model: worker died"),
        ({"fault": {"faultstring": "worker died"}}, "worker died"),
        ({"status": "failed", "output": {"error": "worker died"}}, "worker died"),
        ({"code": "500", "data": {"message": "worker died"}}, "worker died"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "Hel"])
def test_errors_within_a_stream_are_quoted(
    server: SSEServer, model: OpenAIModel, said: Any, words: str, before: str
) -> None:
    server.answer(*[text(before)] * bool(before), event(said), DONE)

    events, error = fail(model)

    assert text_of(events) == before
    assert words in str(error)


def test_an_error_beside_the_last_words_is_quoted(
    server: SSEServer, model: OpenAIModel
) -> None:
    choice = {"index": 0, "delta": {"content": "Hel"}}
    status = {"status_code": 1013, "status_msg": "internal"}
    server.answer(event({"choices": [choice], "base_resp": status}))

    events, error = fail(model)

    assert text_of(events) == "Hel"
    assert "internal" in str(error)


def test_the_words_of_an_error_come_before_its_name() -> None:
    said = {"status": 400, "error": "Bad Request", "message": "worker died"}

    assert envelopes.find_message(said) == "worker died"


@pytest.mark.parametrize(
    "said",
    [
        {"title": "About clocks"},
        {"reason": "queue"},
        {"code": 0, "data": {"message": "fine"}},
        {"output": {"text": "x"}},
    ],
)
def test_what_says_nothing_of_an_error_is_none(said: Any) -> None:
    assert not envelopes.is_error(said)


OK = {"base_resp": {"status_code": 0, "status_msg": "success"}}


@pytest.mark.parametrize(
    "between",
    [
        event({"choices": [], **OK}),
        event({"code": 0, "msg": "ok"}),
        event({"type": "ping", "message": "alive"}),
        event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
        b"data: keep-alive\n\n",
        b"data: ping\n\n",
        b"data: null\n\n",
        b"data: \"heartbeat\"\n\n",
        b"data: [KEEPALIVE]\n\n",
        b"data: [some word]\n\n",
        b"data:\n\n",
        b": OPENROUTER PROCESSING\n\n",
        event({"choices": [None]}),
        event({"choices": [{"index": 0, "delta": ""}]}),
        event({"choices": [{"index": 0, "delta": None}]}),
        event({"choices": [{"index": 1, "delta": {"content": "OTHER"}}]}),
        event({"choices": [
            {"index": 1, "delta": {"content": "OTHER"}},
            {"index": 0, "delta": {"content": ""}},
        ]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("last", [DONE, b'data: "[DONE]"\n\n', b"data:[DONE]\n\n"])
def test_what_says_nothing_costs_nothing(
    server: SSEServer, model: OpenAIModel, between: bytes, last: bytes
) -> None:
    server.answer(between, text("Hel"), between, text("lo"), between, last)

    events, reply = ask(model)

    assert (reply.message.text, notices(events)) == ("Hello", [])


def test_one_event_that_cannot_be_read_costs_that_event(
    server: SSEServer, model: OpenAIModel
) -> None:
    server.answer(text("Hel"), b"data: {oops\n\n", text("lo"), finish(), DONE)

    events, reply = ask(model)

    assert reply.message.text == "Hello"
    assert "could not be read" in notices(events)[0]


@pytest.mark.parametrize("rest", [b"", DONE])
def test_words_in_the_place_of_an_answer_are_quoted(
    server: SSEServer, model: OpenAIModel, rest: bytes
) -> None:
    server.answer(b"data: upstream is gone\n\n", rest)

    assert "upstream is gone" in str(fail(model)[1])


WHOLE = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    "last",
    [
        {"index": 0, "delta": None, "message": WHOLE, "finish_reason": "stop"},
        {"index": 0, "delta": {}, "message": WHOLE, "finish_reason": "stop"},
        {"index": 0, "message": WHOLE, "finish_reason": "stop"},
        {"index": 0, "message": {"content": "Hello!"}, "finish_reason": "stop"},
    ],
)
@pytest.mark.parametrize("before", [["Hel", "lo"], ["Hel"], []])
def test_a_message_that_comes_whole_once_more_is_said_once(
    server: SSEServer, model: OpenAIModel, last: Any, before: list[str]
) -> None:
    server.answer(*map(text, before), event({"choices": [last]}), DONE)

    assert ask(model)[1].message.text == last["message"]["content"]


def test_calls_that_come_whole_once_more_are_made_once(
    server: SSEServer, model: OpenAIModel
) -> None:
    piece = call(0, "a", "look", "{}")
    whole = {"content": None, "tool_calls": [piece]}
    last = {"index": 0, "delta": None, "message": whole, "finish_reason": "tool_calls"}
    server.answer(calls(piece), event({"choices": [last]}), DONE)

    assert len(ask(model)[1].message.tool_calls) == 1


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        ({"type": "text", "text": "Hello"}, "Hello"),
        ([{"type": "output_text", "text": "Hello"}], "Hello"),
        ({"type": "text", "text": {"value": "Hello"}}, "Hello"),
        ({"content": "Hello"}, "Hello"),
        (42, "42"),
    ],
)
def test_content_is_read_in_whatever_shape(
    server: SSEServer, model: OpenAIModel, content: Any, meant: str
) -> None:
    server.answer(delta(content=content), finish(), DONE)

    assert ask(model)[1].message.text == meant


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (1, 2), (2, 1)])
def test_of_two_choices_side_by_side_the_first_is_read(
    server: SSEServer, model: OpenAIModel, numbers: tuple[int, int]
) -> None:
    said = {number: f"answer {number}" for number in numbers}
    chunks = [
        event({"choices": [{"index": number, "delta": {"content": piece}}]})
        for i in range(8)
        for number in numbers
        if (piece := said[number][i : i + 1])
    ]
    ends = [
        event({"choices": [{"index": n, "delta": {}, "finish_reason": "stop"}]})
        for n in numbers
    ]
    server.answer(*chunks, *ends, DONE)

    assert ask(model)[1].message.text == said[min(numbers)]


def test_texts_of_the_older_api_are_read(server: SSEServer, model: OpenAIModel) -> None:
    server.answer(event({"choices": [{"index": 0, "text": "Hello"}]}), finish(), DONE)

    assert ask(model)[1].message.text == "Hello"


CHUNKS = [json.dumps({"choices": [{"delta": {"content": w}}]}) for w in "ab"]
LAST = '{"choices": [{"finish_reason": "stop"}]}'


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"{chunk}\n" for chunk in [*CHUNKS, LAST]),
        "".join(f"data: {chunk}\n" for chunk in CHUNKS) + "data: [DONE]\n",
        "".join(f"data: data: {chunk}\n\n" for chunk in [*CHUNKS, "[DONE]"]),
        '\ufeff{"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}]}',
        "".join(f"data:{chunk}\r\n\r\n" for chunk in CHUNKS) + "data:[DONE]\r\n\r\n",
    ],
    ids=["lines", "single line ends", "data twice", "byte order mark", "crlf"],
)  # fmt: skip
def test_frames_that_are_not_quite_right_are_read(
    server: SSEServer, model: OpenAIModel, body: str
) -> None:
    server.answer(body.encode())

    events, reply = ask(model)

    assert (reply.message.text, notices(events)) == ("ab", [])


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "Let me think"},
        {"reasoning": "Let me think"},
        {"reasoning_text": "Let me think"},
        {"thinking_content": "Let me think"},
        {"reasoning_summary": "Let me think"},
        {"thought": "Let me think"},
        {"thoughts": ["Let me ", "think"]},
        {"thinking": "Let me think"},
        {"reasoning": {"content": "Let me think"}},
        {"reasoning": None, "reasoning_details": [
            {"type": "reasoning.text", "text": "Let me think"}]},
        {"reasoning_details": [
            {"type": "reasoning.summary", "summary": "Let me think"},
            {"type": "reasoning.encrypted", "data": "c2VjcmV0"}]},
        {"thinking": {"content": "Let me think"}, "reasoning_content": ""},
        {"content": [{"type": "reasoning", "text": "Let me think"}]},
        {"reasoning": "Let me think", "reasoning_details": [
            {"type": "reasoning.text", "text": "Let me think"}]},
    ],
)  # fmt: skip
def test_thoughts_are_read_under_all_their_names(
    server: SSEServer, model: OpenAIModel, fields: dict[str, Any]
) -> None:
    server.answer(delta(**fields), text("Yes."), finish(), DONE)

    events, reply = ask(model)

    assert (reasoning_of(events), text_of(events)) == ("Let me think", "Yes.")
    assert reply.message.reasoning == "Let me think"


@pytest.mark.parametrize("reason", [None, "error", "stop"])
def test_an_error_within_a_choice_is_quoted(
    server: SSEServer, model: OpenAIModel, reason: str | None
) -> None:
    broken = {"code": 502, "message": "the provider is gone"}
    choice = {"index": 0, "delta": {}, "finish_reason": reason, "error": broken}
    server.answer(text("Hel"), event({"choices": [choice]}), DONE)

    events, error = fail(model)

    assert text_of(events) == "Hel"
    assert "the provider is gone" in str(error)


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{"index": 0, "delta": [], "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": 0, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "message": [], "finish_reason": "stop"}]},
        {"choices": {"0": {"index": 0, "delta": {}, "finish_reason": "stop"}}},
        {"choices": {"index": 0, "delta": {}, "finish_reason": "stop"}},
        {"done": True},
    ],
)
@pytest.mark.parametrize(
    "first",
    [
        {"choices": [{"index": 0, "delta": "Hello"}]},
        {"choices": {"0": {"index": 0, "delta": {"content": "Hello"}}}},
        {"choices": {"delta": {"content": "Hello"}}},
    ],
)
def test_an_event_of_another_shape_is_read(
    server: SSEServer, model: OpenAIModel, first: Any, last: Any
) -> None:
    server.answer(event(first), event(last))

    events, reply = ask(model)

    assert reply.message.text == "Hello"
    assert not notices(events)


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"index":0,"delta":{"content":"a\tb"}}]}',
        b'{"choices":[{"index":0,"delta":{"content":"a\\tb"}}]},',
    ],
)
def test_json_that_is_nearly_right_costs_nothing(
    server: SSEServer, model: OpenAIModel, data: bytes
) -> None:
    server.answer(b"data: " + data + b"\n\n", finish(), b"data: [done]\n\n")

    events, reply = ask(model)

    assert reply.message.text == "a\tb"
    assert not notices(events)
