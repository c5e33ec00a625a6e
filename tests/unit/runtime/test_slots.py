"""Turns that wait for the user leave their slots to others."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import asking_tool

from tui import config
from tui.conversation import approvals, fold
from tui.events import (
    ApprovalGiven,
    ApprovalRequested,
    Event,
    TurnFinished,
    TurnRequested,
)
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel
from tui.runtime.host import Host
from tui.runtime.runner import request
from tui.runtime.slots import Slot, Slots

LIMIT = 30.0


def test_no_more_than_so_many_run_and_the_rest_wait_in_order() -> None:
    slots, begun, end = Slots(2, "test"), list[int](), threading.Event()
    both = threading.Barrier(3)

    def work(number: int) -> Callable[[Slot], None]:
        def run(slot: Slot) -> None:
            begun.append(number)
            if number < 2:
                both.wait(LIMIT)
                end.wait(LIMIT)

        return run

    for number in range(4):
        slots.submit(work(number))
    both.wait(LIMIT)
    assert sorted(begun) == [0, 1]
    end.set()
    slots.join()

    assert sorted(begun) == [0, 1, 2, 3]


def test_a_slot_that_is_left_is_free_once_however_many_calls_wait() -> None:
    slots, end = Slots(1, "test"), threading.Event()
    second, third = threading.Event(), threading.Event()

    def waits(slot: Slot) -> None:
        with slot.left(), slot.left():
            assert second.wait(LIMIT)
            assert not third.is_set()
            end.set()

    def runs(slot: Slot) -> None:
        second.set()
        end.wait(LIMIT)

    slots.submit(waits)
    slots.submit(runs)
    slots.submit(lambda slot: third.set())
    slots.join()

    assert third.is_set()


@pytest.fixture
def host(home: Path) -> Iterator[Host]:
    asking_tool.add(home)
    host = Host(config.parse(""))
    calls = [ToolCall("call", "run_it", {"command": "x"})]
    host.models._models["asks"] = ScriptedModel([calls] * 8 + ["Done."] * 8)
    host.models._models["answers"] = ScriptedModel(["Hello."])
    host.load_tools()
    host.start()
    yield host
    host.close()


def ask(host: Host, conversation: str, model: str) -> None:
    asked = TurnRequested(model, tools=("run_it",), runner=host.runner.id)
    _, written = request(host.log, conversation, Message("user", "hi"), asked)
    written.result(LIMIT)


def until(host: Host, conversation: str, kind: type[Event]) -> None:
    with host.log.follow(conversation, 0) as follow:
        while records := follow.poll(LIMIT):
            if any(isinstance(record.event, kind) for record in records):
                return
    raise AssertionError(f"no {kind.__name__}")


def test_a_ninth_conversation_is_answered_while_eight_ask(host: Host) -> None:
    for number in range(8):
        ask(host, f"c{number}", "asks")
        until(host, f"c{number}", ApprovalRequested)

    ask(host, "ninth", "answers")
    until(host, "ninth", TurnFinished)

    for number in range(8):
        id = f"c{number}"
        (question,) = fold(host.log.read(id)).approvals.questions
        given = ApprovalGiven(question.request.call_id, False)
        approvals.answer(host.log, id, question, given).result(LIMIT)
    host.runner.finish()
    assert host.runner.busy is False
