"""What becomes of a model's calls."""

import asyncio
import contextvars
import dataclasses
import functools
import json
import logging
import math
import threading
from collections.abc import Generator
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import Cancelled, ConfigError, ToolError
from tui.events import Event, ToolCallFinished, ToolCallStarted, ToolProgressed
from tui.messages import ToolCall, ToolResult
from tui.tools import Tool, ToolBox, register, registry, report, running, tool
from tui.turn import Turn

LIMIT = 30.0
"""Seconds that a test waits for what must come."""


@tool
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def play(run: Generator[Event, None, ToolResult]) -> tuple[list[Event], ToolResult]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def call(function: Any, arguments: Any = {}, **options: Any) -> ToolResult:  # noqa: B006 - never changed
    made = function if isinstance(function, Tool) else Tool(function, description="x")
    box = ToolBox([made], **options)
    return play(box.run(ToolCall("1", made.name, arguments)))[1]


def test_a_call_is_started_finished_and_answered():
    wanted = ToolCall("7", "add", {"a": 2, "b": 3})

    events, result = play(ToolBox([add]).run(wanted, Turn()))

    assert events[0] == ToolCallStarted(wanted)
    assert isinstance(events[1], ToolCallFinished)
    assert (events[1].call_id, events[1].error) == ("7", None)
    assert 0 <= events[1].seconds < LIMIT
    assert len(events) == 2
    assert result == ToolResult("7", "5")


@dataclasses.dataclass
class Point:
    x: int


LOOP: list[Any] = []
LOOP.append(LOOP)


class Address(pydantic.BaseModel):
    street: str


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        (True, "true"),
        ({"stadt": "Köln"}, '{"stadt":"Köln"}'),
        ([1, 2.5], "[1,2.5]"),
        (Point(1), '{"x":1}'),
        (Address(street="Oak"), '{"street":"Oak"}'),
        ({"where": Address(street="Oak")}, '{"where":{"street":"Oak"}}'),
        (3 + 4j, '"(3+4j)"'),
        ({(1, 2): 3}, '{"(1, 2)":3}'),
        (LOOP, '["…"]'),
        ("half \ud800 character", "half ? character"),
    ],
)
def test_a_result_is_text_or_json(value, output):
    assert call(lambda_named(value)) == ToolResult("1", output)


def lambda_named(value: Any):
    def give():
        return value

    return give


def test_a_result_that_cannot_be_shown_is_an_error():
    class Mute:
        def __str__(self) -> str:
            raise ValueError("mute")

    assert call(lambda_named(Mute())).error == (
        "give returned a Mute that cannot be shown."
    )


def test_a_very_long_result_is_cut_with_a_note():
    result = call(lambda_named("x" * 30), output_limit=10)

    assert result.output == "x" * 10 + "\n[20 more characters omitted]"


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (
            ToolCall("1", "ad", {}),
            "There is no tool named ad; did you mean add?",
        ),
        (
            ToolCall("1", "weather", {}),
            "There is no tool named weather; the tools are add.",
        ),
        (
            ToolCall("1", "", "malformed: <tool_call>\n{"),
            "This tool call could not be read and was not run: "
            "malformed: <tool_call> {",
        ),
        (
            ToolCall("1", "add", '{"a": 1,'),
            "add was not run: the arguments must be a JSON object, but at character "
            '9: Expecting property name enclosed in double quotes: {"a": 1,',
        ),
        (
            ToolCall("1", "add", "[1, 2]"),
            "add was not run: the arguments must be a JSON object, not [1, 2]",
        ),
        (
            ToolCall("1", "add", {}),
            "add was not run: a is missing.",
        ),
        (
            ToolCall("1", "add", {"a": "x"}),
            "add was not run: a: expected int, got str.",
        ),
        (
            ToolCall("1", "add", {"a": 1, "c": 2}),
            "add was not run: c is unknown (the parameters are a, b).",
        ),
    ],
)
def test_a_wrong_call_is_told_in_one_line_and_not_run(wanted, error):
    events, result = play(ToolBox([add]).run(wanted))

    assert events[0] == ToolCallStarted(wanted)
    assert isinstance(events[-1], ToolCallFinished)
    assert events[-1].error == error
    assert result == ToolResult("1", f"Error: {error}", error)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"a": 1, "b": 2,}', '{"a":1,"b":2}'),
        ("{'a': 1}", '{"a":1}'),
        ("{a: 1}", '{"a":1}'),
        ('{"a": 1} // done', '{"a":1}'),
        ('"{\\"a\\": 1}"', '{"a":1}'),
        ('```json\n{"a": 1}\n```', '{"a":1}'),
        ('{"a": 1} I call it now.', '{"a":1}'),
        ('{"a": 1}}', '{"a":1}'),
    ],
)
def test_nearly_json_is_read_as_what_is_meant_and_marked(written, meant):
    wanted = ToolCall("1", "add", written)

    events, result = play(ToolBox([add]).run(wanted))

    assert result.error is None
    assert events[:2] == [
        ToolCallStarted(wanted),
        ToolProgressed("1", f"The arguments are no JSON object; read as {meant}"),
    ]


def test_an_argument_that_is_repaired_is_said():
    wanted = ToolCall("1", "add", {"a": "1", "b": "2"})

    events, result = play(ToolBox([add]).run(wanted))

    assert result.output == "3"
    assert events[1] == ToolProgressed(
        "1", 'Arguments repaired: a: "1" → 1; b: "2" → 2'
    )


@given(st.integers(-(2**60), 2**60), st.integers(-(2**60), 2**60))
def test_arguments_in_json_that_fit_are_passed_as_they_are(a, b):
    for arguments in ({"a": a, "b": b}, json.dumps({"a": a, "b": b})):
        events, result = play(ToolBox([add]).run(ToolCall("1", "add", arguments)))

        assert result.output == str(a + b)
        told = [e.text for e in events if isinstance(e, ToolProgressed)]
        assert not any("repaired" in text for text in told)


def test_a_call_that_is_cut_off_is_not_run():
    for written in ('{"a": 1, "b": 2', '{"a": "x', '{"a": 1} {"a": 2}', "a=1"):
        _, result = play(ToolBox([add]).run(ToolCall("1", "add", written)))
        assert result.error is not None
        assert "must be a JSON object" in result.error


def test_the_rest_of_the_arguments_goes_to_kwargs():
    def find(query: str, **options) -> str:
        """Find."""
        return f"{query} {options}"

    def count(**sizes: int) -> int:
        """Count."""
        return sum(sizes.values())

    assert call(find, {"query": "x", "limit": 5}).output == "x {'limit': 5}"
    assert call(count, {"a": 1, "b": "2"}).output == "3"
    assert call(count, {"a": "many"}).error == (
        "count was not run: a: expected int, got str."
    )
    assert Tool(find).schema.parameters["additionalProperties"] is True
    assert Tool(count).schema.parameters["additionalProperties"] == {"type": "integer"}


class Shelf:
    """A shelf of books."""

    __public_apis__ = ("take", "__call__")

    def take(self, title: str) -> str:
        """Take a book."""
        return f"took {title}"

    def __call__(self, title: str) -> str:
        return f"called {title}"


def test_an_object_offers_its_public_methods():
    box = ToolBox([Shelf()])

    assert box.names == ("Shelf_take", "Shelf")
    assert box["Shelf"].summary == "A shelf of books."
    for name, output in (("Shelf_take", "took x"), ("Shelf", "called x")):
        _, result = play(box.run(ToolCall("1", name, {"title": "x"})))
        assert result.output == output


def test_a_public_method_may_be_the_instance_s_own():
    class Made:
        """Made up."""

        __public_apis__ = ("add",)

        def __init__(self) -> None:
            self.add = add.function

    assert ToolBox([Made()])["Made_add"].summary == "Add two numbers."


def test_a_method_that_is_not_there_is_named():
    class Empty:
        __public_apis__ = ("gone",)

    with pytest.raises(ConfigError, match="Empty has no method gone"):
        ToolBox([Empty()])


def test_an_object_with_call_is_a_tool():
    class Greeter:
        def __call__(self, name: str) -> str:
            """Greet somebody."""
            return f"hello {name}"

    box = ToolBox([Greeter()])

    assert box.names == ("Greeter",)
    _, result = play(box.run(ToolCall("1", "Greeter", {"name": "Ada"})))
    assert result.output == "hello Ada"


def test_of_a_partial_only_what_is_open_is_offered():
    box = ToolBox([functools.partial(add.function, b=40)])

    assert list(box["add"].schema.parameters["properties"]) == ["a"]
    _, result = play(box.run(ToolCall("1", "add", {"a": "2"})))
    assert result.output == "42"


def test_an_empty_box_says_that_there_are_no_tools():
    _, result = play(ToolBox().run(ToolCall("1", "add", {})))

    assert result.error == "There is no tool named add; there are no tools."


def test_empty_arguments_mean_none():
    assert call(lambda_named("done"), " ").output == "done"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("two\n  lines"), "fail failed: ValueError: two lines"),
        (KeyError("x"), "fail failed: KeyError: 'x'"),
        (ValueError(), "fail failed: ValueError"),
        (ToolError("no such city"), "fail failed: no such city"),
        (SystemExit(1), "fail failed: SystemExit: 1"),
        (asyncio.CancelledError(), "fail failed: CancelledError"),
    ],
)
def test_an_exception_is_told_in_one_line(error, told):
    def fail():
        raise error

    assert call(fail) == ToolResult("1", f"Error: {told}", told)


class Unspeakable(Exception):
    """An exception that cannot be told."""

    def __init__(self, said: Any = None) -> None:
        super().__init__("hidden")
        self.said = said

    def __str__(self) -> Any:
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said

    def __repr__(self) -> str:
        raise RuntimeError("no")


class UnspeakableToolError(Unspeakable, ToolError):
    """One that says that its text is for the model."""


@pytest.mark.parametrize("kind", [Unspeakable, UnspeakableToolError])
@pytest.mark.parametrize(
    "said", [None, 7, RuntimeError("no"), SystemExit(1), RecursionError()]
)
def test_an_exception_that_cannot_be_told_is_told_by_its_type(kind, said, caplog):
    def fail():
        raise kind(said)

    told = f"fail failed: {kind.__name__}"
    with caplog.at_level(logging.DEBUG, "tui.tools"):
        assert call(fail) == ToolResult("1", f"Error: {told}", told)


def test_an_argument_that_a_foreign_type_refuses_without_words_is_told():
    class Town:
        def __init__(self, name: str) -> None:
            raise type("Mute", (Unspeakable, ValueError), {})()

        model_json_schema = staticmethod(lambda: {"type": "string"})

    def visit(town: Town) -> str:
        return "done"

    visit.__annotations__["town"] = Town
    error = call(visit, {"town": "Bonn"}).error

    assert error is not None
    assert error.startswith("visit was not run: town")


def test_a_huge_error_is_told_by_its_beginning():
    def fail():
        raise Unspeakable("x" * 50_000_000)

    error = call(fail).error

    assert error is not None
    assert error.startswith("fail failed: Unspeakable: xxx")
    assert len(error) == 500


def test_progress_that_is_no_text_is_told_as_one():
    def work() -> str:
        report(7)  # type: ignore[arg-type]
        return "done"

    made = Tool(work, description="x")
    events, result = play(ToolBox([made]).run(ToolCall("1", "work", {})))

    assert ToolProgressed("1", "7") in events
    assert result.output == "done"


@pytest.mark.parametrize("error", [Unspeakable(), SystemExit()])
def test_a_result_whose_text_cannot_be_had_is_an_error(error):
    class Value:
        def __str__(self) -> str:
            raise error

    assert call(lambda_named(Value())).error == (
        "give returned a Value that cannot be shown."
    )


def test_a_traceback_is_for_the_log_only(caplog):
    def fail():
        raise ValueError("no")

    with caplog.at_level(logging.DEBUG, "tui.tools"):
        call(fail)

    assert [r.levelname for r in caplog.records] == ["DEBUG"]
    assert "in fail" in caplog.text


def test_a_long_error_is_cut():
    def fail():
        raise ValueError("x" * 5000)

    error = call(fail).error

    assert error is not None
    assert len(error) == 500


def test_an_async_tool_runs_in_a_loop():
    async def slow(a: int):
        await asyncio.sleep(0)
        return a + 1

    assert call(slow, {"a": 1}).output == "2"


def test_a_bound_method_is_a_tool():
    class Counter:
        def __init__(self, start: int) -> None:
            self.start = start

        def up(self, by: int) -> int:
            """Count up."""
            return self.start + by

        @tool(name="down", keywords=("less",))
        def minus(self, by: int) -> int:
            """Count down."""
            return self.start - by

    counter = Counter(5)
    box = ToolBox([counter.up, counter.minus])

    assert box.names == ("up", "down")
    assert [list(s.parameters["properties"]) for s in box.schemas()] == [["by"]] * 2
    assert play(box.run(ToolCall("1", "up", {"by": 2})))[1].output == "7"
    assert play(box.run(ToolCall("1", "down", {"by": 2})))[1].output == "3"
    assert counter.minus(1) == 4


def test_progress_comes_out_while_the_tool_runs():
    seen = threading.Event()

    def work():
        report("half")
        assert seen.wait(LIMIT)
        return "done"

    run = ToolBox([Tool(work, description="x")]).run(ToolCall("1", "work", {}))
    next(run)
    progress = next(run)
    seen.set()
    events, result = play(run)

    assert progress == ToolProgressed("1", "half")
    assert len(events) == 1
    assert result.output == "done"


def test_progress_is_reported_from_async_tools_and_their_threads():
    async def work():
        report("loop")
        await asyncio.to_thread(report, "thread")

    box = ToolBox([Tool(work, description="x")])
    events, _ = play(box.run(ToolCall("1", "work", {})))

    assert events[1:-1] == [ToolProgressed("1", "loop"), ToolProgressed("1", "thread")]


def test_a_report_outside_a_box_does_nothing():
    assert report("nobody listens") is None


def test_a_tool_sees_the_callers_context_and_keeps_its_own():
    session = contextvars.ContextVar("session", default="none")
    session.set("mine")

    def who():
        found = session.get()
        session.set("changed")
        return found

    assert call(who).output == "mine"
    assert session.get() == "mine"


LEFT = "is still running: its result will be ignored"


@pytest.fixture
def patient(monkeypatch):
    """Give an abandoned function all the time that it needs to end."""
    monkeypatch.setattr(running, "GRACE", LIMIT)


def test_a_tool_is_left_behind_at_its_time_limit():
    release, ended = threading.Event(), threading.Event()

    def hang():
        release.wait(LIMIT)
        try:
            report("still here")
        except Cancelled:
            ended.set()

    result = call(Tool(hang, description="x", timeout=0.02))
    release.set()

    assert result.error == f"hang did not finish within 0.02 seconds and {LEFT}."
    assert ended.wait(LIMIT), "a report after the limit ends the tool"


@pytest.mark.usefixtures("patient")
def test_an_async_tool_is_cancelled_at_the_time_limit_of_the_box():
    cancelled = threading.Event()

    async def hang():
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    result = call(hang, timeout=0.05)

    assert result.error == "hang did not finish within 0.05 seconds and was stopped."
    assert cancelled.wait(LIMIT)


@pytest.mark.usefixtures("patient")
def test_talking_does_not_buy_time():
    def chat():
        while True:
            report("wait")

    result = call(Tool(chat, description="x", timeout=0.02))

    assert result.error == "chat did not finish within 0.02 seconds and was stopped."


def test_no_limit_is_possible():
    quick = Tool(lambda_named("done"), description="x", timeout=math.inf)

    assert call(quick).output == "done"


def test_a_coroutine_that_comes_after_the_limit_is_not_begun():
    release, begun = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    async def late():
        begun.set()

    def slow():
        threads.append(threading.current_thread())
        release.wait(LIMIT)
        return late()

    call(slow, timeout=0.02)
    release.set()
    threads[0].join(LIMIT)

    assert not threads[0].is_alive()
    assert not begun.is_set()


@pytest.mark.parametrize(
    ("kind", "error"),
    [("plain", f"cancelled; w {LEFT}"), ("async", "cancelled")],
)
def test_a_cancel_ends_the_wait(kind, error, monkeypatch):
    if kind == "async":
        monkeypatch.setattr(running, "GRACE", LIMIT)
    started, release = threading.Event(), threading.Event()

    def plain():
        started.set()
        release.wait(LIMIT)

    async def coroutine():
        started.set()
        await asyncio.sleep(LIMIT)

    turn = Turn()
    work = Tool({"plain": plain, "async": coroutine}[kind], name="w", description="x")
    run = ToolBox([work]).run(ToolCall("1", "w", {}), turn)
    next(run)

    def cancel():
        assert started.wait(LIMIT)
        turn.cancel.request()

    threading.Thread(target=cancel).start()
    events, result = play(run)
    release.set()

    assert isinstance(events[0], ToolCallFinished)
    assert events[0].error == error
    assert events[0].seconds < LIMIT / 2
    assert result == ToolResult("1", f"Error: {error}", error)


def test_a_call_after_the_cancel_is_not_started():
    turn = Turn()
    turn.cancel.request()

    events, result = play(ToolBox([add]).run(ToolCall("1", "add", {"a": 1}), turn))

    assert events == []
    assert result.error == "cancelled"


def test_closing_a_run_abandons_the_tool():
    started, ended = threading.Event(), threading.Event()

    def chat():
        started.set()
        try:
            while True:
                report("on")
        except Cancelled:
            ended.set()

    run = ToolBox([Tool(chat, description="x")]).run(ToolCall("1", "chat", {}))
    next(run)
    next(run)
    run.close()

    assert started.is_set()
    assert ended.wait(LIMIT)


def test_a_box_takes_tools_functions_and_names():
    def mine():
        """Do it."""

    box = ToolBox([add, mine, "get_current_weather"])

    assert box.names == ("add", "mine", "get_current_weather")
    assert [s.name for s in box.schemas()] == list(box.names)
    assert len(box) == 3
    assert "mine" in box
    assert "other" not in box
    assert box["add"] is add


def test_a_box_gives_a_part_of_itself():
    box = ToolBox([add, "get_current_weather"], output_limit=3)

    part = box.select(["get_current_weather"])
    wanted = ToolCall("1", "get_current_weather", {"location": "Paris"})

    assert part.names == ("get_current_weather",)
    assert play(part.run(wanted))[1].output.startswith('{"l\n')
    with pytest.raises(ConfigError, match="no tool named ads; did you mean add"):
        box.select(["ads"])


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="Two tools are named add"):
        ToolBox([add, Tool(lambda_named(1), name="add", description="x")])

    assert ToolBox([add, add]).names == ("add",)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("get_curent_weather", "named get_curent_weather; did you mean get_current"),
        ("xyz", "No tool is named xyz"),
        (3, "3 is not a tool"),
        (functools.partial(print), "cannot fill"),
        (dict, "cannot be a tool"),
    ],
)
def test_what_is_no_tool_is_refused(item, message):
    with pytest.raises(ConfigError, match=message):
        ToolBox([item])


def test_a_lone_name_is_no_list():
    with pytest.raises(ConfigError, match=r"as a list: \['add'\]"):
        ToolBox("add")


def test_a_registered_tool_is_found_and_goes_before_a_bundled_one(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    mine = Tool(lambda_named("fog"), name="get_current_weather", description="x")

    register(mine)

    assert registry.get("get_current_weather") is mine
    assert registry.builtin()["get_current_weather"] is not mine


def test_a_tool_without_description_says_what_to_add_and_where():
    def nothing(): ...

    with pytest.raises(ConfigError) as caught:
        tool(nothing)

    line = nothing.__code__.co_firstlineno
    assert str(caught.value) == (
        f"Tool nothing ({__file__}, line {line}) has no description: add a docstring "
        f"whose first line says what the tool does, or use @tool(description=...)."
    )


def positional(a, /):
    """Take one."""


def many(*args):
    """Take many."""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (positional, r"parameter a must not be positional-only"),
        (many, r"cannot fill \*args"),
        (lambda_named, "has no description"),
    ],
)
def test_parameters_that_a_model_cannot_fill_are_refused(function, message):
    with pytest.raises(ConfigError, match=message):
        tool(function)


@pytest.mark.parametrize("name", ["<lambda>", "天气", "a b", "x" * 65])
def test_a_name_that_no_server_takes_is_refused(name):
    with pytest.raises(ConfigError, match="cannot be the name of a tool"):
        Tool(add.function, name=name)


@pytest.mark.parametrize("timeout", [0, -1, math.nan])
def test_a_senseless_time_limit_is_refused(timeout):
    with pytest.raises(ConfigError, match="timeout must be above 0"):
        tool(timeout=timeout)(add.function)


def test_a_tool_is_still_the_function():
    @tool(name="plus", description="Add.", keywords=["sum"], timeout=3)
    def both(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    assert both(1, b=2) == 3
    assert both.__doc__ == "Add two numbers."
    assert (both.name, both.keywords, both.timeout) == ("plus", ("sum",), 3)
    assert both.schema.description == "Add."
    assert both.schema.keywords == ("sum",)
    assert repr(both) == "<Tool plus>"


def test_attributes_of_the_function_are_not_taken_for_the_tools():
    def plain():
        """Do it."""

    plain.name = "other"  # pyright: ignore[reportFunctionMemberAccess]

    assert tool(plain).name == "plain"
