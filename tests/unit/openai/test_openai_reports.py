"""What public reports tell of servers' parsers for tools and for reasoning."""

import json
from typing import Any

import pytest
from support.fakes.collect import collect, opened
from support.fakes.sse_server import DONE, call, calls, delta, event, finish, text

from tui.errors import ModelError
from tui.events import NoticeGiven
from tui.messages import Reply
from tui.models.gate import Gate
from tui.models.openai.chunks import run_together
from tui.models.openai.either_stream import EitherReader
from tui.models.openai.errors import Where
from tui.models.openai.stream import Response
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

ROME = '{"city": "Rome"}'
OFFERED = {"look": {}, "look_up": {}}
LOOK = ("look", {"city": "Rome"})


def read(
    *steps: bytes, dialect: str = "auto", tools: Any = OFFERED
) -> tuple[list[Any], Reply]:
    where = Where("m", "http://127.0.0.1", "", "", "")
    builder = ReplyBuilder(Turn("t"), Gate(dialect, tools))
    response = Response(builder, Cancellation(), where, kind="text/event-stream")
    return collect(EitherReader(response, newer=False).read(iter(steps)))


def made(reply: Reply) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in reply.message.tool_calls]


@pytest.mark.parametrize(
    "name",
    [
        "look<|channel|>commentary",  # vLLM #32587
        "look <|constrain|>json",
        "look<|message|>",
        "functions.look",
        "functions.look:0",
        "default_api.look",
        "default_api:look",
        " look\n",
        '"look"',
        "look()",
    ],
)
def test_what_is_left_around_the_name_of_a_tool_is_removed(name: str) -> None:
    _, reply = read(calls(call(0, "a", name, ROME)), finish("tool_calls"), DONE)

    assert made(reply) == [LOOK]


@pytest.mark.parametrize(
    "name", ["look up", "looks", "Look", "other.look", "look.up", "functions.other", ""]
)
def test_no_other_name_is_taken_for_it(name: str) -> None:
    piece = {"index": 0, "id": "a", "function": {"name": name, "arguments": ROME}}

    _, reply = read(calls(piece), finish("tool_calls"), DONE)

    assert [name for name, _ in made(reply)] == [name]


HERMES = f'<tool_call>\n{{"name": "look", "arguments": {ROME}}}\n</tool_call>'
KIMI = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.look:0"
    f"<|tool_call_argument_begin|>{ROME}<|tool_call_end|><|tool_calls_section_end|>"
)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(
    ("dialect", "written"),
    [("hermes", HERMES), ("auto", HERMES), ("kimi_k2", KIMI), ("auto", KIMI)],
)
@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_call_that_ends_the_reasoning_of_an_empty_answer_is_run(
    dialect: str, written: str, content: str, field: str
) -> None:
    thoughts = [delta(**{field: piece}) for piece in ("I look.\n", *written, "\n")]

    events, reply = read(
        *thoughts, delta(content=content), finish(), DONE, dialect=dialect
    )

    assert made(reply) == [LOOK]
    assert reply.message.reasoning.strip() == "I look."
    assert (reply.finish_reason, opened(events)) == ("tool_calls", 1)


@pytest.mark.parametrize(
    ("steps", "tools"),
    [
        ([delta(reasoning_content=HERMES), text("Hi")], OFFERED),
        ([delta(reasoning_content=f"{HERMES}\nOr not.")], OFFERED),
        ([delta(reasoning_content=HERMES)], None),
        ([delta(reasoning_content=HERMES[:-30])], OFFERED),
        ([text(f"<think>{HERMES}</think>")], OFFERED),
    ],
)
def test_other_calls_in_reasoning_are_only_thoughts(
    steps: list[bytes], tools: Any
) -> None:
    _, reply = read(*steps, finish(), DONE, tools=tools)

    assert made(reply) == []
    assert "<tool_call>" in reply.message.reasoning


def test_a_call_beside_the_one_in_the_reasoning_is_the_only_one() -> None:
    _, reply = read(
        delta(reasoning_content=HERMES),
        calls(call(0, "a", "look", ROME)),
        finish("tool_calls"),
        DONE,
    )

    assert made(reply) == [LOOK]


def test_thoughts_that_are_cut_off_run_nothing() -> None:
    _, reply = read(delta(reasoning_content=HERMES), finish("length"), DONE)

    assert made(reply) == []


COUNT = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})


@pytest.mark.parametrize(
    "last", [[], [event({"choices": [], "cost": "0"})], [b": bye\n\n"]]
)
def test_a_count_of_the_tokens_is_an_end(last: list[bytes]) -> None:
    assert read(text("Hi"), COUNT, *last)[1].message.text == "Hi"
    _, reply = read(calls(call(0, "a", "look", ROME)), COUNT, *last)
    assert made(reply) == [LOOK]


@pytest.mark.parametrize(
    "steps",
    [
        [text("Hi")],
        [COUNT, text("Hi")],
        [COUNT],
        [event({"choices": [{"delta": {"content": "Hi"}}], "usage": {"x": 1}})],
    ],
)
def test_a_stream_without_either_has_ended_early(steps: list[bytes]) -> None:
    with pytest.raises(ModelError, match="ended early"):
        read(*steps)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{}" + ROME, [{"city": "Rome"}]),
        ("None", [{}]),
        (ROME + '{"city": "Oslo"}', [{"city": "Rome"}, {"city": "Oslo"}]),
        (ROME + '\n{"city": "Oslo"}\n{"city": "Bern"}',
         [{"city": "Rome"}, {"city": "Oslo"}, {"city": "Bern"}]),
        (ROME + '{"city": "Rome", "days": 2}', None),
        ('{"city": "Ro"}' + ROME, None),
        (ROME + '{"city": "Os', None),
        (ROME + "{}", None),
        (ROME + '["Oslo"]', None),
    ],
)  # fmt: skip
def test_arguments_run_together_are_those_of_several_calls(
    written: str, found: list[Any] | None
) -> None:
    for pieces in ([written], written):
        steps = [calls(call(0, "a", "look", ""))]
        steps += [calls(call(0, arguments=piece)) for piece in pieces]

        _, reply = read(*steps, finish("tool_calls"), DONE)

        assert [given for _, given in made(reply)] == (found or [written])
        assert len({c.id for c in reply.message.tool_calls}) == len(found or [written])


def test_thoughts_without_an_opener_may_end_with_a_doubled_slash() -> None:
    """https://github.com/sgl-project/sglang/pull/36285"""
    message = read(text("I see."), text("<//think>Hi"), finish(), DONE)[1].message

    assert (message.reasoning, message.text) == ("I see.", "Hi")


HALVES = [
    {"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("Hel", "lo")
]


@pytest.mark.parametrize("glue", ["", " ", "\n"])
def test_several_pieces_in_one_event_are_read(glue: str) -> None:
    joined = glue.join(map(json.dumps, HALVES)).replace("\n", "\ndata: ")

    for sent in (f"data: {joined}\n\n".encode(), event(HALVES)):
        events, reply = read(sent, finish(), DONE)

        assert reply.message.text == "Hello"
        assert not [event for event in events if isinstance(event, NoticeGiven)]


@pytest.mark.parametrize("item", ["{} x", "[1, 2]", "[]", '"a" "b"', "{}{", "[" * 9])
def test_what_is_no_object_is_no_piece(item: str) -> None:
    assert run_together(item.encode()) == []


def test_the_words_of_an_error_within_an_error_are_quoted() -> None:
    inner = json.dumps({"error": {"message": "Oh no", "code": 429}})

    for told in ({"message": inner, "code": 429}, inner):
        with pytest.raises(ModelError, match='"Oh no"'):
            read(event({"error": told}))


def test_a_list_of_errors_is_an_error_with_its_status() -> None:
    error = {"code": 503, "message": "The model is overloaded."}

    with pytest.raises(ModelError, match=r"503\): \"The model is overloaded"):
        read(event([{"error": error}]))


def test_endless_arguments_run_together_are_one_call() -> None:
    written = "".join(f'{{"x": {i}}}' for i in range(1000))

    _, reply = read(calls(call(0, "a", "look", written)), finish("tool_calls"), DONE)

    assert made(reply) == [("look", written)]
