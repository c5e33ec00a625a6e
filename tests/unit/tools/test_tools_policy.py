"""Which calls of tools run, which ask the user first, and what the user is asked."""

import threading
from collections.abc import Generator

import pytest

from tui.events import ApprovalGiven, ApprovalRequested, Event, ToolCallStarted
from tui.grants import Grant
from tui.messages import ToolCall, ToolResult
from tui.tools import Tool, ToolBox, tool
from tui.tools.approval import Rules
from tui.tools.policy import Preview
from tui.turn import Turn


def play(run: Generator[Event, None, ToolResult]) -> tuple[list[Event], ToolResult]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def shown(a: int) -> Preview:
    return Preview("command", f"run {a}", f"run {a}")


@tool(policy="ask", preview=shown, timeout=0.5)
def asks(a: int) -> int:
    """Ask first."""
    return a


class Asks:
    """Answers each question, and notes it."""

    def __init__(self, allow: bool = True, reason: str = "", granted: str = ""):
        self.given = ApprovalGiven("c", allow, reason=reason)
        self.by = granted
        self.asked: list[ApprovalRequested] = []
        self.steps: list[str] = []

    def recorded(self, call_id: str) -> None:
        self.steps.append(f"recorded {call_id}")

    def granted(self, tool: str, origin: str, subject: str, folder: str) -> str:
        self.steps.append(f"granted {tool} {subject}")
        return self.by

    def answered(self, request: ApprovalRequested) -> ApprovalGiven | None:
        return None

    def wait(self, request: ApprovalRequested) -> ApprovalGiven:
        self.asked.append(request)
        return self.given


def decided(box: ToolBox, approver: Asks | None, **arguments):
    turn = Turn()
    turn.approver = approver
    events, result = play(box.run(ToolCall("c", "asks", arguments or {"a": 1}), turn))
    started = events[0]
    assert isinstance(started, ToolCallStarted)
    return started.decision, result


def test_a_tool_that_asks_is_decided_in_the_order_of_strength():
    allow, deny = Grant("asks"), Grant("asks", pattern="run *")
    cases = [
        (Rules(), Asks(), "asked", True),
        (Rules(), Asks(False), "asked", False),
        (Rules(), Asks(granted="always"), "always", True),
        (Rules(), Asks(granted="conversation"), "conversation", True),
        (Rules({"asks": "ask"}), Asks(granted="always"), "asked", True),
        (Rules({"asks": "ask"}), Asks(granted="conversation"), "conversation", True),
        (Rules({"asks": "allow"}), Asks(), "policy", True),
        (Rules({"asks": "deny"}, (allow,)), Asks(granted="always"), "denied", False),
        (Rules(attended=False), Asks(), "unattended", False),
        (Rules(allow=(allow,), attended=False), Asks(), "flag", True),
        (Rules(allow=(allow,), deny=(deny,)), Asks(), "flag denied", False),
        (Rules({"asks": "allow"}, deny=(deny,)), Asks(), "flag denied", False),
        (Rules(), None, "", True),
        (Rules({"asks": "deny"}), None, "", False),
    ]

    for rules, approver, decision, runs in cases:
        found, result = decided(ToolBox([asks], rules=rules), approver)
        assert (found, result.error is None) == (decision, runs), (rules, decision)


def test_the_start_is_recorded_before_anything_is_asked_or_run():
    approver = Asks()

    decided(ToolBox([asks]), approver)

    assert approver.steps == ["granted asks run 1", "recorded c"]
    assert approver.asked == [
        ApprovalRequested(
            "c", "asks", kind="command", text="run 1", subject="run 1", pattern="run 1"
        )
    ]


def test_the_time_limit_does_not_run_while_the_user_is_asked():
    class Slow(Asks):
        def wait(self, request: ApprovalRequested) -> ApprovalGiven:
            threading.Event().wait(0.6)
            return self.given

    decision, result = decided(ToolBox([asks]), Slow())

    assert (decision, result.error) == ("asked", None)


def test_without_a_preview_the_arguments_are_shown():
    @tool(policy="ask", name="asks")
    def plain(a: int) -> int:
        """Ask first."""
        return a

    approver = Asks()
    decided(ToolBox([plain]), approver)

    assert approver.asked == [ApprovalRequested("c", "asks", text='{\n  "a": 1\n}')]


@pytest.mark.parametrize(
    ("preview", "error"),
    [
        (lambda a: 1 / 0, "asks failed: ZeroDivisionError: division by zero"),
        (lambda a: "text", "asks was not run: its preview is a str, not a Preview."),
        (
            lambda a: Preview("diff", "x" * 200_001),
            "asks was not run: nobody can check 200,001 characters; do it in smaller "
            "steps, of 200,000 at most.",
        ),
    ],
)
def test_a_call_that_cannot_be_shown_is_not_run(preview, error):
    ran = []

    def act(a: int) -> None:
        """Ask first."""
        ran.append(a)

    box = ToolBox([Tool(act, name="asks", policy="ask", preview=preview)])
    _, result = decided(box, Asks())

    assert result.error == error
    assert ran == []


def test_a_preview_cannot_change_what_is_run():
    def preview(a: list[int]) -> Preview:
        a.append(2)
        return Preview("arguments", "one")

    def act(a: list[int]) -> list[int]:
        """Ask first."""
        return a

    box = ToolBox([Tool(act, name="asks", policy="ask", preview=preview)])
    _, result = decided(box, Asks(), a=[1])

    assert result.output == "[1]"


def test_wrong_arguments_are_an_error_before_anybody_is_asked():
    approver = Asks()

    _, result = decided(ToolBox([asks]), approver, a="x")

    assert result.error
    assert approver.asked == []
