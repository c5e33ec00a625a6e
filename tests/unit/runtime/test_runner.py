import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from time import monotonic, sleep
from typing import Any

import pytest
from support.terminal import wait_until

from tui import conversation, process_identity
from tui.agents import FunctionCallAgent
from tui.errors import ConfigError, LogError, ModelError
from tui.eventlog import EventLog
from tui.events import (
    CancelRequested,
    ErrorRaised,
    Event,
    MessageAdded,
    NoticeGiven,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall
from tui.models.context_window import fit, notice
from tui.models.scripted import ScriptedModel
from tui.runtime import turn_driver
from tui.runtime.runner import Runner, request


@pytest.fixture
def play(log):
    """Returns a function that starts a runner on a script."""
    runners: list[Runner] = []

    def start(*script: Any, tools=()) -> Runner:
        model = ScriptedModel(script)
        made = Runner(log, lambda _: FunctionCallAgent(model, tools))
        made.start()
        runners.append(made)
        return made

    yield start
    for made in runners:
        made.close()


def ask(log, made: Runner, text="hi", conversation_id="c") -> str:
    asked = TurnRequested("scripted", runner=made.id)
    turn, written = request(log, conversation_id, Message("user", text), asked)
    written.result(30)
    return turn


def wait(log, turn: str, kind: type[Event] = TurnFinished, conversation_id="c"):
    """Follow the log to the event of this kind of the turn; return what came."""
    events = []
    with log.follow(conversation_id) as follow:
        while True:
            records = follow.poll(30)
            assert records, f"no {kind.__name__} came, only {events}"
            for record in records:
                events.append(record.event)
                if record.turn == turn and isinstance(record.event, kind):
                    return events


def said(log, conversation_id="c"):
    entries = conversation.fold(log.read(conversation_id)).entries.values()
    return [(e.message.role, e.message.text, e.finish_reason) for e in entries]


def test_a_request_is_claimed_answered_and_ended(log, play):
    made = play(["Hel", "lo."])

    events = wait(log, ask(log, made))

    kinds = [type(event) for event in events if not isinstance(event, TextDelta)]
    assert kinds == [
        MessageAdded,
        TurnRequested,
        TurnStarted,
        MessageAdded,
        TurnFinished,
    ]
    assert said(log) == [("user", "hi", None), ("assistant", "Hello.", "stop")]
    assert events[-1] == TurnFinished("stop")


def test_a_runner_leaves_alone_what_names_another(log, play):
    made = play(["mine"])
    other = TurnRequested("scripted", runner="somebody else")
    request(log, "c", Message("user", "theirs"), other)[1].result(30)

    wait(log, ask(log, made, conversation_id="d"), conversation_id="d")

    assert said(log) == []
    assert conversation.fold(log.read("c")).requested != []


def test_two_runners_that_both_may_run_a_turn_run_it_once(log, play):
    play(["one"])
    play(["one"])
    turn, written = request(
        log, "c", Message("user", "hi"), TurnRequested("scripted", runner="")
    )
    written.result(30)

    wait(log, turn)

    assert said(log) == [("user", "hi", None), ("assistant", "one", "stop")]


def test_turns_of_one_conversation_run_one_after_the_other(log, play):
    gate = threading.Event()
    made = play(["first ", gate, "answer"], ["second answer"])

    first = ask(log, made, "1")
    wait(log, first, TextDelta)
    second = ask(log, made, "2")
    gate.set()
    events = wait(log, second)

    kinds = [type(e) for e in events if isinstance(e, TurnStarted | TurnFinished)]
    assert kinds == [TurnStarted, TurnFinished] * 2
    assert said(log) == [
        ("user", "1", None),
        ("assistant", "first answer", "stop"),
        ("user", "2", None),
        ("assistant", "second answer", "stop"),
    ]


def test_a_question_that_waited_is_the_last_thing_that_its_model_is_sent(log):
    gate = threading.Event()
    model = ScriptedModel([["first ", gate, "answer"], ["second answer"]])
    made = Runner(log, lambda _: FunctionCallAgent(model))
    made.start()

    wait(log, ask(log, made, "1"), TextDelta)
    second = ask(log, made, "2")
    gate.set()
    wait(log, second)
    made.close()

    texts = [m.text for m in model.requests[1].messages]
    assert texts == ["1", "first answer", "2"]


def test_a_turn_that_could_not_be_written_does_not_hold_up_the_next(
    log, play, monkeypatch
):
    gate, full, append = threading.Event(), threading.Event(), log.append

    def append_if_there_is_room(*args, **options):
        if not full.is_set():
            return append(*args, **options)
        refused = Future()
        refused.set_exception(LogError("The disk is full."))
        return refused

    monkeypatch.setattr(log, "append", append_if_there_is_room)
    made = play(["Half ", gate, "way"], ["Yes."])
    first = ask(log, made)
    wait(log, first, TextDelta)

    full.set()
    gate.set()
    limit = monotonic() + 10
    while not made.failure(first):
        assert monotonic() < limit
        sleep(0.01)
    full.clear()
    wait(log, ask(log, made, "again"))

    assert said(log) == [
        ("user", "hi", None),
        ("assistant", "Half ", "error"),
        ("user", "again", None),
        ("assistant", "Yes.", "stop"),
    ]


def test_turns_of_two_conversations_run_side_by_side(log, play):
    gate = threading.Event()
    made = play(["slow ", gate], ["quick"])

    slow = ask(log, made, conversation_id="slow")
    wait(log, slow, TextDelta, "slow")
    wait(log, ask(log, made, conversation_id="quick"), TurnFinished, "quick")
    gate.set()
    wait(log, slow, TurnFinished, "slow")

    assert said(log, "quick")[1] == ("assistant", "quick", "stop")


def test_cancel_from_anywhere_keeps_what_was_said(log, play):
    made = play(["kept ", threading.Event(), "never said"])
    turn = ask(log, made)
    wait(log, turn, TextDelta)

    with EventLog(log.path) as elsewhere:
        elsewhere.append("c", CancelRequested(), turn=turn).result(30)
        events = wait(log, turn)

    assert events[-1] == TurnFinished("cancelled")
    assert said(log)[-1] == ("assistant", "kept ", "cancelled")


def test_a_turn_that_waits_is_withdrawn_and_never_runs(log, play):
    gate = threading.Event()
    made = play(["first", gate], ["third"])
    first = ask(log, made, "1")
    wait(log, first, TextDelta)
    second = ask(log, made, "2")
    log.append("c", CancelRequested(), turn=second).result(30)
    wait(log, second, TurnWithdrawn)
    third = ask(log, made, "3")
    gate.set()
    wait(log, third)

    assert [text for role, text, _ in said(log) if role == "assistant"] == [
        "first",
        "third",
    ]


def test_an_error_keeps_what_was_said_and_says_why(log, play):
    made = play(["half an ", ModelError("The server broke off.", "dropped")])

    events = wait(log, ask(log, made))

    assert events[-2:] == [
        ErrorRaised("dropped", "The server broke off."),
        TurnFinished("error"),
    ]
    assert said(log)[-1] == ("assistant", "half an ", "error")


def test_a_fault_in_a_model_ends_the_turn_too(log, play, caplog):
    made = play([ZeroDivisionError("oops")])

    events = wait(log, ask(log, made))

    assert isinstance(events[-2], ErrorRaised)
    assert "ZeroDivisionError: oops" in events[-2].text
    assert events[-1] == TurnFinished("error")


def test_an_agent_that_cannot_be_made_is_one_clear_error(log):
    def refuse(_):
        raise ConfigError("No model is named x.")

    made = Runner(log, refuse)
    made.start()
    events = wait(log, ask(log, made))
    made.close()

    assert ErrorRaised("config", "No model is named x.") in events


def test_the_model_is_sent_the_conversation_so_far(log):
    model = ScriptedModel([["one"], ["two"]])
    made = Runner(log, lambda _: FunctionCallAgent(model))
    made.start()
    wait(log, ask(log, made, "first"))
    wait(log, ask(log, made, "second"))
    made.close()

    assert [(m.role, m.text) for m in model.requests[1].messages] == [
        ("user", "first"),
        ("assistant", "one"),
        ("user", "second"),
    ]


def test_turns_of_two_versions_that_wait_are_sent_their_own(log):
    gate = threading.Event()
    script = [["one"], ["two ", gate, "more"], ["uno"], ["due"], ["tre"]]
    model = ScriptedModel(script)
    made = Runner(log, lambda _: FunctionCallAgent(model))
    made.start()
    asked = TurnRequested("m", runner=made.id)
    first = ask(log, made, "1")
    wait(log, first)
    second = ask(log, made, "2")
    wait(log, second, TextDelta)

    again = TurnRequested("m", parent=f"{first}.0", runner=made.id)
    other, _ = request(log, "c", None, again)
    request(log, "c", Message("user", "3"), asked, parent=second)
    last, _ = request(log, "c", Message("user", "4"), asked, parent=other)
    gate.set()
    wait(log, last)
    made.close()

    assert [[m.text for m in r.messages] for r in model.requests[2:]] == [
        ["1"],
        ["1", "one", "2", "two more", "3"],
        ["1", "uno", "4"],
    ]


def test_what_is_left_out_is_told_once_a_turn_with_the_first_message_sent(log):
    class Short(ScriptedModel):
        def generate(self, messages, tools, turn):
            fitted = fit(messages, len, lambda _: 1, 3)
            if fitted.left_out:
                yield notice(fitted, "short", 3, turn)
            return (yield from super().generate(fitted.messages, tools, turn))

    calls = [[ToolCall(str(n), "nothing", {})] for n in range(2)]
    model = Short([["one"], *calls, ["two"]])
    made = Runner(log, lambda _: FunctionCallAgent(model))
    made.start()
    first = ask(log, made, "first")
    wait(log, first)
    second = ask(log, made, "second")
    wait(log, second)
    made.close()

    told = [
        (r.event.left_out, r.event.first_message_id)
        for r in log.read("c")
        if isinstance(r.event, NoticeGiven) and r.event.left_out
    ]
    # Two messages when there is one round of calls, four when there are two.
    assert told == [(2, f"{second}.0"), (4, f"{second}.0")]


DYING = """
import sys, threading
from pathlib import Path
from tui.agents import FunctionCallAgent
from tui.eventlog import EventLog
from tui.events import TurnRequested
from tui.messages import Message
from tui.models.scripted import ScriptedModel
from tui.runtime.runner import Runner, request
log = EventLog(Path(sys.argv[1]))
model = ScriptedModel([["half an ", threading.Event()]])
runner = Runner(log, lambda _: FunctionCallAgent(model))
runner.start()
request(log, "c", Message("user", "hi"), TurnRequested("m", runner=runner.id))
threading.Event().wait()
"""


def test_a_turn_whose_process_was_killed_is_ended_once_as_interrupted(log, play):
    dying = subprocess.Popen([sys.executable, "-c", DYING, str(log.path)])
    with log.follow("c") as follow:
        turn = ""
        while not turn:
            records = follow.poll(30)
            assert records, "the other process says nothing"
            turn = next((r.turn for r in records if isinstance(r.event, TextDelta)), "")
    turn_driver.end_if_gone(log, "c")
    assert not any(isinstance(r.event, TurnFinished) for r in log.read("c"))

    os.kill(dying.pid, signal.SIGKILL)
    dying.wait(30)
    turn_driver.end_if_gone(log, "c")
    turn_driver.end_if_gone(log, "c")

    ends = [r.event for r in log.read("c") if isinstance(r.event, TurnFinished)]
    assert ends == [TurnFinished("interrupted")]
    assert said(log)[-1] == ("assistant", "half an ", "interrupted")
    made = play(["whole"])
    wait(log, ask(log, made, "again"))
    assert said(log)[-1] == ("assistant", "whole", "stop")


def test_a_reused_pid_or_another_boot_is_not_taken_for_the_owner():
    mine = process_identity.claim()
    assert not process_identity.is_gone(mine)
    assert process_identity.is_gone(
        TurnStarted(mine.host, mine.boot_id, mine.pid, mine.process_start + 1)
    )
    before = TurnStarted(mine.host, "before", mine.pid, 1, mine.machine)
    assert process_identity.is_gone(before)
    # Another machine of the same name, or a log that does not say which: it may live.
    assert not process_identity.is_gone(
        TurnStarted(mine.host, "before", mine.pid, 1, "other")
    )
    assert not process_identity.is_gone(TurnStarted(mine.host, "before", mine.pid, 1))
    assert not process_identity.is_gone(TurnStarted("elsewhere", "before", 1, 1))


def test_a_turn_that_an_older_store_brings_back_as_running_holds_up_nothing(
    tmp_path,
):
    path, older = tmp_path / "lazychat.db", tmp_path / "older.db"
    told: list[str] = []
    backed_up = threading.Event()

    class Answering:
        def run(self, messages: Any, turn: Any = None) -> Any:
            yield TextDelta(f"{turn.id}.1", "Half ")
            assert backed_up.wait(30)
            said = Message("assistant", "Half an answer.")
            yield MessageAdded(f"{turn.id}.1", said)
            return said

    with EventLog(path, told.append) as log:
        made = Runner(log, lambda _: Answering())
        made.start()
        turn = ask(log, made)
        wait(log, turn, TextDelta)
        log.backup(older)
        backed_up.set()
        wait(log, turn)
        older.replace(path)
        wait(log, ask(log, made, "while it is noticed"))
        wait_until(lambda: told)

        later = ask(log, made, "and?")

        wait(log, later)
        ends = [record for record in log.read("c") if record.turn == turn]
        assert ends[-1].event == TurnFinished("interrupted")
        made.close()
