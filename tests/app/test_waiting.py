"""What the screen says while nothing comes: seconds, pauses, tries; and Esc in each."""

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from support.fakes.sse_server import (
    DONE,
    LIMIT,
    SSEServer,
    Stall,
    call,
    calls,
    finish,
    text,
)
from support.pilot import Chat, opened
from textual.app import App, ComposeResult

from tui.app.chat import wait_clock
from tui.app.chat.wait_clock import WaitClock
from tui.app.widgets.status import Status
from tui.events import (
    CancelRequested,
    Event,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Record,
    RetryScheduled,
    TextDelta,
    ToolCallStarted,
    TurnFinished,
    TurnRequested,
    TurnStarted,
)
from tui.messages import Message, ToolCall

pytestmark = pytest.mark.usefixtures("home")

STARTED = TurnStarted("host", "boot", 1, 2)
RETRY = RetryScheduled("rate-limited", 42.0, 1, 2, "Too many requests")


@pytest.fixture
def server() -> Iterator[SSEServer]:
    with SSEServer() as server:
        yield server


def remote(url: str, more: str = "") -> str:
    return f'model = "m"\n[models.m]\nprovider = "openai"\nbase_url = "{url}"\n{more}'


def counted(chat: Chat, before: str = "thinking ") -> int:
    """Return how many seconds the status line counts, 0 for none.

    On a busy machine it may skip some.
    """
    found = re.search(rf"{re.escape(before)}(\d+) s", chat.text.splitlines()[-1])
    return int(found[1]) if found else 0


async def stopped(chat: Chat) -> None:
    """Press Esc, and wait until the screen says that nothing runs."""
    await chat.pilot.press("escape")
    await chat.until(lambda: chat.screen.presenter.running is None)
    await chat.until("ready")


async def test_wait_for_the_first_word_counts_seconds(server: SSEServer) -> None:
    stall = Stall()
    server.answer(text("Hello"), finish(), DONE, before=stall)
    async with opened(toml=remote(server.url)) as chat:
        await chat.ask("Hi")
        await chat.until("thinking")

        assert "thinking 1 s" not in chat.text
        await chat.until(lambda: counted(chat) >= 3)
        shown = counted(chat)
        await chat.until(lambda: counted(chat) > shown)
        stall.go()
        await chat.until("Hello")
        await chat.ready()
        assert "thinking" not in chat.text


async def test_silent_server_is_asked_once_and_told(server: SSEServer) -> None:
    server.answer(before=Stall())
    async with opened(toml=remote(server.url, "timeout = 0.3")) as chat:
        await chat.ask("Hi")

        await chat.until("has not answered within 0.3 seconds")
        assert len(server.asked) == 1


async def test_rate_limit_is_counted_down_and_esc_ends_it(server: SSEServer) -> None:
    refusal = {"error": {"message": "Too many requests"}}
    server.json(refusal, status=429, headers={"Retry-After": "42"})
    async with opened(toml=remote(server.url)) as chat:
        await chat.pilot.press("f3")
        await chat.ask("Hi")

        await chat.until("! rate-limited, retry in 42 s (1/2): Too many requests")
        await chat.until(lambda: 0 < counted(chat, "m  rate-limited, retry in ") < 42)
        await stopped(chat)
        assert len(server.asked) == 1


async def test_next_try_is_shown_and_answered(server: SSEServer) -> None:
    headers = {"Retry-After": "1"}
    server.json({"error": "Slow"}, status=429, headers=headers)
    server.answer(text("Hello"), finish(), DONE)
    async with opened(toml=remote(server.url)) as chat:
        await chat.pilot.press("f3")
        await chat.ask("Hi")

        await chat.until("! rate-limited, retry in 1 s (1/2)")
        await chat.until("Hello")
        await chat.ready()
        assert "rate-limited" not in chat.text.splitlines()[-1]


async def test_conversation_that_is_opened_in_a_pause_counts_on(
    server: SSEServer,
) -> None:
    server.json({"error": "Slow"}, status=429, headers={"Retry-After": "100"})
    async with opened(toml=remote(server.url)) as chat:
        await chat.ask("Hi")
        await chat.until("rate-limited, retry in 9")
        first = chat.app.chat
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.app.chat is not first)
        await chat.until("ready")

        await chat.pilot.press("f4")

        await chat.until("rate-limited, retry in 9")
        await stopped(chat)


async def test_esc_ends_the_search_for_a_host(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = threading.Event(), threading.Event()
    find = socket.getaddrinfo

    def find_slowly(*args, **more):
        asked.set()
        go.wait(LIMIT)
        return find(*args, **more)

    async with opened(toml=remote(server.url)) as chat:
        monkeypatch.setattr(socket, "getaddrinfo", find_slowly)
        await chat.ask("Hi")
        await chat.until(asked.is_set)

        await stopped(chat)
        go.set()
    assert server.asked == []


async def test_esc_ends_a_tls_handshake() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/v1"
        async with opened(toml=remote(url)) as chat:
            await chat.ask("Hi")
            await chat.until(lambda: counted(chat) >= 3)

            await stopped(chat)


async def test_esc_ends_the_wait_for_headers(server: SSEServer) -> None:
    stall = Stall()
    server.answer(before=stall)
    async with opened(toml=remote(server.url)) as chat:
        await chat.ask("Hi")
        await chat.until(lambda: server.asked)

        await stopped(chat)
    server.wait_gone()


async def test_the_wait_after_a_tool_is_counted_anew(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_clock, "TOLD_FROM", 1)
    stall = Stall()
    wish = call(0, "c", "get_current_weather", '{"location": "Tokyo"}')
    server.answer(calls(wish), finish("tool_calls"), DONE)
    server.answer(text("Cold."), finish(), DONE, before=stall)
    async with opened(toml=remote(server.url)) as chat:
        await chat.ask("Weather?")

        await chat.until(lambda: counted(chat) >= 1)
        stall.go()
        await chat.until("Cold.")


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Status()


class Clock:
    """A clock beside a status line, and how long ago the records were written."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.clock = WaitClock(status)

    def take(self, event: Event, ago: float, turn: str = "t") -> None:
        self.clock.take(Record(1, "c", turn, time.time() - ago, event))
        self.clock.show()

    @property
    def shown(self) -> tuple[int | None, str]:
        return self.status.waited, self.status.pause


async def test_what_is_waited_for_is_told_from_the_times_of_the_records() -> None:
    async with (app := Host()).run_test():
        clock = Clock(app.query_one(Status))
        clock.take(STARTED, 2.5)
        assert clock.shown == (None, "")
        clock.take(STARTED, 75.5)
        assert clock.shown == (75, "")

        clock.take(NoticeGiven("So"), 10.0)
        clock.take(MessageAdded("u", Message("user", "Next")), 10.0, "other")
        clock.take(TurnRequested("m"), 10.0, "other")
        assert clock.shown == (75, "")

        clock.take(RETRY, 1.5)
        assert clock.shown[1] == "rate-limited, retry in 41 s (1/2)"
        clock.take(RETRY, 43.5)
        assert clock.shown == (75, "")


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("t.1", "x"),
        ReasoningDelta("t.1", "x"),
        ToolCallStarted(ToolCall("c", "f", {})),
        MessageAdded("t.1", Message("assistant", "x")),
        CancelRequested(),
        TurnFinished("stop"),
    ],
)
async def test_what_comes_ends_the_wait(event: Event) -> None:
    async with (app := Host()).run_test():
        for retry in (False, True):
            clock = Clock(app.query_one(Status))
            clock.take(STARTED, 75.5)
            if retry:
                clock.take(RETRY, 1.5)
            assert clock.shown != (None, "")

            clock.take(event, 0.0)

            assert clock.shown == (None, "")
            assert clock.clock._timer is None


@pytest.mark.parametrize("ago", [-3600.0, 1e12, float("nan"), float("inf")])
async def test_a_clock_that_was_set_makes_no_nonsense(ago: float) -> None:
    async with (app := Host()).run_test():
        clock = Clock(app.query_one(Status))
        clock.take(STARTED, ago)
        assert clock.shown[0] is None or 0 <= clock.shown[0] <= 86_400
        clock.take(RETRY, ago)
        left = clock.shown[1]
        assert left in ("", "rate-limited, retry in 42 s (1/2)")
