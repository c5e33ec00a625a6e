"""Two terminals on one conversation: both show the same, and either may act."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.start import Start, ask
from support.terminal import Terminal

from tui import conversation
from tui.eventlog import EventLog
from tui.events import TurnFinished, TurnWithdrawn

WORDS = [f"word{n} " for n in range(40)]
COUNT = [
    {"text": "".join(WORDS[:10])},
    {"wait_for": "go"},
    {"text": "".join(WORDS[10:])},
]
HELD = {"reply": [{"steps": COUNT}] * 3, "rate": 20}
"""Counts to 10, and on when it is let go: a second app may take its time to start."""
ENDLESS = [{"steps": [{"text": "word0 word1 word2 word3 "}, {"pause": 60}]}] * 2

Pair = Callable[[Any], tuple[Terminal, Terminal]]


@pytest.fixture
def pair(start: Start, log: EventLog) -> Pair:
    """Start two apps; the first has asked, and both show the beginning."""

    def start_two(script: Any) -> tuple[Terminal, Terminal]:
        first = start(script)
        ask(first, "Count, please")
        first.wait_for("word3")
        config = (log.path.parent / "config.toml").read_text()
        second = start(None, "-c", config=config)
        second.wait_for("word3")
        return first, second

    return start_two


def pane(terminal: Terminal) -> list[str]:
    """The conversation as it is on the screen."""
    edge = next(n for n, row in enumerate(terminal.display) if row.startswith("╭"))
    return terminal.display[:edge]


def release_answer(log: EventLog) -> None:
    (log.path.parent / "go").touch()


def ready(terminal: Terminal) -> bool:
    return "ready" in terminal.row(-1)


def wait_until_same(first: Terminal, second: Terminal) -> None:
    """Wait until both show the same; what neither is asked for is not read."""

    def same(_: Terminal) -> bool:
        second.written_within(0.02)
        return pane(first) == pane(second)

    first.wait_for(same)


def has_footer(terminal: Terminal) -> bool:
    return any("scripted · " in row for row in pane(terminal))


def ends(log: EventLog) -> list[str]:
    events = [record.event for record in log.read()]
    return [event.reason for event in events if isinstance(event, TurnFinished)]


def test_both_show_the_same_live(pair: Pair, log: EventLog) -> None:
    first, second = pair(HELD)
    assert "word10" not in second.text

    release_answer(log)
    second.wait_for("word10")
    first.wait_for("word10")
    second.wait_for("word39")
    first.wait_for(ready)
    second.wait_for(ready)
    first.wait_for(has_footer)  # it comes after the answer, in a frame of its own
    second.wait_for(has_footer)

    assert pane(first) == pane(second)


def test_a_frame_of_one_is_never_ahead_of_the_store(pair: Pair, log: EventLog) -> None:
    _, second = pair(HELD)

    release_answer(log)
    for _ in range(5):
        second.written_within(0.1)
        shown = [int(n) for n in re.findall(r"word(\d+)", second.text)]
        newest = conversation.newest(log)
        assert newest
        entries = conversation.fold(log.read(newest.id)).entries.values()
        stored = [int(n) for e in entries for n in re.findall(r"\d+", e.message.text)]
        assert shown == stored[: len(shown)]


def test_the_other_may_cancel(pair: Pair, log: EventLog) -> None:
    first, second = pair(ENDLESS)

    second.press("escape")

    for terminal in (first, second):
        terminal.wait_for("Cancelled")
        terminal.wait_for(ready)
    assert ends(log) == ["cancelled"]
    wait_until_same(first, second)


def test_the_other_may_send_the_next_message(pair: Pair, log: EventLog) -> None:
    first, second = pair(HELD)

    ask(second, "And again?")
    for terminal in (first, second):
        terminal.wait_for("Queued: And again?")
    release_answer(log)
    for terminal in (first, second):
        terminal.wait_for(lambda t: t.words.count("word39") == 2)
        terminal.wait_for(ready)

    assert ends(log) == ["stop", "stop"]
    wait_until_same(first, second)
    assert "waits" not in first.text


def test_what_one_has_queued_the_other_may_take_back(pair: Pair, log: EventLog) -> None:
    first, second = pair(ENDLESS)
    ask(first, "And again?")
    second.wait_for("Queued: And again? · Alt+Up takes it back")

    second.send(b"\x1b[1;3A")

    for terminal in (first, second):
        terminal.wait_for("Taken back: And again?")
        terminal.wait_for(lambda t: "waits" not in t.text)
    # It is given back to whoever took it, and what runs goes on.
    second.wait_for(lambda t: "And again?" in t.row(-3))
    assert "Message (Enter" in first.row(-3)
    assert ends(log) == []
    assert len([r for r in log.read() if isinstance(r.event, TurnWithdrawn)]) == 1


def test_one_may_leave_and_the_other_stays_live(pair: Pair, log: EventLog) -> None:
    first, second = pair(HELD)

    second.press("ctrl+q")
    assert second.wait_exit() == 0
    release_answer(log)
    first.wait_for("word39")
    first.wait_for(ready)

    assert ends(log) == ["stop"]


def test_when_the_one_that_asked_hangs_up_the_other_stays_live(
    pair: Pair, log: EventLog
) -> None:
    first, second = pair(HELD)

    first.hang_up()
    release_answer(log)

    second.wait_for("word39")
    second.wait_for(ready)
    assert ends(log) == ["stop"]
