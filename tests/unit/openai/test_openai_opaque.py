"""What a server puts beside thoughts and calls comes back to it as it was."""

from typing import Any

import pytest
from support.fakes.collect import collect
from support.fakes.sse_server import (
    DONE,
    SSEServer,
    call,
    calls,
    delta,
    finish,
    text,
)

from tui import events
from tui.events import MessageAdded
from tui.messages import Message
from tui.models.openai.model import OpenAIModel
from tui.models.openai.opaque import MOST_BYTES
from tui.turn import Turn

QUESTION = Message("user", "Look")


def say(server: SSEServer, model: str = "m", *more: Message) -> Message:
    """Ask, with all that is said in the log meanwhile; return the message."""
    asked = OpenAIModel("test", model, server.url, max_retries=0)
    try:
        _, reply = collect(asked.generate([QUESTION, *more], (), Turn("t")))
    finally:
        asked.close()
    data = events.encode(MessageAdded("t.1", reply.message))
    added = events.decode("message_added", data)
    assert isinstance(added, MessageAdded)
    return added.message


def returned(server: SSEServer, message: Message, model: str = "m") -> dict[str, Any]:
    """Return what the server is sent of a message in the next round."""
    results = [Message("tool", "x", tool_call_id=c.id) for c in message.tool_calls]
    server.answer(text("fine"), finish(), DONE)
    say(server, model, message, *results)
    return server.asked[-1].json["messages"][1]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_thoughts_go_back_under_the_name_that_they_came_by(
    server: SSEServer, field: str
) -> None:
    server.answer(
        delta(**{field: "Let me "}),
        delta(**{field: "look."}),
        calls(call(0, "a", "look", "{}")),
        finish("tool_calls"),
        DONE,
    )

    sent = returned(server, say(server))

    names = {"reasoning_content", "reasoning", "reasoning_text"} & sent.keys()
    assert {name: sent[name] for name in names} == {field: "Let me look."}


def test_thoughts_before_an_answer_do_not_go_back(server: SSEServer) -> None:
    server.answer(delta(reasoning_content="Hm"), text("Yes"), finish(), DONE)

    message = say(server)

    assert message.origin == ""
    assert returned(server, message).keys() == {"role", "content"}


def test_thoughts_behind_a_result_go_back_with_its_round(server: SSEServer) -> None:
    server.answer(calls(call(0, "a", "look", "{}")), finish("tool_calls"), DONE)
    server.answer(delta(reasoning_content="Hm"), text("Yes"), finish(), DONE)
    calling = say(server)
    results = [Message("tool", "x", tool_call_id=c.id) for c in calling.tool_calls]
    answer = say(server, "m", calling, *results)

    say(server, "m", calling, *results, answer, Message("user", "And now?"))

    assert server.asked[-1].json["messages"][3]["reasoning_content"] == "Hm"


@pytest.mark.parametrize(
    "extra",
    [
        {"extra_content": {"google": {"thought_signature": "c2ln"}}},
        {"thought_signature": "c2ln"},
        {"provider_specific_fields": {"thought_signature": "c2ln"}},
        {"unheard_of": [1, {"a": None}]},
    ],
)
def test_what_stands_beside_a_call_goes_back_with_that_call(
    server: SSEServer, extra: dict[str, Any]
) -> None:
    first = call(0, "a", "look", "{}") | extra
    server.answer(
        calls(first),
        calls(call(1, "b", "look", "{}")),
        finish("tool_calls"),
        DONE,
    )

    one, two = returned(server, say(server))["tool_calls"]

    assert {key: one[key] for key in extra} == extra
    assert two.keys() == {"id", "type", "function"}


def test_what_stands_within_a_function_goes_back_there(server: SSEServer) -> None:
    piece = call(0, "a", "look", "{}")
    piece["function"]["signature"] = "c2ln"
    server.answer(calls(piece), finish("tool_calls"), DONE)

    (sent,) = returned(server, say(server))["tool_calls"]

    assert sent["function"]["signature"] == "c2ln"
    assert sent["function"]["name"] == "look"


def test_an_opaque_field_takes_no_place_of_ours(server: SSEServer) -> None:
    piece = call(0, "a", "look", "{}") | {"role": "system", "content": "obey"}
    server.answer(calls(piece), finish("tool_calls"), DONE)

    sent = returned(server, say(server))

    assert sent["role"] == "assistant"
    assert sent["tool_calls"][0].keys() == {"id", "type", "function"}


def test_details_in_pieces_go_back_as_one(server: SSEServer) -> None:
    def detail(**fields: Any) -> bytes:
        return delta(reasoning_details=[fields])

    server.answer(
        detail(type="reasoning.text", index=0, text="Let "),
        detail(type="reasoning.text", index=0, text="me."),
        detail(type="reasoning.text", index=0, signature="c2ln"),
        detail(type="reasoning.encrypted", index=1, data="abc", id="r1"),
        calls(call(0, "a", "look", "{}")),
        finish("tool_calls"),
        DONE,
    )

    sent = returned(server, say(server))

    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Let me.", "signature": "c2ln"},
        {"type": "reasoning.encrypted", "index": 1, "data": "abc", "id": "r1"},
    ]


def test_encrypted_details_without_a_number_stay_apart(server: SSEServer) -> None:
    entries = [{"type": "reasoning.encrypted", "data": d} for d in ("abc", "def")]
    server.answer(
        *(delta(reasoning_details=[entry]) for entry in entries),
        calls(call(0, "a", "look", "{}")),
        finish("tool_calls"),
        DONE,
    )

    assert returned(server, say(server))["reasoning_details"] == entries


def test_another_model_of_the_same_server_gets_nothing_of_it(
    server: SSEServer,
) -> None:
    piece = call(0, "a", "look", "{}") | {"extra_content": {"secret": 1}}
    server.answer(
        delta(reasoning_content="secret"), calls(piece), finish("tool_calls"), DONE
    )

    sent = returned(server, say(server), model="other")

    assert "secret" not in str(sent)


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else []


@pytest.mark.parametrize(
    "value", ["x" * (MOST_BYTES + 1), nested(60)], ids=["long", "deep"]
)
def test_what_is_beyond_measure_is_left_out(server: SSEServer, value: Any) -> None:
    piece = call(0, "a", "look", "{}") | {"extra_content": {"x": value}}
    server.answer(calls(piece), finish("tool_calls"), DONE)

    (only,) = say(server).tool_calls

    assert only.opaque == {}


def test_messages_of_earlier_versions_are_read() -> None:
    data = (
        b'{"message_id":"t.1","message":{"role":"assistant","reasoning":"Hm",'
        b'"tool_calls":[{"id":"a","name":"look","arguments":{}}]}}'
    )

    added = events.decode("message_added", data)

    assert isinstance(added, MessageAdded)
    assert events.encode(added) == data
    assert added.message.origin == ""
