"""Answers that were interrupted from outside, and what the user can do about them."""

import signal
from pathlib import Path
from typing import Any

from support.start import Start, ask

from tui import conversation
from tui.conversation.entry import GO_ON
from tui.eventlog import EventLog
from tui.events import (
    MessageAdded,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Message
from tui.runtime import turn_driver
from tui.runtime.runner import request

ENDLESS = {"steps": [{"text": "One two "}, {"pause": 60}, {"text": "three"}]}
TOOL = {
    "steps": [
        {"text": "Let me look."},
        {"call": "get_current_weather", "arguments": {"location": "Tokyo"}},
    ]
}


def killed(start: Start, *script: dict[str, Any], until: str = "One two") -> None:
    """Ask in an app that is killed in the middle of the answer."""
    terminal = start(list(script))
    ask(terminal, "Count, please")
    terminal.wait_for(until)
    terminal.signal(signal.SIGKILL)
    terminal.process.wait(30)


def said(log: EventLog) -> list[tuple[str, str, str | None]]:
    newest = conversation.newest(log)
    assert newest
    entries = conversation.fold(log.read(newest.id)).entries.values()
    return [(e.message.role, e.message.text, e.finish_reason) for e in entries]


def requests(log: EventLog) -> int:
    return sum(isinstance(r.event, TurnRequested) for r in log.read())


def test_after_a_crash_all_is_there_and_nothing_is_sent(
    start: Start, log: EventLog
) -> None:
    killed(start, ENDLESS)

    again = start([{"text": "Unasked."}])
    again.wait_for("Interrupted")
    again.settle()

    assert "Count, please" in again.text
    assert "One two" in again.text
    assert "/continue resumes the answer, /retry asks again" in again.words
    assert "ready" in again.row(-1)
    assert requests(log) == 1
    assert said(log)[-1] == ("assistant", "One two ", "interrupted")


def test_continue_goes_on_from_what_was_said(start: Start, log: EventLog) -> None:
    killed(start, ENDLESS)
    again = start([{"text": "three, four."}])
    again.wait_for("Interrupted")

    ask(again, "/continue", "three, four.")

    assert said(log)[1:] == [
        ("assistant", "One two ", "interrupted"),
        ("user", GO_ON, None),
        ("assistant", "three, four.", "stop"),
    ]


def test_retry_asks_the_last_question_again(start: Start, log: EventLog) -> None:
    killed(start, ENDLESS)
    again = start([{"text": "five"}, {"text": "One, two, three."}])
    again.wait_for("Interrupted")
    ask(again, "/continue", "five")

    ask(again, "/retry", "One, two, three.")

    assert said(log)[-2:] == [
        ("user", "Count, please", None),
        ("assistant", "One, two, three.", "stop"),
    ]


def test_continue_works_when_it_was_a_tool_that_was_interrupted(
    start: Start, home: Path, log: EventLog
) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "slow.py").write_text(
        "import time\nfrom tui.tools import tool\n@tool\n"
        'def get_current_weather(location: str) -> str:\n    """Tell the weather.\n\n'
        "    Args:\n        location: Where.\n"
        '    """\n    time.sleep(60)\n    return "sunny"\n'
    )
    killed(start, TOOL, until="running get_current_weather")
    again = start([{"text": "It was not run."}])
    again.wait_for("Interrupted")

    ask(again, "/continue", "It was not run.")

    assert said(log)[-1] == ("assistant", "It was not run.", "stop")


def test_without_an_answer_continue_is_retry(start: Start, log: EventLog) -> None:
    killed(start, {"steps": [{"pause": 60}]}, until="thinking")
    again = start([{"text": "Here it is."}])
    again.wait_for("Interrupted")

    ask(again, "/continue")
    again.wait_for("Here it is.")

    assert [text for role, text, _ in said(log) if role == "user"] == ["Count, please"]


def test_there_has_to_be_something_to_go_on_with(start: Start, log: EventLog) -> None:
    terminal = start([])

    ask(terminal, "/continue")
    terminal.wait_for("Nothing to continue")
    ask(terminal, "/retry")
    terminal.wait_for("Nothing to retry")
    ask(terminal, "/takeover")
    terminal.wait_for("No answer is running")

    assert requests(log) == 0


def test_who_watches_is_told_when_the_writer_dies(start: Start, log: EventLog) -> None:
    first = start([ENDLESS])
    ask(first, "Count, please")
    first.wait_for("One two")
    second = start(None, config=(log.path.parent / "config.toml").read_text())
    second.wait_for("One two")

    first.signal(signal.SIGKILL)
    first.process.wait(30)

    second.wait_for("Interrupted")
    second.wait_for(lambda t: "ready" in t.row(-1))


def elsewhere(log: EventLog) -> str:
    """A turn that runs on another machine, or did."""
    asked = TurnRequested("scripted", runner="of another machine")
    turn, _ = request(log, "c", Message("user", "Count, please"), asked)
    owner = TurnStarted("far-away", "its boot", 4711, 1)
    log.append("c", owner, TextDelta(f"{turn}.1", "One two "), turn=turn).result(30)
    return turn


def test_what_runs_elsewhere_may_be_taken_over(start: Start, log: EventLog) -> None:
    turn = elsewhere(log)
    terminal = start([{"text": "three"}])
    terminal.wait_for("Process 4711 on far-away is writing this answer")
    assert "One two" in terminal.text

    ask(terminal, "/takeover")
    terminal.wait_for("/continue resumes")

    assert said(log)[-1] == ("assistant", "One two ", "interrupted")
    (end,) = [r for r in log.read() if isinstance(r.event, TurnFinished)]
    assert (end.turn, end.event) == (turn, TurnFinished("interrupted"))
    ask(terminal, "/continue")
    terminal.wait_for("three")


def test_what_runs_here_is_stopped_and_not_taken_over(
    start: Start, log: EventLog
) -> None:
    terminal = start([ENDLESS])
    ask(terminal, "Count, please")
    terminal.wait_for("One two")

    ask(terminal, "/takeover")
    terminal.wait_for("on this machine is answering: Esc stops it")

    assert not [r for r in log.read() if isinstance(r.event, TurnFinished)]


def test_the_message_of_a_turn_taken_over_is_not_written_twice(log: EventLog) -> None:
    """The other machine was alive after all, and goes on."""
    turn = elsewhere(log)
    turn_driver.end(log, "c", turn, "interrupted")
    turn_driver.end(log, "c", turn, "interrupted")

    messages = [r.event for r in log.read("c") if isinstance(r.event, MessageAdded)]
    assert len(messages) == 2
