"""Two models on one question in real terminals: a kill, a hang-up, a second screen."""

import signal
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from support.start import Start, ask
from support.terminal import Terminal

from tui.eventlog import EventLog
from tui.events import TurnFinished, TurnRequested, TurnWithdrawn

LIMIT = 30
HELD = {"steps": [{"text": "One two "}, {"wait_for": "go"}, {"text": "three."}]}
BOTH = "[ shows scripted, ] shows other"


@pytest.fixture
def compared(start: Start, home: Path) -> Terminal:
    """An app in which the first of two models is in the middle of its answer."""
    other = home / "other.toml"
    other.write_text(tomli_w.dumps({"reply": [{"text": "Four."}]}), "utf-8")
    models = {"other": {"provider": "scripted", "path": str(other)}}
    terminal = start([HELD], config={"models": models}, columns=120, rows=40)
    ask(terminal, "/compare other Count, please")
    terminal.wait_for("One two")
    terminal.wait_for("an answer of other")
    return terminal


def again(start: Start, home: Path) -> Terminal:
    config = (home / "config.toml").read_text()
    return start(None, "-c", config=config, columns=120, rows=40)


def events(log: EventLog, kind: type[Any]) -> list[Any]:
    return [record.event for record in log.read() if isinstance(record.event, kind)]


def test_a_kill_in_the_middle_loses_neither_the_answer_nor_the_request(
    compared: Terminal, start: Start, home: Path, log: EventLog
) -> None:
    compared.signal(signal.SIGKILL)
    compared.process.wait(LIMIT)

    second = again(start, home)
    second.wait_for("Interrupted")
    second.wait_for("Not asked: an answer of other")
    assert "One two" in second.text
    assert [r.model for r in events(log, TurnRequested)] == ["scripted", "other"]
    ask(second, "/unsend")
    second.wait_for("Taken back: an answer of other")
    assert len(events(log, TurnWithdrawn)) == 1

    ask(second, "/compare other", "Four.")
    second.wait_for(BOTH)


def test_a_hang_up_ends_after_both_answers(
    compared: Terminal, start: Start, home: Path, log: EventLog
) -> None:
    compared.hang_up()
    (home / "go").touch()
    assert compared.process.wait(LIMIT) == 128 + signal.SIGHUP

    assert [end.reason for end in events(log, TurnFinished)] == ["stop", "stop"]
    second = again(start, home)
    second.wait_for("Four.")
    second.wait_for(BOTH)


def test_a_second_terminal_shows_both_and_walks_by_itself(
    compared: Terminal, start: Start, home: Path
) -> None:
    second = again(start, home)
    second.wait_for("One two")
    (home / "go").touch()
    for terminal in (compared, second):
        terminal.wait_for(BOTH)

    second.press("tab")
    second.type("[")
    second.wait_for("One two three.")
    compared.wait_for("Four.")
    assert "One two" not in compared.text
