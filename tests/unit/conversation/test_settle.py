"""The law of the project: attach when you like, end with the same transcript."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tui import conversation
from tui.conversation.spoken_text import SpokenText
from tui.eventlog import EventLog
from tui.events import (
    Event,
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall

pieces = st.lists(
    st.tuples(st.sampled_from(["text", "reasoning"]), st.text(min_size=1, max_size=8)),
    max_size=12,
)


def turn_events(rounds: list[list[tuple[str, str]]]) -> list[Event]:
    """The events of a turn with a tool call between every two messages."""
    events: list[Event] = []
    for number, said in enumerate(rounds):
        id = f"t.{number}"
        for kind, text in said:
            delta = TextDelta if kind == "text" else ReasoningDelta
            events.append(delta(id, text))
        last = number == len(rounds) - 1
        call = ToolCall(f"call{number}", "tool", {})
        message = Message(
            "assistant",
            "".join(text for kind, text in said if kind == "text"),
            "".join(text for kind, text in said if kind == "reasoning"),
            () if last else (call,),
        )
        events.append(MessageAdded(id, message))
        if not last:
            events.append(ToolCallStarted(call))
            events.append(ToolCallFinished(call.id, 0.1))
            result = Message("tool", "ok", tool_call_id=call.id)
            events.append(MessageAdded(f"{id}.r", result))
    return [*events, TurnFinished("stop")]


def said(transcript: conversation.Transcript) -> list[Message]:
    return [entry.message for entry in transcript.entries.values()]


@given(st.lists(pieces, min_size=1, max_size=3), st.data())
@settings(max_examples=60, deadline=None)
def test_whoever_attaches_at_any_time_ends_with_the_same(rounds, data):
    events = turn_events(rounds)
    looks = data.draw(
        st.lists(st.integers(0, len(events)), min_size=1, max_size=4), label="looks"
    )

    with tempfile.TemporaryDirectory() as folder, EventLog(Path(folder) / "l") as log:
        followers = []
        for number in range(len(events) + 1):
            for _ in range(looks.count(number)):
                follower = conversation.Transcript(), SpokenText(), [], log.follow("c")
                followers.append(follower)
            # Each looks at another rhythm, the first at every event.
            for nth, (transcript, spoken, printed, follow) in enumerate(followers):
                if number % (nth + 1) == 0 or number == len(events):
                    for record in follow.poll(0):
                        transcript.apply(record)
                        printed.append(spoken.take(record))
            if number < len(events):
                log.append("c", events[number], turn="t").result(30)
        after = conversation.fold(log.read("c"))

    expected = [e.message for e in events if isinstance(e, MessageAdded)]
    assert said(after) == expected
    text = "".join(m.text for m in expected if m.role == "assistant")
    for transcript, _, printed, follow in followers:
        follow.close()
        assert said(transcript) == expected
        assert "".join(printed) == text
        assert transcript.finished == {"t": "stop"}


def test_a_question_that_waits_is_not_asked_before_its_turn():
    """Whether the first answer was followed as it came or is read when it is whole."""
    asked, begun = TurnRequested("m"), TurnStarted("host", "boot", 1, 2)
    answer = MessageAdded("a.1", Message("assistant", "one"))
    before = [
        ("a", MessageAdded("a.0", Message("user", "1"))),
        ("a", asked),
        ("a", begun),
    ]
    waiting = [("b", MessageAdded("b.0", Message("user", "2"))), ("b", asked)]
    after = [("a", answer), ("a", TurnFinished("stop"))]
    live = [*before, ("a", TextDelta("a.1", "on")), *waiting, *after]
    late = [*before, *waiting, *after]

    def folded(events):
        return conversation.fold(
            Record(seq, "c", turn, 0.0, event)
            for seq, (turn, event) in enumerate(events, 1)
        )

    for events in (live, late):
        waits = folded(events)
        assert [m.text for m in waits.messages()] == ["1", "one"]
        assert [entry.message.text for entry in waits.queued] == ["2"]
        begins = folded([*events, ("b", begun)])
        assert [m.text for m in begins.messages()] == ["1", "one", "2"]
        assert begins.queued == []
        taken_back = folded([*events, ("b", TurnWithdrawn())])
        assert [m.text for m in taken_back.messages()] == ["1", "one"]


def test_calls_left_open_by_a_broken_turn_are_answered_for_the_model():
    calls = (ToolCall("a", "tool", {}), ToolCall("b", "tool", {}))
    asked = Message("user", "go")
    wants = Message("assistant", "", "", calls)
    again = Message("user", "again")
    transcript = conversation.Transcript()
    result = Message("tool", "ok", tool_call_id="a")
    for seq, message in enumerate([asked, wants, result, again], 1):
        added = MessageAdded(str(seq), message)
        transcript.apply(Record(seq, "c", None, 0.0, added))

    assert transcript.messages() == [
        asked,
        wants,
        Message("tool", "ok", tool_call_id="a"),
        Message("tool", "not run", tool_call_id="b"),
        again,
    ]
