"""The Responses API as other servers than OpenAI's speak it.

Each name says what is odd; where it is known of a server, that is named too.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from support.fakes.collect import collect, opened
from support.fakes.sse_server import event

from tui.errors import ModelError
from tui.events import Event, NoticeGiven, UsageReported
from tui.messages import Reply
from tui.models.gate import Gate
from tui.models.openai.either_stream import EitherReader
from tui.models.openai.errors import Where
from tui.models.openai.stream import Response
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation, Turn

ROME, OSLO = '{"city": "Rome"}', '{"city": "Oslo"}'


def read(*steps: bytes) -> tuple[list[Event], Reply]:
    where = Where("m", "http://127.0.0.1", "", "", "")
    builder = ReplyBuilder(Turn("t"), Gate("auto", {"look": {}}))
    response = Response(builder, Cancellation(), where, kind="text/event-stream")
    return collect(EitherReader(response, newer=True).read(iter(steps)))


def told(type: str, **fields: Any) -> bytes:
    return event({"type": f"response.{type}", **fields})


def added(kind: str, place: int | None = 0, id: str = "", **fields: Any) -> bytes:
    item = {"type": kind, "id": id or f"x{place}", **fields}
    at = {} if place is None else {"output_index": place}
    return told("output_item.added", item=item, **at)


def done(kind: str, place: int | None = 0, id: str = "", **fields: Any) -> bytes:
    item = {"type": kind, "id": id or f"x{place}", "status": "completed", **fields}
    at = {} if place is None else {"output_index": place}
    return told("output_item.done", item=item, **at)


def says(text: str, place: int | None = 0, id: str = "x0", **more: Any) -> bytes:
    at = {} if place is None else {"output_index": place}
    return told("output_text.delta", delta=text, item_id=id, **at, **more)


def thinks(text: str, place: int = 0, id: str = "x0", **more: Any) -> bytes:
    fields = {"delta": text, "item_id": id, "output_index": place, **more}
    return told("reasoning_summary_text.delta", **fields)


def thinks_raw(text: str, place: int = 0, id: str = "x0") -> bytes:
    return told("reasoning_text.delta", delta=text, item_id=id, output_index=place)


def writes(arguments: Any, place: int | None = 0, id: str = "x0") -> bytes:
    at = {} if place is None else {"output_index": place}
    return told("function_call_arguments.delta", delta=arguments, item_id=id, **at)


def wrote(arguments: Any, place: int = 0, **more: Any) -> bytes:
    fields = {"arguments": arguments, "output_index": place, **more}
    return told("function_call_arguments.done", **fields)


def call(call_id: str, arguments: Any = "", **more: Any) -> dict[str, Any]:
    return {"call_id": call_id, "name": "look", "arguments": arguments, **more}


def words(*texts: str) -> dict[str, Any]:
    return {"content": [{"type": "output_text", "text": text} for text in texts]}


def ends(*output: Any, **response: Any) -> bytes:
    fields = {"status": "completed", "output": output, **response}
    return told("completed", response=fields)


END = ends()
USAGE = {"input_tokens": 3, "output_tokens": 2}

TEXTS: dict[str, tuple[Sequence[bytes], str, str]] = {
    "thoughts as a summary too, piece by piece": (
        [
            thinks_raw("I "), thinks("I ", summary_index=0),
            thinks_raw("see."), thinks("see.", summary_index=0),
            says("Hi", 1, "x1"), END,
        ],
        "I see.", "Hi",
    ),
    "a summary too, at the end": (
        [
            thinks_raw("I see."),
            told("reasoning_summary_text.done", output_index=0, text="I see.",
                 summary_index=0),
            done("reasoning", summary=[{"type": "summary_text", "text": "I see."}]),
            says("Hi", 1, "x1"), END,
        ],
        "I see.", "Hi",
    ),
    "no number of the part with its pieces (LiteLLM)": (
        [
            thinks("I see."),
            told("reasoning_summary_text.done", output_index=0, summary_index=0,
                 text="I see."),
            told("reasoning_summary_part.done", output_index=0, summary_index=0,
                 part={"type": "summary_text", "text": "I see."}),
            says("Hi", 1, "x1"), END,
        ],
        "I see.", "Hi",
    ),
    "another id with each event (GitHub Copilot)": (
        [
            added("reasoning", 0, "a1"), thinks("I ", 0, "a2", summary_index=0),
            thinks("see.", 0, "a3", summary_index=0),
            told("reasoning_summary_text.done", output_index=0, summary_index=0,
                 item_id="a4", text="I see."),
            done("reasoning", 0, "a5",
                 summary=[{"type": "summary_text", "text": "I see."}]),
            added("message", 1, "b1"), says("H", 1, "b2"), says("i", 1, "b3"),
            told("output_text.done", output_index=1, item_id="b4", text="Hi"),
            done("message", 1, "b5", **words("Hi")), END,
        ],
        "I see.", "Hi",
    ),
    "another id with each event, and no place": (
        [
            told("reasoning_text.delta", delta="I ", item_id="a"),
            told("reasoning_text.delta", delta="see.", item_id="b"),
            says("H", None, "c"), says("i", None, "d"), END,
        ],
        "I see.", "Hi",
    ),
    "one place for all items (vLLM)": (
        [
            added("reasoning", 0, "r"), thinks_raw("I see.", 0, "r"),
            done("reasoning", 0, "r"),
            added("message", 0, "m"),
            told("output_text.done", output_index=0, item_id="m", text="Hi"), END,
        ],
        "I see.", "Hi",
    ),
    "thoughts announced as parts of a message": (
        [
            told("content_part.done", output_index=0, item_id="r",
                 part={"type": "reasoning_text", "text": "I see."}),
            says("Hi", 1, "m"), END,
        ],
        "I see.", "Hi",
    ),
    "two messages at one place": (
        [
            added("message", 0, "a"), says("One.", 0, "a"),
            done("message", 0, "a", **words("One.")),
            added("message", 0, "b"), says("Two.", 0, "b"),
            done("message", 0, "b", **words("Two.")), END,
        ],
        "", "One.\n\nTwo.",
    ),
    "a message that was never begun is closed (LiteLLM)": (
        [
            done("message", 0, "m", **words("")),
            told("content_part.done", output_index=0, item_id="m",
                 part={"type": "output_text", "text": ""}),
            told("output_text.done", output_index=0, item_id="m", text=""),
            says("Hi", 1, "n"), END,
        ],
        "", "Hi",
    ),
    "the text is told whole behind its item": (
        [
            says("Hi", 0, "m"), done("message", 0, "m", **words("Hi")),
            told("output_text.done", output_index=0, item_id="m", text="Hi"),
            told("content_part.done", output_index=0, item_id="m",
                 part={"type": "output_text", "text": "Hi"}), END,
        ],
        "", "Hi",
    ),
    "a piece as an object": ([says({"text": "Hi"}), END], "", "Hi"),  # type: ignore
    "a piece in the field of the whole": (
        [told("output_text.delta", text="Hi", output_index=0), END], "", "Hi",
    ),
    "two parts of a message": (
        [
            says("One.", content_index=0), says(" Two.", content_index=1),
            done("message", **words("One.", " Two.")), END,
        ],
        "", "One. Two.",
    ),
    "a refusal beside a text": (
        [
            says("Well."),
            told("refusal.delta", delta=" No.", output_index=0, item_id="x0",
                 content_index=1),
            told("refusal.done", refusal=" No.", output_index=0, item_id="x0"), END,
        ],
        "", "Well. No.",
    ),
    "a refusal only as a part": (
        [
            done("message", content=[{"type": "refusal", "refusal": "No."}]), END,
        ],
        "", "No.",
    ),
    "fields of the answer beside the type": (
        [told("completed", status="completed",
              output=[{"type": "message", **words("Hi")}])],
        "", "Hi",
    ),
    "the text only as the library tells it": (
        [ends(output_text="Hi")], "", "Hi",
    ),
    "no end, but each item has its own (vLLM)": (
        [
            added("reasoning", 0, "r"), thinks_raw("I see.", 0, "r"),
            done("reasoning", 0, "r"),
            added("message", 1, "m"), says("Hi", 1, "m"),
            done("message", 1, "m", **words("Hi")),
        ],
        "I see.", "Hi",
    ),
    "no answer in the last event": (
        [says("Hi"), told("completed", response="x")], "", "Hi",
    ),
    "the last event is a list": (
        [says("Hi"), told("completed", response=[1])], "", "Hi",
    ),
    "pieces that were lost on the way": (
        [
            thinks_raw("I "),
            told("reasoning_text.done", output_index=0, item_id="x0", text="I see."),
            says("H", 1, "m"),
            told("output_text.done", output_index=1, item_id="m", text="Hi"),
            done("message", 1, "m", **words("Hi")), END,
        ],
        "I see.", "Hi",
    ),
    "pieces that were lost, told by the item alone": (
        [says("H", 0, "m"), done("message", 0, "m", **words("Hi")), END], "", "Hi",
    ),
    "an item without a type": (
        [told("output_item.done", item={"role": "assistant", "content": "Hi"}), END],
        "", "Hi",
    ),
    "thoughts told apart by the server": (
        [
            added("reasoning", 0, "a"), thinks("I see.", 0, "a", summary_index=0),
            done("reasoning", 0, "a"),
            added("reasoning", 1, "b"), thinks("So.", 1, "b", summary_index=0),
            thinks("Then.", 1, "b", summary_index=1),
            says("Hi", 2, "m"), END,
        ],
        "I see.\n\nSo.\n\nThen.", "Hi",
    ),
    "text and thoughts by turns at one place": (
        [
            thinks_raw("I ", 0, "r"), says("H", 0, "m"), thinks_raw("see.", 0, "r"),
            says("i", 0, "m"), END,
        ],
        "I see.", "Hi",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_text_and_thoughts(name: str) -> None:
    steps, thoughts, text = TEXTS[name]

    events, reply = read(*steps)

    assert (reply.message.reasoning, reply.message.text) == (thoughts, text)
    assert not [event for event in events if isinstance(event, NoticeGiven)]
    assert reply.finish_reason == "stop"


CALLS: dict[str, tuple[Sequence[bytes], Sequence[str]]] = {
    "one place for all calls": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            done("function_call", 0, "a", **call("c1", ROME)),
            added("function_call", 0, "b", **call("c2")), writes(OSLO, 0, "b"),
            done("function_call", 0, "b", **call("c2", OSLO)), END,
        ],
        [ROME, OSLO],
    ),
    "one place for all calls, side by side": (
        [
            added("function_call", 0, "a", **call("c1")),
            added("function_call", 0, "b", **call("c2")),
            writes(ROME[:5], 0, "a"), writes(OSLO[:5], 0, "b"),
            writes(ROME[5:], 0, "a"), writes(OSLO[5:], 0, "b"), END,
        ],
        [ROME, OSLO],
    ),
    "one id for all calls": (
        [
            added("function_call", 0, "a", **call("c1")),
            added("function_call", 1, "a", **call("c2")),
            writes(ROME, 0, "a"), writes(OSLO, 1, "a"),
            done("function_call", 0, "a", **call("c1", ROME)),
            done("function_call", 1, "a", **call("c2", OSLO)), END,
        ],
        [ROME, OSLO],
    ),
    "another id with each event": (
        [
            added("function_call", 0, "a1", **call("c1")), writes(ROME, 0, "a2"),
            wrote(ROME, item_id="a3"),
            done("function_call", 0, "a4", **call("c1", ROME)),
            added("function_call", 1, "b1", **call("c2")), writes(OSLO, 1, "b2"),
            done("function_call", 1, "b3", **call("c2", OSLO)), END,
        ],
        [ROME, OSLO],
    ),
    "no place and no id with the pieces": (
        [
            added("function_call", None, "a", **call("c1")),
            told("function_call_arguments.delta", delta=ROME),
            added("function_call", None, "b", **call("c2")),
            told("function_call_arguments.delta", delta=OSLO), END,
        ],
        [ROME, OSLO],
    ),
    "pieces before they are announced": (
        [
            writes(ROME, 0, "a"), added("function_call", 0, "a", **call("c1")),
            done("function_call", 0, "a", **call("c1")), END,
        ],
        [ROME],
    ),
    "never announced, and told whole": (
        [wrote(ROME, item_id="a", name="look", call_id="c1"), END], [ROME],
    ),
    "never announced, but in the last event": (
        [
            writes(ROME, 0, "a"),
            ends({"type": "function_call", "id": "a", **call("c1")}),
        ],
        [ROME],
    ),
    "no name until the call is whole": (
        [
            added("function_call", 0, "a", call_id="c1", name=None), writes(ROME),
            done("function_call", 0, "a", **call("c1")), END,
        ],
        [ROME],
    ),
    "arguments only where it is announced": (
        [added("function_call", 0, "a", **call("c1", ROME)), END], [ROME],
    ),
    "arguments there and in pieces": (
        [added("function_call", 0, "a", **call("c1", ROME)), writes(ROME, 0, "a"), END],
        [ROME],
    ),
    "nothing where the arguments should be repeated": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            wrote("{}"), done("function_call", 0, "a", **call("c1", "{}")), END,
        ],
        [ROME],
    ),
    "no arguments at all": (
        [
            added("function_call", 0, "a", **call("c1")), writes("{}", 0, "a"),
            wrote("{}"), done("function_call", 0, "a", **call("c1", "{}")), END,
        ],
        ["{}"],
    ),
    "arguments as objects": (
        [
            added("function_call", 0, "a", **call("c1")), wrote(json.loads(ROME)),
            END,
        ],
        [ROME],
    ),
    "pieces that are sealed (GitHub Copilot)": (
        [
            added("function_call", 0, "a", **call("c1")), writes("gAAA", 0, "b"),
            wrote(ROME, item_id="c"), END,
        ],
        [ROME],
    ),
    "another id of the call in the last event (vLLM)": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            done("function_call", 0, "a", **call("c1", ROME)),
            ends({"type": "function_call", "id": "z", **call("c9", ROME)}),
        ],
        [ROME],
    ),
    "another id, and arguments only there": (
        [
            added("function_call", 0, "a", **call("c1")),
            ends({"type": "function_call", "id": "z", **call("c9", ROME)}),
        ],
        [ROME],
    ),
    "no end of a call, and of another kind in the last event (SGLang)": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            wrote(ROME, item_id="a"),
            ends({"type": "message", "content": [{"type": "text", "text": ""}]}),
        ],
        [ROME],
    ),
    "announced twice": (
        [
            added("function_call", 0, "a", **call("c1")),
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            done("function_call", 0, "a", **call("c1", ROME)), END,
        ],
        [ROME],
    ),
    "one id for all calls, told as wholes": (
        [
            done("function_call", 0, "a", **call("c1", ROME)),
            done("function_call", 0, "a", **call("c1", OSLO)), END,
        ],
        [ROME, OSLO],
    ),
    "one id for all calls in the last event": (
        [
            ends(
                {"type": "function_call", **call("c1", ROME)},
                {"type": "function_call", **call("c1", OSLO)},
            )
        ],
        [ROME, OSLO],
    ),
    "told as a whole twice": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            done("function_call", 0, "a", **call("c1", ROME)),
            done("function_call", 0, "a", **call("c1", ROME)), END,
        ],
        [ROME],
    ),
    "calls told before the text in front of them (LiteLLM)": (
        [
            added("message", 0, "m"), says("", 0, "m"),
            added("function_call", 1, "a", **call("c1")), writes(ROME, 1, "a"),
            done("function_call", 1, "a", **call("c1", ROME)),
            done("message", 0, "m", content=[]), END,
        ],
        [ROME],
    ),
    "no end of the answer": (
        [
            added("function_call", 0, "a", **call("c1")), writes(ROME, 0, "a"),
            done("function_call", 0, "a", **call("c1", ROME)),
        ],
        [ROME],
    ),
    "as text, where the server has no parser (vLLM)": (
        [
            says('<tool_call>\n{"name": "look", '),
            says(f'"arguments": {ROME}}}\n</tool_call>'), END,
        ],
        [ROME],
    ),
    "beside the server's own tools": (
        [
            added("mcp_call", 0, "m", name="look", arguments="{}"),
            told("mcp_call_arguments.delta", output_index=0, delta="{}"),
            done("custom_tool_call", 1, "k", name="look", input="x"),
            added("function_call", 2, "a", **call("c1")), writes(ROME, 2, "a"), END,
        ],
        [ROME],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    steps, arguments = CALLS[name]

    events, reply = read(*steps)

    made = reply.message.tool_calls
    assert [c.arguments for c in made] == [json.loads(text) for text in arguments]
    assert {c.name for c in made} == {"look"}
    assert len({c.id for c in made}) == len(made)
    assert reply.message.text == ""
    assert reply.finish_reason == "tool_calls"
    assert opened(events) >= 1


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([told("incomplete", response={"incomplete_details": None})], "length"),
        ([told("incomplete", response={"incomplete_details": "max_output_tokens"})],
         "length"),
        ([told("incomplete", response=None)], "length"),
        ([told("incomplete", incomplete_details={"reason": "content_filter"})],
         "content_filter"),
        ([ends(status="incomplete", incomplete_details={"reason": None})], "length"),
        ([told("done", response={"status": "incomplete"})], "length"),
    ],
)  # fmt: skip
def test_an_answer_that_is_cut_off(steps: list[bytes], reason: str) -> None:
    _, reply = read(says("Hi"), *steps)

    assert (reply.message.text, reply.finish_reason) == ("Hi", reason)


@pytest.mark.parametrize(
    "last",
    [
        told("failed", response={"error": None, "last_error": {"message": "Oh no"}}),
        told("failed", response={"status_details": {"error": {"message": "Oh no"}}}),
        told("failed", error={"message": "Oh no"}),
        told("failed", status="failed", error={"message": "Oh no"}),
        told("failed", response={"error": "Oh no"}),
        told("failed", response={"error": {"code": "Oh no", "message": ""}}),
        ends(status="failed", error={"message": "Oh no"}),
        event({"type": "error", "error": {"type": "server_error", "message": "Oh no"}}),
        event({"type": "error", "error": "Oh no"}),
        b'event: error\ndata: {"detail": "Oh no"}\n\n',
        b'event: error\ndata: Oh no\n\n',
        event({"error": {"message": "Oh no", "code": 500}}),
        told("error", message="Oh no"),
        told("error", response={"error": {"message": "Oh no"}}),
        told("in_progress", response={"error": {"message": "Oh no"}}),
    ],
)  # fmt: skip
def test_a_failure_is_quoted(last: bytes) -> None:
    with pytest.raises(ModelError, match="Oh no"):
        read(says("Hi"), last)


@pytest.mark.parametrize(
    "steps",
    [
        [thinks_raw("I see.")],  # Ollama
        [thinks_raw("I see."), done("reasoning")],
        [says("Hi")],
        [added("function_call", 0, "a", **call("c1")), writes(ROME[:5], 0, "a")],
        [says("Hi", 0, "m"), done("message", 0, "m", **words("Hi")),
         added("function_call", 1, "a", **call("c1"))],
    ],
)  # fmt: skip
def test_a_stream_that_breaks_off_within_an_item_is_no_answer(
    steps: list[bytes],
) -> None:
    with pytest.raises(ModelError, match="ended early"):
        read(*steps)


@pytest.mark.parametrize(
    ("last", "counted"),
    [
        (ends(usage=USAGE), (3, 2)),
        (ends(usage={"prompt_tokens": 3, "completion_tokens": 2}), (3, 2)),
        (told("completed", response={}, usage=USAGE), (3, 2)),
        (told("completed", status="completed", usage=USAGE), (3, 2)),
        (ends(usage={"input_tokens": "x", "output_tokens": 2}), (0, 2)),
    ],
)
def test_the_tokens_are_counted(last: bytes, counted: tuple[int, int]) -> None:
    events, _ = read(says("Hi"), last)

    (usage,) = [event for event in events if isinstance(event, UsageReported)]
    assert (usage.input_tokens, usage.output_tokens) == counted


def test_a_call_that_is_cut_off_is_not_made_up() -> None:
    steps = [added("function_call", 0, "a", **call("c1")), writes(ROME[:9], 0, "a")]

    _, reply = read(*steps, told("incomplete", response={}))

    (made,) = reply.message.tool_calls
    assert (made.arguments, reply.finish_reason) == (ROME[:9], "length")


HI = {"status": "completed", "output": [{"type": "message", **words("Hi")}]}


@pytest.mark.parametrize(
    "document",
    [
        {"object": "response", **HI},
        {"response": HI},
        {"data": HI, "code": 0},
        {"object": "response", "output": "Hi"},
        {"object": "response", "output_text": "Hi"},
        {"object": "response", "output": [], "output_text": "Hi"},
        {"object": "response", "output": [{"role": "assistant", "content": "Hi"}]},
    ],
)
def test_a_document_in_another_shape(document: dict[str, Any]) -> None:
    assert read(json.dumps(document).encode())[1].message.text == "Hi"
