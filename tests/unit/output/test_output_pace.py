"""When frames are sent: to a terminal that answers, late, or never."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from support.emulators import Pyte
from textual._compositor import LayoutUpdate
from textual.geometry import Offset, Region
from textual.strip import Strip

from tui.app.terminal import flow_control as paces
from tui.app.terminal.cells import CellMaker
from tui.app.terminal.flow_control import INTERVAL, UNANSWERED, Pace
from tui.app.terminal.painter import Abilities, Painter
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.stage import Stage
from tui.app.terminal.surface import Surface
from tui.app.terminal.tty_writer import Writer

LIMIT = 30.0
"""Seconds after which a wait that should have ended fails the test."""
WIDTH, HEIGHT = 40, 6
LOOK = Style(color="#dcdee3", bgcolor="#1a1b1e")
ALL = Abilities(True, True, True)


def answering() -> Pace:
    pace = Pace()
    pace.sent(0.0)
    pace.answered(0.01)
    return pace


# -- the clockless part


def test_a_frame_goes_at_once_when_the_last_is_long_ago():
    pace = answering()

    assert pace.wait(0.01 + INTERVAL) == 0


def test_frames_keep_their_distance():
    pace = answering()

    assert pace.wait(0.02) == pytest.approx(INTERVAL - 0.02)


def test_an_echo_does_not_wait_for_the_clock():
    pace = answering()
    pace.key_pressed(0.02)

    assert pace.wait(0.02) == 0


def test_an_echo_does_not_make_what_a_model_says_wait():
    pace = answering()
    pace.key_pressed(0.04)
    for _ in range(3):
        pace.sent(0.04)
        pace.answered(0.042)

    assert pace.wait(0.045) == pytest.approx(INTERVAL - 0.045)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["draw", "answer", "key"]), st.floats(0, 0.1)),
        max_size=60,
    )
)
def test_never_more_than_two_frames_are_unanswered_but_an_echo(
    steps: list[tuple[str, float]],
):
    pace, now, open_questions = answering(), 0.1, 0
    keys = 0

    for step, seconds in steps:
        now += seconds
        if step == "key":
            pace.key_pressed(now)
            keys += 1
        elif step == "answer" and open_questions:
            open_questions -= 1
            pace.answered(now)
        elif step == "draw" and pace.wait(now) == 0:
            open_questions += pace.sent(now)
        if seconds * len(steps) < 1.9:  # else one may be given up
            assert open_questions <= UNANSWERED + (keys > 0)


def test_a_terminal_that_never_answers_gets_its_frames_by_the_clock():
    pace, now, frames, asked = Pace(), 0.0, 0, 0

    while now < 10:
        if pace.wait(now) == 0:
            asked += pace.sent(now)
            frames += 1
        now += 0.01

    assert pace.silent
    assert frames > 8 / INTERVAL * 0.9
    assert asked < 15


def test_one_that_answers_late_is_waited_for_again():
    pace = Pace()
    pace.sent(0.0)
    pace.sent(0.1)
    assert pace.wait(1.2) == 0
    pace.sent(1.2)

    pace.answered(1.3)

    assert not pace.silent
    assert pace.wait(1.4) > 0


def test_an_answer_that_nobody_asked_for_is_none():
    pace = Pace()

    pace.answered(0.5)

    assert not pace.answers


def test_an_answer_that_is_lost_does_not_stop_the_screen():
    pace = answering()
    pace.sent(1.0)
    pace.sent(1.1)

    assert pace.wait(1.2) > 0
    assert pace.wait(1.1 + pace.patience) == 0


def test_a_dead_line_gets_few_frames_which_are_old_news_when_it_lives_again():
    pace, now, frames = answering(), 1.0, 0

    while now < 60:
        if pace.wait(now) == 0:
            pace.sent(now)
            frames += 1
        now += 0.01

    assert frames <= 12


def test_a_key_shows_that_the_line_lives():
    pace, now = answering(), 1.0
    while pace.wait(now) <= 2 * pace.patience:
        assert now < 100
        if pace.wait(now) == 0:
            pace.sent(now)
        now += 0.01

    pace.key_pressed(now)

    now += 0.1  # the echo has been drawn
    assert pace.wait(now) <= pace.patience


def simulate(kbs: float, delay: float, answers: bool) -> float:
    """Return how old, in seconds, the screen is at worst, 5 s into a busy stream.

    A new state every 10 ms; a link of some kB/s, `delay` seconds each way.
    """
    pens = PenBook(ColorSystem.TRUECOLOR)
    surface = Surface(WIDTH, HEIGHT, CellMaker(pens))
    painter, pace, screen = Painter(WIDTH, HEIGHT, pens, ALL), Pace(), Pyte(WIDTH, 6)
    link: deque[tuple[float, str]] = deque()
    replies: deque[float] = deque()
    free = worst = 0.0
    for tick in range(1000):
        now = tick / 100
        rows = [f"{tick:06} {str(7 ** (tick + 50 * y + 50))[:30]}" for y in range(6)]
        strips: list[Iterable[Strip]] = [
            [Strip([Segment(r, LOOK)]).adjust_cell_length(WIDTH, LOOK)] for r in rows
        ]
        surface.take(LayoutUpdate(strips, Region(0, 0, WIDTH, HEIGHT)))
        while replies and replies[0] <= now:
            replies.popleft()
            pace.answered(now)
        if pace.wait(now) == 0:
            frame = painter.paint(surface.rows, (0, 0))
            asked = pace.sent(now)
            free = max(free, now) + len(frame) / (kbs * 1024)
            link.append((free + delay, frame))
            if asked and answers:
                replies.append(free + 2 * delay)
        while link and link[0][0] <= now:
            screen.feed(link.popleft()[1])
        if now > 5:
            text = "".join(cell.text for cell in screen.rows()[0])
            worst = max(worst, now - int(text[:6]) / 100)
    return worst


def test_a_slow_link_never_shows_old_news():
    # A frame is 240 bytes: 120 ms at 2 kB/s. Two of them, two ways, and one to wait.
    assert simulate(2, 0.05, answers=True) < 0.5


def test_without_answers_a_slow_link_falls_behind():
    """That is what the answers are for; else the test above would prove nothing."""
    assert simulate(2, 0.05, answers=False) > 1


# -- the stage


class Link:
    """What a stage writes to, with a terminal at the end."""

    def __init__(self) -> None:
        self.idle = True
        self.frames: list[str] = []
        self.screen = Pyte(WIDTH, HEIGHT)

    def write(self, data: bytes) -> None:
        self.frames.append(data.decode())
        self.screen.feed(data.decode())

    @property
    def row(self) -> str:
        return "".join(cell.text for cell in self.screen.rows()[0]).strip()


def stage_on(link: Link) -> Stage:
    stage = Stage(PenBook(ColorSystem.TRUECOLOR), ALL, lambda: None)
    stage.open(link)  # type: ignore[arg-type]: it has what is used of a Writer
    return stage


def draw(stage: Stage, text: str) -> None:
    row = [Strip([Segment(text, LOOK)]).adjust_cell_length(WIDTH, LOOK)]
    update = LayoutUpdate([row] * HEIGHT, Region(0, 0, WIDTH, HEIGHT))
    stage.show(update, (WIDTH, HEIGHT), Offset(3, 2))


async def until(condition: Callable[[], Any]) -> None:
    limit = monotonic() + LIMIT
    while not condition():
        assert monotonic() < limit
        await asyncio.sleep(0.005)


async def test_newer_state_takes_the_place_of_what_waits():
    link = Link()
    stage = stage_on(link)
    draw(stage, "one")
    stage.answered()
    for text in ("two", "three", "four", "five", "six"):
        stage.key_pressed()
        draw(stage, text)
    sent = len(link.frames)

    stage.answered()

    await until(lambda: len(link.frames) > sent)
    assert link.row == "six"
    assert not any("five" in frame for frame in link.frames)


async def test_a_frame_asks_whether_it_was_drawn():
    link = Link()

    draw(stage_on(link), "one")

    assert link.frames[0].endswith("\x1b[6n")


async def test_the_question_is_not_asked_where_its_answer_would_be_a_key():
    """`CSI 1;2 R` is Shift+F3."""
    link = Link()
    stage = stage_on(link)
    row = [Strip([Segment("x" * WIDTH, LOOK)])]
    update = LayoutUpdate([row] * HEIGHT, Region(0, 0, WIDTH, HEIGHT))

    stage.show(update, (WIDTH, HEIGHT), Offset(1, 0))

    assert "\x1b[2;1H\x1b[6n" in link.frames[0]
    assert (link.screen.screen.cursor.x, link.screen.screen.cursor.y) == (1, 0)


async def test_without_any_answer_frames_go_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paces, "_PATIENCE", 0.1)
    link = Link()
    stage = stage_on(link)

    for number in range(5):
        draw(stage, f"frame {number}")
        await until(lambda text=f"frame {number}": link.row == text)


async def test_nothing_is_added_while_the_writer_writes():
    link = Link()
    stage = stage_on(link)
    link.idle = False
    draw(stage, "waits")
    assert link.frames == []

    link.idle = True
    stage.drained()

    assert link.row == "waits"


async def test_a_big_frame_is_synchronized_where_the_terminal_can(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("tui.app.terminal.stage._SMALL", 20)
    link = Link()
    stage = stage_on(link)
    stage.synchronized = True

    draw(stage, "a long line of text " * 2)

    assert link.frames[0].startswith("\x1b[?2026h")
    assert link.frames[0].endswith("\x1b[?2026l")


async def test_a_stage_that_fails_says_so_and_leaves_a_clean_screen():
    link, told = Link(), threading.Event()
    stage = Stage(PenBook(ColorSystem.TRUECOLOR), ALL, told.set)
    stage.open(link)  # type: ignore[arg-type]: it has what is used of a Writer
    draw(stage, "fine")

    update = LayoutUpdate([[None]], Region(0, 0, 1, 1))  # type: ignore[list-item]: on purpose
    stage.show(update, (WIDTH, HEIGHT), Offset(0, 0))

    assert isinstance(stage.failed, AttributeError | TypeError)
    assert told.is_set()
    assert link.row == ""


# -- the writer


def test_writing_never_blocks_and_keeps_the_order():
    read, write = os.pipe()
    drained = threading.Event()
    writer = Writer(write, drained.set)
    writer.start()
    big = b"x" * 1_000_000  # more than a pipe holds

    writer.write(big)
    writer.write(b"end")

    assert not writer.idle
    got = b""
    while not got.endswith(b"end"):
        got += os.read(read, 1 << 16)
    assert got == big + b"end"
    assert drained.wait(LIMIT)
    assert writer.idle
    writer.stop(LIMIT)
    os.close(read)
    os.close(write)


def test_a_terminal_that_is_gone_is_no_error():
    read, write = os.pipe()
    os.close(read)
    drained = threading.Event()
    writer = Writer(write, drained.set)
    writer.start()

    writer.write(b"nobody reads this")

    assert drained.wait(LIMIT)
    writer.stop(LIMIT)
    os.close(write)
