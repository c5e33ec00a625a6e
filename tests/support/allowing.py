"""A user who allows a call, after something has happened."""

from collections.abc import Callable, Generator
from typing import Any

from tui.events import ApprovalGiven, ApprovalRequested, Event
from tui.messages import ToolCall, ToolResult
from tui.tools import ToolBox
from tui.turn import Turn


class Meanwhile:
    """Allows a call, after something has happened."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.asked: list[ApprovalRequested] = []
        self._happens = happens

    def recorded(self, call_id: str) -> None:
        pass

    def granted(self, tool: str, origin: str, subject: str, folder: str) -> str:
        return ""

    def answered(self, request: ApprovalRequested) -> ApprovalGiven | None:
        return None

    def wait(self, request: ApprovalRequested) -> ApprovalGiven:
        self.asked.append(request)
        self._happens()
        return ApprovalGiven(request.call_id, True)


def allowed(
    box: ToolBox, name: str, arguments: dict[str, Any], happens: Callable[[], object]
) -> ToolResult:
    turn = Turn()
    turn.approver = approver = Meanwhile(happens)
    run = box.run(ToolCall("1", name, arguments), turn)
    result = drained(run)
    assert len(approver.asked) == 1, result
    return result


def drained(run: Generator[Event, None, ToolResult]) -> ToolResult:
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value
