"""Long conversations lose their oldest turns, and only those."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.messages import Attachment, Message, ToolCall
from tui.models.context_window import estimate, estimate_message, fit, notice, shortened
from tui.turn import Turn


def size(message: Message) -> int:
    return len(message.text)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    messages = [Message("system", "rules")] if draw(st.booleans()) else []
    if draw(st.booleans()):
        messages.append(
            Message("user", "summary" * draw(st.integers(1, 3)), pinned=True)
        )
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
        assert [m for m in messages if m.pinned] == [m for m in kept if m.pinned]
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


def total(messages: Sequence[Message]) -> int:
    return sum(map(size, messages))


def always(message: Message) -> bool:
    return message.role == "system" or message.pinned


@given(conversations(), st.integers(1, 200))
def test_what_is_sent_is_the_end_of_the_conversation_from_a_turn_on_and_fits(
    messages: list[Message], limit: int
):
    fitted = fit(messages, total, size, limit)

    loose = [m for m in messages if not always(m)]
    sent = [m for m in fitted.messages if not always(m)]
    assert [m for m in fitted.messages if always(m)] == list(filter(always, messages))
    assert fitted.left_out == len(messages) - len(fitted.messages)
    assert fitted.tokens == total(fitted.messages)
    if fitted.left_out:
        assert fitted.first is sent[0]
        assert sent[0].role == "user"
    else:
        assert fitted.first is None
    last_turn = max(i for i, m in enumerate(loose) if m.role == "user")
    if len(sent) >= len(loose) - last_turn:
        assert sent == loose[len(loose) - len(sent) :]
        assert fitted.tokens <= limit or sent == loose[last_turn:]
    else:  # one turn alone is too long: its question, and its last rounds
        rounds = sent[1:]
        assert sent[0] is loose[last_turn]
        assert rounds == loose[len(loose) - len(rounds) :]
        assert rounds[0].role == "assistant"
        assert fitted.tokens <= limit or sum(m.role != "tool" for m in rounds) == 1


@given(conversations(), st.integers(1, 200))
def test_a_conversation_that_fits_is_sent_whole(messages: list[Message], more: int):
    fitted = fit(messages, total, size, total(messages) + more - 1)

    assert fitted.messages == messages
    assert fitted.left_out == 0


def test_the_notice_tells_how_many_and_from_where_on():
    messages = [Message(role, f"{role} {n}") for n in range(3) for role in ROLES]
    fitted = fit(messages, total, size, total(messages) - 1)
    turn = Turn()
    turn.sources = [(f"id{n}", message) for n, message in enumerate(messages)]

    told = notice(fitted, "tiny", 1024, turn)

    assert (told.left_out, told.first_message_id) == (2, "id2")
    assert told.text == (
        "The conversation is longer than the 1,024 tokens that tiny can hold: its "
        "oldest 2 messages are no longer sent."
    )
    assert notice(fitted, "tiny", 1024, Turn()).first_message_id == ""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd" * 10, 10), ("天气怎么样", 5), ("привет", 4), ("😀", 2)],
)
def test_tokens_are_estimated_by_script(text: str, tokens: int):
    assert estimate(text) == tokens


def test_all_that_is_sent_of_a_message_counts():
    call = ToolCall("1", "f", {"city": "Tokyo"})
    file = Attachment("a.txt", "text/plain", b"abcd" * 100)
    image = Attachment("a.png", "image/png", b"x" * 10**6)

    plain = estimate_message(Message("user", "abcd", reasoning="x" * 1000))

    assert plain == 5
    assert estimate_message(Message("assistant", "abcd", tool_calls=(call,))) > plain
    assert estimate_message(Message("user", "abcd", attachments=(file,))) == 105
    assert estimate_message(Message("user", "abcd", attachments=(image,))) == 1005


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
