"""The function-calling agent, with a scripted model and real tools."""

import threading
from typing import Any

import pytest

from tui.agents import FunctionCallAgent
from tui.agents.last_round import MUST_ANSWER
from tui.errors import Cancelled, ModelError
from tui.events import (
    Event,
    MessageAdded,
    NoticeGiven,
    Relabelled,
    TextDelta,
    ToolCallFinished,
    ToolCallOpened,
    ToolCallStarted,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import Finish, ScriptedModel
from tui.tools import ToolBox, tool
from tui.turn import Turn

LIMIT = 30.0
ASKED = Message("user", "What is 1 + 2?")


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def call(id: str = "c", a: Any = 1, b: Any = 2) -> ToolCall:
    return ToolCall(id, "add", {"a": a, "b": b})


def play(agent: FunctionCallAgent, turn: Turn | None = None):
    run, events = agent.run([ASKED], turn or Turn("t")), list[Event]()
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def added(events: list[Event]) -> list[MessageAdded]:
    return [e for e in events if isinstance(e, MessageAdded)]


def notices(events: list[Event]) -> list[str]:
    return [e.text for e in events if isinstance(e, NoticeGiven)]


def test_an_answer_without_calls_is_one_message():
    events, answer = play(FunctionCallAgent(ScriptedModel([["Th", "ree"]])))

    assert answer == Message("assistant", "Three")
    assert events == [
        TextDelta("t.1", "Th"),
        TextDelta("t.1", "ree"),
        MessageAdded("t.1", answer, finish_reason="stop"),
    ]


def test_a_call_is_run_and_its_result_goes_to_the_model():
    model = ScriptedModel([["Let me see.", call()], ["Three."]])

    events, answer = play(FunctionCallAgent(model, [add]))

    asking = Message("assistant", "Let me see.", tool_calls=(call(),))
    result = Message("tool", "3", tool_call_id="c")
    finished = events[4]
    assert isinstance(finished, ToolCallFinished)
    assert events == [
        TextDelta("t.1", "Let me see."),
        ToolCallOpened("t.1"),
        MessageAdded("t.1", asking, finish_reason="tool_calls"),
        ToolCallStarted(call()),
        ToolCallFinished("c", finished.seconds),
        MessageAdded("t.1.1", result),
        TextDelta("t.2", "Three."),
        MessageAdded("t.2", answer, finish_reason="stop"),
    ]
    assert model.requests[1].messages == (ASKED, asking, result)
    assert [t.name for t in model.requests[1].tools] == ["add"]
    assert answer == Message("assistant", "Three.")


def test_it_is_a_library_without_a_turn():
    model = ScriptedModel([[call()], ["Three."]])

    events = list(FunctionCallAgent(model, [add]).run([ASKED]))

    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Three."]


def test_calls_of_one_message_run_side_by_side_and_answer_in_order():
    meet = threading.Barrier(2, timeout=LIMIT)
    second_done = threading.Event()

    @tool
    def wait(name: str) -> str:
        """Wait for the other."""
        meet.wait()
        if name == "first":
            assert second_done.wait(LIMIT)
        else:
            second_done.set()
        return name

    calls = [ToolCall(n, "wait", {"name": n}) for n in ("first", "second")]
    model = ScriptedModel([calls, ["done"]])
    events, _ = play(FunctionCallAgent(model, [wait]))

    finished = [e.call_id for e in events if isinstance(e, ToolCallFinished)]
    assert sorted(finished) == ["first", "second"]
    answers = model.requests[1].messages[-2:]
    assert [(m.tool_call_id, m.text) for m in answers] == [
        ("first", "first"),
        ("second", "second"),
    ]


def test_a_result_is_added_while_another_call_goes_on():
    """It would be lost with the process while the other waits for the user."""
    added_first = threading.Event()

    @tool
    def wait(name: str) -> str:
        """Wait for the other's result."""
        if name == "first":
            assert added_first.wait(LIMIT)
        return name

    calls = [ToolCall(n, "wait", {"name": n}) for n in ("first", "second")]
    model = ScriptedModel([calls, ["done"]])
    results: list[str] = []
    for event in FunctionCallAgent(model, [wait]).run([ASKED]):
        if isinstance(event, MessageAdded) and event.message.role == "tool":
            results.append(event.message.text)
            added_first.set()

    assert results == ["second", "first"]


def test_a_wrong_call_is_told_to_the_model_which_tries_again():
    model = ScriptedModel([[call("x", b="two")], [call("y")], ["Three."]])

    events, answer = play(FunctionCallAgent(model, [add]))

    assert model.requests[1].messages[-1] == Message(
        "tool",
        "Error: add was not run: b: expected int, got str.",
        tool_call_id="x",
    )
    assert answer.text == "Three."
    assert [m.message_id for m in added(events)] == [
        "t.1",
        "t.1.1",
        "t.2",
        "t.2.1",
        "t.3",
    ]


def test_after_the_last_round_it_answers_without_tools_and_says_so():
    model = ScriptedModel([[call("a")], [call("b")], ["I think three."]])

    events, answer = play(FunctionCallAgent(model, [add], max_rounds=2))

    assert [len(r.tools) for r in model.requests] == [1, 1, 0]
    assert notices(events) == [
        "The model has called tools 2 times in a row, the limit; it now answers "
        "without more calls."
    ]
    assert answer.text == "I think three."


def test_calls_in_the_last_answer_are_left_out():
    model = ScriptedModel([[call("a")], ["Three.", call("b")]])

    events, answer = play(FunctionCallAgent(model, [add], max_rounds=1))

    assert answer == Message("assistant", "Three.")
    assert added(events)[-1].finish_reason == "stop"
    assert len([e for e in events if isinstance(e, ToolCallStarted)]) == 1


WRITTEN = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>'


def test_a_call_written_in_the_last_answer_is_not_shown_and_the_model_is_told_once():
    model = ScriptedModel([[call("a")], [WRITTEN], ["Th", "ree."]])

    events, answer = play(FunctionCallAgent(model, [add], max_rounds=1))

    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Th", "ree."]
    assert answer == Message("assistant", "Three.")
    assert [len(r.tools) for r in model.requests] == [1, 0, 0]
    told = model.requests[2].messages
    assert told[:-1] == model.requests[1].messages
    assert (told[-1].role, told[-1].text) == ("user", MUST_ANSWER)
    assert len([e for e in events if isinstance(e, ToolCallStarted)]) == 1
    assert [m.message for m in added(events)][-1] == answer


def test_text_before_a_call_in_the_last_answer_stays_in_one_message():
    model = ScriptedModel([[call("a")], ["Let me see. ", WRITTEN], ["Three."]])

    events, answer = play(FunctionCallAgent(model, [add], max_rounds=1))

    shown = "".join(e.text for e in events if isinstance(e, TextDelta))
    assert shown == answer.text == "Let me see. \n\nThree."
    assert model.requests[2].messages[-2] == Message("assistant", "Let me see. ")


def test_a_model_that_calls_on_is_told_once_only_and_the_user_hears_of_it():
    model = ScriptedModel([[call("a")], [WRITTEN], [WRITTEN]])

    events: list[Event] = []

    with pytest.raises(ModelError, match="ended without an answer"):
        events.extend(FunctionCallAgent(model, [add], max_rounds=1).run([ASKED]))

    assert len(model.requests) == 3


def test_a_call_that_the_last_answer_only_shows_stays_in_it():
    text = f"Like this:\n\n```\n{WRITTEN}\n```\nThat is all."
    model = ScriptedModel([[call("a")], [text]])

    _, answer = play(FunctionCallAgent(model, [add], max_rounds=1))

    assert answer == Message("assistant", text)


def test_no_rounds_means_no_tools():
    model = ScriptedModel(["Three."])

    events, _ = play(FunctionCallAgent(model, [add], max_rounds=0))

    assert model.requests[0].tools == ()
    assert notices(events) == []


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="max_rounds must not be below 0, but is -1"):
        FunctionCallAgent(ScriptedModel([]), max_rounds=-1)


def test_ids_that_come_again_are_told_apart():
    model = ScriptedModel([[call("0")], [call("0")], [call("0"), call("1")], ["ok"]])

    events, _ = play(FunctionCallAgent(model, [add]))

    started = [e.call.id for e in events if isinstance(e, ToolCallStarted)]
    asked = [c.id for m in added(events) for c in m.message.tool_calls]
    answered = [m.message.tool_call_id for m in added(events)]
    assert asked == ["0", "0_2", "0_3", "1"]
    assert sorted(started) == sorted(asked)
    assert sorted(i for i in answered if i) == sorted(asked)  # calls run side by side


def test_ids_of_earlier_turns_count_too_and_stay_short():
    before = Message("assistant", tool_calls=(call("c"),))
    model = ScriptedModel([[call("c"), call("x" * 50)], ["ok"]])
    agent = FunctionCallAgent(model, [add])

    list(agent.run([before, Message("tool", "3", tool_call_id="c"), ASKED]))

    asked = model.requests[1].messages[3].tool_calls
    assert [c.id for c in asked] == ["c_2", "x" * 32 + "_2"]


def test_a_call_that_cannot_be_read_is_told_once():
    broken = ToolCall("", "", "malformed: <tool_call>{")
    model = ScriptedModel([[broken, broken], [broken], ["Sorry."]])

    events, answer = play(FunctionCallAgent(model, [add]))

    first = model.requests[1].messages[-1]
    assert first.text.endswith(
        "could not be read and was not run: malformed: <tool_call>{"
    )
    assert len(added(events)[0].message.tool_calls) == 1
    assert notices(events) == [
        "The model keeps repeating a tool call that cannot be read; it now answers "
        "without tools."
    ]
    assert model.requests[2].tools == ()
    assert answer.text == "Sorry."


def test_the_system_text_goes_first_unless_there_is_one():
    model = ScriptedModel(["a", "b"])
    agent = FunctionCallAgent(model, system="Be brief.")
    own = Message("system", "Be long.")

    list(agent.run([ASKED]))
    list(agent.run([own, ASKED]))

    assert model.requests[0].messages == (Message("system", "Be brief."), ASKED)
    assert model.requests[1].messages == (own, ASKED)


def test_the_given_messages_are_left_as_they_are():
    messages = [ASKED]

    list(FunctionCallAgent(ScriptedModel([[call()], ["ok"]]), [add]).run(messages))

    assert messages == [ASKED]


def test_a_reply_that_was_cut_says_so():
    events, _ = play(FunctionCallAgent(ScriptedModel([["Thr", Finish("length")]])))

    assert added(events)[0].finish_reason == "length"


def test_an_error_of_the_model_comes_through():
    run = FunctionCallAgent(ScriptedModel([["Thr", ModelError("gone")]])).run([ASKED])
    next(run)

    with pytest.raises(ModelError, match="gone"):
        next(run)


def test_a_cancel_while_the_model_speaks_ends_the_turn():
    turn = Turn()
    model = ScriptedModel([["a", threading.Event()]])
    run = FunctionCallAgent(model).run([ASKED], turn)
    next(run)
    turn.cancel.request()

    with pytest.raises(Cancelled):
        next(run)


def test_a_cancel_while_tools_run_answers_every_call_and_ends_the_turn():
    running, release = threading.Barrier(3, timeout=LIMIT), threading.Event()

    @tool
    def hang() -> None:
        """Hang."""
        running.wait()
        release.wait(LIMIT)

    turn = Turn("t")
    model = ScriptedModel([[ToolCall("a", "hang", {}), ToolCall("b", "hang", {})]])
    run = FunctionCallAgent(model, [hang]).run([ASKED], turn)

    def cancel():
        running.wait()
        turn.cancel.request()

    threading.Thread(target=cancel).start()
    events: list[Event] = []
    with pytest.raises(Cancelled):
        events.extend(run)
    release.set()

    ended = [e for e in events if isinstance(e, ToolCallFinished)]
    answers = [m.message for m in added(events) if m.message.role == "tool"]
    left_behind = "cancelled; hang is still running: its result will be ignored"
    assert sorted((e.call_id, e.error) for e in ended) == [
        ("a", left_behind),
        ("b", left_behind),
    ]
    assert sorted((m.tool_call_id, m.text) for m in answers) == [
        ("a", f"Error: {left_behind}"),
        ("b", f"Error: {left_behind}"),
    ]
    assert len(model.requests) == 1


def test_closing_the_generator_cancels_the_turn():
    turn = Turn()
    run = FunctionCallAgent(ScriptedModel([["a", "b"]])).run([ASKED], turn)
    next(run)

    run.close()

    assert turn.cancel.requested


def test_a_box_of_tools_is_taken_as_it_is():
    box = ToolBox([add])

    assert FunctionCallAgent(ScriptedModel([]), box).toolbox is box


def test_what_the_last_round_says_is_relabelled_as_the_model_says():
    thought = ["Three is too much.</think>", "Three."]
    model = ScriptedModel([[call()], thought])

    events, answer = play(FunctionCallAgent(model, [add], max_rounds=1))

    assert Relabelled("t.2") in events
    assert (answer.text, answer.reasoning) == ("Three.", "Three is too much.")
