"""Whatever ends the app, the terminal is as it was, and one line says what happened."""

import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from support import ROOT
from support.fault_notes import Tried
from support.start import Start
from support.terminal import Terminal, wait_until

# The guard reads how the app has ended before anyone reaps it.
pytestmark = pytest.mark.new_process

SLOW = {"reply": [{"text": " ".join(f"word{n}" for n in range(400))}], "rate": 40}
SIGNALS = [
    *("SEGV", "ABRT", "BUS", "ILL", "FPE", "QUIT"),
    *("USR1", "USR2", "ALRM", "VTALRM", "XCPU", "KILL"),
]


def answering(start: Start) -> Terminal:
    terminal = start(SLOW)
    terminal.type("Go on")
    terminal.press("enter")
    terminal.wait_for("word9 ")
    return terminal


def with_help(start: Start) -> Terminal:
    terminal = start(SLOW)
    terminal.press("f1")
    terminal.wait_for("Esc")
    return terminal


def renewed(start: Start) -> Terminal:
    terminal = start(SLOW)
    wait_until(lambda: own_kilobytes(terminal) < MOST_KILOBYTES)
    return terminal


MOMENTS = {
    "at rest": lambda start: start(SLOW),
    "answering": answering,
    "a dialog": with_help,
}
MOST_KILOBYTES = 5000
"""Of memory that the guard has to itself, once it has let go of the app's."""

SILENT = """
import faulthandler, os, signal, sys, termios
from tui.runtime import guard
here = guard.start(sys.argv[1])
here.arm(termios.tcgetattr(0))
number = int(sys.argv[2])
if number != signal.SIGKILL:
    faulthandler.unregister(number)
os.kill(os.getpid(), number)
"""
"""Dies of a signal that `faulthandler` does not report."""


@pytest.mark.parametrize("name", ["USR2", "XCPU", "KILL"])
def test_a_signal_is_named_that_a_thread_without_python_got(
    tmp_path: Path, name: str
) -> None:
    """The report needs Python's state of the thread, and a starting one has none."""
    number = signal.Signals[f"SIG{name}"]
    command = [sys.executable, "-c", SILENT, str(tmp_path / "log"), str(number)]
    with Terminal(command, env={**os.environ, "PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_closed()

        how = "was killed" if name == "KILL" else f"was ended by SIG{name}"
        assert f"lazychat {how}." in terminal.words
        assert how in (tmp_path / "log").read_text()
        assert terminal.process.wait(30) == -number


@pytest.mark.parametrize("name", SIGNALS)
def test_whatever_signal_ends_the_app_the_terminal_is_clean(
    start: Start, tried: Tried, name: str
) -> None:
    number = signal.Signals[f"SIG{name}"]
    left: set[str] = set()

    for reach in MOMENTS.values():
        terminal = reach(start)
        terminal.signal(number)

        terminal.wait_closed()
        assert terminal.process.wait(30) == -number
        left |= terminal.left_on()
        how = "was killed" if name == "KILL" else f"was ended by SIG{name}"
        assert f"lazychat {how}" in terminal.words
        assert "Conversation saved: run `lazychat` to continue." in terminal.words

    assert left == set()
    tried(f"{number.name} of the app", len(MOMENTS), left_on=len(left))


def test_what_was_said_before_a_crash_is_there_again(start: Start) -> None:
    terminal = answering(start)
    terminal.signal(signal.SIGSEGV)
    terminal.wait_closed()
    terminal.process.wait(30)

    again = start(SLOW)

    again.wait_for("Interrupted")
    assert "word9" in again.text


def test_the_place_of_a_crash_is_in_a_log_for_the_user_alone(
    start: Start, home: Path
) -> None:
    terminal = start(SLOW)
    terminal.signal(signal.SIGSEGV)
    terminal.wait_closed()

    log = home / "lazychat.log"
    wait_until(lambda: log.exists() and "File " in log.read_text())
    assert "SIGSEGV" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_its_guard_the_app_goes_on(start: Start) -> None:
    terminal = start([{"text": "Fine."}])
    guard = only_guard(terminal)

    os.kill(guard, signal.SIGKILL)
    terminal.type("Well?")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_the_guard_goes_with_the_app_and_says_nothing(start: Start) -> None:
    terminal = start(SLOW)
    guard = only_guard(terminal)

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    wait_until(lambda: not Path(f"/proc/{guard}").exists())
    assert "Conversation saved" not in terminal.text


@pytest.mark.parametrize("name", ["SEGV", "USR1", "KILL"])
def test_a_guard_that_has_shed_the_memory_of_the_app_restores_as_well(
    start: Start, name: str
) -> None:
    number = signal.Signals[f"SIG{name}"]
    terminal = renewed(start)
    terminal.resize(90, 30)
    terminal.settle()

    terminal.signal(number)

    terminal.wait_closed()
    assert terminal.process.wait(10) == -number
    assert terminal.left_on() == set()
    how = "was killed" if name == "KILL" else f"was ended by SIG{name}"
    assert f"lazychat {how}. Conversation saved" in terminal.words


def test_the_guard_does_not_say_that_kept_is_what_no_store_keeps(
    start: Start, home: Path
) -> None:
    with closing(sqlite3.connect(home / "lazychat.db")) as db:
        db.execute("PRAGMA user_version = 99")
    terminal = start(SLOW)
    terminal.wait_for(lambda t: "nothing is saved" in t.words)

    terminal.signal(signal.SIGKILL)
    terminal.wait_closed()

    assert "lazychat was killed." in terminal.words
    assert "Conversation saved" not in terminal.words
    assert "Messages sent since the store became unwritable are lost." in (
        terminal.words
    )


def test_the_guard_knows_when_what_is_said_could_not_be_written_any_more(
    start: Start, tmp_path: Path
) -> None:
    nowhere = tmp_path / "full"
    nowhere.mkdir()
    nowhere.chmod(0o500)
    terminal = start([{"text": "Fine."}], environment={"TMPDIR": str(nowhere)})
    pid, none = terminal.process.pid, (0, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, none)
    terminal.type("Well?")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    terminal.wait_for(lambda t: "memory" in t.words)
    terminal.settle()

    terminal.signal(signal.SIGKILL)
    terminal.wait_closed()

    assert "unwritable are lost." in terminal.words


def only_guard(terminal: Terminal) -> int:
    """The guard of this terminal; for a moment it may be just another Python."""
    found: list[int] = []

    def is_found() -> bool:
        found[:] = guards(terminal)
        return len(found) == 1

    wait_until(is_found)
    return found[0]


def own_kilobytes(terminal: Terminal) -> int:
    """Memory of the guard's that is in no file, in kilobytes; shared by half."""
    rollup = Path(f"/proc/{only_guard(terminal)}/smaps_rollup").read_text()
    return int(rollup.split("Pss_Anon:")[1].split()[0])


def guards(terminal: Terminal) -> list[int]:
    """The guards of this terminal: they have its tty open and are nobody's child."""
    app = Path(f"/proc/{terminal.process.pid}/fd")
    tty = next(file for file in opened(app) if file.is_relative_to("/dev/pts"))
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() != "lazychat-guard":
                continue
            if tty in opened(folder / "fd"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def opened(descriptors: Path) -> Iterator[Path]:
    """Yield what a process has open; it may close any of it meanwhile."""
    for descriptor in descriptors.iterdir():
        with suppress(FileNotFoundError):
            yield descriptor.readlink()
