"""The app over a real ssh, near and far: OpenSSH's server, and a line that is slow.

The limits here are wide, for machines that are busy with other things; what holds on
an idle one is measured by tests/bench/ssh_link.py.
"""

import re
import select
import socket
import statistics
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

from bench.harness.app import latencies
from support.fakes.sse_server import DONE, Pause, SSEServer, finish, text
from support.ssh import Link
from support.start import Start, ask, write_config
from support.terminal import Terminal

from tui.eventlog import EventLog
from tui.events import TurnFinished

SLOW = {"rate": 10_000, "round_trip": 0.1}
SOON = 3.0
"""Seconds within which what should be seen at once is seen, on a busy machine."""


class Beat(Pause):
    """Waits `seconds` in the server, each time, and notes when."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.times: list[float] = []

    def hold(self, client: socket.socket) -> bool:
        self.times.append(monotonic())
        return not select.select([client], [], [], self.seconds)[0]


def words(number: int) -> list[str]:
    return [f"w{each:05d}" for each in range(number)]


def say(server: SSEServer, number: int, seconds: float) -> Beat:
    """Have the server say so many words, one in so many seconds, and "theend"."""
    beat = Beat(seconds)
    steps = [step for word in words(number) for step in (beat, text(f"{word} "))]
    server.answer(*steps, text("theend"), finish(), DONE)
    return beat


def config(server: SSEServer) -> dict[str, Any]:
    model = {"provider": "openai", "model": "fake", "base_url": server.url}
    return {"model": "remote", "models": {"remote": model | {"max_retries": 0}}}


def far(link: Link) -> None:
    """Make the line slow."""
    link.relay.rate, link.relay.round_trip = SLOW["rate"], SLOW["round_trip"]


def newest(terminal: Terminal) -> int:
    return max(map(int, re.findall(r"w(\d{5})", terminal.text)), default=-1)


def said(terminal: Terminal) -> list[str]:
    return re.findall(r"w\d{5}|theend", terminal.text)


def leave(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


# -- the main job


def test_a_streamed_answer_is_whole_and_the_terminal_is_given_back(
    start_remote: Start, server: SSEServer
) -> None:
    say(server, 250, 0.005)
    terminal = start_remote(config=config(server))

    ask(terminal, "Go on")
    terminal.wait_for("w00005")
    terminal.type("typed meanwhile")
    terminal.wait_for("typed meanwhile")
    terminal.resize(100, 50)
    terminal.wait_for(lambda t: "F1 help" in t.row(49))
    assert "theend" not in terminal.text
    terminal.wait_for("theend")
    terminal.wait_for("ready")
    terminal.settle()

    assert said(terminal) == [*words(250), "theend"]
    leave(terminal)


def test_colours_are_256_as_ssh_does_not_pass_colorterm_on(
    start_remote: Start,
) -> None:
    terminal = start_remote([{"text": "A **bold** word."}])
    ask(terminal, "Say")
    terminal.wait_for("bold word")

    assert b"38;5;" in terminal.raw
    assert b"8;2;" not in terminal.raw
    x, y = terminal.find("bold word")
    assert re.fullmatch("[0-9a-f]{6}", terminal.cells(y)[x].fg)
    assert terminal.cells(y)[x].fg != terminal.cells(y)[x].bg


def test_a_dumb_terminal_at_the_other_end_gets_plain_mode(link: Link) -> None:
    with link.terminal([sys.executable, "-m", "tui"], term="dumb") as terminal:
        terminal.wait_for("You:")
        terminal.press("ctrl+d")
        assert terminal.wait_exit() == 0

        assert "lazychat in plain mode" in terminal.words
        assert b"\x1b" not in terminal.raw


# -- far away


def test_a_slow_line_shows_the_whole_answer_no_old_news_and_echoes_keys(
    start_remote: Start, link: Link, server: SSEServer
) -> None:
    beat = say(server, 300, 0.01)
    terminal = start_remote(config=config(server), columns=120, rows=40)
    far(link)
    seen: list[tuple[float, int]] = []
    echoes: list[float] = []
    typed, pressed = "", 0.0

    def ended(terminal: Terminal) -> bool:
        nonlocal typed, pressed
        largest, now = newest(terminal), monotonic()
        if largest > (seen[-1][1] if seen else -1):
            seen.append((now, largest))
        if pressed and typed in terminal.text:
            echoes.append(now - pressed)
            pressed = 0.0
        if not pressed and largest > 30 * (len(typed) + 1):
            typed, pressed = typed + "zxqjvkby"[len(typed) % 8], now
            terminal.press(typed[-1])
        return "theend" in terminal.text

    ask(terminal, "Go on")
    terminal.wait_for(ended, 30)
    terminal.settle()

    assert said(terminal) == [*words(300), "theend"]
    ages = latencies(seen, dict(enumerate(beat.times)))
    assert len(ages) == 300
    assert statistics.median(ages) < SOON * 500
    assert len(echoes) >= 5
    assert statistics.median(echoes) < SOON


def test_escape_on_a_slow_line_stops_the_server_and_quiets_the_screen(
    start_remote: Start, link: Link, server: SSEServer
) -> None:
    say(server, 2000, 0.01)
    terminal = start_remote(config=config(server), columns=120, rows=40)
    far(link)
    ask(terminal, "Go on")
    terminal.wait_for("w00100")

    pressed = monotonic()
    terminal.press("escape")
    assert server.gone.wait(SOON)
    terminal.wait_for("Cancelled", SOON)
    shown = newest(terminal)
    assert monotonic() - pressed < 2 * SOON
    terminal.written_within(0.5)

    assert newest(terminal) == shown
    assert "theend" not in terminal.text
    leave(terminal)


def test_when_a_dead_line_lives_again_it_shows_the_newest_and_not_all_between(
    start_remote: Start, link: Link, server: SSEServer, home: Path
) -> None:
    pause = Pause()
    # In few pieces, which are read before the screen sends more into the dead line.
    pieces = [words(2000)[at : at + 100] for at in range(0, 2000, 100)]
    steps = [text(" ".join([*piece, ""])) for piece in pieces]
    server.answer(text("begun "), pause, *steps, text("theend"), finish(), DONE)
    terminal = start_remote(config=config(server), columns=120, rows=40)
    ask(terminal, "Go on")
    terminal.wait_for("begun")
    pause.reached()

    link.relay.freeze()
    before = link.relay.carried
    pause.go()
    with closing(EventLog(home / "lazychat.db")) as log:
        for records in log.follow():
            if any(isinstance(record.event, TurnFinished) for record in records):
                break
    link.relay.thaw()
    terminal.wait_for("theend")

    # 14,000 bytes of words, which fill the screen four times over.
    assert link.relay.carried - before < 10_000
    terminal.wait_for("ready")
    terminal.settle()
    shown = said(terminal)
    assert shown == [*words(2000), "theend"][-len(shown) :]
    assert len(shown) > 300


def test_answers_that_come_late_lose_nothing(
    start_remote: Start, link: Link, server: SSEServer
) -> None:
    """Later than the second after which a terminal is taken to be dumb."""
    say(server, 80, 0.01)
    terminal = start_remote(config=config(server))
    link.relay.round_trip = 1.1

    ask(terminal, "Go on")
    terminal.wait_for("theend")
    terminal.wait_for("ready")
    terminal.settle()

    assert said(terminal) == [*words(80), "theend"]
    link.relay.round_trip = 0.0
    leave(terminal)


def test_answers_under_way_are_not_typed_into_the_shell(
    link: Link, server: SSEServer, home: Path
) -> None:
    say(server, 500, 0.01)
    file = write_config(home, None, config(server))
    app = [sys.executable, "-m", "tui", "--config", str(file)]
    # What comes in the second after is echoed by the tty.
    then_listen = ["sh", "-c", '"$@"; echo LEFT; sleep 1; echo THEN', "sh"]
    with link.terminal([*then_listen, *app]) as terminal:
        terminal.wait_for("Message")
        link.relay.round_trip = 0.4
        ask(terminal, "Go on")
        terminal.wait_for("w00050")

        terminal.press("ctrl+q")
        terminal.wait_for("An answer is still running")
        terminal.press("c")
        terminal.wait_for("THEN")

        assert terminal.display[:2] == ["LEFT", "THEN"]


# -- the line itself


def test_a_cut_line_ends_the_client(start_remote: Start, link: Link) -> None:
    terminal = start_remote([])

    link.relay.cut()

    assert terminal.wait_exit() == 255
    assert link.relay.connections == 0


def test_a_frozen_line_carries_nothing_until_it_thaws(
    start_remote: Start, link: Link
) -> None:
    terminal = start_remote([])

    link.relay.freeze()
    terminal.type("typed")
    assert terminal.written_within(0.3) == b""
    link.relay.thaw()

    terminal.wait_for("typed")


def test_a_slow_line_takes_its_time(link: Link) -> None:
    link.relay.rate, link.relay.round_trip = 20_000, 0.1
    command = ["sh", "-c", "read x; head -c 5000 /dev/zero | tr '\\0' x; echo END"]
    with link.terminal(command) as terminal:
        terminal.press("enter")
        began = monotonic()

        terminal.wait_for("END")

        assert 0.3 < monotonic() - began < 20
