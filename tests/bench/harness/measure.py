"""One program, one thing to do, and what that cost."""

import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from .app import App, Link, fifths, latencies, marks_of
from .content import END
from .programs import program

_WARM = "ENDOFWARM"
# Letters of no word of the content, in an order in which none can be guessed.
_LETTERS = "".join("zxqjvkb"[(k * k + k // 7) % 7] for k in range(40))


@dataclass
class Start:
    """What it cost to start, in seconds of the processor unless said otherwise."""

    ready: float
    """Until it could be used."""
    settled: float
    """Until it had nothing more to do."""
    peak: float
    """MB"""
    first_answer: float = 0.0
    """What a first tiny answer added."""
    idle_bytes: float = 0.0
    """Bytes a second while nothing happens."""
    idle_cpu: float = 0.0
    """Share of one processor while nothing happens, 0 to 1."""


@dataclass
class Answer:
    """What an answer cost."""

    tokens: int
    cpu: float
    """Seconds of the processor."""
    bytes: int
    """Written to the terminal."""
    text_bytes: int
    """Of the answer itself."""
    peak: float
    """MB"""
    latency: list[float]
    """Milliseconds from the server's write to the screen, of each mark."""
    fifths: list[float] = field(default_factory=list[float])
    """Seconds of the processor in each fifth of the answer."""
    echo: list[float] = field(default_factory=list[float])
    """Milliseconds from a key to its letter on the screen."""
    abort: float | None = None
    """Milliseconds from Esc until the server saw its client go."""
    quiet: float | None = None
    """Milliseconds from Esc to the last new mark on the screen."""

    @property
    def cpu_per_1000(self) -> float:
        """Seconds of the processor for 1,000 tokens."""
        return self.cpu * 1000 / self.tokens


class Server:
    """The scripted server, in a process of its own; use it in a `with`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.server"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its stdin, which ends it

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def say(self, kind: str, number: int, rate: float, end: str = END) -> None:
        """Tell what the next answers are; forgets the log."""
        scenario = {"kind": kind, "n": number, "rate": rate, "end": end}
        self._request("POST", "/scenario", scenario)

    def log(self) -> dict[str, Any]:
        """Return the log of the longest answer."""
        answers = self._request("GET", "/log")
        return max(answers, key=lambda answer: len(answer["tokens"]))


@contextmanager
def running(name: str, server: Server) -> Generator[App]:
    """Start a program in a fresh home folder."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        App(program(name, Path(home), server.port)) as app,
    ):
        yield app


def start(
    name: str,
    server: Server,
    *,
    settle: float = 0.0,
    answer: bool = False,
    idle: float = 0.0,
) -> Start:
    """Start a program; wait `settle` seconds, have it answer, watch it idle."""
    server.say("plain", 5, 0, _WARM)
    with running(name, server) as app:
        app.wait_for(app.program.ready)
        ready = app.cpu
        app.settle()
        app.pump(settle)
        found = Start(ready, app.cpu, app.peak)
        if answer:
            _warm_up(app)
            found.first_answer = app.cpu - found.settled
        if idle:
            cpu, written, began = app.cpu, app.bytes, monotonic()
            app.pump(idle)
            found.idle_cpu = (app.cpu - cpu) / (monotonic() - began)
            found.idle_bytes = (app.bytes - written) / idle
    return found


def _warm_up(app: App) -> None:
    app.type("hi")
    app.pump(0.1)
    app.send("\r")
    app.wait_for(_WARM)
    app.settle(0.5)


def answer(
    name: str,
    server: Server,
    kind: str,
    number: int,
    rate: float,
    *,
    link: Link | None = None,
    stop_after: float = 0.0,
) -> Answer:
    """Start a program, and do what `answer_of` does."""
    with running(name, server) as app:
        return answer_of(
            app, server, kind, number, rate, link=link, stop_after=stop_after
        )


def answer_of(
    app: App,
    server: Server,
    kind: str,
    number: int,
    rate: float,
    *,
    link: Link | None = None,
    stop_after: float = 0.0,
) -> Answer:
    """Have a program that starts answer with `number` tokens, `rate` a second.

    Letters are typed the while, four a second. With `stop_after` Esc is pressed so
    many seconds after the first mark.
    """
    server.say("plain", 5, 0, _WARM)
    app.wait_for(app.program.ready)
    app.settle()
    _warm_up(app)
    server.say(kind, number, rate)
    app.use_link(link or Link())
    cpu, written = app.cpu, app.bytes
    app.type("go")
    app.pump(0.1)
    app.track()
    app.send("\r")
    if stop_after:
        app.wait_for(lambda: app.largest >= 0)
        app.pump(stop_after)
        stopped = monotonic()
        app.send("\x1b")
        app.settle(0.7)
        echo = []
    else:
        stopped = 0.0
        echo = _type_along(app, limit=60 + number / (rate or 1000))
    app.settle(0.4)
    log = server.log()
    marks = marks_of(log["tokens"])
    found = Answer(
        tokens=len(log["tokens"]),
        cpu=app.cpu - cpu,
        bytes=app.bytes - written,
        text_bytes=sum(len(text.encode()) for _, text in log["tokens"]),
        peak=app.peak,
        latency=latencies(app.seen, marks),
        fifths=fifths(app.spent, len(marks), cpu),
        echo=echo,
    )
    if stopped:
        if log["how"] == "abort":
            found.abort = (log["ended"] - stopped) * 1000
        found.quiet = max(0.0, (app.seen[-1][0] - stopped) * 1000)
    return found


def _type_along(app: App, limit: float) -> list[float]:
    """Type a letter now and then until the answer ends; return the echo times."""
    echo: list[float] = []
    typed, sent = "", 0.0
    due = monotonic() + 1

    def ended() -> bool:
        nonlocal typed, sent, due
        now = monotonic()
        if sent:
            if typed in app.text:
                echo.append((now - sent) * 1000)
                sent = 0.0
        elif app.largest >= 0 and now >= due and len(typed) < 30:
            typed = _LETTERS[: len(typed) + 1]
            app.send(typed[-1])
            sent, due = now, now + 0.25
        return END in app.text

    app.wait_for(ended, limit)
    return echo
