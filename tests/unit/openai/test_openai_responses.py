"""OpenAI's Responses API, against a server that holds clients to its rules."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.collect import collect, opened, reasoning_of, text_of
from support.fakes.responses_server import (
    ResponsesServer,
    searched,
    spoken,
    thought,
    wish,
)
from support.fakes.sse_server import SSEServer, Stall, event

from tui import events
from tui.agents import FunctionCallAgent
from tui.errors import Cancelled, ContextOverflow, ModelError
from tui.events import Event, MessageAdded, NoticeGiven, UsageReported
from tui.messages import (
    Attachment,
    Message,
    Sealed,
    SealedReasoning,
    ToolCall,
    ToolSchema,
)
from tui.models.openai.model import OpenAIModel
from tui.models.openai.responses import are_wanted, items, request_body
from tui.models.openai.responses_stream import decode
from tui.models.reply import CALL_CHARACTERS
from tui.tools import Tool
from tui.turn import Turn

ASK = [Message("user", "Hello")]
LOOK = ToolSchema("look", "Looks", {"type": "object", "properties": {}})
ROME = '{"city": "Rome"}'


@pytest.fixture
def rules() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server
    assert not server.problems, server.problems


def model(server: SSEServer, **options: Any) -> OpenAIModel:
    options = {"api": "responses", "max_retries": 0, **options}
    return OpenAIModel("test", "fake", server.url, **options)


def answer(
    server: SSEServer,
    messages: Sequence[Message] = ASK,
    tools: Sequence[ToolSchema] = (),
    said: list[Event] | None = None,
    **options: Any,
) -> tuple[list[Event], Any]:
    asked = model(server, **options)
    try:
        return collect(asked.generate(messages, tools, Turn("t")), said)
    finally:
        asked.close()


def look(city: str) -> str:
    """Look how the weather is. `city` is where."""
    return f"sunny in {city}"


def test_text_reasoning_and_usage_stream(rules: ResponsesServer) -> None:
    rules.say(thought("First this.", "Then that."), spoken("Hello there"))

    said, reply = answer(rules)

    assert text_of(said) == reply.message.text == "Hello there"
    assert reasoning_of(said) == reply.message.reasoning == "First this.\n\nThen that."
    assert reply.finish_reason == "stop"
    usage = said[-1]
    assert isinstance(usage, UsageReported)
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (36, 87, 7)


def test_nothing_is_stored_and_no_tool_of_the_server_is_offered(
    rules: ResponsesServer,
) -> None:
    rules.say(spoken("Hello"))

    answer(rules, tools=[LOOK])

    (body,) = rules.bodies
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert [tool["type"] for tool in body["tools"]] == ["function"]
    assert body["tools"][0]["strict"] is False
    assert body["input"] == [{"role": "user", "content": "Hello"}]


def test_a_round_with_tools_sends_back_what_was_thought(rules: ResponsesServer) -> None:
    rules.say(
        thought("I must look."),
        wish("call_1", "look", ROME),
        thought("There too."),
        wish("call_2", "look", '{"city": "Oslo"}'),
    )
    rules.say(thought("Now I know."), spoken("Sunny.", phase="final_answer"))
    rules.say(spoken("Still."))
    asked = model(rules)
    agent = FunctionCallAgent(asked, [Tool(look)])
    said = [e for e in agent.run([*ASK], Turn("t")) if isinstance(e, MessageAdded)]
    # As they come back from the log.
    read = [events.decode("message_added", events.encode(e)) for e in said]
    history = [e.message for e in read if isinstance(e, MessageAdded)]

    collect(asked.generate([*ASK, *history, *ASK], (), Turn("u")))
    asked.close()

    sent = [item.get("type", item.get("role")) for item in rules.bodies[-1]["input"]]
    assert sent == [
        *("user", "reasoning", "function_call", "reasoning", "function_call"),
        *("function_call_output", "function_call_output"),
        *("reasoning", "assistant", "user"),
    ]
    texts = [m["output"] for m in rules.bodies[1]["input"] if "output" in m]
    assert texts == ["sunny in Rome", "sunny in Oslo"]
    assert rules.bodies[-1]["input"][-2]["phase"] == "final_answer"
    assert rules.bodies[-1]["input"][1]["summary"] == [
        {"type": "summary_text", "text": "I must look."}
    ]


def test_a_call_is_announced_once_and_none_of_it_is_text(
    rules: ResponsesServer,
) -> None:
    rules.say(spoken("Wait."), wish("call_1", "look", ROME))

    said, reply = answer(rules, tools=[LOOK])

    assert opened(said) == 1
    assert text_of(said) == "Wait."
    assert reply.message.tool_calls == (ToolCall("call_1", "look", {"city": "Rome"}),)
    assert reply.finish_reason == "tool_calls"


def test_what_another_model_has_sealed_is_not_sent(rules: ResponsesServer) -> None:
    rules.say(thought("Mine."), spoken("One."))
    rules.say(spoken("Two."))
    _, reply = answer(rules)
    other = OpenAIModel("o", "other", rules.url, api="responses", max_retries=0)

    collect(other.generate([*ASK, reply.message, *ASK], (), Turn("u")))
    other.close()

    assert reply.message.sealed is not None
    assert [item["role"] for item in rules.bodies[-1]["input"]] == [
        *("user", "assistant", "user")
    ]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "This model is only supported in v1/responses and not in "
              "v1/chat/completions."),
        (400, "Function tools with reasoning_effort are not supported for gpt-5.6-luna "
              "in /v1/chat/completions. To use function tools, use /v1/responses or "
              "set reasoning_effort to 'none'."),
        (400, "Unsupported legacy protocol: /v1/chat/completions is not supported. "
              "Please use /v1/responses."),
    ],
)  # fmt: skip
def test_refusal_of_chat_completions_chooses_the_other_api_for_good(
    status: int, message: str
) -> None:
    with ResponsesServer(message, status) as server:
        server.say(spoken("One."))
        server.say(spoken("Two."))
        options = {"max_tokens": 99, "reasoning_effort": "low", "temperature": 0.5}
        asked = model(server, api="auto", options=options)

        said, reply = collect(asked.generate(ASK, [LOOK], Turn("t")))
        collect(asked.generate(ASK, (), Turn("u")))
        asked.close()

    assert reply.message.text == "One."
    assert not any(isinstance(e, NoticeGiven) for e in said)
    assert [r.path for r in server.asked] == [
        "/v1/chat/completions", "/v1/responses", "/v1/responses",
    ]  # fmt: skip
    body = server.bodies[0]
    assert (body["max_output_tokens"], body["temperature"]) == (99, 0.5)
    assert body["reasoning"] == {"summary": "auto", "effort": "low"}
    assert "tools" in body


def test_api_chat_stays_with_chat_completions() -> None:
    with ResponsesServer() as server, pytest.raises(ModelError, match="v1/responses"):
        answer(server, api="chat")
    assert server.bodies == []


def test_the_path_alone_chooses_it_too() -> None:
    assert are_wanted(400, "reasoning with tools is only served by /responses")
    assert are_wanted(404, "This is not a chat model, so v1/chat/completions is wrong.")
    assert are_wanted(400, "The chatCompletion operation does not work with the model.")
    assert are_wanted(400, '{"error": {"code": "unsupported_api_for_model"}}')


def test_other_refusals_do_not_choose_it() -> None:
    assert not are_wanted(404, "The model `x` does not exist")
    assert not are_wanted(429, "Too many requests to v1/responses")


@pytest.mark.parametrize(
    ("refuses", "left"),
    [("refuses_summary", "include"), ("refuses_include", "reasoning")],
)
def test_model_that_gives_no_summary_or_nothing_sealed_is_asked_without(
    refuses: str, left: str
) -> None:
    with ResponsesServer() as server:
        setattr(server, refuses, True)
        server.say(spoken("One."))
        server.say(spoken("Two."))
        asked = model(server, options={"reasoning": {"effort": "low"}})

        _, reply = collect(asked.generate(ASK, (), Turn("t")))
        collect(asked.generate(ASK, (), Turn("u")))
        asked.close()

    assert reply.message.text == "One."
    assert len(server.problems) == 1
    assert left in server.bodies[-1]
    assert server.bodies[-1]["reasoning"]["effort"] == "low"


def test_server_that_cannot_read_its_own_reasoning_is_asked_without_it() -> None:
    with ResponsesServer() as server:
        server.say(thought("Mine."), spoken("One."))
        server.say(spoken("Two."))
        asked = model(server)
        _, first = collect(asked.generate(ASK, (), Turn("t")))
        server.forget()

        _, reply = collect(asked.generate([*ASK, first.message, *ASK], (), Turn("u")))
        asked.close()

    assert reply.message.text == "Two."
    (problem,) = server.problems
    assert problem == "The encrypted content for item rs_1 could not be verified."


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter")],
)
def test_answer_that_is_cut_off_says_why(
    rules: ResponsesServer, reason: str, finish: str
) -> None:
    rules.say(
        spoken("Half of"), status="incomplete", incomplete_details={"reason": reason}
    )

    said, reply = answer(rules)

    assert (text_of(said), reply.finish_reason) == ("Half of", finish)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("rate_limit_exceeded", "Slow down", "rate_limited"),
        ("server_error", "Something broke", "model"),
        ("invalid_prompt", "Not that", "dropped"),
    ],
)
def test_failed_answer_is_told_and_its_text_kept(
    rules: ResponsesServer, code: str, message: str, kind: str
) -> None:
    rules.say(
        spoken("Half of"), status="failed", error={"code": code, "message": message}
    )
    said: list[Event] = []

    with pytest.raises(ModelError) as raised:
        answer(rules, said=said)

    assert raised.value.kind == kind
    assert message in str(raised.value)
    assert text_of(said) == "Half of"


def test_too_long_a_conversation_is_an_overflow(rules: ResponsesServer) -> None:
    message = "Your input exceeds the context window of this model."
    error = {"code": "context_length_exceeded", "message": message}
    rules.say(status="failed", error=error)

    with pytest.raises(ContextOverflow):
        answer(rules)


def test_error_event_is_quoted(server: SSEServer) -> None:
    server.answer(event({"type": "error", "code": "server_error", "message": "Oh no"}))

    with pytest.raises(ModelError, match="Oh no"):
        answer(server)


def test_stream_that_ends_early_is_a_drop(server: SSEServer) -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"}
    server.answer(event(delta))
    said: list[Event] = []

    with pytest.raises(ModelError, match="the stream ended early"):
        answer(server, said=said)

    assert text_of(said) == "Hel"


def test_what_the_server_does_itself_is_left_alone(rules: ResponsesServer) -> None:
    rules.say(searched(), spoken("Found."))

    said, reply = answer(rules)

    assert text_of(said) == "Found."
    assert reply.message.tool_calls == ()


def test_server_that_does_not_stream_is_read(rules: ResponsesServer) -> None:
    rules.say(thought("Hm."), spoken("Wait."), wish("c", "look", ROME))

    said, reply = answer(rules, tools=[LOOK], stream=False)

    assert text_of(said) == "Wait."
    assert reasoning_of(said) == "Hm."
    assert reply.message.tool_calls == (ToolCall("c", "look", {"city": "Rome"}),)
    assert reply.message.sealed.reasoning[0].content == "gAAA-rs_1"


def test_text_without_deltas_is_taken_from_the_item_or_the_end(
    server: SSEServer,
) -> None:
    item = spoken("Hello")
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    end = {"type": "response.completed", "response": {"output": [item]}}
    server.answer(event(done), event(end))
    server.answer(event(end))

    assert text_of(answer(server)[0]) == "Hello"
    assert text_of(answer(server)[0]) == "Hello"


def test_the_end_of_the_transfer_is_not_waited_for(server: SSEServer) -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}
    end = {"type": "response.completed", "response": {}}
    server.answer(event(delta), event(end), Stall())

    _, reply = answer(server)

    assert reply.message.text == "Hello"


def test_cancel_ends_it_at_once(server: SSEServer) -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"}
    server.answer(event(delta), Stall())
    turn = Turn("t")
    asked = model(server)
    said = asked.generate(ASK, (), turn)
    next(said)

    turn.cancel.request()

    with pytest.raises(Cancelled):
        next(said)
    server.wait_gone()
    asked.close()


def test_server_without_it_says_so(server: SSEServer) -> None:
    server.json({"error": "no such path"}, status=404)

    with pytest.raises(ModelError, match="has no Responses API") as raised:
        answer(server)

    assert raised.value.kind == "not_found"


def test_arguments_without_end_are_stopped(server: SSEServer) -> None:
    item = {**wish("c", "look", ""), "id": "fc_1"}
    added = {"type": "response.output_item.added", "output_index": 0, "item": item}
    piece = {
        "type": "response.function_call_arguments.delta",
        "output_index": 0,
        "delta": "x" * (CALL_CHARACTERS // 2),
    }
    server.answer(event(added), event(piece), event(piece), event(piece))

    with pytest.raises(ModelError, match="tool arguments of more than 1 MB"):
        answer(server)


def test_calls_without_end_are_stopped(server: SSEServer) -> None:
    added = [
        event(
            {
                "type": "response.output_item.added",
                "output_index": index,
                "item": wish(f"c{index}", "look", ""),
            }
        )
        for index in range(200)
    ]
    server.answer(*added)

    with pytest.raises(ModelError, match="more than 128 tool calls"):
        answer(server)


def test_more_than_is_kept_sealed_is_not_sent_back(server: SSEServer) -> None:
    done = [
        event(
            {
                "type": "response.output_item.done",
                "output_index": index,
                "item": {**thought(), "id": "rs", "encrypted_content": "x" * 300_000},
            }
        )
        for index in range(4)
    ]
    text = {"type": "response.output_text.delta", "output_index": 9, "delta": "Hello"}
    end = {"type": "response.completed", "response": {}}
    server.answer(*done, event(text), event(end))

    _, reply = answer(server)

    assert reply.message.text == "Hello"
    assert reply.message.sealed is None


ODD: list[Any] = [
    {},
    [],
    "x",
    {"type": 7},
    {"type": "response.new_thing", "item": {"type": "new"}},
    {"type": "response.output_text.delta", "delta": None},
    {"type": "response.output_text.delta", "delta": {"a": 1}, "output_index": "x"},
    {"type": "response.output_item.done", "item": None},
    {"type": "response.output_item.done", "item": {"type": "message", "content": 5}},
    {"type": "response.output_item.done", "item": {"type": "reasoning", "summary": 1}},
    {"type": "response.output_item.added", "item": {"type": "function_call"}},
    {"type": "response.function_call_arguments.delta", "delta": "x"},
    {"type": "response.in_progress", "response": "x"},
]


def test_odd_events_cost_nothing(server: SSEServer) -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}
    end = {"type": "response.completed", "response": {"usage": "x"}}
    server.answer(*map(event, ODD), event(delta), event(end))

    _, reply = answer(server)

    assert reply.message == Message("assistant", "Hello")


TEXT = b'{"type": "response.output_text.delta", "delta": "a%sb"%s}'


@pytest.mark.parametrize(
    "data",
    [
        TEXT % (b"\\ud800", b""),
        TEXT % (b"\xff", b""),
        TEXT % ("\ufffd".encode(), b', "x": NaN'),
        TEXT % ("\ufffd".encode(), b', "x": ' + b"[" * 5000 + b"]" * 5000),
    ],
)
def test_a_fault_in_an_event_spoils_one_character(data: bytes) -> None:
    assert decode(data).delta == "a\ufffdb"


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary(max_size=60) | st.builds(json.dumps, values).map(str.encode))
def test_decoding_gives_an_event_or_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(data)


def test_images_and_files_of_a_question_go_along(rules: ResponsesServer) -> None:
    rules.say(spoken("A cat."))
    image = Attachment("a.png", "image/png", b"\x89PNG")

    answer(rules, [Message("user", "What is it?", attachments=(image,))])

    text, picture = rules.bodies[0]["input"][0]["content"]
    assert text == {"type": "input_text", "text": "What is it?"}
    assert picture["image_url"].startswith("data:image/png;base64,")


def test_a_broken_off_turn_breaks_no_request(rules: ResponsesServer) -> None:
    rules.say(spoken("On."))
    sealed = Sealed(f"fake at {rules.url}", (SealedReasoning("rs_9", "x"),))

    answer(
        rules,
        [
            Message("user", "Weather?"),
            Message("assistant", "", "", (ToolCall("a", "look", {}),)),
            Message("user", "Never mind."),
            Message("assistant", "", "I only thought.", sealed=sealed),
            Message("tool", "sunny", tool_call_id="gone"),
        ],
    )


pieces = st.builds(
    SealedReasoning, st.just("rs"), st.text("x", min_size=1), place=st.integers(0, 5)
)
answers = st.builds(
    lambda text, calls, given: Message(
        "assistant",
        text,
        tool_calls=tuple(ToolCall(f"c{n}", "f", {}) for n in range(calls)),
        sealed=Sealed("m", tuple(given)) if given else None,
    ),
    st.text(max_size=3),
    st.integers(0, 3),
    st.lists(pieces, max_size=3),
)


@given(st.lists(st.builds(Message, st.just("user"), st.text(max_size=3)) | answers))
def test_reasoning_always_has_a_part_of_its_answer_behind_it(
    messages: list[Message],
) -> None:
    sent = list(items(messages, "m"))

    for number, item in enumerate(sent):
        if item.get("type") == "reasoning":
            following = sent[number + 1]
            kinds = ("reasoning", "function_call")
            answers = following.get("role") == "assistant"
            assert answers or following.get("type") in kinds
    if all(not message.sealed for message in messages):
        assert not any(item.get("type") == "reasoning" for item in sent)


def test_options_stand_beside_what_is_sent_anyway() -> None:
    options = {
        "include": ["message.output_text.logprobs"],
        "reasoning": {"effort": "high", "summary": "detailed"},
        "max_completion_tokens": 5,
        "verbosity": "low",
        "text": {"format": {"type": "text"}},
    }

    body = request_body(ASK, (), options, "m")

    assert body["include"] == [
        "reasoning.encrypted_content", "message.output_text.logprobs",
    ]  # fmt: skip
    assert body["reasoning"] == {"summary": "detailed", "effort": "high"}
    assert body["max_output_tokens"] == 5
    assert body["text"] == {"verbosity": "low", "format": {"type": "text"}}


def test_what_is_sealed_is_kept_in_the_log() -> None:
    sealed = Sealed("m", (SealedReasoning("rs", "x", ("a",), 2),), "commentary")
    added = MessageAdded("t.1", Message("assistant", "Hi", sealed=sealed))

    assert events.decode("message_added", events.encode(added)) == added


def test_the_server_of_these_tests_speaks_as_the_library_knows_it() -> None:
    from openai.types.responses import ResponseStreamEvent
    from pydantic import TypeAdapter

    known: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    said = [thought("Hm."), spoken("Hi"), wish("c", "f", "{}"), searched()]
    with ResponsesServer() as server:
        told = list(server.events(said, {}))

    for each in told:
        assert known.validate_python(each).type == each["type"]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("tools", {"message": "tools are not supported", "param": "tools"}),
        ("temperature", {"message": "Unsupported parameter", "param": "temperature"}),
        ("reasoning", {"message": "No 'reasoning.effort' here: unsupported."}),
        ("store", {"message": "Unknown parameter: 'store'."}),
        ("stream", {"message": "Streaming is not supported for this organization."}),
    ],
)
def test_what_it_refuses_is_left_out_and_that_is_said(
    server: SSEServer, field: str, said: dict[str, str]
) -> None:
    server.json({"error": said}, status=400)
    whole = {"output": [spoken("Hello")], "status": "completed"}
    server.json({**whole, "object": "response"})

    events, reply = answer(server, tools=[LOOK], options={"temperature": 0.1})

    assert reply.message.text == "Hello"
    before, after = (request.json for request in server.asked)
    assert field in before
    assert not after.get(field)
    rest = {"tools", "temperature", "reasoning", "store", "stream"} - {field}
    assert {key: after[key] for key in rest} == {key: before[key] for key in rest}
    (notice,) = [event.text for event in events if isinstance(event, NoticeGiven)]
    assert said["message"] in notice


def test_a_tool_that_it_refuses_is_left_out_alone(server: SSEServer) -> None:
    other = ToolSchema("other", "Others", LOOK.parameters)
    said = "Invalid schema for function 'other': it is odd."
    server.json({"error": {"message": said}}, status=400)
    server.json({"output": [spoken("Hello")], "status": "completed"})

    events, _ = answer(server, tools=[LOOK, other])

    assert [tool["name"] for tool in server.asked[-1].json["tools"]] == ["look"]
    assert "the tool other" in next(
        event.text for event in events if isinstance(event, NoticeGiven)
    )


@pytest.mark.parametrize(
    "said",
    [
        # llama.cpp
        {"code": 400, "message": "Cannot determine type of 'item'"},
        {"code": 400, "message": "'type' must be 'output_text'"},
        {"message": "Invalid discriminator value.", "param": "input.1.content"},
    ],
)
def test_answers_are_sent_in_parts_where_that_is_wanted(
    server: SSEServer, said: dict[str, Any]
) -> None:
    server.json({"error": said}, status=400)
    for __ in range(2):
        server.json({"output": [spoken("Hello")], "status": "completed"})
    asked = model(server)
    history = [*ASK, Message("assistant", "Hi"), *ASK]

    events, reply = collect(asked.generate(history, [LOOK], Turn("t")))
    collect(asked.generate(history, [LOOK], Turn("u")))
    asked.close()

    assert reply.message.text == "Hello"
    assert not [event for event in events if isinstance(event, NoticeGiven)]
    first, *others = ([*r.json["input"]] for r in server.asked)
    assert first[1] == {"role": "assistant", "content": "Hi"}
    for sent in others:
        (part,) = sent[1].pop("content")
        assert (part["type"], part["text"]) == ("output_text", "Hi")
        assert {**sent[1], "id": ""} == {
            "type": "message", "role": "assistant", "status": "completed", "id": "",
        }  # fmt: skip


def test_a_refusal_that_stays_is_quoted_and_nothing_is_learned(
    server: SSEServer,
) -> None:
    server.json({"error": {"message": "The 'store' here is not open."}}, status=400)
    asked = model(server)
    for _ in range(2):
        with pytest.raises(ModelError, match="is not open"):
            collect(asked.generate(ASK, (), Turn("t")))
    asked.close()

    assert ["store" in request.json for request in server.asked] == [True, False] * 2


def told(type: str, **fields: Any) -> bytes:
    return event({"type": f"response.{type}", **fields})


SAYS = told("output_text.delta", output_index=0, delta="Hello")
ENDS = told("completed", response={"status": "completed", "output": []})


@pytest.mark.parametrize(
    "steps",
    [
        [b"data: keep-alive\n\n", SAYS, b"data: ping\n\n", ENDS],
        [SAYS, b"data: [DONE]\n\n"],
        [SAYS, told("done", response={"status": "completed"})],
        [SAYS, ENDS.strip()],
        [told("output_text.done", output_index=0, text="Hello"), ENDS],
        [SAYS, told("output_text.done", output_index=0, text="Hello"), ENDS],
        [told("refusal.done", output_index=0, refusal="Hello"), ENDS],
    ],
)
def test_streams_of_relays_are_read(server: SSEServer, steps: list[bytes]) -> None:
    server.answer(*steps)

    events, reply = answer(server)

    assert reply.message.text == "Hello"
    assert not [event for event in events if isinstance(event, NoticeGiven)]


def test_one_event_that_cannot_be_read_costs_that_event(server: SSEServer) -> None:
    server.answer(SAYS, b"data: {oops\n\n", ENDS)

    events, reply = answer(server)

    assert reply.message.text == "Hello"
    (notice,) = [event.text for event in events if isinstance(event, NoticeGiven)]
    assert "could not be read" in notice


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (event({"code": 30001, "msg": "it is down"}), "it is down"),
        (event({"detail": "it is down"}), "it is down"),
        (told("error", error={"message": "it is down"}), "it is down"),
        (b"data: it is down\n\n", "it is down"),
        (told("cancelled", response={"status": "cancelled"}), "cancelled"),
        (
            told(
                "completed",
                response={"status": "failed", "error": {"message": "it is down"}},
            ),
            "it is down",
        ),
    ],
)
def test_errors_are_quoted_in_whatever_envelope(
    server: SSEServer, last: bytes, words: str
) -> None:
    server.answer(SAYS, last)
    said: list[Event] = []

    with pytest.raises(ModelError, match=words):
        answer(server, said=said)

    assert text_of(said) == "Hello"


def test_an_end_of_another_name_is_named(server: SSEServer) -> None:
    details = {"incomplete_details": {"reason": "max_tool_calls"}}
    server.answer(SAYS, told("incomplete", response=details))

    events, _ = answer(server)

    (notice,) = [event.text for event in events if isinstance(event, NoticeGiven)]
    assert "max_tool_calls" in notice


@pytest.mark.parametrize(
    "call",
    [
        {"id": "fc_1", "name": "look", "arguments": ROME},
        {"call_id": "c", "name": "look", "arguments": {"city": "Rome"}},
        {"name": "look", "arguments": ROME},
    ],
)
def test_a_call_is_read_in_whatever_shape(
    server: SSEServer, call: dict[str, Any]
) -> None:
    item = {"type": "function_call", **call}
    server.answer(told("output_item.done", output_index=0, item=item), ENDS)

    _, reply = answer(server, tools=[LOOK])

    (made,) = reply.message.tool_calls
    assert (made.name, made.arguments) == ("look", {"city": "Rome"})
    assert made.id


SAYS_1 = told("output_text.delta", output_index=1, delta="Hello")
FC = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look"}
ADDED = told("output_item.added", output_index=0, item={**FC, "arguments": ""})


def completed(*output: Any) -> bytes:
    return told("completed", response={"status": "completed", "output": output})


@pytest.mark.parametrize(
    "steps",
    [
        [ADDED,
         told("function_call_arguments.done", output_index=0, arguments=ROME),
         told("output_item.done", output_index=0, item={**FC, "arguments": ""}), ENDS],
        [ADDED, completed({**FC, "arguments": ROME})],
        [ADDED, told("function_call_arguments.delta", output_index=0, delta=ROME),
         completed({**FC, "arguments": ""})],
        [completed({**FC, "arguments": ROME})],
    ],
)  # fmt: skip
def test_arguments_are_found_wherever_they_are_told(
    server: SSEServer, steps: list[bytes]
) -> None:
    server.answer(*steps)

    (made,) = answer(server, tools=[LOOK])[1].message.tool_calls

    assert made.arguments == {"city": "Rome"}


def test_calls_are_told_apart_by_the_ids_of_their_items(server: SSEServer) -> None:
    steps: list[bytes] = []
    for number in ("1", "2"):
        item = {**FC, "id": f"fc_{number}", "call_id": number}
        steps.append(told("output_item.added", item=item))
    for number in ("1", "2"):
        piece = {"item_id": f"fc_{number}", "delta": '{"x": ' + number + "}"}
        steps.append(told("function_call_arguments.delta", **piece))
    server.answer(*steps, ENDS)

    made = answer(server, tools=[LOOK])[1].message.tool_calls

    assert [call.arguments for call in made] == [{"x": 1}, {"x": 2}]


SUMMED = {"type": "summary_text", "text": "Hm"}
SPOKEN = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}


@pytest.mark.parametrize(
    "steps",
    [
        [told("reasoning_text.done", output_index=0, text="Hm"), SAYS_1, ENDS],
        [told("reasoning.delta", output_index=0, delta="Hm"), SAYS_1, ENDS],
        [told("reasoning_summary.delta", output_index=0, delta={"text": "Hm"}),
         SAYS_1, ENDS],
        [told("reasoning_summary_part.done", output_index=0, summary_index=0,
              part=SUMMED), SAYS_1, ENDS],
        [told("output_item.done", output_index=0, item={"type": "reasoning", "id": "r",
              "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]}),
         SAYS_1, ENDS],
        [told("reasoning_text.delta", output_index=0, delta="Hm"),
         completed({"type": "reasoning", "id": "r", "summary": [SUMMED]}, SPOKEN)],
        [told("reasoning_text.delta", output_index=0, delta="Hm"),
         told("content_part.done", output_index=1, part=SPOKEN["content"][0]),
         completed(SPOKEN)],
        [b'event: response.reasoning_text.delta\ndata: {"delta": "Hm"}\n\n',
         b'event: response.output_text.delta\ndata: {"delta": "Hello"}\n\n',
         b'event: response.completed\ndata: {"response": {"output": []}}\n\n'],
        [told("reasoning_text.delta", output_index=0, delta="Hm"),
         told("output_item.done", output_index=1,
              item={"type": "message", "content": "Hello"}), ENDS],
    ],
)  # fmt: skip
def test_text_and_thoughts_are_found_wherever_they_are_told(
    server: SSEServer, steps: list[bytes]
) -> None:
    server.answer(*steps)

    _, reply = answer(server)

    assert (reply.message.reasoning, reply.message.text) == ("Hm", "Hello")
