"""The scripted model: the same events as real ones, and cancelled at once."""

import json
import threading
from pathlib import Path
from time import monotonic

import pytest
import tomli_w

from tui.errors import Cancelled, ConfigError, ModelError
from tui.events import (
    NoticeGiven,
    ReasoningDelta,
    TextDelta,
    ToolCallOpened,
    UsageReported,
)
from tui.messages import Message, Reply, ToolCall, ToolSchema
from tui.models import Model
from tui.models.scripted import Finish, Pause, Request, ScriptedModel, Think
from tui.turn import Turn

LIMIT = 30.0
HELLO = [Message("user", "Hello")]


def play(model: Model, turn: Turn | None = None):
    run, events = model.generate(HELLO, [], turn or Turn("t")), []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def test_a_reply_is_played_in_order():
    usage, notice = UsageReported(3, 4), NoticeGiven("trimmed")
    call = ToolCall("7", "add", {"a": 1})
    model = ScriptedModel([[notice, Think("hm"), "Hel", "lo", call, usage]])

    events, reply = play(model)

    assert events == [
        notice,
        ReasoningDelta("t.1", "hm"),
        TextDelta("t.1", "Hel"),
        TextDelta("t.1", "lo"),
        ToolCallOpened("t.1"),
        usage,
    ]
    assert reply == Reply(
        Message("assistant", "Hello", "hm", tool_calls=(call,)), "tool_calls"
    )


def test_each_call_plays_the_next_reply_and_is_remembered():
    model = ScriptedModel(["one", "two"])
    schema = ToolSchema("add", "Add.", {"type": "object"})

    first = list(model.generate(HELLO, [schema], Turn("a")))
    second = list(model.generate([], [], Turn("b")))

    assert first == [TextDelta("a.1", "one")]
    assert second == [TextDelta("b.1", "two")]
    assert model.requests == [Request(tuple(HELLO), (schema,)), Request((), ())]


def test_what_looks_like_a_marker_at_the_end_is_told():
    events, reply = play(ScriptedModel([["a ", "<"]]))

    assert "".join(e.text for e in events) == "a <"
    assert reply.message.text == "a <"


def test_a_script_that_is_over_says_so():
    model = ScriptedModel(["one"], name="demo")
    play(model)

    with pytest.raises(ModelError, match="model demo has 1 replies, and all have"):
        play(model)


def test_a_script_may_begin_anew():
    model = ScriptedModel(["one", "two"], repeat=True)

    assert [play(model)[1].message.text for _ in range(3)] == ["one", "two", "one"]


def test_a_reply_ends_as_the_script_says():
    assert play(ScriptedModel([["cut", Finish("length")]]))[1].finish_reason == "length"


def test_an_exception_is_raised_after_what_was_said():
    run = ScriptedModel([["Hel", ModelError("gone", "dropped")]]).generate(
        HELLO, [], Turn("t")
    )

    assert next(run) == TextDelta("t.1", "Hel")
    with pytest.raises(ModelError, match="gone"):
        next(run)


def test_the_model_waits_for_an_event():
    asked = threading.Event()

    class Gate(threading.Event):
        def is_set(self) -> bool:
            asked.set()
            return super().is_set()

    gate = Gate()
    model = ScriptedModel([["a", gate, "b"]])
    run = model.generate(HELLO, [], Turn("t"))
    next(run)
    arrived: list[object] = []
    thread = threading.Thread(target=lambda: arrived.extend(run))

    thread.start()
    assert asked.wait(LIMIT)
    before = list(arrived)
    gate.set()
    thread.join(LIMIT)

    assert before == []
    assert arrived == [TextDelta("t.1", "b")]


def test_a_file_lets_a_script_go_on(tmp_path: Path):
    script = tmp_path / "script.toml"
    steps = [{"text": "a"}, {"wait_for": "go"}, {"text": "b"}]
    script.write_text(tomli_w.dumps({"reply": [{"steps": steps}]}))
    run = ScriptedModel.from_file(script).generate(HELLO, [], Turn("t"))
    next(run)
    arrived: list[object] = []
    thread = threading.Thread(target=lambda: arrived.extend(run))

    thread.start()
    thread.join(0.05)
    before = list(arrived)
    (tmp_path / "go").touch()
    thread.join(LIMIT)

    assert before == []
    assert arrived == [TextDelta("t.1", "b")]


@pytest.mark.parametrize(
    "model",
    [
        ScriptedModel([["a", threading.Event(), "b"]]),
        ScriptedModel([["a", Pause(60), "b"]]),
        ScriptedModel([[ToolCall("", "add", {}), "b"]], rate=0.01),
    ],
    ids=["event", "pause", "rate"],
)
def test_a_cancel_is_immediate(model):
    turn = Turn()
    run = model.generate(HELLO, [], turn)
    next(run)
    threading.Timer(0.01, turn.cancel.request).start()
    start = monotonic()

    with pytest.raises(Cancelled):
        next(run)

    assert monotonic() - start < LIMIT


def test_a_cancelled_turn_is_not_begun():
    turn = Turn()
    turn.cancel.request()

    with pytest.raises(Cancelled):
        next(ScriptedModel(["a"]).generate(HELLO, [], turn))


def test_the_rate_is_in_pieces_a_second():
    start = monotonic()

    play(ScriptedModel([[Think("a"), "b", "c"]], rate=100))

    assert 0.03 <= monotonic() - start < LIMIT


def test_a_rate_must_be_above_zero():
    with pytest.raises(ValueError, match="rate must be above 0, not 0"):
        ScriptedModel([], rate=0)


TOML = """
rate = 1000.0
repeat = true
dialect = "auto"

[[reply]]
text = "Guten Tag, 你好"

[[reply]]
steps = [
    { reasoning = "Let me see" },
    { text = "Looking" },
    { call = "add", arguments = { a = 1 } },
    { usage = { input_tokens = 3, output_tokens = 4 } },
    { notice = "Trimmed." },
    { pause = 0.001 },
    { finish = "length" },
]

[[reply]]
steps = [{ error = "The server is gone." }]
"""
JSON = json.dumps({"reply": [{"text": "Hi"}, {"text": "there"}]})


def test_a_script_is_read_from_toml(tmp_path):
    path = tmp_path / "demo.toml"
    path.write_text(TOML, "utf-8")
    model = ScriptedModel.from_file(path, "demo")

    hello, (looking, reply) = play(model)[0], play(model)

    assert model.name == "demo"
    assert [e.text for e in hello] == ["Guten ", "Tag, ", "你", "好"]
    assert looking[:4] == [
        ReasoningDelta("t.1", "Let "),
        ReasoningDelta("t.1", "me "),
        ReasoningDelta("t.1", "see"),
        TextDelta("t.1", "Looking"),
    ]
    assert looking[4:] == [
        ToolCallOpened("t.1"),
        UsageReported(3, 4),
        NoticeGiven("Trimmed."),
    ]
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [
        ("add", {"a": 1})
    ]
    assert reply.message.tool_calls[0].id
    assert reply.finish_reason == "length"
    with pytest.raises(ModelError, match="The server is gone"):
        play(model)
    assert play(model)[0] == hello


def test_a_script_is_read_from_json(tmp_path):
    path = tmp_path / "demo.json"
    path.write_text(JSON, "utf-8")
    model = ScriptedModel.from_file(str(path))

    assert [play(model)[1].message.text for _ in range(2)] == ["Hi", "there"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", None, "a.toml cannot be read: No such file"),
        ("a.toml", "reply = [", "a.toml cannot be used: "),
        ("a.json", "{", "a.json cannot be used: "),
        ("a.json", "{}", "a.json cannot be used: .*missing required field `reply`"),
        ("a.toml", "reply = []\nspeed = 1", "a.toml cannot be used: .*`speed`"),
        ("a.toml", "reply = []\nrate = 0", "rate must be above 0, not 0"),
    ],
)
def test_a_bad_script_names_the_file(tmp_path, name, text, message):
    path = tmp_path / name
    if text is not None:
        path.write_text(text, "utf-8")

    with pytest.raises(ConfigError, match=message):
        ScriptedModel.from_file(path)
