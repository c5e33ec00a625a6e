"""Versions of messages: what follows what, whatever the order in which it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.talk import Expected, Talk, acts

from tui import conversation
from tui.events import (
    PROVISIONAL,
    MessageAdded,
    Record,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message


def exchanges(count: int) -> Talk:
    talk = Talk()
    for _ in range(count):
        talk.go_on()
        talk.answer()
    return talk


# -- the acts


def test_an_edited_question_takes_the_place_of_it_and_all_that_followed():
    talk = exchanges(3)

    turn = talk.edit("t2.0")
    talk.begin()

    assert talk.sent(turn) == ["t1?", "t1.1", "t4?"]
    talk.say()
    assert talk.shown == ["t1.0", "t1.1", "t4.0", "t4.1"]
    assert talk.view.versions("t4.0") == (["t2.0", "t4.0"], 1)
    assert talk.view.versions("t1.0") == (["t1.0"], 0)


def test_first_question_can_be_edited():
    talk = exchanges(1)

    turn = talk.edit("t1.0")
    talk.answer()

    assert talk.shown == ["t2.0", "t2.1"]
    assert talk.sent(turn) == ["t2?", "t2.1"]
    assert talk.view.versions("t2.0").ids == ["t1.0", "t2.0"]


def test_an_answer_asked_for_again_stands_beside_the_first():
    talk = exchanges(2)

    turn = talk.again("t1.0")
    talk.begin()

    assert talk.sent(turn) == ["t1?"]
    talk.say()
    assert talk.shown == ["t1.0", "t3.1"]
    assert talk.view.versions("t3.1") == (["t1.1", "t3.1"], 1)
    assert talk.view.versions("t1.1") == (["t1.1", "t3.1"], 0)
    assert talk.view.versions("t1.0").ids == ["t1.0"]


def test_all_messages_of_an_answer_stand_in_one_place():
    talk = Talk()
    talk.go_on()
    talk.begin()
    talk.say(call=True)
    last = talk.say()
    talk.end()
    talk.again("t1.0")
    other = talk.answer()

    assert talk.view.versions(last) == (["t1.1", other], 0)
    talk.view.choose(last)
    assert talk.shown == ["t1.0", "t1.1", "t1.1.1", last]


def test_walking_to_a_version_shows_the_newest_of_what_followed_it():
    talk = exchanges(2)
    talk.edit("t1.0")
    talk.answer()
    talk.view.choose("t1.0")
    talk.edit("t2.0")
    talk.answer()

    talk.view.choose("t3.0")
    assert talk.shown == ["t3.0", "t3.1"]
    talk.view.choose("t1.0")
    assert talk.shown == ["t1.0", "t1.1", "t4.0", "t4.1"]
    talk.view.choose("t2.1")
    assert talk.shown == ["t1.0", "t1.1", "t2.0", "t2.1"]


def test_who_goes_on_continues_the_version_that_is_shown():
    talk = exchanges(1)
    talk.again("t1.0")
    talk.answer()
    talk.view.choose("t1.1")

    turn = talk.go_on()
    talk.begin()

    assert talk.sent(turn) == ["t1?", "t1.1", "t3?"]
    assert talk.shown == ["t1.0", "t1.1", "t3.0"]


def test_question_sent_while_an_answer_is_written_follows_its_last_message():
    talk = exchanges(1)
    talk.again("t1.0")
    talk.begin()
    talk.say(call=True)
    talk.edit("t1.0")
    turn = talk.go_on()
    last = talk.say()
    talk.end()
    talk.answer()
    talk.begin()

    assert talk.sent(turn) == ["t1?", "t2.1", "ok", last, "t4?"]


def test_question_sent_before_a_word_was_said_waits_for_the_words():
    talk = exchanges(1)
    talk.again("t1.0")
    talk.begin()
    talk.edit("t1.0")
    turn = talk.go_on()
    talk.say()
    talk.end()
    talk.answer()
    talk.begin()

    assert talk.sent(turn) == ["t1?", "t2.1", "t4?"]


def test_questions_that_wait_follow_each_other_in_each_version():
    talk = exchanges(1)
    talk.again("t1.0")
    talk.answer()
    first = [talk.go_on(), talk.go_on()]
    talk.view.choose("t1.1")
    second = [talk.go_on(), talk.go_on()]
    talk.view.choose("t2.1")
    third = talk.go_on()
    while talk.waiting:
        talk.answer()

    assert first + second == ["t3", "t4", "t5", "t6"]
    assert talk.sent(third) == [
        *["t1?", "t2.1", "t3?", "t3.1", "t4?", "t4.1", "t7?", "t7.1"]
    ]
    assert talk.sent("t6") == ["t1?", "t1.1", "t5?", "t5.1", "t6?", "t6.1"]


def test_question_of_another_runner_may_begin_first():
    talk = exchanges(2)
    behind = talk.go_on()
    edited = talk.edit("t2.0")
    talk.waiting.reverse()
    talk.answer()
    talk.begin()

    assert talk.sent(edited) == ["t1?", "t1.1", "t4?", "t4.1"]
    assert talk.sent(behind) == ["t1?", "t1.1", "t2?", "t2.1", "t3?"]


def test_question_taken_back_leaves_no_hole_for_those_behind_it():
    talk = exchanges(2)
    talk.edit("t2.0")
    behind = talk.ask()
    talk.withdraw("t3")
    talk.begin()

    assert talk.sent(behind) == ["t1?", "t1.1", "t4?"]


def test_answer_that_never_came_gives_way_to_the_one_that_was_shown():
    talk = exchanges(2)
    talk.again("t1.0")
    talk.answer()
    talk.view.choose("t1.1")
    talk.again("t2.0")
    talk.begin()
    assert talk.shown == ["t1.0", "t1.1", "t2.0"]

    talk.end("error")

    assert talk.shown == ["t1.0", "t1.1", "t2.0", "t2.1"]
    assert talk.view.versions("t2.1").ids == ["t2.1"]
    talk.go_on()
    talk.begin()
    assert talk.shown == ["t1.0", "t1.1", "t2.0", "t2.1", "t5.0"]


def test_question_whose_turn_ended_before_it_began_is_shown():
    talk = exchanges(1)
    talk.running = talk.go_on()
    talk.end("error")

    assert talk.shown == ["t1.0", "t1.1", "t2.0"]


def test_question_that_failed_can_be_asked_again():
    talk = Talk()
    talk.go_on()
    talk.begin()
    talk.end("error")
    assert talk.view.branches.question() == "t1.0"

    turn = talk.again("t1.0")
    talk.answer()

    assert talk.sent(turn) == ["t1?", "t2.1"]
    talk.go_on()
    talk.answer()
    assert talk.shown == ["t1.0", "t2.1", "t3.0", "t3.1"]
    assert talk.view.branches.question() == "t3.0"
    assert talk.view.branches.question("t2.1") == "t1.0"


def test_messages_without_a_turn_have_versions_too():
    talk = Talk()
    said = [Message("user", "1"), Message("assistant", "2"), Message("user", "3")]
    for message in said:
        talk.write(MessageAdded(message.text, message), None)
    talk.edit("3")
    talk.answer()
    assert talk.shown == ["1", "2", "t1.0", "t1.1"]
    talk.again("1")
    talk.answer()

    assert talk.shown == ["1", "t2.1"]
    assert talk.view.versions("2") == (["2", "t2.1"], 0)
    assert talk.view.versions("3").ids == ["3", "t1.0"]


@pytest.mark.parametrize("parents", [("a.0", None), ("b", "a"), ("nonesuch", "")])
def test_log_that_makes_no_sense_is_folded_all_the_same(parents):
    talk = Talk()
    for turn, parent in zip("ab", parents, strict=True):
        talk.write(MessageAdded(f"{turn}.0", Message("user", turn), parent), turn)
        talk.write(TurnRequested("m", parent=f"{turn}.0"), turn)
        talk.waiting.append(turn)
    for turn in "ab":
        talk.answer()
        assert talk.sent(turn)[-2:] == [turn, f"{turn}.1"]


# -- the laws


@given(acts)
@settings(deadline=None)
def test_a_turn_follows_what_its_asker_saw(acts):
    expected = Expected()
    for act in acts:
        expected.do(*act)


@given(acts)
@settings(deadline=None)
def test_what_a_turn_is_sent_depends_on_nothing_that_came_later(acts):
    expected, sent = Expected(), {}
    for act in acts:
        expected.do(*act)
        turn = expected.talk.running
        if turn and turn not in sent:
            sent[turn] = expected.talk.sent(turn)

    for turn, before in sent.items():
        after = expected.talk.sent(turn)
        assert after[: len(before)] == before
        assert all(
            text.startswith(f"{turn}.") or text == "ok" for text in after[len(before) :]
        )


@given(acts)
@settings(deadline=None)
def test_settled_log_folds_to_the_same_versions(acts):
    expected = Expected()
    for act in acts:
        expected.do(*act)
    talk = expected.talk
    settled = {
        r.event.message_id for r in talk.log if isinstance(r.event, MessageAdded)
    }

    kept = [
        record
        for record in talk.log
        if not isinstance(record.event, PROVISIONAL)
        or record.event.message_id not in settled
    ]

    assert conversation.fold(kept) == conversation.fold(talk.log)


@given(acts)
@settings(deadline=None)
def test_versions_agree_with_each_other_and_can_be_walked(acts):
    expected = Expected()
    for act in acts:
        expected.do(*act)
    view = expected.talk.view
    for id in expected.talk.shown:
        versions = view.versions(id)
        for place, other in enumerate(versions.ids):
            assert view.versions(other) == (versions.ids, place)
            view.choose(other)
            assert other in view.entries
            assert len(set(versions.ids) & set(view.entries)) == 1


@given(acts)
@settings(deadline=None)
def test_log_without_versions_is_one_path_of_turns_as_they_began(acts):
    expected = Expected()
    for act, number in acts:
        if act not in ("edit", "again", "choose"):
            expected.do(act, number)
    talk = expected.talk

    assert not any(getattr(record.event, "parent", None) for record in talk.log)
    begun = [r.turn for r in talk.log if isinstance(r.event, TurnStarted)]
    added = [r.event.message_id for r in talk.log if isinstance(r.event, MessageAdded)]
    in_order = [id for turn in begun for id in added if id.startswith(f"{turn}.")]
    assert talk.shown == in_order


# -- logs that no program of ours has written

NAMES = st.sampled_from(["a", "b", "c", "d", ""])
PARENTS = st.none() | NAMES
ANY_EVENT = st.one_of(
    st.builds(
        lambda id, role, parent: MessageAdded(id, Message(role, "x"), parent),
        NAMES,
        st.sampled_from(["user", "assistant"]),
        PARENTS,
    ),
    st.builds(lambda parent: TurnRequested("m", parent=parent), PARENTS),
    st.just(TurnStarted("h", "b", 1, 1)),
    st.just(TurnFinished("stop")),
    st.just(TurnWithdrawn()),
)


def test_a_turn_that_ends_without_a_message_leaves_no_circle():
    records = [
        Record(1, "c", "a", 0.0, MessageAdded("q", Message("user", "x"))),
        Record(2, "c", "b", 0.0, TurnStarted("h", "b", 1, 1)),
        Record(3, "c", "a", 0.0, MessageAdded("r", Message("assistant", "x"))),
        Record(4, "c", "b", 0.0, TurnFinished("stop")),
    ]
    view = conversation.fold(records).branches

    assert has_no_circle(view)
    assert view.path() == ["q", "r"]


@given(st.lists(st.tuples(NAMES | st.none(), ANY_EVENT), max_size=24))
@settings(max_examples=400)
def test_no_order_of_events_makes_a_circle(acts):
    records = [Record(n, "c", turn, 0.0, it) for n, (turn, it) in enumerate(acts, 1)]
    view = conversation.fold(records).branches

    assert has_no_circle(view)
    for turn in view.begun():
        view.question(next(iter(view.path(turn)), None))
    view.parent_of_next()
    for message_id in view.path():
        view.versions(message_id)
        view.choose(message_id)
        assert has_no_circle(view)


def has_no_circle(view):
    """Return whether every step leads to what has begun earlier."""
    place = {id: number for number, id in enumerate(view.begun(), 1)}
    if "" in place:  # the name of the beginning
        return False
    ends = {"": 0, **place}
    leads = all(
        view.follows(id).node in ends and ends[view.follows(id).node] < place[id]
        for id in place
    )
    return leads and view.head in ends
