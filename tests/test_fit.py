"""Long conversations lose their oldest turns, and only those."""

from hypothesis import given
from hypothesis import strategies as st

from tui.messages import Message, ToolCall
from tui.models.fit import Fitted, estimate, fit, shortened


def size(message: Message) -> int:
    return len(message.text)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    messages = [Message("system", "rules")] if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 6))):
        messages.append(Message("user", f"q{turn}" * draw(st.integers(1, 9))))
        for step in range(draw(st.integers(0, 3))):
            ids = [f"{turn}.{step}.{n}" for n in range(draw(st.integers(1, 2)))]
            calls = tuple(ToolCall(id, "f", {}) for id in ids)
            messages.append(Message("assistant", "calls", tool_calls=calls))
            messages += [Message("tool", "result" * 3, tool_call_id=id) for id in ids]
        messages.append(Message("assistant", f"a{turn}" * draw(st.integers(1, 9))))
    if draw(st.booleans()) and messages[-1].role == "assistant":
        messages.pop()  # the turn that is to be answered
    return messages


@given(conversations(), st.integers(1, 100), st.integers(1, 100))
def test_what_must_stay_stays_and_calls_keep_their_results(
    messages: list[Message], excess: int, step: int
):
    users = [m for m in messages if m.role == "user"]
    before = messages
    for kept in shortened(messages, size, excess, step):
        assert [m for m in before if m in kept] == kept  # in order, and ever fewer
        assert len(kept) < len(before)
        assert [m for m in messages if m.role == "system"] == [
            m for m in kept if m.role == "system"
        ]
        assert users[-1] in kept
        called = [c.id for m in kept for c in m.tool_calls]
        answered = [m.tool_call_id for m in kept if m.role == "tool"]
        assert called == answered
        before = kept


@given(conversations(), st.integers(1, 60), st.integers(1, 100))
def test_the_first_cut_is_enough_unless_nothing_more_can_go(
    messages: list[Message], excess: int, step: int
):
    cuts = list(shortened(messages, size, excess, step))

    if len(cuts) > 1:
        assert sum(map(size, messages)) - sum(map(size, cuts[0])) >= excess


def test_the_oldest_turn_goes_first():
    messages = [
        Message("system", "rules"),
        *[Message(role, f"{role} {n}") for n in range(3) for role in ROLES],
    ]

    [first, second] = shortened(messages, size, 1, 10)

    assert [m.text for m in first] == ["rules", *(m.text for m in messages[3:])]
    assert [m.text for m in second] == ["rules", *(m.text for m in messages[5:])]


ROLES = ("user", "assistant")


def test_the_last_turn_loses_its_oldest_round_and_keeps_the_newest():
    def called(n: int) -> list[Message]:
        return [
            Message("assistant", f"call {n}", tool_calls=(ToolCall(str(n), "f", {}),)),
            Message("tool", f"result {n}", tool_call_id=str(n)),
        ]

    messages = [Message("user", "question"), *called(1), *called(2), *called(3)]

    cuts = list(shortened(messages, size, 1, 1))

    assert [m.text for m in cuts[0]][:2] == ["question", "call 2"]
    assert [m.text for m in cuts[-1]] == ["question", "call 3", "result 3"]


def test_a_growing_conversation_is_cut_at_the_same_place_for_a_while():
    """Each new cut has the model read everything again."""
    messages: list[Message] = []
    firsts: list[str] = []
    for turn in range(60):
        messages += [Message("user", f"{turn:10}"), Message("assistant", "x" * 10)]
        excess = sum(map(size, messages)) - 400
        if excess > 0:
            firsts.append(next(shortened(messages, size, excess, 200))[0].text)

    assert len(firsts) == 40
    assert len(set(firsts)) == 4


def test_a_single_message_cannot_be_shortened():
    assert list(shortened([Message("user", "x" * 99)], size, 50, 10)) == []
