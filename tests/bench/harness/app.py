"""A program in a pseudo-terminal, with a screen, behind a link that may be slow.

One thread, no sleeping in between: `pump` carries bytes both ways for a while. All
times are seconds of the monotonic clock, unless a name says milliseconds.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic, sleep
from typing import NoReturn

from .content import MARK
from .processes import Tree
from .programs import Program
from .screen import Queries, new_screen

COLUMNS, ROWS = 120, 40
LIMIT = 60.0
"""Seconds after which what should have arrived fails the measurement."""


@dataclass(frozen=True)
class Link:
    """What lies between the program and the screen."""

    rate: float = 0.0
    """Bytes a second towards the screen; 0 means no limit."""
    round_trip: float = 0.0
    """Seconds, half of it each way."""
    buffer: int = 65536
    """Bytes that are under way (sshd, TCP) before the program's writes block."""


def _become(program: Program) -> NoReturn:
    """Turn the new process into the program; never returns."""
    try:
        os.chdir(program.home)
        size = struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * 10, ROWS * 20)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execve(program.command[0], program.command, program.env)
    finally:
        os._exit(127)


class Failed(Exception):
    """The program did not do what the measurement waits for."""


class App:
    """Runs a program; use it in a `with`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bytes = 0
        """How many bytes it has written."""
        self.largest = -1
        """The largest mark that was on the screen since `track`."""
        self.seen: list[tuple[float, int]] = []
        """When each larger mark came on the screen."""
        self.spent: list[tuple[int, float]] = []
        """The largest mark and the processor time so far, ten times a second."""
        self._link = Link()
        self._screen = new_screen(COLUMNS, ROWS)
        self._queries = Queries(COLUMNS, ROWS)
        self._text: str | None = None
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._size = 0  # of what is under way, in bytes
        self._keys: deque[tuple[float, bytes]] = deque()
        self._credit, self._credited = 0.0, monotonic()
        self._next_sample = float("inf")
        self._ended = False
        self._process, self._fd = pty.fork()
        if self._process == 0:
            _become(program)
        os.set_blocking(self._fd, False)
        self._tree = Tree(self._process)

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self._link = Link()
        self._next_sample = float("inf")
        for key in self.program.leave:
            self.send(key)
            self.pump(0.2)
        until = monotonic() + 5
        while not os.waitpid(self._process, os.WNOHANG)[0]:
            if monotonic() > until:
                # It leads a session of its own, so this is its own group.
                os.killpg(self._process, signal.SIGKILL)
            self.pump(0.05)
            if self._ended:
                sleep(0.01)
        os.close(self._fd)

    # -- what it costs

    @property
    def cpu(self) -> float:
        """Processor seconds, user and system, of it and its children so far."""
        return self._tree.cpu()

    @property
    def peak(self) -> float:
        """The most memory it had so far, in MB."""
        return self._tree.peak()

    # -- what is on the screen

    @property
    def text(self) -> str:
        """The rows of the screen, parted by line ends."""
        if self._text is None:
            self._text = self._screen.text()
        return self._text

    def track(self) -> None:
        """Watch for marks from now on."""
        self.largest, self.seen, self.spent = -1, [], []
        self._next_sample = 0.0

    def wait_for(self, what: str | Callable[[], bool], limit: float = LIMIT) -> float:
        """Wait for a text or a condition; return when it held. Raises Failed."""
        until = monotonic() + limit
        while not (what in self.text if isinstance(what, str) else what()):
            if monotonic() > until or (self._ended and not self._under_way):
                wanted = repr(what) if isinstance(what, str) else "what it waits for"
                raise Failed(f"{self.program.name}: no {wanted} on\n{self.text}")
            self.pump(0.004)
        return monotonic()

    def settle(self, quiet: float = 0.3, limit: float = 8.0) -> None:
        """Wait until it has written nothing for `quiet` seconds."""
        until = monotonic() + limit
        while monotonic() < until:
            before = self.bytes
            self.pump(quiet)
            if self.bytes == before and not self._under_way:
                return

    # -- what the user does

    def use_link(self, link: Link) -> None:
        """Put `link` between the program and the screen."""
        self._link = link
        self._credited = monotonic()

    def send(self, text: str) -> None:
        """Send keys over the link."""
        self._send(text.encode())

    def type(self, text: str) -> None:
        """Send keys, a hundred a second."""
        for character in text:
            self.send(character)
            self.pump(0.01)

    def _send(self, data: bytes) -> None:
        self._keys.append((monotonic() + self._link.round_trip / 2, data))
        self._send_due(monotonic())

    def _send_due(self, now: float) -> None:
        while self._keys and self._keys[0][0] <= now:
            try:
                os.write(self._fd, self._keys.popleft()[1])
            except OSError:
                self._ended = True

    # -- the loop

    def pump(self, seconds: float) -> None:
        """Carry bytes for a while."""
        until = monotonic() + seconds
        while True:
            now = monotonic()
            self._send_due(now)
            self._deliver_due(now)
            if now >= self._next_sample:
                self._next_sample = now + 0.1
                self.spent.append((self.largest, self.cpu))
            if now >= until or (self._ended and not self._under_way):
                return
            wait = min(until - now, 0.003 if self._under_way else 0.02)
            if self._keys:
                wait = min(wait, max(0.0, self._keys[0][0] - now))
            if self._ended or (self._link.rate and self._size >= self._link.buffer):
                sleep(wait)
            elif select.select([self._fd], [], [], wait)[0]:
                self._read()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 4096 if self._link.rate else 65536)
        except BlockingIOError:
            return
        except OSError:  # Linux's word for: nobody is there any more
            data = b""
        if not data:
            self._ended = True
            return
        self.bytes += len(data)
        if self._link.rate or self._link.round_trip or self._under_way:
            due = monotonic() + self._link.round_trip / 2
            self._under_way.append((due, data))
            self._size += len(data)
        else:
            self._deliver(data)

    def _deliver_due(self, now: float) -> None:
        rate = self._link.rate
        most = max(1024.0, rate * 0.05)  # what may come at once after a silence
        self._credit = min(self._credit + (now - self._credited) * rate, most)
        self._credited = now
        while self._under_way and self._under_way[0][0] <= now:
            if rate and self._credit < 1:
                return
            due, data = self._under_way.popleft()
            if rate and len(data) > self._credit:
                self._under_way.appendleft((due, data[int(self._credit) :]))
                data = data[: int(self._credit)]
            self._credit -= len(data)
            self._size -= len(data)
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        self._screen.feed(data)
        self._text = None
        if answer := self._queries.answers(data):
            self._send(answer)
        if self._next_sample == float("inf"):
            return
        largest = max(map(int, MARK.findall(self.text)), default=-1)
        if largest > self.largest:
            self.largest = largest
            self.seen.append((monotonic(), largest))


def fifths(spent: list[tuple[int, float]], marks: int, before: float) -> list[float]:
    """Return the processor seconds of each fifth of the answer, by its marks."""
    points = [(0, before), *((mark + 1, cpu) for mark, cpu in spent if mark >= 0)]

    def at(mark: float) -> float:
        for (low, start), (high, end) in pairwise(points):
            if high >= mark and high > low:
                return start + (mark - low) / (high - low) * (end - start)
        return points[-1][1]

    ends = [at(marks * part / 5) for part in range(6)]
    return [later - earlier for earlier, later in pairwise(ends)]


def latencies(seen: list[tuple[float, int]], sent: dict[int, float]) -> list[float]:
    """Return for each mark the milliseconds from the server to the screen.

    A mark counts as seen with itself or a later one: on a small screen it may have
    scrolled away in the frame that would have shown it.
    """
    found: list[float] = []
    shown = iter(seen)
    when, largest = next(shown, (0.0, -1))
    for mark in sorted(sent):
        while largest < mark:
            step = next(shown, None)
            if step is None:
                return found
            when, largest = step
        found.append((when - sent[mark]) * 1000)
    return found


def marks_of(log: list[tuple[float, str]]) -> dict[int, float]:
    """Return when the server wrote each mark."""
    return {int(mark): when for when, text in log for mark in re.findall(MARK, text)}
