"""What records make of a conversation, whenever and however they are folded."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import conversation
from tui.conversation import Transcript
from tui.conversation.entry import CONTINUE, GO_ON
from tui.errors import LogError
from tui.events import (
    CancelRequested,
    ConversationDeleted,
    Event,
    Known,
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall

USER = Message("user", "hi")
STOPPED = TurnFinished("cancelled")
CALLS = Message(
    "assistant", tool_calls=(ToolCall("a", "f", {}), ToolCall("b", "g", {}))
)


def folded(*events: Event | tuple[str, Event]) -> Transcript:
    """Fold events; those of a turn come with its id."""
    transcript = Transcript()
    for seq, item in enumerate(events, 1):
        turn, event = item if isinstance(item, tuple) else (None, item)
        transcript.apply(Record(seq, "c", turn, 0.0, event))
    return transcript


def told(transcript):
    return [(m.role, m.text) for m in transcript.messages()]


def test_deltas_are_a_message_that_is_not_settled():
    transcript = folded(
        ReasoningDelta("m", "Hm"), TextDelta("m", "Hel"), TextDelta("m", "lo")
    )

    entry = transcript.entries["m"]
    assert entry.message == Message("assistant", "Hello", "Hm")
    assert not entry.settled


@given(st.lists(st.text(max_size=5)), st.integers(0, 20))
def test_a_settled_message_is_the_same_wherever_one_came_in(pieces, seen):
    whole = MessageAdded(
        "m", Message("assistant", "".join(pieces)), finish_reason="stop"
    )
    deltas = [TextDelta("m", piece) for piece in pieces]

    late, early = folded(whole), folded(*deltas[:seen], whole)

    assert late == early
    assert late.entries["m"].finish_reason == "stop"


def test_messages_stand_in_the_order_in_which_they_began():
    transcript = folded(
        TextDelta("1", "a"),
        TextDelta("2", "b"),
        MessageAdded("2", Message("assistant", "b")),
        MessageAdded("1", Message("assistant", "a")),
    )

    assert list(transcript.entries) == ["1", "2"]


def test_turns_go_from_requested_to_running_to_finished():
    asked, begun = TurnRequested("m"), TurnStarted("host", "boot", 1, 2)
    first = folded(("x", asked), ("y", asked))
    assert (first.requested, first.running) == (["x", "y"], {})

    later = folded(("x", asked), ("y", asked), ("x", begun), ("y", TurnWithdrawn()))
    assert (later.requested, list(later.running)) == ([], ["x"])

    last = folded(("x", asked), ("x", begun), ("x", TurnFinished("stop")))
    assert (last.requested, last.running, last.finished) == ([], {}, {"x": "stop"})


def test_each_call_is_answered_before_a_model_is_asked_again():
    transcript = folded(
        MessageAdded("1", USER),
        MessageAdded("2", CALLS),
        MessageAdded("3", Message("tool", "done", tool_call_id="b")),
        MessageAdded("4", Message("user", "go on")),
    )

    assert [(m.role, m.text, m.tool_call_id) for m in transcript.messages()] == [
        ("user", "hi", None),
        ("assistant", "", None),
        ("tool", "not run", "a"),
        ("tool", "done", "b"),
        ("user", "go on", None),
    ]


def test_calls_at_the_end_are_answered_too():
    transcript = folded(MessageAdded("1", CALLS))

    assert told(transcript)[1:] == [("tool", "not run")] * 2


def test_a_result_that_nobody_asked_for_is_not_sent():
    transcript = folded(
        MessageAdded("1", USER),
        MessageAdded("2", Message("tool", "stray", tool_call_id="z")),
        MessageAdded("3", CALLS),
        MessageAdded("4", Message("tool", "done", tool_call_id="a")),
        MessageAdded("5", Message("tool", "again", tool_call_id="a")),
    )

    assert told(transcript) == [
        ("user", "hi"),
        ("assistant", ""),
        ("tool", "done"),
        ("tool", "not run"),
    ]


def test_an_answer_of_nothing_is_not_sent():
    transcript = folded(
        MessageAdded("1", USER),
        MessageAdded("2", Message("assistant", reasoning="Hm"), finish_reason="error"),
        MessageAdded("3", USER),
    )

    assert told(transcript) == [("user", "hi")] * 2


def test_what_is_unknown_or_no_message_changes_nothing():
    transcript = folded(ToolCallStarted(ToolCall("a", "f", {})))

    assert transcript == Transcript()


def test_a_deleted_conversation_is_empty_for_those_who_had_it_on_the_screen():
    before = [("t", TurnRequested("m")), MessageAdded("1", USER), TextDelta("2", "x")]
    after = MessageAdded("3", USER)

    transcript = folded(*before, ConversationDeleted(), after)

    assert transcript == folded(after)


def test_conversations_are_listed_newest_first_with_their_first_question(log):
    log.append("a", MessageAdded("1", Message("user", "  the\nfirst "))).result()
    log.append("a", MessageAdded("2", Message("user", "the second"))).result()
    log.append("b", MessageAdded("3", Message("user", "x" * 200))).result()

    listed = conversation.recent(log)

    assert [(s.id, s.title) for s in listed] == [("b", "x" * 80), ("a", "the first")]
    assert [s.id for s in conversation.recent(log, 1)] == ["b"]


def test_a_conversation_is_found_by_the_beginning_of_its_id(log):
    for id in ("abc1", "abd2", "a%c3"):
        log.append(id, MessageAdded(id, USER)).result()

    assert conversation.find(log, "abc") == "abc1"
    assert conversation.find(log, "a%") == "a%c3"
    with pytest.raises(LogError, match="Several conversations have"):
        conversation.find(log, "ab")
    with pytest.raises(LogError, match="No conversation has"):
        conversation.find(log, "x")
    with pytest.raises(LogError):
        conversation.find(log, "")


def test_only_turns_that_have_not_ended_are_running(log):
    begun = TurnStarted("host", "boot", 1, 2)
    log.append("a", begun, turn="x").result()
    log.append("a", begun, turn="y").result()
    log.append("a", TurnFinished("stop"), turn="y").result()
    log.append("b", begun, turn="z").result()

    assert conversation.running(log, "a") == [("x", begun)]


def test_questions_of_all_conversations_are_found_the_oldest_first(log):
    for id, text in [("a", "one"), ("b", "two"), ("a", "three"), ("c", "mine")]:
        log.append(id, MessageAdded(f"q-{text}", Message("user", text)))
        log.append(id, MessageAdded(f"a-{text}", Message("assistant", "No.")))
    log.flush()

    assert conversation.questions(log, besides="c") == ["one", "two", "three"]
    assert conversation.questions(log, limit=2) == ["three", "mine"]


def test_message_that_goes_on_is_known_by_its_purpose_and_in_old_logs_by_its_text():
    transcript = folded(
        MessageAdded("new", Message("user", "Weiter."), purpose=CONTINUE),
        MessageAdded("old", Message("user", GO_ON)),
        MessageAdded("said", Message("assistant", GO_ON)),
        MessageAdded("other", Message("user", "Go on")),
    )

    purposes = [entry.purpose for entry in transcript.entries.values()]
    assert purposes == [CONTINUE, CONTINUE, "", ""]


def test_purpose_of_a_message_is_exported_and_comes_back(log):
    said = MessageAdded("m", Message("user", "Weiter."), purpose=CONTINUE)
    log.append("c", said).result(5)

    (id,) = conversation.import_json(log, conversation.export_json(log, "c"))

    entries = conversation.fold(log.read(id)).entries.values()
    assert [entry.purpose for entry in entries] == [CONTINUE]


def test_what_is_known_of_turns_follows_the_log_to_their_end():
    begun = TurnStarted("host", "boot", 1, 2)
    asked = [
        ("x", MessageAdded("x.0", Message("user", "One?"))),
        ("x", TurnRequested("m")),
        ("y", TurnRequested("m", "summary")),
    ]
    waits = folded(*asked)
    assert (waits.current, waits.owner, waits.questions) == (None, None, [])
    assert (waits.question("x"), waits.question("y")) == ("One?", "")
    assert [waits.sums_up(turn) for turn in ("x", "y", None)] == [False, True, False]

    runs = folded(*asked, ("x", begun), ("x", CancelRequested()))
    assert (runs.current, runs.owner, runs.questions) == ("x", begun, ["One?"])
    assert runs.cancelled == {"x"}

    ended = folded(*asked, ("x", begun), ("x", CancelRequested()), ("x", STOPPED))
    assert (ended.current, ended.cancelled, ended.questions) == (None, set(), ["One?"])


def test_a_turn_that_is_given_up_waits_and_runs_no_more():
    transcript = folded(
        ("x", MessageAdded("x.0", Message("user", "One?"))), ("x", TurnRequested("m"))
    )

    transcript.give_up("x")

    assert (transcript.requested, transcript.current) == ([], None)
    assert transcript.questions == ["One?"]
    assert list(transcript.entries) == ["x.0"]


def test_all_events_are_among_those_that_a_match_has_to_name():
    assert set(get_args(Known)) == set(Event.__subclasses__())
