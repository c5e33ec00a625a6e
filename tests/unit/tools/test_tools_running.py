"""How tools of each kind run: their progress, their end, and what they cost."""

import asyncio
import functools
import itertools
import subprocess
import sys
import threading
import tracemalloc
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest

from tui import bounds
from tui.events import Event, ToolCallFinished, ToolProgressed
from tui.messages import ToolCall, ToolResult
from tui.tools import Tool, ToolBox, report, results, running
from tui.turn import Turn

LIMIT = 30.0
"""Seconds that a test waits for what must come."""


def play(run: Generator[Event, None, ToolResult]) -> tuple[list[Event], ToolResult]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def run(function: Any, turn: Turn | None = None, **options: Any):
    """Run a tool; return its progress, its last event and its result."""
    made = Tool(function, name="it", description="x")
    events, result = play(ToolBox([made], **options).run(ToolCall("1", "it", {}), turn))
    finished = events[-1]
    assert isinstance(finished, ToolCallFinished)
    progress = [event.text for event in events if isinstance(event, ToolProgressed)]
    return progress, finished, result


# -- kinds of tools


def steps():
    yield "first"
    yield {"part": 2}
    return "whole"


def steps_only():
    yield "first"
    yield ["last"]


async def async_steps():
    yield "first"
    await asyncio.sleep(0)
    yield "last"


async def gives_steps():
    return steps()


def given_steps():
    return async_steps()


@pytest.mark.parametrize(
    ("function", "progress", "output"),
    [
        (steps, ["first", '{"part":2}'], "whole"),
        (steps_only, ["first", '["last"]'], '["last"]'),
        (async_steps, ["first", "last"], "last"),
        (gives_steps, ["first", '{"part":2}'], "whole"),
        (given_steps, ["first", "last"], "last"),
        (lambda: (n for n in (1, 2)), ["1", "2"], "2"),
        (lambda: iter(()), [], None),
    ],
)
def test_what_a_generator_yields_is_progress_and_its_end_the_result(
    function, progress, output
):
    seen, _, result = run(function)

    assert seen == progress
    assert result.error is None
    if output is not None:
        assert result.output == output


def test_progress_comes_while_a_generator_runs():
    go_on = threading.Event()

    def wait():
        yield "begun"
        assert go_on.wait(LIMIT)

    box = ToolBox([Tool(wait, description="x")])
    playing = box.run(ToolCall("1", "wait", {}))
    next(playing)

    event = next(playing)
    go_on.set()

    assert event == ToolProgressed("1", "begun")
    assert play(playing)[1].output == "begun"


class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, by: int) -> int:
        """Add to the count."""
        self.count += by
        return self.count

    def climb(self, to: int):
        """Count up to a number."""
        yield from range(to)
        return f"at {to}"

    async def later(self, by: int):
        """Add later."""
        yield by
        yield self(by)


@pytest.mark.parametrize(
    ("make", "arguments", "outputs"),
    [
        (lambda c: c, {"by": 2}, ["2", "4"]),
        (lambda c: c.climb, {"to": 3}, ["at 3", "at 3"]),
        (lambda c: c.later, {"by": 2}, ["2", "4"]),
        (lambda c: functools.partial(c.climb, to=2), {}, ["at 2", "at 2"]),
        (lambda c: functools.partial(c, 5), {}, ["5", "10"]),
    ],
    ids=["call", "generator", "async generator", "partial", "partial of call"],
)
def test_callables_keep_their_state(make, arguments, outputs):
    box = ToolBox([make(Counter())])
    call = ToolCall("1", box.names[0], arguments)

    assert [play(box.run(call))[1].output for _ in range(2)] == outputs


# -- their end


def waits_forever(started, release):
    def plain():
        started.set()
        release.wait(LIMIT)

    def generator():
        started.set()
        yield "on"
        release.wait(LIMIT)

    async def stubborn():
        started.set()
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    async def async_generator():
        started.set()
        yield "on"
        await asyncio.sleep(LIMIT)

    async def coroutine():
        started.set()
        await asyncio.sleep(LIMIT)

    def climbing():
        started.set()
        while True:
            yield "on"

    return locals()


LEFT = "is still running: its result will be ignored"


@pytest.mark.parametrize("kind", ["plain", "generator", "stubborn"])
@pytest.mark.parametrize("why", ["limit", "cancel"])
def test_what_ignores_its_end_is_left_behind_and_that_is_said(kind, why):
    started, release = threading.Event(), threading.Event()
    error, thread = ended(waits_forever(started, release)[kind], why, started)
    release.set()

    said = (
        "cancelled; it"
        if why == "cancel"
        else "it did not finish within 0.3 seconds and"
    )
    assert error == f"{said} {LEFT}" + ("." if why == "limit" else "")
    assert thread is None or not thread.join(LIMIT)


@pytest.mark.parametrize("kind", ["coroutine", "async_generator", "climbing"])
@pytest.mark.parametrize("why", ["limit", "cancel"])
def test_what_can_be_stopped_is_stopped(kind, why, monkeypatch):
    monkeypatch.setattr(running, "GRACE", LIMIT)
    started, release = threading.Event(), threading.Event()

    error, thread = ended(waits_forever(started, release)[kind], why, started)

    assert error in (
        "cancelled",
        "it did not finish within 0.3 seconds and was stopped.",
    )
    assert thread is None


def ended(function, why, started):
    """Run a tool into its limit or a cancel; return its error, and its thread if it is
    still alive."""
    turn = Turn()
    others = threading.enumerate()  # an earlier test may have left a tool of this name

    def cancel():
        assert started.wait(LIMIT)
        turn.cancel.request()

    if why == "cancel":
        threading.Thread(target=cancel).start()
    _, finished, _ = run(function, turn, timeout=0.3 if why == "limit" else LIMIT)
    new = [t for t in threading.enumerate() if t not in others]
    alive = [t for t in new if t.name == "tool-it"]
    return finished.error, alive[0] if alive else None


def test_the_generator_of_a_closed_run_is_closed():
    closed = threading.Event()

    def wait():
        try:
            while True:
                yield "on"
        finally:
            closed.set()

    playing = ToolBox([Tool(wait, description="x")]).run(ToolCall("1", "wait", {}))
    next(playing)
    next(playing)
    playing.close()

    assert closed.wait(LIMIT)


def deep(n: int = 0) -> int:
    return deep(n + 1)


def raises(error):
    def fail():
        raise error

    return fail


def raises_later(error):
    def fail():
        yield "on"
        raise error

    return fail


async def raises_in_async():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (raises(KeyboardInterrupt()), "it failed: KeyboardInterrupt"),
        (raises(SystemExit(3)), "it failed: SystemExit: 3"),
        (raises(MemoryError()), "it failed: MemoryError"),
        (raises(GeneratorExit()), "it failed: GeneratorExit"),
        (raises_later(KeyboardInterrupt()), "it failed: KeyboardInterrupt"),
        (raises_in_async, "it failed: KeyboardInterrupt"),
        (deep, "it failed: RecursionError: maximum recursion depth exceeded"),
        (lambda: "x" * (1 << 60), "it failed: MemoryError"),
    ],
)
def test_whatever_is_raised_fails_only_the_call(function, error):
    _, finished, result = run(function)

    assert finished.error == error
    assert result.error == error


def test_a_tool_that_ends_the_process_ends_it():
    """That no thread survives, and the documentation says."""
    code = (
        "import os; from tui.tools import Tool, ToolBox; from tui.messages import "
        "ToolCall; box = ToolBox([Tool(lambda: os._exit(7), name='x', description="
        "'x')]); list(box.run(ToolCall('1', 'x', {})))"
    )

    done = subprocess.run([sys.executable, "-c", code], timeout=LIMIT, check=False)

    assert done.returncode == 7


def test_tools_that_wait_for_each_other_end_at_the_limit():
    one, two = threading.Lock(), threading.Lock()

    def lock_up():
        with one, two:
            two.acquire(timeout=LIMIT)

    _, finished, _ = run(lock_up, timeout=0.05)

    assert finished.error == f"it did not finish within 0.05 seconds and {LEFT}."


# -- what they cost


def test_a_flood_of_reports_is_bounded_and_its_last_one_is_told():
    def flood():
        for n in range(200_000):
            report(f"{n}")
        return "done"

    progress, _, result = run(flood, timeout=LIMIT)

    assert result.output == "done"
    assert len(progress) <= running.REPORTS_IN_ALL + 2
    assert progress[: running.REPORTS] == [f"{n}" for n in range(running.REPORTS)]
    assert progress[-1] == "199999"
    assert progress[-2].endswith(" reports left out)")


def test_a_few_reports_are_all_told():
    def talk():
        yield from range(running.REPORTS + 1)

    progress, _, _ = run(talk)

    assert progress == [f"{n}" for n in range(running.REPORTS + 1)]


def test_a_report_is_cut():
    def talk():
        report("x" * 1_000_000)
        yield ["y" * 1_000_000]

    progress, _, _ = run(talk)

    assert progress[0] == "x" * running.LONGEST_REPORT
    assert len(progress[1]) <= running.LONGEST_REPORT


LARGE = 40 << 20


@pytest.mark.parametrize(
    ("make", "beginning"),
    [
        (lambda: "x" * LARGE, "xxx"),
        (lambda: b"x" * LARGE, "xxx"),
        (lambda: b"\xff" * LARGE, "////"),
        (lambda: {"a": ["x" * LARGE]}, '{"a":["xxx'),
        (lambda: [b"x" * LARGE], '["xxx'),
        (lambda: ["x" * (LARGE // 64)] * 10_000, '["xxx'),
    ],
    ids=["text", "bytes", "binary", "nested text", "nested bytes", "repeated"],
)
def test_of_a_huge_result_only_what_is_kept_is_copied(make, beginning):
    value = make()

    tracemalloc.start()
    try:
        _, finished, result = run(lambda: value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 24 * results.KEPT
    assert result.output.startswith(beginning)
    assert len(result.output) < 21_000
    assert len(finished.output) <= results.KEPT
    assert finished.output.startswith(beginning)


def test_the_model_is_told_how_much_was_cut_and_the_rest_is_kept():
    _, finished, result = run(lambda: "abcdefghij" * 3, output_limit=10)

    assert result.output == "abcdefghij\n[20 more characters omitted]"
    assert finished.output == "abcdefghij" * 3


def test_what_the_model_is_given_whole_is_not_kept_twice():
    _, finished, result = run(lambda: "short")

    assert (result.output, finished.output) == ("short", "")


def test_of_a_text_beyond_the_bound_the_whole_length_is_told(monkeypatch):
    monkeypatch.setattr(results, "KEPT", 100)
    output = results.as_output("x" * 1000, 100)

    assert output.text == "x" * 100
    assert output.beginning(10) == "x" * 10 + "\n[990 more characters omitted]"
    assert output.beginning(100) == "x" * 100 + "\n[900 more characters omitted]"


def tower(levels: int, kind: Any = list) -> Any:
    value: Any = "top"
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


BUSH: list[Any] = []
BUSH += [BUSH] * 10
MUTUAL: dict[str, Any] = {}
MUTUAL["it"] = [MUTUAL]


class Array:
    """An array as NumPy's."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self.size = 4

    def tolist(self) -> list[Any]:
        return self._items


class Scalar(float):
    """A number as NumPy's."""

    size = 1

    def tolist(self) -> float:
        return float(self)


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (BUSH, "[" + ",".join(['"…"'] * 10) + "]"),
        (MUTUAL, '{"it":["…"]}'),
        (tower(3), '[[["top"]]]'),
        (tower(10_000), "[" * bounds.DEEPEST + '"…"' + "]" * bounds.DEEPEST),
        (b"text", "text"),
        (b"\xff\xfe", "//4="),
        (bytearray(b"text"), "text"),
        (memoryview(b"text"), "text"),
        ({"data": b"\xff"}, '{"data":"/w=="}'),
        ({"data": b"text"}, '{"data":"text"}'),
        ([float("nan"), float("inf")], '["nan","inf"]'),
        (2**80, f'"{2**80}"'),
        pytest.param(1 << 100_000, '"an integer of 100,001 bits"', id="huge"),
        ({None: 1, True: 2, 3: 4, 1.5: 5}, '{"null":1,"true":2,"3":4,"1.5":5}'),
        ({"a": ("x", {"y"})}, '{"a":["x",["y"]]}'),
        (range(3), "[0,1,2]"),
        (map(str, [1, 2]), '["1","2"]'),
        (zip("ab", [1, 2], strict=True), '[["a",1],["b",2]]'),
        ({"a": 1}.keys(), '["a"]'),
        ({"a": 1}.items(), '[["a",1]]'),
        ({"a": 1}.values(), "[1]"),
        (deque([1, 2], 5), "[1,2]"),
        ({"in": (n for n in (1, 2))}, '{"in":[1,2]}'),
        (Array([[1, 2.5], [3, 4]]), "[[1,2.5],[3,4]]"),
        ({"mean": Scalar(1.5)}, '{"mean":1.5}'),
        (Text("plain"), "plain"),
    ],
)
def test_odd_results_become_text(value, text):
    assert results.as_output(value).text == text


def test_an_iterator_without_end_is_cut():
    output = results.as_output(itertools.repeat("x" * 1000), 10_000)

    assert output.at_least
    assert 9_000 < len(output.text) <= 10_000


def test_what_an_iterator_raises_fails_the_call():
    _, _, result = run(lambda: map(int, ["1", "x"]))

    assert "ValueError: invalid literal" in (result.error or "")


def test_results_that_branch_without_end_are_walked_in_bounded_time():
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]

    output = results.as_output(value)

    assert output.at_least
    assert len(output.text) <= results.KEPT


def test_a_result_is_converted_within_the_time_limit():
    release = threading.Event()

    class Slow:
        def __str__(self) -> str:
            release.wait(LIMIT)
            return "late"

    _, finished, _ = run(lambda: Slow(), timeout=0.05)
    release.set()

    assert finished.error is not None
    assert "did not finish within 0.05 seconds" in finished.error
