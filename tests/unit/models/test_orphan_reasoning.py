"""`thoughts</think>answer`: what was taken for an answer turns out to be reasoning."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.collect import collect, reasoning_of, text_of
from support.fakes.sse_server import (
    DONE,
    SSEServer,
    delta,
    finish,
    text,
)

from tui.conversation import Transcript
from tui.conversation.spoken_text import SpokenText
from tui.events import Event, MessageAdded, Record, Relabelled, TextDelta
from tui.messages import Message
from tui.models.gate import Gate
from tui.models.gate.orphan import CLOSERS
from tui.models.openai.model import OpenAIModel
from tui.models.reply import ReplyBuilder
from tui.runtime.turn_driver import _Said  # pyright: ignore[reportPrivateUsage]
from tui.turn import Turn

ASK = [Message("user", "What is 2+2?")]
THOUGHTS = "Okay, they ask about 2+2.\nThat is `4`.\n"


def build(
    pieces: Sequence[str], gate: Gate | None = None, otherwise: Gate | None = None
) -> tuple[list[Event], Message, bool | None]:
    builder = ReplyBuilder(Turn("t"), gate or Gate(), otherwise)
    events = [event for piece in pieces for event in builder.text(piece)]
    events += builder.end_text()
    return events, builder.reply().message, builder.starts_open


def followed(events: Sequence[Event]) -> Message:
    """Return what whoever follows the log has of a message that is being said."""
    transcript = Transcript()
    for seq, event in enumerate(events, 1):
        transcript.apply(Record(seq, "c", "t", 0.0, event))
    return transcript.entries["t.1"].message


def cut(data: st.DataObject, whole: str) -> list[str]:
    places = sorted(data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)))))
    return [whole[a:b] for a, b in zip([0, *places], [*places, None], strict=True)]


@pytest.mark.parametrize("close", CLOSERS)
@given(data=st.data())
def test_all_before_the_mark_is_reasoning_wherever_it_is_cut(
    close: str, data: st.DataObject
) -> None:
    pieces = cut(data, f"{THOUGHTS}{close}\n\nIt is 4 < 5.")

    events, message, starts_open = build(pieces)

    assert (message.reasoning, message.text) == (THOUGHTS, "It is 4 < 5.")
    assert starts_open is True
    assert followed(events) == message
    said = _Said()
    for event in events:
        said.take(event)
    (settled,) = said.unsettled("cancelled")
    assert isinstance(settled, MessageAdded)
    assert settled.message == message


@pytest.mark.parametrize(
    "prose",
    [
        "The tag `</think>` ends it.",
        "```\nthoughts\n</think>\n```\nis how it looks.",
        "Between <think> and </think> stands what it thinks.",
        "3 </thin ice> 4",
        "It ends with </thi",
        "The tag </think> ends it.\n\nMore.",
        "The tag </think>, by the way, ends it.\n\nMore.",
        "Their thoughts end with </think>. Then more.",
        "Their thoughts end with </think>",
        "Das Zeichen </think> Endet es.",
        "</think> is what ends it.",
        "- </think> ends it\n- more",
        "- </think>: ends it\n- more",
        "| mark | use |\n|---|---|\n| </think> | ends it |\n",
        'He wrote "the mark </think> ends it" and left.',
        "He wrote “x</think>” and left.",
        "It ('</think>') ends it.",
        "It (</think>) ends it.",
        "Write `a </think> b` for it.",
        "Write `` </think> `` for it.",
        "See <code>x</think></code> there.",
        "~~~\nthoughts\n</think>\n~~~\nis how it looks.",
        "So:\n\n    thoughts\n    </think>\n\nis how it looks.",
        "> thoughts\n> </think>\n\nis how it looks.",
        "标记“</think>”表示结束。",
        "They wrote **</think>** there.",
    ],
)
@given(data=st.data())
def test_a_mark_that_is_quoted_or_was_opened_is_text(
    prose: str, data: st.DataObject
) -> None:
    events, message, starts_open = build(cut(data, prose))

    assert (message.text, message.reasoning) == (prose, "")
    assert text_of(events) == prose
    assert starts_open is None


@pytest.mark.parametrize(
    "thoughts",
    [
        "Okay, they ask. It is 4.",
        "Okay, they ask. It is 4. ",
        "Okay, so it is 4",
        "It's 5\" wide, (that is small.\n",
        "So the answer is `4`",
        "So the answer is **4**",
        "Use the ` key.\n",
        "1. one\n2. two\n",
        "好的，用户问了这个问题。",
    ],
)
@pytest.mark.parametrize("answer", ["\n\nIt is 4.", "It is 4.", "\n我来。"])
@given(data=st.data())
def test_a_thought_may_end_in_any_way(
    thoughts: str, answer: str, data: st.DataObject
) -> None:
    pieces = cut(data, f"{thoughts}</think>{answer}")

    _, message, _ = build(pieces)

    assert (message.reasoning, message.text) == (thoughts, answer.lstrip())


def test_a_mark_alone_is_dropped() -> None:
    events, message, _ = build(["</think>\n\nIt is 4."])

    assert message.text == "It is 4."
    assert not [event for event in events if isinstance(event, Relabelled)]


def test_a_call_behind_the_mark_is_one() -> None:
    tools = {"look": {"type": "object", "properties": {}}}
    call = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>'

    _, message, _ = build([THOUGHTS, "</think>\n", call], Gate("auto", tools))

    assert (message.reasoning, message.text) == (THOUGHTS, "")
    assert [call.name for call in message.tool_calls] == ["look"]


def guessed(*pieces: str) -> tuple[list[Event], Message, bool | None]:
    return build(pieces, Gate("auto", None, True), Gate("auto"))


@pytest.mark.parametrize("opener", ["", "<think>", "\n<think>\n"])
def test_what_is_guessed_to_be_open_needs_no_other_label(opener: str) -> None:
    events, message, starts_open = guessed(*opener, "Hm.", "</think>", "It is 4.")

    assert (message.reasoning.strip(), message.text) == ("Hm.", "It is 4.")
    assert not [event for event in events if isinstance(event, Relabelled)]
    assert starts_open is not False


def test_a_guess_that_was_wrong_gives_the_answer_back() -> None:
    events, message, starts_open = guessed("It is ", "4.")

    assert (message.reasoning, message.text) == ("", "It is 4.")
    assert starts_open is False
    assert followed(events) == message


def test_what_was_printed_before_the_label_is_not_printed_again() -> None:
    spoken = SpokenText()
    events, message, _ = build([THOUGHTS, "</think>", "It is", " 4."])
    added = MessageAdded("t.1", message)

    printed = [spoken.take(Record(1, "c", "t", 0.0, e)) for e in [*events, added]]

    assert "".join(printed) == f"{THOUGHTS}It is 4."


@pytest.mark.parametrize("told", [1, 2, 3])
def test_the_answer_is_printed_though_the_label_was_replaced(told: int) -> None:
    """A complete message replaces all that a slow reader has not read of it."""
    spoken = SpokenText()
    thoughts = [THOUGHTS[:5], THOUGHTS[5:10], THOUGHTS[10:]]
    events, message, _ = build([*thoughts, "</think>", "It is", " 4."])
    read = [*events[:told], MessageAdded("t.1", message)]

    printed = [spoken.take(Record(1, "c", "t", 0.0, event)) for event in read]

    assert printed == [*thoughts[:told], "It is 4."]
    assert spoken.was_reasoning


def test_an_answer_that_was_taken_for_reasoning_is_printed_at_the_end() -> None:
    spoken = SpokenText()
    events, message, _ = guessed("It is ", "4.")
    added = MessageAdded("t.1", message)

    printed = [spoken.take(Record(1, "c", "t", 0.0, e)) for e in [*events, added]]

    assert "".join(printed) == "It is 4."


def ask(server: SSEServer, model: OpenAIModel) -> tuple[list[Event], Message]:
    events, reply = collect(model.generate(ASK, (), Turn("t")))
    return events, reply.message


@pytest.mark.parametrize("name", ["plain", "deepseek-r1:8b", "qwen3-4b-thinking-2507"])
def test_the_model_is_known_for_it_from_then_on(server: SSEServer, name: str) -> None:
    server.answer(text("Hm. "), text("4?</thi"), text("nk>\n\n4."), finish(), DONE)
    model = OpenAIModel("test", name, server.url)

    _, first = ask(server, model)
    events, second = ask(server, model)

    model.close()
    assert (first.reasoning, first.text) == ("Hm. 4?", "4.")
    assert (second.reasoning, second.text.strip()) == ("Hm. 4?", "4.")
    assert reasoning_of(events) == "Hm. 4?"
    assert text_of(events).strip() == "4."


def test_a_server_that_tells_reasoning_apart_is_believed(server: SSEServer) -> None:
    server.answer(delta(reasoning_content="Hm."), text("It is 4."), finish(), DONE)
    model = OpenAIModel("test", "deepseek-r1", server.url)

    for _ in range(2):
        events, message = ask(server, model)

        assert (message.reasoning, message.text) == ("Hm.", "It is 4.")
        assert not [event for event in events if isinstance(event, Relabelled)]
    model.close()


def test_thoughts_that_the_length_cuts_off_are_thoughts(server: SSEServer) -> None:
    server.answer(text("Hm, 2+2"), finish("length"), DONE)
    model = OpenAIModel("test", "qwq:32b", server.url)

    _, message = ask(server, model)

    model.close()
    assert (message.reasoning, message.text) == ("Hm, 2+2", "")


HARMONY = (
    "<|channel|>analysis<|message|>They ask 2+2.<|end|><|start|>assistant"
    "<|channel|>final<|message|>It is 4."
)


@given(data=st.data())
def test_frames_are_known_by_their_beginning(data: st.DataObject) -> None:
    events, message, _ = build(cut(data, HARMONY))

    assert (message.reasoning, message.text) == ("They ask 2+2.", "It is 4.")
    assert text_of(events) == "It is 4."


@pytest.mark.parametrize("prose", ["<", "<|", "<|chan", " <b>", "", "a <|channel|> b"])
def test_what_only_begins_like_a_frame_is_text(prose: str) -> None:
    events, message, _ = build(list(prose))

    assert message.text == prose
    assert all(isinstance(event, TextDelta) for event in events)
