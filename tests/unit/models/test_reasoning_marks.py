"""Marks of reasoning that come twice, or where no mark is expected."""

from collections.abc import Sequence

import pytest
from hypothesis import given
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


def said(
    pieces: Sequence[str], otherwise: bool = False, whole: bool = True
) -> tuple[Message, Message]:
    """Return the message, and what whoever follows the log has of it."""
    gates = (
        (Gate(QWQ, None, True, closers=CLOSERS), Gate(QWQ)) if otherwise else (Gate(),)
    )
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
