"""The screen's death is not the answer's: a fault in drawing, for real."""

import os
import signal
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.start import Start, write_config
from support.terminal import KEYS, Terminal, wait_until

from tui import conversation
from tui.eventlog import EventLog

WORDS = " ".join([*(f"word{number}" for number in range(80)), "theend"])
pytestmark = pytest.mark.new_process  # /proc shows its end

SLOW = {"reply": [{"text": WORDS}], "rate": 40}
# Runs in the app's process before it: the help cannot be opened.
BROKEN = """
import tui.app.app as app

def fails(self):
    secret = "a word of the user's"
    raise {error}

app.LazychatApp.show_help = fails
"""


def end_by_a_fault(
    start: Start, home: Path, broken: str, told: str = "because of a bug"
) -> None:
    """Have the screen end while an answer is written: it is whole all the same."""
    (home / "tools").mkdir()
    (home / "tools" / "broken.py").write_text(broken, "utf-8")
    terminal = start(SLOW)
    terminal.type("Go on")
    terminal.press("enter")
    terminal.wait_for("word9 ")

    terminal.press("f1")

    wait_until(lambda: told in " ".join(seen(terminal).split()))
    assert terminal.left_on() == set()
    assert terminal.process.wait(30) == 1
    with EventLog(home / "lazychat.db") as log:
        (one,) = conversation.recent(log)
        entries = conversation.fold(log.read(one.id)).entries.values()
        assert [e.message.text for e in entries][-1] == WORDS


@pytest.mark.parametrize("error", ["ValueError('no')", "RecursionError('deep')"])
def test_a_fault_of_the_screen_does_not_cancel_the_answer(
    start: Start, home: Path, error: str
) -> None:
    end_by_a_fault(start, home, BROKEN.format(error=error))
    log_file = home / "lazychat.log"
    told = log_file.read_text("utf-8")
    assert "in fails" in told
    assert "= 'a word" not in told
    assert log_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("MemoryError()", "the screen ended. Out of memory"),
        ('RuntimeError("can\'t start new thread")', "the screen ended. Out of memory"),
        ("OSError(24, 'no')", "the screen ended. Too many open files"),
    ],
)
def test_a_machine_that_has_no_more_is_no_bug_of_lazychat(
    start: Start, home: Path, error: str, told: str
) -> None:
    end_by_a_fault(start, home, BROKEN.format(error=error), told)


WAYS = {
    "a timer": "self.set_timer(0.01, boom)",
    "a thread": "self.run_worker(boom, thread=True)",
    "a task": "self.run_worker(boom())",
    "the loop": "asyncio.get_running_loop().call_soon(boom)",
    "a message": "self.call_later(boom)",
    "the styles": "self.stylesheet.add_source('}{'); self.refresh_css()",
}
BROKEN_LATER = """
import asyncio
import tui.app.app as app

{kind}def boom():
    raise RecursionError("deep")

def fails(self):
    {way}

app.LazychatApp.show_help = fails
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_fault_beside_the_screen_does_not_cancel_the_answer(
    start: Start, home: Path, way: str
) -> None:
    kind = "async " if way == "a task" else ""
    broken = BROKEN_LATER.format(kind=kind, way=WAYS[way])
    end_by_a_fault(start, home, broken)


def test_a_fault_of_what_runs_in_the_background_leaves_the_app_as_it_is(
    start: Start, home: Path
) -> None:
    way = "from tui.app import background; background.run('x', boom)"
    (home / "tools").mkdir()
    broken = BROKEN_LATER.format(kind="", way=way)
    loaded = home / "loaded"
    broken += f"\nfrom pathlib import Path\nPath({str(loaded)!r}).touch()\n"
    (home / "tools" / "broken.py").write_text(broken, "utf-8")
    terminal = start([{"text": "Fine."}])
    wait_until(loaded.exists)

    terminal.type("Well?")
    terminal.press("enter")
    terminal.wait_for("Fine.")  # by then the tool's file has been run
    terminal.press("f1")
    log_file = home / "lazychat.log"
    wait_until(lambda: log_file.exists() and "in boom" in log_file.read_text("utf-8"))
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert "Traceback" not in terminal.text


def test_a_shell_sees_that_a_fault_has_ended_the_screen(home: Path) -> None:
    (home / "tools").mkdir()
    broken = BROKEN.format(error="ValueError('no')")
    (home / "tools" / "broken.py").write_text(broken, "utf-8")
    file = write_config(home, SLOW)
    root = str(ROOT)
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": root, "PS1": "$?> "}
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(shell, env=env, cwd=home) as terminal:
        terminal.wait_for("0>")
        terminal.type(f"{sys.executable} -m tui --config {file}\r")
        terminal.wait_for("Message")
        terminal.type("Go on\r")
        terminal.wait_for("word9 ")

        terminal.press("f1")

        # It is stopped, for the answer to go on in the background: 128 + SIGSTOP.
        terminal.wait_for(f"{128 + signal.SIGSTOP}>")
        assert "the screen ended because of a bug" in terminal.words


def seen(terminal: Terminal) -> str:
    terminal.written_within(0.05)
    return terminal.words


@pytest.mark.parametrize("key", ["", "f1", "f2", "f3", "ctrl+s", "ctrl+p", "/model\r"])
def test_a_window_of_any_width_does_not_end_the_app(start: Start, key: str) -> None:
    terminal = start([{"text": "Fine."}])
    if key:
        terminal.press(*([key] if key in KEYS else key))
        terminal.settle()

    for columns in (6, 4, 3, 2, 1, 80, 1, 5, 80):
        terminal.resize(columns, 24)
        terminal.written_within(0.1)
    for columns, rows in ((1, 1), (200, 2), (2, 60), (500, 200), (80, 24)):
        terminal.resize(columns, rows)
        terminal.written_within(0.1)
    terminal.wait_for(lambda t: len(t.text.split()) > 3)
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0


def test_what_the_terminal_says_of_its_size_holds(start: Start) -> None:
    terminal = start(environment={"COLUMNS": "120", "LINES": "40"})

    terminal.wait_for(lambda t: "F1 help" in t.row(-1))
    terminal.resize(100, 30)
    terminal.wait_for(lambda t: "F1 help" in t.row(-1))


@pytest.mark.parametrize("redirected", ["2>/dev/null", ">/dev/null", "2>errors"])
def test_it_draws_on_whichever_stream_is_the_terminal(
    start: Start, home: Path, redirected: str
) -> None:
    file = write_config(home, [{"text": "Fine."}])
    command = f"exec {sys.executable} -m tui --config {file} {redirected}"
    root = str(ROOT)
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": root}
    with Terminal(["sh", "-c", command], env=env, cwd=home) as terminal:
        terminal.wait_for("Message")
        terminal.press("ctrl+q")

        assert terminal.wait_exit() == 0
        assert terminal.left_on() == set()


def test_ctrl_z_stops_the_app_and_it_comes_back(start: Start) -> None:
    terminal = start([{"text": "Fine."}])
    state = Path(f"/proc/{terminal.process.pid}/stat")

    terminal.press("ctrl+z")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
    terminal.written_within(0.1)
    assert terminal.left_on() == set()
    terminal.signal(signal.SIGCONT)
    terminal.wait_for(lambda t: "line settings" in t.left_on())
    terminal.settle()
    terminal.type("Well?")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_killed_while_it_is_stopped_it_says_nothing(start: Start) -> None:
    terminal = start([{"text": "Fine."}])
    state = Path(f"/proc/{terminal.process.pid}/stat")
    terminal.press("ctrl+z")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
    before = len(terminal.raw) + len(terminal.written_within(0.2))

    terminal.signal(signal.SIGKILL)
    terminal.wait_closed()

    assert terminal.left_on() == set()
    assert b"lazychat was" not in terminal.raw[before:]


def test_a_terminal_whose_name_is_no_utf8_is_an_unknown_one(start: Start) -> None:
    terminal = start(environment={"TERM": "\udce9xterm"})

    terminal.type("it draws")

    terminal.wait_for("it draws")


@pytest.mark.parametrize(
    "size", ["5;20;80;160", "1;1;1;1", "0;0;0;0", "99999;99999;9;9"]
)
def test_a_size_in_the_input_does_not_beat_that_of_the_kernel(
    start: Start, size: str
) -> None:
    terminal = start()

    terminal.send(f"\x1b[48;{size}t".encode())
    terminal.type("no change")

    terminal.wait_for("no change")
    assert "F1 help" in terminal.row(-1)
    assert terminal.row(-4).endswith("╮")
    assert len(terminal.row(-4)) == terminal.columns
