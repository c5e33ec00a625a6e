"""Marks of reasoning that come twice, or where no mark is expected."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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

from tui.conversation import Transcript
from tui.events import Event, Record
from tui.messages import Message
from tui.models.gate import Gate, dialect_of_name
from tui.models.gate.orphan import CLOSERS
from tui.models.openai.model import OpenAIModel
from tui.models.reply import ReplyBuilder
from tui.turn import Turn

QWQ = dialect_of_name("qwq-32b")
ASK = [Message("user", "What is 2+2?")]


TOOLS = {"look": {"type": "object", "properties": {}}}


def said(
    pieces: Sequence[str],
    otherwise: bool = False,
    whole: bool = True,
    tools: dict[str, Any] | None = None,
) -> tuple[Message, Message]:
    """Return the message, and what whoever follows the log has of it."""
    gates = (Gate("auto", tools),)
    if otherwise:
        gates = (Gate(QWQ, tools, True, closers=CLOSERS), Gate(QWQ, tools))
    builder = ReplyBuilder(Turn("t"), *gates)
    events: list[Event] = [e for piece in pieces for e in builder.text(piece)]
    events += builder.end_text(whole)
    transcript = Transcript()
    for seq, event in enumerate(events, 1):
        transcript.apply(Record(seq, "c", "t", 0.0, event))
    return builder.reply().message, transcript.entries["t.1"].message


def cut(data: st.DataObject, whole: str) -> list[str]:
    places = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=5)))
    return [whole[a:b] for a, b in zip([0, *places], [*places, None], strict=True)]


@pytest.mark.parametrize(
    ("whole", "reasoning"),
    [
        ("One.</think>Two.</think>\n\nIt is 4.", "One.Two."),
        ("One.\n</think>\n</think>\n\nIt is 4.", "One.\n"),
        ("One.\n</think></think>It is 4.", "One.\n"),
        ("One.</think></think></think>It is 4.", "One."),
        ("<think>One.</think>\n</think>\n\nIt is 4.", "One."),
        ("<think>One.</think>Two.</think>\n\nIt is 4.", "One.Two."),
    ],
)
@given(data=st.data())
def test_a_mark_that_comes_twice_is_never_shown(
    whole: str, reasoning: str, data: st.DataObject
) -> None:
    message, followed = said(cut(data, whole))

    assert message.text.strip() == "It is 4."
    assert message.reasoning.strip() == reasoning.strip()
    assert followed == message


def test_an_answer_behind_thoughts_may_name_the_mark() -> None:
    message, _ = said(["Hm.</think>", "The tag `</think>` ends it, as </think> does."])

    assert message.text == "The tag `</think>` ends it, as </think> does."


@pytest.mark.parametrize("name", ["think", "thinking", "thought", "reasoning"])
def test_a_model_that_is_said_to_begin_within_thoughts_may_open_them(name: str) -> None:
    opener, close = f"<{name}>", f"</{name}>"

    message, followed = said([f"{opener}Hm.", f"{close}\n\nIt is 4."], otherwise=True)

    assert (message.reasoning, message.text.strip()) == ("Hm.", "It is 4.")
    assert followed == message


def test_thoughts_that_were_opened_and_not_closed_are_no_answer() -> None:
    message, followed = said(["<think>Hm, 2+2"], otherwise=True)

    assert (message.reasoning, message.text) == ("Hm, 2+2", "")
    assert followed == message


def ask(server: SSEServer, name: str, times: int = 1) -> list[Message]:
    model = OpenAIModel("test", name, server.url)
    told = [collect(model.generate(ASK, (), Turn("t"))) for _ in range(times)]
    model.close()
    return [reply.message for _, reply in told]


@pytest.mark.parametrize(
    ("name", "close"),
    [*(("plain", close) for close in CLOSERS),
     ("exaone-deep-7.8b", "</thought>"), ("seed-oss-36b", "</seed:think>"),
     ("qwen3-8b", "</think>")],
)  # fmt: skip
def test_any_mark_is_known_again(server: SSEServer, name: str, close: str) -> None:
    server.answer(text(f"Hm.{close}\n\nIt is 4."), finish(), DONE)

    for message in ask(server, name, 2):
        assert (message.reasoning, message.text.strip()) == ("Hm.", "It is 4.")


def test_thoughts_before_a_structured_call_are_thoughts(server: SSEServer) -> None:
    server.answer(
        text("I look it up</think>"),
        text("\n\n"),
        calls(call(0, "a", "look", "{}")),
        finish("tool_calls"),
        DONE,
    )

    (message,) = ask(server, "plain")

    assert (message.reasoning, message.text.strip()) == ("I look it up", "")
    assert len(message.tool_calls) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>Hm.</think>"],
        ["<think>", "Hm.", "</think>"],
        ["<thi", "nk>\n", "Hm.", "</thi", "nk>\n"],
        ["Hm.", "</think>"],
        ["<thought>Hm.</thought>"],
    ],
)
def test_marks_around_reasoning_that_is_told_apart_are_dropped(
    server: SSEServer, pieces: list[str]
) -> None:
    thoughts = [delta(reasoning_content=piece) for piece in pieces]
    server.answer(*thoughts, text("It is 4."), finish(), DONE)

    (message,) = ask(server, "plain")

    assert (message.reasoning.strip(), message.text) == ("Hm.", "It is 4.")


def test_marks_within_reasoning_are_kept(server: SSEServer) -> None:
    thoughts = ["The tag <think> ", "and </thi", "s> or </think", "> too."]
    server.answer(
        *(delta(reasoning_content=t) for t in thoughts), text("4"), finish(), DONE
    )

    (message,) = ask(server, "plain")

    assert message.reasoning == "".join(thoughts)


FIRST = "<think>One.</think>\n\nFirst part.\n\n"


@pytest.mark.parametrize(
    ("rest", "thought", "answer"),
    [
        ("<think>\nTwo.\n</think>\n\nSecond part.", "Two.", "Second part."),
        ("<THINK>\nTwo.\n</Think>\n\nSecond part.", "Two.", "Second part."),
        ("  <think>Two.</think>Second part.", "Two.", "  Second part."),
        ("<think>Two.</think> Second part.", "Two.", "Second part."),
        ("<thinking>\nTwo.</thinking>\nSecond.", "Two.", "Second."),
        ("<think>\nTwo.\n</think>", "Two.", ""),
        ("<think>\n\n</think>\n\nSecond part.", "", "Second part."),
        (
            "<think>\nTwo.\n</think>\nB.\n<think>\nThree.\n</think>\nC.",
            "Two.\nThree.",
            "B.\nC.",
        ),
        ("<think>\nIf a < b or </b>.\n</think>\nSo.", "If a < b or </b>.", "So."),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["in text", "told apart"])
@settings(max_examples=30)
@given(data=st.data())
def test_thoughts_between_two_parts_of_an_answer_are_no_text(
    apart: bool, rest: str, thought: str, answer: str, data: st.DataObject
) -> None:
    whole = f"First part.\n\n{rest}"
    if apart:
        builder = ReplyBuilder(Turn("t"), Gate())
        list(builder.reasoning("One."))
        for piece in cut(data, whole):
            list(builder.text(piece))
        list(builder.end_text())
        message = builder.reply().message
    else:
        message, followed = said(cut(data, f"<think>One.</think>{whole}"))
        assert followed == message

    assert message.text == f"First part.\n\n{answer}"
    lines = message.reasoning.split()
    assert lines == ["One.", *thought.split()]


@pytest.mark.parametrize(
    "text",
    [
        "<think> and </think> mark thoughts.",
        "<think> opens and\n</think>, as said, closes them.",
        "<think>\nIt is never closed.",
        "The tags\n<think>\n",
        "```\n<think>\nTwo.\n</think>\n```\nis how it looks.",
        "So:\n\n    <think>\n    Two.\n    </think>\n\nis how.",
        "> <think>\n> Two.\n> </think>\n\nis how it looks.",
        "- <think>\n  Two.\n  </think>\n",
        "Write <think>\nTwo.\n</think>\n there.",
        "`<think>`\nTwo.\n`</think>`\n there.",
        "<thi\n</b>",
        "<",
        "3\n<4",
    ],
)
@settings(max_examples=30)
@given(data=st.data())
def test_an_answer_may_show_the_marks_of_thoughts(
    text: str, data: st.DataObject
) -> None:
    message, followed = said(cut(data, FIRST + text))

    assert message.text == FIRST.partition("</think>")[2] + text
    assert followed == message


def test_the_answer_streams_on_behind_a_later_thought() -> None:
    builder = ReplyBuilder(Turn("t"), Gate())
    for piece in ("<think>One.</think>A.\n<think>\nTwo.\n</think>", " " * 50, "B."):
        list(builder.text(piece))

    assert [str(e) for e in builder.text("C.")]
    assert builder.reply().message.text == "A.\nB.C."


def test_a_model_that_has_not_thought_shows_the_marks() -> None:
    text = "It looks so:\n<think>\nHm.\n</think>\nIt is 4."

    assert said(list(text))[0].text == text


def test_a_model_that_is_said_to_think_may_begin_with_its_answer() -> None:
    text = "<think>\n</think>Sure.\n<think>\nHm.\n</think>\nIt is 4."

    message, _ = said(list(text), otherwise=True)

    assert (message.text, message.reasoning.strip()) == ("Sure.\nIt is 4.", "Hm.")


@settings(max_examples=30)
@given(data=st.data())
def test_a_call_between_thoughts_is_one(data: st.DataObject) -> None:
    call = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>'
    whole = f"{FIRST}<think>\nTwo.\n</think>\n{call}"

    message, _ = said(cut(data, whole), tools=TOOLS)

    assert [c.name for c in message.tool_calls] == ["look"]
    assert message.text.strip() == "First part."
    assert message.reasoning.split() == ["One.", "Two."]
