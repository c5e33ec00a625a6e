"""Tools that spoil the process they run in: the app and the terminal live on."""

import signal
from pathlib import Path

import pytest
from support.fakes.lazychat import Home
from support.start import Start, ask
from support.terminal import Terminal

from tui import conversation
from tui.eventlog import EventLog

# What a tool has spoilt, later imports meet.
pytestmark = pytest.mark.new_process

TOOLS = """
import builtins, contextlib, io, locale, logging, os, resource, signal, sys, threading
import time
from tui.tools import tool

KEPT = []

class Rude:
    def __str__(self): raise KeyboardInterrupt("str")
    __repr__ = __str__

class RudeError(BaseException):
    def __str__(self): raise GeneratorExit("str")
    __repr__ = __str__

def spoils(function):
    function.__doc__ = "Do it."
    return tool(function)

@spoils
def clears_environment() -> str:
    os.environ.clear()
    return "cleared"

@spoils
def moves_home() -> str:
    os.environ["HOME"] = os.environ["LAZYCHAT_HOME"] = "/nonexistent"
    os.environ["TERM"] = "dumb"
    os.environ["COLUMNS"] = "3"
    return "moved"

@spoils
def changes_folder() -> str:
    os.makedirs("gone", exist_ok=True)
    os.chdir("gone")
    os.rmdir("../gone")
    return "changed"

@spoils
def takes_hooks() -> str:
    threading.excepthook = sys.excepthook = sys.unraisablehook = None
    threading.settrace(None)
    return "taken"

@spoils
def hooks_that_raise() -> str:
    def raises(*_): raise SystemExit(7)
    threading.excepthook = sys.excepthook = sys.unraisablehook = raises
    threading.Thread(target=lambda: 1 / 0).start()
    return "hooked"

@spoils
def closes_descriptors() -> str:
    for number in (0, 1, 2):
        os.close(number)
    return "closed"

@spoils
def takes_descriptors() -> str:
    nothing = os.open("mine.txt", os.O_RDWR | os.O_CREAT)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return "took"

@spoils
def takes_all_descriptors() -> str:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        while True:
            KEPT.append(open(os.devnull))
    except OSError as error:
        return error.strerror

@spoils
def opens_thousands_of_files() -> str:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(5000, hard), hard))
    KEPT.extend(open(os.devnull) for _ in range(2000))
    return "open"

@spoils
def closes_streams() -> str:
    sys.stdin.close(); sys.stdout.close(); sys.stderr.close()
    return "closed"

@spoils
def loses_streams() -> str:
    sys.stdout = sys.stderr = sys.stdin = sys.__stdout__ = sys.__stderr__ = None
    return "lost"

@spoils
def redirects() -> str:
    contextlib.redirect_stdout(io.StringIO()).__enter__()
    contextlib.redirect_stderr(io.StringIO()).__enter__()
    return "redirected"

@spoils
def changes_locale() -> str:
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C")
    os.umask(0)
    time.tzset()
    return "changed"

@spoils
def stops_logging() -> str:
    logging.disable(logging.CRITICAL)
    logging.shutdown()
    return "stopped"

@spoils
def interrupts() -> str:
    raise KeyboardInterrupt

@spoils
def exits() -> str:
    raise SystemExit(3)

@spoils
def ends_generators() -> str:
    raise GeneratorExit

@spoils
def recurses() -> str:
    return recurses()

@spoils
def out_of_memory() -> str:
    return str(len("x" * (1 << 62)))

@spoils
def raises_rudely() -> str:
    raise RudeError()

@spoils
def returns_rudely() -> object:
    return [Rude(), {"a": Rude()}]

@spoils
def reports_rudely() -> object:
    yield Rude()
    return "reported"

@spoils
def error_that_never_speaks() -> str:
    class Mute(Exception):
        def __str__(self):
            time.sleep(1000)
    raise Mute

@spoils
def ends_the_process() -> str:
    os._exit(5)

@spoils
def aborts() -> str:
    os.abort()

@spoils
def sets_a_timer() -> str:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.3)
    return "rung"

@spoils
def sets_signals() -> str:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return "set"

@spoils
def never_ends() -> object:
    while True:
        yield "x" * 1000

@spoils
def signals_itself() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)
    return "signalled"

@spoils
def interrupts_main() -> str:
    import _thread
    _thread.interrupt_main()
    time.sleep(0.3)
    return "interrupted"

@spoils
def interrupts_main_later() -> str:
    import _thread
    threading.Timer(0.05, _thread.interrupt_main).start()
    time.sleep(0.3)
    return "interrupted"

@spoils
def raises_a_signal() -> str:
    signal.raise_signal(signal.SIGINT)
    return "raised"

@spoils
def terminates_itself() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    return "terminated"

@spoils
def kills_its_group() -> str:
    os.killpg(0, signal.SIGKILL)
    return "killed"

@spoils
def signals_the_main_thread() -> str:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGHUP)
    return "signalled"

@spoils
def closes_all_descriptors() -> str:
    os.closerange(3, 1 << 20)
    return "closed"

@spoils
def closes_each_descriptor() -> str:
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            os.close(number)
    return "closed"

@spoils
def replaces_descriptors() -> str:
    nothing = os.open("mine.txt", os.O_RDWR | os.O_CREAT)
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.dup2(nothing, number)
    return "replaced"

@spoils
def winch() -> str:
    for _ in range(50):
        os.kill(os.getpid(), signal.SIGWINCH)
    return "resized"

@spoils
def forks() -> str:
    if os.fork() == 0:
        return "the child goes on"
    time.sleep(0.3)
    return "forked"

@spoils
def forks_and_raises() -> str:
    if os.fork() == 0:
        raise SystemExit(9)
    time.sleep(0.3)
    return "forked"

@spoils
def limits_recursion() -> str:
    sys.setrecursionlimit(120)
    return "limited"

@spoils
def slow_switches() -> str:
    sys.setswitchinterval(100)
    return "slow"

@spoils
def traces() -> str:
    def trace(*_): raise ValueError
    threading.settrace(trace)
    threading.setprofile(trace)
    return "traced"

@spoils
def breaks_builtins() -> str:
    builtins.print = builtins.open = None
    return "broken"

@spoils
def own_loop() -> str:
    import asyncio
    asyncio.set_event_loop_policy(None)
    asyncio.set_event_loop(asyncio.new_event_loop())
    return "own"
"""
NAMES = [
    line.partition("(")[0].removeprefix("def ")
    for line in TOOLS.splitlines()
    if line.startswith("def ") and "spoils" not in line
]


def opened(start: Start, home: Path, name: str) -> Terminal:
    """Return the app with the tools, whose next answer calls `name`."""
    (home / "tools").mkdir()
    (home / "tools" / "own.py").write_text(TOOLS)
    script = [
        {"steps": [{"call": name, "arguments": {}}]},
        {"text": "It lives."},
        {"steps": [{"call": "roll_dice", "arguments": {}}]},
        {"text": "And goes on."},
    ]
    terminal = start(script, config={"tools": {"timeout": 2}})
    terminal.press("f2")
    terminal.wait_for("tools")
    terminal.press("f2")
    return terminal


@pytest.mark.parametrize("name", NAMES)
def test_the_app_lives_and_the_log_has_what_was_said(
    start: Start, home: Path, log: EventLog, name: str
) -> None:
    terminal = opened(start, home, name)

    ask(terminal, "go", "It lives.")
    ask(terminal, "again", "And goes on.")
    terminal.resize(60, 20)
    terminal.wait_for(lambda t: "ready" in t.row(-1))
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()
    (one,) = conversation.recent(log)
    said = conversation.fold(log.read(one.id)).entries.values()
    texts = [entry.message.text for entry in said if entry.message.text]
    assert texts[0] == "go"
    assert {"It lives.", "again", "And goes on."} <= set(texts)
    assert len([text for text in texts if text == "It lives."]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_ask_prints_the_answer_and_exits_with_0(place: Home, name: str) -> None:
    call = [{"call": name, "arguments": {}}]
    place.scripted(call, "It lives.", more="[tools]\ntimeout = 2\n")
    place.write("tools/own.py", TOOLS)

    done = place.ask("go")

    assert (done.code, done.out) == (0, "It lives.\n"), done.err
    assert place.said()[-1] == ("assistant", "It lives.")


WAITS = """
import time
from tui.tools import tool

@tool
def waits() -> str:
    "Do it."
    time.sleep(60)
    return "waited"
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_from_outside_ends_the_app_while_a_tool_runs(
    start: Start, home: Path, number: signal.Signals
) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "own.py").write_text(WAITS)
    terminal = start([{"steps": [{"call": "waits", "arguments": {}}]}])
    ask(terminal, "go")
    terminal.wait_for("running waits")

    terminal.signal(number)

    assert terminal.wait_exit() == 128 + number
    assert terminal.left_on() == set()
