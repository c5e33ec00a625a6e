"""What comes from servers and tools is bounded where it enters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.sse_server import DONE, SSEServer, call, calls, finish, text, usage

from tui import FunctionCallAgent, Message, OpenAIModel, ScriptedModel, ToolBox, bounds
from tui.app.widgets.debug_entries import Call
from tui.events import (
    MessageAdded,
    ToolCallFinished,
    ToolCallStarted,
    UsageReported,
    decode,
    encode,
    kind,
)
from tui.messages import ToolCall
from tui.models.gate import Gate
from tui.models.openai.calls import read_arguments
from tui.models.openai.chunks import usage_event

DEPTHS = [2, 63, 64, 65, 500, 960, 967, 975, 983, 1200, 100_000]


def nested(depth):
    """Return an object of `depth` levels as text: {"a": [[...]]}."""
    return '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def value_of(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [1, 2, 64, 65, 1000, 50_000])
def test_depth_is_counted_whatever_it_is(depth):
    assert bounds.is_deep(value_of(depth)) == (depth > bounds.DEEPEST)
    assert not bounds.is_deep(bounds.shallow(value_of(depth), bounds.DEEPEST))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_not_deep_stays_as_it_is(value):
    assert bounds.shallow(value) == value


@pytest.mark.parametrize("depth", DEPTHS)
def test_arguments_that_are_too_deep_are_told_and_not_run(depth, tried):
    """As a server sends them: a call that is told to the model as a bad one."""
    ran = []

    def look(a: list) -> str:
        """Look."""
        ran.append(a)
        return "seen"

    with SSEServer() as server:
        server.answer(
            calls(call(0, "1", "look", nested(depth))), finish("tool_calls"), DONE
        )
        server.answer(text("Well."), finish(), DONE)
        model = OpenAIModel("mine", "fake", server.url)
        events = list(FunctionCallAgent(model, [look]).run([Message("user", "?")]))
        model.close()

    told = [e.message.text for e in events if isinstance(e, MessageAdded)]
    assert bool(ran) == (depth <= bounds.DEEPEST)
    if not ran:
        assert "nested more than 64 levels deep" in told[1]
    for event in events:
        again = decode(kind(event), encode(event))
        assert again == event
        if isinstance(event, ToolCallStarted):
            assert Call(event.call).as_json()
    tried("tool arguments nested 1 to 100,000 lists deep")


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_call_in_text_that_is_too_deep_never_gets_through(depth):
    body = json.dumps({"name": "look"})[:-1] + f', "arguments": {nested(depth)}}}'
    model = ScriptedModel([[f"<tool_call>{body}</tool_call>"], "Well."])

    def look(a: list) -> str:
        """Look."""
        return "seen"

    events = list(FunctionCallAgent(model, [look]).run([Message("user", "?")]))

    for event in events:
        if isinstance(event, ToolCallStarted):
            assert Call(event.call).as_json()
            assert json.dumps(event.call.arguments)


@pytest.mark.parametrize("arguments", [value_of(975), {"a": value_of(975)}])
def test_arguments_that_are_no_text_are_bounded_too(arguments):
    model = ScriptedModel([[ToolCall("1", "look", {"a": arguments})], "Well."])

    events = list(FunctionCallAgent(model, ToolBox([])).run([Message("user", "?")]))

    [started] = [e for e in events if isinstance(e, ToolCallStarted)]
    assert isinstance(started.call.arguments, str)
    assert len(started.call.arguments) < 1000


def test_what_an_older_store_has_is_shown_cut():
    event = ToolCallStarted(ToolCall("1", "look", {"a": value_of(900)}))

    again = decode("tool_call_started", encode(event))

    assert isinstance(again, ToolCallStarted)
    assert "…" in Call(again.call).as_json()
    assert Call(event.call).as_json()


def test_a_result_that_is_too_deep_is_shown_as_text():
    shown = Call(ToolCall("1", "look", {}))
    shown.output = "[" * 980 + "]" * 980

    assert "[[[[" in shown.as_json()


def test_a_tool_may_return_anything():
    def look() -> object:
        """Look."""
        return value_of(100_000)  # deeper than any Python goes

    model = ScriptedModel([[ToolCall("1", "look", {})], "Well."])
    events = list(FunctionCallAgent(model, [look]).run([Message("user", "?")]))

    [ended] = [e for e in events if isinstance(e, ToolCallFinished)]
    assert ended.error is None
    message = next(
        e.message
        for e in events
        if isinstance(e, MessageAdded) and e.message.role == "tool"
    )
    assert not bounds.is_deep(bounds.decode(message.text))
    assert "…" in message.text


COUNTS = [10**400, -1, 2**53, 2**64, True, None, "7", 1.5, float("inf"), float("nan")]


@pytest.mark.parametrize("count", COUNTS)
def test_counts_of_servers_are_bounded(count):
    told = usage_event({"prompt_tokens": count, "completion_tokens": 5}, 1.0)

    assert told is not None
    assert 0 <= told.input_tokens <= bounds.LARGEST
    assert told.output_tokens == 5


def test_a_number_of_401_digits_is_a_large_one(start, tried):
    with SSEServer() as server:
        server.answer(text("Well said."), finish(), usage(10**400, 3), DONE)
        server.answer(text("Still here."), finish(), DONE)
        app = start(
            config={
                "model": "m",
                "models": {
                    "m": {"provider": "openai", "base_url": server.url, "model": "m"}
                },
            }
        )
        app.type("First")
        app.press("enter")
        app.wait_for("Well said.")
        app.wait_for("ready")
        app.type("Second")
        app.press("enter")
        app.wait_for("Still here.")
    tried("usage.prompt_tokens of 401 digits")


@pytest.mark.parametrize(
    "stored",
    [
        '{"input_tokens": 1%s, "output_tokens": 2}' % ("0" * 400),
        '{"input_tokens": -5, "output_tokens": 2, "seconds": 1e308}',
    ],
)
def test_figures_of_the_store_are_bounded(stored):
    event = decode("usage_reported", stored.encode())

    assert isinstance(event, UsageReported)
    assert 0 <= event.input_tokens <= bounds.LARGEST
    assert event.seconds == 0.0


def test_a_gate_refuses_deep_json():
    gate = Gate("auto", {"look": {}})
    body = '{"name": "look", "arguments": ' + nested(985) + "}"

    pieces = [*gate.feed(f"<tool_call>{body}</tool_call>"), *gate.finish()]

    assert pieces


def test_arguments_that_are_text_stay_text():
    assert read_arguments(nested(65)) == nested(65)
    assert read_arguments(nested(64)) == json.loads(nested(64))
