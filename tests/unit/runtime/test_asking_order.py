"""The calls of one message ask the user in their order, however long each takes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui import config
from tui.conversation import approvals, fold
from tui.events import ApprovalGiven, ApprovalRequested, TurnFinished, TurnRequested
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel
from tui.runtime.host import Host
from tui.runtime.runner import request
from tui.tools import Tool
from tui.tools.policy import Preview

LIMIT = 30.0


@pytest.fixture
def host(home: Path) -> Iterator[Host]:
    host = Host(config.parse(""))
    yield host
    host.close()


def start(host: Host, tool: "Tool[..., object]", *names: str) -> str:
    calls = [ToolCall(f"call{n}", tool.name, {"name": n}) for n in names]
    host.models._models["starter"] = ScriptedModel([calls, "Done."])
    host._add([tool])
    host.start()
    asked = TurnRequested("starter", tools=(tool.name,), runner=host.runner.id)
    turn, written = request(host.log, "c", Message("user", "hi"), asked)
    written.result(LIMIT)
    return turn


def asked(host: Host, count: int) -> list[str]:
    """Return the calls that asked, in the order of the log, once there are `count`."""
    found: list[str] = []
    with host.log.follow("c", 0) as follow:
        while len(found) < count and (records := follow.poll(LIMIT)):
            events = [record.event for record in records]
            found += [e.call_id for e in events if isinstance(e, ApprovalRequested)]
    return found


def ended(host: Host) -> None:
    with host.log.follow("c", 0) as follow:
        while records := follow.poll(LIMIT):
            if any(isinstance(record.event, TurnFinished) for record in records):
                return
    raise AssertionError("the turn did not end")


def test_a_question_that_is_ready_first_waits_for_those_of_earlier_calls(
    host: Host,
) -> None:
    last_is_ready = threading.Event()

    def shown(name: str) -> Preview:
        if name == "c":
            last_is_ready.set()
        else:
            assert last_is_ready.wait(LIMIT)
        return Preview("arguments", name, name)

    def do(name: str) -> object:
        """Do it."""
        return name

    start(host, Tool(do, policy="ask", preview=shown), "a", "b", "c")

    assert asked(host, 3) == ["calla", "callb", "callc"]
    questions = fold(host.log.read("c")).approvals.questions
    for question in questions:
        given = ApprovalGiven(question.request.call_id, False)
        approvals.answer(host.log, "c", question, given).result(LIMIT)
    ended(host)


def test_an_earlier_call_that_fails_or_runs_holds_up_no_question(host: Host) -> None:
    def shown(name: str) -> Preview:
        if name == "a":
            raise ValueError("it cannot be shown")
        return Preview("arguments", name, name)

    def do(name: str) -> object:
        """Do it."""
        return name

    start(host, Tool(do, policy="ask", preview=shown), "a", "b")

    assert asked(host, 1) == ["callb"]
