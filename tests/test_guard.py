"""Whatever ends the app, the terminal is as it was, and one line says what happened."""

import os
import signal
from pathlib import Path

import pytest
from conftest import Start, Tried
from terminal import Terminal, wait_until

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


MOMENTS = {
    "at rest": lambda start: start(SLOW),
    "answering": answering,
    "a dialog": with_help,
}


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
        assert "kept: `lazychat` goes on." in terminal.words

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
    (guard,) = guards(terminal)

    os.kill(guard, signal.SIGKILL)
    terminal.type("Well?")
    terminal.press("enter")
    terminal.wait_for("Fine.")
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_the_guard_goes_with_the_app_and_says_nothing(start: Start) -> None:
    terminal = start(SLOW)
    (guard,) = guards(terminal)

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    wait_until(lambda: not Path(f"/proc/{guard}").exists())
    assert "was said is kept" not in terminal.text


def guards(terminal: Terminal) -> list[int]:
    """The guards of this terminal: they have its tty open and are nobody's child."""
    app = Path(f"/proc/{terminal.process.pid}/fd")
    open_files = [fd.readlink() for fd in app.iterdir()]
    tty = next(file for file in open_files if file.is_relative_to("/dev/pts"))
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() != "lazychat-guard":
                continue
            if tty in [fd.readlink() for fd in (folder / "fd").iterdir()]:
                found.append(int(folder.name))
        except OSError:
            continue
    return found
