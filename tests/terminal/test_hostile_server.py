"""Servers that send without end: what that costs, what is kept and what is told."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes.hostile_server import HostileServer
from support.fault_notes import Tried
from support.processes import memory, processor_seconds
from support.start import Start
from support.terminal import Terminal

from tui import conversation
from tui.errors import ModelError
from tui.eventlog import EventLog
from tui.events import Event, ReasoningDelta, TextDelta, TurnFinished
from tui.messages import Message
from tui.models.openai.model import OpenAIModel
from tui.models.reply import CHARACTERS
from tui.turn import Turn

pytestmark = pytest.mark.new_process  # /proc shows its end

GROWTH = 100
"""MB that the process may grow by, whatever is sent."""
GROWTH_BY_TEXT = 140
"""The same where all the text that an answer may have is laid out and stored."""


def config(url: str) -> dict[str, object]:
    model = {"provider": "openai", "model": "x", "base_url": url}
    return {"model": "hostile", "models": {"hostile": model}}


def ask(terminal: Terminal) -> float:
    """Ask; return the memory before in MB."""
    terminal.settle()
    before = memory(terminal.process.pid, "VmRSS")
    terminal.type("go")
    terminal.press("enter")
    return before


def grown(terminal: Terminal, before: float) -> float:
    return memory(terminal.process.pid, "VmHWM") - before


TOLD = {
    "line": (200, "a line of more than 4 MB"),
    "data lines": (200, "an event of more than 4 MB"),
    "gzip": (200, "a line of more than 4 MB"),
    "delta": (50, "a line of more than 4 MB"),
    "error": (200, "refused the request (400)"),
    "gzip error": (200, "refused the request (400)"),
    "document": (200, "an answer of more than 4 MB"),
    "page": (200, "answered with a web page"),
    "arguments": (50, "tool arguments of more than 1 MB"),
    "calls": (5, "more than 128 tool calls at once"),
    "called in text": (5, "more than 128 tool calls at once"),
    "name": (3, "a tool's name of more than 1000 characters"),
}
"""Megabytes that are sent of each attack, and what is told of it."""


@pytest.mark.parametrize("attack", TOLD)
def test_what_has_no_end_is_cut_off_and_told(
    start: Start, tried: Tried, attack: str
) -> None:
    size, told = TOLD[attack]
    with HostileServer(attack, size) as server:
        terminal = start(config=config(server.url))

        before = ask(terminal)

        terminal.wait_for(lambda t: told in t.words)
        terminal.wait_for(lambda t: "error" in t.row(-1))
        assert grown(terminal, before) < GROWTH
        if size > 4:  # else it may all be on its way
            assert server.wait_gone() < size << 20
    tried("a server that sends without end")


@pytest.mark.parametrize("attack", ["words", "wide", "reasoning", "delta"])
def test_a_long_answer_in_one_event_leaves_the_keys_alone(
    start: Start, tried: Tried, attack: str
) -> None:
    with HostileServer(attack, 3.9) as server:
        terminal = start(config=config(server.url))
        before = ask(terminal)

        for letter in "abcdefgh":
            terminal.type(letter)
            terminal.wait_for(
                lambda t, letter=letter: any(letter in row for row in t.display[-4:])
            )
        terminal.wait_for(lambda t: t.row(-1).split()[1] in ("ready", "error"), 30)

        assert grown(terminal, before) < GROWTH_BY_TEXT
        terminal.press("ctrl+u", "ctrl+q")
        assert terminal.wait_exit() == 0
    tried("an answer of megabytes at once")


def test_a_flood_is_stopped_by_esc_and_what_came_is_kept(
    start: Start, home: Path, tried: Tried
) -> None:
    with HostileServer("flood", 500) as server:
        terminal = start(config=config(server.url))
        before = ask(terminal)
        terminal.wait_for(lambda t: re.search(r"w\d{3} w", t.text))

        used = processor_seconds(terminal.process.pid)
        terminal.press("escape")
        terminal.wait_for("Cancelled")
        used = processor_seconds(terminal.process.pid) - used

        server.wait_gone()
        assert grown(terminal, before) < GROWTH
        assert used < 1.0  # 0.2 s of a processor
    (answer,) = answers(home)
    words = answer.split()
    assert words == [f"w{number % 1000:03}" for number in numbers(words)]
    tried("a flood of deltas, stopped by Esc")


def numbers(words: list[str]) -> Iterator[int]:
    """Count as the flood does, which begins anew with each event repeated."""
    repeats = next(i for i, word in enumerate(words) if word != words[0])
    return (i // repeats for i in range(len(words)))


def test_a_flood_ends_at_the_limit_of_an_answer(
    start: Start, home: Path, tried: Tried
) -> None:
    with HostileServer("flood of lines", 200) as server:
        terminal = start(config=config(server.url))

        before = ask(terminal)

        terminal.wait_for(lambda t: "2,097,152 characters" in t.words, 30)
        assert grown(terminal, before) < GROWTH_BY_TEXT
    (answer,) = answers(home)
    assert len(answer) == CHARACTERS
    tried("a flood of deltas, to its end")


def answers(home: Path) -> list[str]:
    with EventLog(home / "lazychat.db") as log:
        newest = conversation.newest(log)
        assert newest
        follow = log.follow(newest.id)
        records = log.read(newest.id)
        while not any(isinstance(record.event, TurnFinished) for record in records):
            records += follow.poll(30)
        follow.close()
    entries = conversation.fold(records).entries.values()
    return [e.message.text for e in entries if e.message.role == "assistant"]


def said(attack: str, size: float) -> tuple[list[Event], ModelError]:
    events: list[Event] = []
    with HostileServer(attack, size) as server:
        model = OpenAIModel("test", "x", server.url, max_retries=0)
        with pytest.raises(ModelError) as caught:
            events.extend(model.generate([Message("user", "q")], (), Turn("t")))
        model.close()
    return events, caught.value


def test_an_answer_in_one_event_comes_in_pieces() -> None:
    events, error = said("words", 3)

    deltas = [event.text for event in events if isinstance(event, TextDelta)]
    assert max(map(len, deltas)) <= 16 << 10
    assert len("".join(deltas)) == CHARACTERS
    assert "the text so far is kept" in str(error).lower()


def test_reasoning_counts_as_text_does() -> None:
    events, error = said("reasoning", 3)

    deltas = [event.text for event in events if isinstance(event, ReasoningDelta)]
    assert len("".join(deltas)) == CHARACTERS
    assert error.kind == "dropped"


def test_a_list_of_models_without_end_is_done_without() -> None:
    with HostileServer("models", 200) as server:
        model = OpenAIModel("test", "x", server.url)

        before = memory(os.getpid(), "VmRSS")
        model.learn_window()

        model.close()
        assert model.window == 0
        assert memory(os.getpid(), "VmRSS") - before < GROWTH
