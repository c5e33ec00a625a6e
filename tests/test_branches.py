"""Versions of messages: what follows what, whatever the order in which it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import conversation
from tui.conversation import Transcript
from tui.events import (
    PROVISIONAL,
    Event,
    MessageAdded,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall

BEGUN = TurnStarted("host", "boot", 1, 2)


class Talk:
    """A conversation as the app and a runner write it: one turn runs at a time."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.view = Transcript()
        self.waiting: list[str] = []
        self.running = ""
        self.said = 0
        self.turns = 0

    def write(self, event: Event, turn: str | None) -> None:
        record = Record(len(self.log) + 1, "c", turn, 0.0, event)
        self.log.append(record)
        self.view.apply(record)

    def ask(self, parent: str | None = None) -> str:
        self.turns += 1
        turn = f"t{self.turns}"
        question = Message("user", f"{turn}?")
        self.write(MessageAdded(f"{turn}.0", question, parent), turn)
        self.write(TurnRequested("m"), turn)
        self.waiting.append(turn)
        return turn

    def go_on(self) -> str:
        """Ask as somebody does who looks at the view."""
        return self.ask(self.view.branches.parent_of_next())

    def edit(self, question: str) -> str:
        return self.ask(self.view.branches.parent_of_version(question))

    def again(self, question: str) -> str:
        self.turns += 1
        turn = f"t{self.turns}"
        self.write(TurnRequested("m", parent=question), turn)
        self.waiting.append(turn)
        return turn

    def begin(self) -> str:
        assert not self.running
        self.running = self.waiting.pop(0)
        self.said = 0
        self.write(BEGUN, self.running)
        return self.running

    def say(self, call: bool = False) -> str:
        self.said += 1
        id = f"{self.running}.{self.said}"
        self.write(TextDelta(id, id), self.running)
        wanted = ToolCall(f"call of {id}", "f", {})
        answer = Message("assistant", id, "", (wanted,) if call else ())
        self.write(MessageAdded(id, answer), self.running)
        if call:
            result = Message("tool", "ok", tool_call_id=wanted.id)
            self.write(MessageAdded(f"{id}.1", result), self.running)
        return id

    def end(self, reason: str = "stop") -> None:
        self.write(TurnFinished(reason), self.running)
        self.running = ""

    def withdraw(self, turn: str) -> None:
        self.waiting.remove(turn)
        self.write(TurnWithdrawn(), turn)

    def answer(self) -> str:
        """Have the next turn answered; return the id of the answer."""
        self.begin()
        id = self.say()
        self.end()
        return id

    @property
    def shown(self) -> list[str]:
        return list(self.view.entries)

    def sent(self, turn: str) -> list[str]:
        """What a model gets for a turn; its own answers too if there are any."""
        return [message.text for message in self.view.messages(turn)]


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

ACTS = ["ask", "go on", "edit", "again", "begin", "say", "call", "end", "choose"]
acts = st.lists(
    st.tuples(st.sampled_from([*ACTS, *ACTS[4:8], "withdraw"]), st.integers(0, 50)),
    max_size=40,
)


class Expected:
    """Does the acts, and knows what each turn must follow: what its asker saw."""

    def __init__(self) -> None:
        self.talk = Talk()
        self.before: dict[str, list[str]] = {}
        self.exact: dict[str, bool] = {}

    def do(self, act: str, number: int) -> None:
        talk, shown = self.talk, self.talk.shown
        asked = [id for id in shown if id.endswith(".0")]
        match act:
            case "go on":
                idle = not (talk.running or talk.waiting)
                self._note(talk.go_on(), shown, idle)
            case "edit" if asked:
                question = asked[number % len(asked)]
                before = shown[: shown.index(question)]
                self._note(talk.edit(question), before, True)
            case "again" if asked:
                question = asked[number % len(asked)]
                before = shown[: shown.index(question) + 1]
                self._note(talk.again(question), before, True)
            case "ask":
                self._note(talk.ask(), [], False)
            case "begin" if talk.waiting and not talk.running:
                self.begins(talk.begin())
            case "say" | "call" if talk.running:
                talk.say(call=act == "call")
            case "end" if talk.running:
                talk.end("stop" if talk.said else "error")
            case "choose" if talk.view._said:
                begun = [id for id, e in talk.view._said.items() if self._began(e)]
                if begun:
                    talk.view.choose(id := begun[number % len(begun)])
                    assert id in talk.shown
            case "withdraw" if talk.waiting:
                talk.withdraw(talk.waiting[number % len(talk.waiting)])
            case _:
                pass

    def _began(self, entry) -> bool:
        return self.talk.view.branches.has_begun(entry.turn)

    def _note(self, turn: str, before: list[str], exact: bool) -> None:
        self.before[turn] = [id for id in before if not id.startswith(turn)]
        self.exact[turn] = exact

    def begins(self, turn: str) -> None:
        shown = self.talk.shown
        own = [id for id in shown if id.startswith(f"{turn}.")]
        assert len(own) <= 1
        assert shown[len(shown) - len(own) :] == own
        before = shown[: len(shown) - len(own)]
        assert before[: len(self.before[turn])] == self.before[turn]
        if self.exact[turn]:
            assert before == self.before[turn]


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
