"""Approval in real terminals: from another one, after a kill, after a hang-up."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from support import asking_tool
from support.fakes.lazychat import Home
from support.start import Start, ask, write_config
from support.terminal import LIMIT, Terminal, wait_until

from tui.eventlog import EventLog
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    MessageAdded,
    TurnFinished,
)

pytestmark = pytest.mark.new_process  # /proc shows its end

STATUS = "git status --short"
CALL = {"steps": [{"text": "Let me look."}, asking_tool.call(STATUS)]}
SCRIPT = [CALL, {"text": "All is clean."}]


@pytest.fixture(autouse=True)
def tool(home: Path) -> None:
    asking_tool.add(home)


def asked(start: Start, *script: dict[str, Any]) -> Terminal:
    """Start an app, whose model has called the tool."""
    terminal = start(list(script or SCRIPT), columns=100, rows=60)
    terminal.press("f2")
    terminal.wait_for("run_it")  # the sidebar has it once it is loaded
    terminal.press("escape")
    terminal.wait_for(lambda t: "run_it" not in t.text)
    ask(terminal, "What has changed?")
    terminal.wait_for("Allow run_it?")
    return terminal


def another(start: Start, log: EventLog, *script: dict[str, Any]) -> Terminal:
    """Start another app on the same conversation."""
    if script:
        return start(list(script), until="Allow run_it?")
    config = (log.path.parent / "config.toml").read_text()
    return start(None, config=config, until="Allow run_it?")


def press(terminal: Terminal, key: str) -> None:
    """Press a key as soon as it is an answer."""
    terminal.wait_for("y allow once")  # the frame of the dialog may be drawn first
    terminal.wait_for(lambda t: is_armed(t))
    terminal.press(key)


def is_armed(terminal: Terminal) -> bool:
    """Whether the keys of the dialog are bright."""
    column, row = terminal.find("y allow once")
    return bool(terminal.cells(row)[column].bold)


def ends(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


def given(log: EventLog) -> list[ApprovalGiven]:
    events = [record.event for record in log.read()]
    return [event for event in events if isinstance(event, ApprovalGiven)]


def results(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    added = [event.message for event in events if isinstance(event, MessageAdded)]
    return [message.text for message in added if message.role == "tool"]


def ready(terminal: Terminal) -> bool:
    return "ready" in terminal.row(-1)


def test_the_answer_may_come_from_another_terminal(
    start: Start, home: Path, log: EventLog
) -> None:
    first = asked(start)
    second = another(start, log)
    assert STATUS in second.text

    press(second, "y")

    for terminal in (first, second):
        terminal.wait_for("All is clean.")
        terminal.wait_for(ready)
        assert "Allow run_it?" not in terminal.text
    assert asking_tool.runs(home) == [STATUS]
    assert len(given(log)) == 1


def test_a_cancel_closes_the_dialogs_of_all(
    start: Start, home: Path, log: EventLog
) -> None:
    first = asked(start)
    second = another(start, log)

    second.press("escape")

    for terminal in (first, second):
        terminal.wait_for(lambda t: "Allow run_it?" not in t.text)
        terminal.wait_for(ready)
    assert ends(log) == ["cancelled"]
    assert asking_tool.runs(home) == []


@pytest.mark.parametrize("key", ["y", "d"])
def test_the_question_outlives_a_kill_and_the_answer_goes_on(
    start: Start, home: Path, log: EventLog, key: str
) -> None:
    first = asked(start)
    first.signal(signal.SIGKILL)
    first.process.wait(LIMIT)

    again = another(start, log, {"text": "All is clean."})
    again.wait_for(lambda t: "the answer resumes once you allow it" in t.words)
    assert asking_tool.runs(home) == []
    press(again, key)
    if key == "d":
        again.press("enter")
    again.wait_for("All is clean.")
    again.wait_for(ready)

    assert asking_tool.runs(home) == ([STATUS] if key == "y" else [])
    assert ends(log) == ["interrupted", "stop"]
    assert len(results(log)) == 1


def test_after_a_kill_the_question_may_be_taken_back(
    start: Start, home: Path, log: EventLog
) -> None:
    first = asked(start)
    first.signal(signal.SIGKILL)
    first.process.wait(LIMIT)
    again = another(start, log, {"text": "Another answer."})

    again.press("escape")
    again.wait_for("Message (Enter")
    ask(again, "Go on without", "Another answer.")

    assert asking_tool.runs(home) == []


def test_it_waits_through_a_hang_up(start: Start, home: Path, log: EventLog) -> None:
    first = asked(start)

    first.hang_up()
    wait_until(lambda: is_detached(first))
    second = another(start, log)
    press(second, "y")
    second.wait_for("All is clean.")

    assert first.process.wait(LIMIT) == 128 + signal.SIGHUP
    assert asking_tool.runs(home) == [STATUS]
    assert ends(log) == ["stop"]


def is_detached(terminal: Terminal) -> bool:
    link = Path(f"/proc/{terminal.process.pid}/fd/2")
    return str(link.readlink()) == os.devnull


def test_a_worker_asks_and_an_app_answers(
    start: Start, place: Home, home: Path, log: EventLog
) -> None:
    write_config(home, list(SCRIPT))
    worker = place.start("-m", "tui", "worker")
    wait_until(lambda: list(home.glob("worker-*.json")))
    config = (home / "config.toml").read_text()
    terminal = start(None, config=config, columns=100, rows=60)
    terminal.press("f2")
    terminal.wait_for("run_it")
    terminal.press("escape")
    terminal.wait_for(lambda t: "run_it" not in t.text)
    ask(terminal, "What has changed?")
    terminal.wait_for("Allow run_it?")

    press(terminal, "y")
    terminal.wait_for("All is clean.")

    assert asking_tool.runs(home) == [STATUS]
    (record,) = [r for r in log.read() if isinstance(r.event, ApprovalRequested)]
    assert record
    worker.terminate()
    worker.communicate(timeout=LIMIT)
