"""Tools and arguments made to break lazychat: each ends as one result or one line."""

import gc
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.events import ToolCallFinished
from tui.messages import ToolCall, ToolResult
from tui.tools import ToolBox, tool

LIMIT = 2.0


def result_of(function: Callable[..., Any], arguments: Any) -> ToolResult:
    run = ToolBox([function], timeout=LIMIT).run(
        ToolCall("1", function.__name__, arguments)
    )
    events: list[object] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            assert isinstance(events[-1], ToolCallFinished)
            return end.value


@tool
def number(x: float) -> str:
    """Return a number."""
    return repr(x)


@tool
def numbers(x: dict[str, int]) -> int:
    """Count them."""
    return len(x)


@pytest.mark.parametrize(
    "arguments",
    [
        *('{"x": NaN}', '{"x": Infinity}', '{"x": -Infinity}', '{"x": 1e999}'),
        *('{"x": "nan"}', '{"x": true}', '{"x": null}', '{"x": [1]}', '{"x": {}}'),
        *("null", "[]", '"x"', "1", "NaN", "{", "}", "[", '{"x":', '{"x" 1}'),
        *('{"x": 0x10}', '{"x": 1_000}', '{"x": 1}{"x": 2}', '{"y": 1}', "{}"),
        *('{"__class__": 1}', '{"self": 1}', '{"x": "\\ud800"}', '{"\\u0000": 1}'),
        "{'x': __import__('os').system('id')}",
        '{"x": ' + "9" * 5_000 + "}",
        '{"x": ' + "1" * 400 + "}",
        '{"x": ' + "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"x":' * 5_000 + "1" + "}" * 5_000,
        '{"x": "' + "y" * 3_000_000 + '"}',
        '{"x": 1, ' + ",".join(f'"{n}": {n}' for n in range(30_000)) + "}",
        {"x": "\x1b[2J\u202e"},
        {"\x1b[2J": 1},
        {"x": [[[]]] * 10_000},
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "backslashreplace").decode(),
)
def test_arguments_that_are_none_are_refused_in_a_line(arguments: Any) -> None:
    error = result_of(number, arguments).error

    assert error is not None
    assert error.startswith("number was not run: ")
    assert "\n" not in error
    assert len(error) <= 500


def test_the_last_of_two_arguments_counts_and_none_is_lost() -> None:
    assert result_of(number, '{"x": 1, "x": 2}').output == "2.0"
    assert result_of(numbers, {"x": {str(n): n for n in range(9_999)}}).output == "9999"


class Unspeakable:
    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


class Endless(dict[str, int]):
    def items(self) -> Any:
        while True:
            yield "a", 1


def recurses() -> Any:
    return recurses()


def deep() -> Any:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


def circular() -> Any:
    value: dict[str, Any] = {}
    value["in"] = value
    return value


def floods() -> Iterator[str]:
    while True:
        yield "x" * 5_000


def never_ends() -> Iterator[int]:
    return iter(int, 1)


def exits() -> None:
    sys.exit(3)


def interrupts() -> None:
    raise KeyboardInterrupt


def ends_generators() -> None:
    raise GeneratorExit


def stops() -> None:
    raise StopIteration(5)


def raises_much() -> None:
    raise ValueError("z" * 5_000_000)


def raises_escapes() -> None:
    raise ValueError("\x1b[2J\x1b]52;c;aGk=\x07\nline\u202e")


def surrogates() -> str:
    return "\ud800abc\udfff"


def controls() -> str:
    return "\x1b[2J\x9b2J\0" * 100


def much() -> bytes:
    return os.urandom(3_000_000)


def unspeakable() -> Any:
    return Unspeakable()


def endless() -> Any:
    return Endless(a=1)


def not_a_number() -> Any:
    return [math.nan, math.inf, 10**400]


def forks() -> str:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


def leaves_threads() -> str:
    for _ in range(20):
        threading.Thread(target=threading.Event().wait, args=(1,), daemon=True).start()
    return "left"


def traces() -> str:
    sys.settrace(lambda *_: None)
    return "traced"


def sets_signals() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def no_rubbish() -> str:
    gc.disable()
    return "no"


HOSTILE = [
    *(recurses, deep, circular, floods, never_ends, exits, interrupts),
    *(ends_generators, stops, raises_much, raises_escapes, surrogates, controls),
    *(much, unspeakable, endless, not_a_number, leaves_threads, traces),
    *(sets_signals, no_rubbish),
]


@pytest.mark.parametrize("function", HOSTILE, ids=lambda it: it.__name__)
def test_whatever_a_tool_does_the_call_ends_with_a_result(
    function: Callable[[], Any],
) -> None:
    """The reason for a failure is one line; a result is bounded."""
    function.__doc__ = "Do it."
    try:
        result = result_of(function, {})
    finally:
        gc.enable()

    assert len(result.output) <= 21_000
    if result.error is not None:
        assert "\n" not in result.error
        assert len(result.error) <= 500
    assert result_of(number, {"x": 1}).output == "1.0"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_tool_may_fork() -> None:
    forks.__doc__ = "Do it."

    assert result_of(forks, {}).output == "forked"


def takes_the_hooks() -> str:
    threading.excepthook = sys.excepthook = None  # pyright: ignore[reportAttributeAccessIssue]
    threading.settrace(lambda *_: exits())
    threading.setprofile(lambda *_: exits())
    sys.setrecursionlimit(120)
    return "taken"


@pytest.mark.parametrize("ends", [True, False], ids=["ends", "is left behind"])
def test_what_a_tool_changes_in_the_process_is_put_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: bool
) -> None:
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    gone = tmp_path / "gone"
    gone.mkdir()
    before = dict(os.environ), Path.cwd(), sys.getrecursionlimit()
    never = threading.Event()

    def spoils() -> str:
        """Do it."""
        takes_the_hooks()
        for name in ("HOME", "LAZYCHAT_HOME"):
            os.environ.pop(name)
        os.environ["XDG_DATA_HOME"] = "/nonexistent"
        os.environ["MINE"] = "kept"
        os.chdir(gone)
        gone.rmdir()
        if not ends:
            never.wait(60)
        return "done"

    try:
        result = result_of(spoils, {})
        assert os.environ.pop("MINE") == "kept"  # other variables are the tool's
        assert (dict(os.environ), Path.cwd(), sys.getrecursionlimit()) == before
        assert threading.gettrace() is threading.getprofile() is None
        assert callable(threading.excepthook)
    finally:
        never.set()

    assert (result.error is None) is ends


def test_the_state_is_put_back_once_no_call_is_running(tmp_path: Path) -> None:
    """A call that began in the folder of another must not bring that back."""
    here, first, second = Path.cwd(), threading.Event(), threading.Event()

    def moves() -> str:
        """Do it."""
        os.chdir(tmp_path)
        first.set()
        second.wait(30)
        return "moved"

    def follows() -> str:
        """Do it."""
        return str(Path.cwd())

    thread = threading.Thread(target=result_of, args=(moves, {}))
    thread.start()
    first.wait(30)
    followed = result_of(follows, {}).output
    second.set()
    thread.join(30)

    assert followed == str(tmp_path)
    assert Path.cwd() == here


class Rude(BaseException):
    def __str__(self) -> str:
        raise GeneratorExit

    __repr__ = __str__


class Mute(Exception):
    def __str__(self) -> str:
        threading.Event().wait(60)
        return ""


def raises_rudely() -> None:
    raise Rude


def raises_mutely() -> None:
    raise Mute


def test_an_error_that_does_not_say_what_it_is_fails_only_its_call() -> None:
    raises_rudely.__doc__ = raises_mutely.__doc__ = "Do it."

    assert result_of(raises_rudely, {}).error == "raises_rudely failed: Rude"
    assert "did not finish within 2 seconds" in str(result_of(raises_mutely, {}).error)


ENDS = """
import os
import subprocess
from tui.messages import ToolCall
from tui.tools import ToolBox, process_guard, tool

@tool
def ends() -> str:
    "Do it."
    os._exit(5)

@tool
def forks() -> str:
    "Do it."
    if (pid := os.fork()) == 0:
        return "the child goes on"
    return str(os.waitpid(pid, 0)[1])

process_guard.install()
for name in ("ends", "forks"):
    run = ToolBox([ends, forks]).run(ToolCall("1", name, {}))
    try:
        while True:
            next(run)
    except StopIteration as end:
        print(end.value.error or end.value.output, flush=True)
"""


@pytest.mark.outside
def test_a_tool_ends_neither_the_process_nor_runs_on_in_a_fork() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ENDS],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == [
        "ends failed: SystemExit: os._exit is not for tools",
        "0",
    ], done.stderr


OWN = """
import os
import socket
import subprocess
import sys
from tui.messages import ToolCall
from tui.tools import ToolBox, process_guard, tool

kept = []

@tool
def opens() -> str:
    "Do it."
    kept.extend(os.pipe())
    return "opened"

@tool
def closes() -> str:
    "Do it."
    here = os.open(os.devnull, os.O_RDONLY)
    os.dup2(here, kept[1])
    for number in (here, *kept):
        os.close(number)
    try:
        os.close(ours.fileno())
    except OSError as error:
        return str(error)

@tool
def runs() -> str:
    "Do it."
    child = subprocess.Popen(["sleep", "60"])
    os.kill(child.pid, 15)
    return str(child.wait())

@tool
def sweeps() -> str:
    "Do it."
    mine = os.open(os.devnull, os.O_RDONLY)
    os.closerange(3, 1 << 20)
    try:
        os.fstat(mine)
    except OSError:
        return "only its own"

ours, other = socket.socketpair()
process_guard.install()
for name in ("opens", "closes", "runs", "sweeps"):
    run = ToolBox([opens, closes, runs, sweeps]).run(ToolCall("1", name, {}))
    try:
        while True:
            next(run)
    except StopIteration as end:
        print(end.value.error or end.value.output, flush=True)
ours.send(b"x")
print(other.recv(1))
"""


@pytest.mark.outside
def test_a_tool_closes_what_it_has_opened_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OWN],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == [
        "opened",
        "[Errno 9] not a descriptor of this tool",
        "-15",
        "only its own",
        "b'x'",
    ], done.stderr
