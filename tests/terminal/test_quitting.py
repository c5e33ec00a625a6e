"""Leaving while an answer is written: asked once, and each choice does what it says."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.start import Start, ask, write_config
from support.terminal import Terminal, wait_until

from tui import conversation
from tui.eventlog import EventLog
from tui.events import TurnFinished

HELD = [{"steps": [{"text": "One "}, {"wait_for": "go"}, {"text": "two"}]}]
"""Goes on when it is let go: keys and screens may take their time before."""
LONG = [{"steps": [{"text": "One "}, {"pause": 60}, {"text": "two"}]}]


def ends(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


def release_answer(log: EventLog) -> None:
    (log.path.parent / "go").touch()


def said(log: EventLog) -> str:
    (one,) = conversation.recent(log)
    return list(conversation.fold(log.read(one.id)).entries.values())[-1].message.text


def asked(terminal: Terminal) -> bool:
    return "An answer is still running" in terminal.text


def counting(start: Start, script: list[Any]) -> Terminal:
    """Return the app while it writes its first answer."""
    terminal = start(script)
    ask(terminal, "Count")
    terminal.wait_for("One")
    return terminal


def test_without_an_answer_it_just_leaves(start: Start) -> None:
    terminal = start(HELD)

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert not any("An answer is still running" in row for row in terminal.shown)


@pytest.mark.parametrize("way", ["ctrl+q", "/quit"])
def test_it_asks_and_esc_stays(start: Start, log: EventLog, way: str) -> None:
    terminal = counting(start, LONG)

    if way == "/quit":
        ask(terminal, way)
    else:
        terminal.press(way)
    terminal.wait_for(asked)
    terminal.press("escape")
    terminal.wait_for(lambda t: not asked(t))

    assert "One" in terminal.text
    assert ends(log) == []


def test_wait_leaves_when_the_answer_has_ended(start: Start, log: EventLog) -> None:
    terminal = counting(start, HELD)

    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("w")
    terminal.wait_for("Quits when the answer is finished")
    release_answer(log)

    assert terminal.wait_exit() == 0
    assert ends(log) == ["stop"]
    assert said(log) == "One two"
    assert terminal.left_on() == set()


def test_who_waits_may_go_on_and_change_their_mind(start: Start, log: EventLog) -> None:
    terminal = counting(start, LONG)
    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("enter")
    terminal.wait_for("Quits when the answer is finished")

    terminal.type("draft")
    terminal.wait_for("draft")
    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("escape")
    terminal.wait_for(lambda t: not asked(t))
    terminal.press("escape")

    wait_until(lambda: ends(log) == ["cancelled"])
    terminal.wait_for("ready")
    assert "draft" in terminal.text


def test_who_waits_stays_by_esc_and_then_stops_the_answer(
    start: Start, log: EventLog
) -> None:
    terminal = counting(start, LONG)
    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("w")
    terminal.wait_for("Quits when the answer is finished (Esc: stay)")

    terminal.press("escape")
    terminal.wait_for("Quit cancelled")
    assert ends(log) == []
    terminal.press("escape")
    wait_until(lambda: ends(log) == ["cancelled"])

    terminal.wait_for("ready")
    ask(terminal, "/help")
    terminal.wait_for("Keys")
    assert terminal.process.poll() is None


def test_the_answer_that_ends_while_it_asks_is_left(
    start: Start, log: EventLog
) -> None:
    terminal = counting(start, HELD)

    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    release_answer(log)

    assert terminal.wait_exit() == 0
    assert ends(log) == ["stop"]
    assert said(log) == "One two"


def test_it_asks_about_what_is_still_to_come(start: Start, log: EventLog) -> None:
    terminal = counting(start, [*HELD, *LONG])
    ask(terminal, "Again")
    terminal.wait_for("Queued: Again")

    terminal.press("ctrl+q")
    terminal.wait_for("2 answers are still running or queued")
    release_answer(log)
    terminal.wait_for(asked)

    assert ends(log) == ["stop"]
    terminal.press("escape")
    terminal.wait_for(lambda t: not asked(t))


def test_ctrl_c_where_it_asks_cancels_and_leaves(start: Start, log: EventLog) -> None:
    terminal = counting(start, LONG)

    terminal.press("ctrl+q")
    terminal.wait_for("Ctrl+C stop and quit")
    terminal.press("ctrl+c")

    assert terminal.wait_exit() == 0
    assert ends(log) == ["cancelled"]
    assert said(log) == "One "


def test_cancel_keeps_what_was_said_and_leaves(start: Start, log: EventLog) -> None:
    terminal = counting(start, LONG)

    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("c")

    assert terminal.wait_exit() == 0
    assert ends(log) == ["cancelled"]
    assert said(log) == "One "
    (one,) = conversation.recent(log)
    assert not conversation.is_unseen(log, one.id)


def test_ctrl_c_twice_stops_and_leaves_unasked(start: Start, log: EventLog) -> None:
    terminal = counting(start, LONG)

    terminal.press("ctrl+c")
    terminal.wait_for("Ctrl+C again quits")
    terminal.press("ctrl+c")

    assert terminal.wait_exit() == 0
    assert ends(log) == ["cancelled"]


def test_ctrl_c_twice_asks_about_answers_of_other_conversations(
    start: Start, log: EventLog
) -> None:
    terminal = counting(start, LONG * 2)
    terminal.press("ctrl+n")
    terminal.wait_for("New conversation")

    terminal.press("ctrl+c")
    terminal.wait_for("Ctrl+C again quits")
    terminal.press("ctrl+c")

    terminal.wait_for(asked)
    assert ends(log) == []
    terminal.press("escape")
    terminal.wait_for(lambda t: not asked(t))


def test_in_the_background_it_lets_go_of_the_window(
    start: Start, log: EventLog
) -> None:
    """Nobody waits for it there: the window is its own."""
    terminal = counting(start, HELD)

    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("b")
    terminal.wait_closed()

    assert "The answer continues in the background (process " in terminal.words
    assert terminal.left_on() == set()
    assert ends(log) == []
    release_answer(log)
    assert terminal.process.wait(30) == 0
    assert ends(log) == ["stop"]
    assert said(log) == "One two"


@pytest.fixture
def shell(home: Path) -> Iterator[Callable[[Any], Terminal]]:
    """A real interactive bash in a terminal, with `lazychat` in its path."""
    (home / "lazychat").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m tui "$@"\n', "utf-8"
    )
    (home / "lazychat").chmod(0o755)
    (home / "rc").write_text("PS1='prompt> '\nunset HISTFILE\n", "utf-8")
    path = os.pathsep.join([str(home), os.environ.get("PATH", os.defpath)])
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    terminals: list[Terminal] = []

    def open_shell(script: Any) -> Terminal:
        write_config(home, script)
        terminal = Terminal(
            ["bash", "--rcfile", str(home / "rc"), "-i"],
            env={**env, "PATH": path},
            cwd=home,
        )
        terminals.append(terminal)
        terminal.wait_for("prompt>")
        return terminal

    yield open_shell
    for terminal in terminals:
        terminal.close()


def state(pid: int) -> str:
    """One letter: T is stopped (man 5 proc)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def zombies(parent: int) -> list[Path]:
    """Return the children of a process that have ended and were not waited for."""
    found: list[Path] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            state, its_parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(its_parent) == parent:
                found.append(stat.parent)
    return found


def leave_to_the_shell(terminal: Terminal) -> int:
    """Start lazychat, ask, and go on in the background; return its process id."""
    terminal.type("lazychat\r")
    terminal.wait_for("Message")
    ask(terminal, "Count")
    terminal.wait_for("One")
    terminal.press("ctrl+q")
    terminal.wait_for(asked)
    terminal.press("b")
    terminal.wait_for("The answer continues in the background")
    terminal.wait_for("Stopped")  # how the shell sees it, for a moment
    terminal.wait_for("prompt>")
    (job,) = (int(pid) for pid in re.findall(r"\(process (\d+)\)", terminal.words))
    wait_until(lambda: state(job) != "T")
    terminal.type("jobs\r")
    terminal.wait_for("Running")
    return job


def test_a_shell_has_its_prompt_back_and_the_answer_goes_on(
    shell: Callable[[Any], Terminal], log: EventLog
) -> None:
    terminal = shell(HELD)

    job = leave_to_the_shell(terminal)

    assert ends(log) == []
    wait_until(lambda: not zombies(job))
    assert ends(log) == []
    assert "mouse" not in terminal.left_on()

    release_answer(log)
    wait_until(lambda: ends(log) == ["stop"])
    assert said(log) == "One two"
    # The shell may be left meanwhile, and comes back to the same conversation.
    terminal.type("clear; lazychat\r")
    terminal.wait_for("Message")
    terminal.wait_for("One two")


def test_a_shell_that_ends_does_not_take_the_answer_along(
    shell: Callable[[Any], Terminal], log: EventLog
) -> None:
    terminal = shell(HELD)
    leave_to_the_shell(terminal)

    terminal.signal(signal.SIGHUP)
    release_answer(log)

    wait_until(lambda: ends(log) == ["stop"])
    assert said(log) == "One two"


def test_a_background_answer_is_ended_by_a_kill_and_kept(
    shell: Callable[[Any], Terminal], log: EventLog
) -> None:
    terminal = shell(LONG)
    leave_to_the_shell(terminal)

    terminal.type("kill %1\r")

    wait_until(lambda: ends(log) == ["cancelled"])
    assert said(log) == "One "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_app_while_an_editor_has_the_terminal(
    start: Start, home: Path, number: signal.Signals
):
    editor = home / "editor.py"
    editor.write_text(
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).write_text('half a letter')\n"
        "print('EDITING', flush=True)\n"
        "time.sleep(300)\n",
        "utf-8",
    )
    environment = {"VISUAL": f"{sys.executable} {editor}"}
    terminal = start([{"text": "hi"}], environment=environment)
    terminal.press("ctrl+o")
    terminal.wait_for("EDITING")

    terminal.signal(number)

    assert terminal.wait_exit() == 128 + number
    assert terminal.left_on() == set()
    again = start([{"text": "hi"}])
    again.wait_for("half a letter")
