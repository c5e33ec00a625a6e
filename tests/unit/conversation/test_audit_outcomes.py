"""The audit of calls tells how each has ended, also when nobody could write it down."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tui import process_identity
from tui.conversation import audit
from tui.eventlog import EventLog
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    Event,
    ToolCallFinished,
    ToolCallStarted,
    TurnStarted,
)
from tui.messages import ToolCall

CALL = ToolCall("c1", "run_it", {})


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    log = EventLog(tmp_path / "log.db")
    yield log
    log.close()


def outcome(log: EventLog, *events: Event) -> str:
    log.append("c", *events, turn="t").result()
    (call,) = audit.calls(log)
    return call.outcome


def gone() -> TurnStarted:
    """Return the claim of a process that was killed."""
    import subprocess
    import sys

    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    mine = process_identity.claim()
    return TurnStarted(
        mine.host, mine.boot_id, done.pid, 1, mine.machine, mine.pid_space
    )


def test_a_call_of_a_killed_process_is_interrupted(log: EventLog) -> None:
    assert outcome(log, gone(), ToolCallStarted(CALL, "flag")) == "interrupted"


def test_a_call_of_a_process_that_lives_is_running(log: EventLog) -> None:
    mine = process_identity.claim()

    assert outcome(log, mine, ToolCallStarted(CALL, "flag")) == "running"


def test_a_call_that_asks_is_waiting(log: EventLog) -> None:
    events = ToolCallStarted(CALL, "asked"), ApprovalRequested("c1", "run_it")

    assert outcome(log, process_identity.claim(), *events) == "waiting"


@pytest.mark.parametrize("decision", ["denied", "flag denied", "unattended"])
def test_a_call_that_is_not_allowed_is_denied(log: EventLog, decision: str) -> None:
    events = ToolCallStarted(CALL, decision), ToolCallFinished("c1", 0, "not run")

    assert outcome(log, *events) == "denied"


def test_a_call_that_the_user_denies_is_denied(log: EventLog) -> None:
    events = (
        ToolCallStarted(CALL, "asked"),
        ApprovalGiven("c1", False),
        ToolCallFinished("c1", 0, "not run"),
    )

    assert outcome(log, *events) == "denied"


def test_a_call_that_fails_after_it_was_allowed_has_failed(log: EventLog) -> None:
    events = (
        ToolCallStarted(CALL, "asked"),
        ApprovalGiven("c1", True),
        ToolCallFinished("c1", 0, "no such file"),
    )

    assert outcome(log, *events) == "failed"
