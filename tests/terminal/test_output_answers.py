"""Frames and the terminal's answers: never, unasked for, and what only looks like one.

The late ones are in test_link_ssh.py, where the line makes them late.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT
from support.start import Start, ask, write_config
from support.terminal import Terminal

ANSWER = " ".join(f"w{number:05d}" for number in range(200)) + " theend"
SCRIPT = {"rate": 150, "reply": [{"text": ANSWER}]}
REPORT = re.compile(r"\x1b\[\d+;\d+R")
LOOKS_LIKE_ONE = {"Shift+F3": b"\x1b[1;2R", "Ctrl+F3": b"\x1b[1;5R"}


class Mute(Terminal):
    """A terminal that does not tell where its cursor is."""

    def _answer(self, text: str) -> None:
        if not REPORT.fullmatch(text):
            super()._answer(text)


@pytest.fixture
def mute(home: Path) -> Iterator[Mute]:
    file = write_config(home, SCRIPT)
    command = [sys.executable, "-m", "tui", "--config", str(file)]
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    terminal = Mute(command, columns=100, rows=40, env=env)
    with terminal:
        terminal.wait_for("Message")
        yield terminal


def said(terminal: Terminal) -> str:
    return " ".join(re.findall(r"w\d{5}|theend", terminal.text))


def asked(terminal: Terminal) -> int:
    return bytes(terminal.raw).count(b"\x1b[6n")


def states(terminal: Terminal, seconds: float) -> int:
    """Return how many states of the answer are seen within so many seconds."""
    seen: set[str] = set()
    for _ in range(int(seconds / 0.02)):
        terminal.written_within(0.02)
        seen.add(said(terminal))
    return len(seen)


def test_a_terminal_that_never_answers_shows_all_the_same(mute: Mute) -> None:
    ask(mute, "Go on")
    mute.wait_for("w00020")
    before = asked(mute)

    # It was given up within the first second; by the clock there are 20 a second.
    mute.wait_for("w00100")
    assert states(mute, 0.5) >= 4
    mute.wait_for("theend")
    mute.settle()

    assert said(mute) == ANSWER
    assert asked(mute) - before <= 5
    mute.press("ctrl+q")
    assert mute.wait_exit() == 0
    assert mute.left_on() == set()


@pytest.mark.parametrize("key", LOOKS_LIKE_ONE)
def test_a_key_that_looks_like_an_answer_is_none(mute: Mute, key: str) -> None:
    """If it were, the next frames would wait for answers that never come."""
    ask(mute, "Go on")
    mute.wait_for("w00100")

    mute.send(LOOKS_LIKE_ONE[key])

    assert states(mute, 0.5) >= 4
    mute.wait_for("theend")
    mute.settle()
    assert said(mute) == ANSWER


def test_answers_that_nobody_asked_for_change_nothing(start: Start) -> None:
    terminal = start(SCRIPT, columns=100, rows=40)
    terminal.settle()
    before = terminal.display

    terminal.send(b"\x1b[12;40R" * 20)
    terminal.settle()
    assert terminal.display == before

    ask(terminal, "Go on")
    terminal.wait_for("w00100")
    terminal.send(b"\x1b[12;40R" * 20)
    terminal.wait_for("theend")
    terminal.settle()
    assert said(terminal) == ANSWER
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
