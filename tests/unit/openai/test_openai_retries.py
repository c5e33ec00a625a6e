"""What is asked again, after which pause, and how that is told."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT
from support.fakes.asking import asked
from support.fakes.collect import collect, text_of
from support.fakes.sse_server import (
    DONE,
    LIMIT,
    Close,
    Reset,
    SSEServer,
    Stall,
    finish,
    text,
)

from tui.errors import Cancelled, ModelError
from tui.events import Event, RetryScheduled
from tui.messages import Message
from tui.models.openai.model import OpenAIModel, preload
from tui.models.openai.retries import (
    LONGEST_WAIT,
    limit_reset,
    retry_after,
    told_in,
)
from tui.turn import Turn

ASK = [Message("user", "Hello")]


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


NOW = 1_800_000_000.0


def retries(events: list[Event]) -> list[RetryScheduled]:
    return [event for event in events if isinstance(event, RetryScheduled)]


def refusal(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


@contextmanager
def silent_port(accepts: bool = True) -> Iterator[tuple[int, list[socket.socket]]]:
    """Yield a port where nobody says a word, and who has connected to it."""
    clients: list[socket.socket] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)

        def accept() -> None:
            while True:
                try:
                    clients.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1], clients
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(LIMIT)
            for client in clients:
                client.close()


def test_rate_limit_says_what_how_long_and_which_try(server: SSEServer) -> None:
    headers = {"Retry-After-Ms": "20"}
    server.json(refusal("Too many requests"), status=429, headers=headers)
    server.json(refusal("Too many requests"), status=429, headers=headers)
    server.answer(text("Hello"), finish(), DONE)

    events, reply = asked(server, max_retries=2)

    assert reply.message.text == "Hello"
    words = "Too many requests"
    assert retries(events) == [
        RetryScheduled("rate-limited", 0.02, 1, 2, words),
        RetryScheduled("rate-limited", 0.02, 2, 2, words),
    ]
    assert retries(events)[0].describe() == "rate-limited, retry in 1 s (1/2)"
    assert retries(events)[0].describe(41.2) == "rate-limited, retry in 42 s (1/2)"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (408, "timed out there (408)"),
        (500, "failed (500)"),
        (502, "failed (502)"),
        (503, "unavailable (503)"),
        (529, "overloaded (529)"),
    ],
)
def test_failure_of_the_server_is_named_and_tried_again(
    server: SSEServer, status: int, why: str
) -> None:
    headers = {"Retry-After-Ms": "10"}
    server.json(refusal("busy"), status=status, headers=headers)
    server.answer(text("Hello"), finish(), DONE)

    events, reply = asked(server)

    assert reply.message.text == "Hello"
    assert [event.why for event in retries(events)] == [why]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Your organization must be verified before it may ask this model."),
        (401, "Bad key"),
        (404, "Not Found"),
        (429, "You exceeded your current quota: insufficient_quota"),
        (501, "Not implemented"),
        (500, "The prompt exceeds the maximum context length of 4096 tokens"),
    ],
)
def test_what_no_waiting_mends_is_told_at_once(
    server: SSEServer, status: int, message: str
) -> None:
    server.json(refusal(message), status=status)

    events, error = asked(server, max_retries=2)

    assert isinstance(error, ModelError)
    assert retries(events) == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("word", ["true", "false"])
def test_server_that_says_whether_to_try_again_is_obeyed(
    server: SSEServer, word: str
) -> None:
    headers = {"X-Should-Retry": word, "Retry-After-Ms": "10"}
    status = 400 if word == "true" else 429
    server.json(refusal("so"), status=status, headers=headers)

    events, _ = asked(server, max_retries=1)

    assert len(retries(events)) == (word == "true")


@pytest.mark.parametrize("wait", ["121", "3600", "1e9", "9" * 400])
def test_longer_than_is_waited_for_is_told_at_once(
    server: SSEServer, wait: str
) -> None:
    server.json(refusal("slow"), status=429, headers={"Retry-After": wait})

    events, error = asked(server, max_retries=2)

    assert retries(events) == []
    assert len(server.asked) == 1
    assert error.kind == "rate_limited"


def test_a_date_in_retry_after_is_told_in_seconds(server: SSEServer) -> None:
    now = time.time()
    headers = {"Retry-After": formatdate(now + 3600, usegmt=True)}
    server.json(refusal("slow"), status=429, headers=headers)

    _, error = asked(server)

    seconds = int(str(error).partition("Try again in ")[2].partition(" ")[0])
    assert 3500 < seconds <= 3601


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "7s"}, 7.0),
        ({"retry-after": "250ms"}, 0.25),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after": "7, 7"}, 7.0),
        ({"retry-after": '"7"'}, 7.0),
        ({"retry-after": str(int(NOW) + 7)}, 7.0),
        ({"retry-after": str(int(NOW) - 7)}, None),
        ({"retry-after": str(int(NOW + 7) * 1000)}, 7.0),
        ({"retry-after": iso(NOW + 40)}, 40.0),
        ({"retry-after": iso(NOW - 40)}, None),
        ({"x-retry-after": "9"}, 9.0),
        ({"x-ms-retry-after-ms": "2500"}, 2.5),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "9" * 400}, LONGEST_WAIT + 1),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_WAIT + 1),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after(headers, NOW)

    assert found is None if seconds is None else found is not None
    if seconds is not None and found is not None:
        assert found >= seconds if seconds > LONGEST_WAIT else found == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ('{"details": [{"@type": "RetryInfo", "retryDelay": "38s"}]}', 38.0),
        ("Rate limit reached. Please try again in 7m12.5s. See https://a.test", 432.5),
        ("Please retry in 340ms.", 0.34),
        ("Try again in 20 seconds", 20.0),
        ("Try again after 2 minutes.", 120.0),
        ('{"retry_after": 3}', 3.0),
        ('{"headers": {"Retry-After": "4"}}', 4.0),
        ('{"retry_after_ms": 1500}', 1.5),
        ('{"retryAfterMs": "250"}', 0.25),
        ("Try again in 1 minute and 5 seconds.", 65.0),
        ("The quota resets in 45 seconds", 45.0),
        ("Rate limited, cooldown: 15 seconds", 15.0),
        ("请 20 秒后重试", 20.0),
        ("请在30秒之后再试", 30.0),
        ("Please try again later. Limit 3 in 1 minute", None),
        ("again in 5", None),
        ('{"retryDelay": "0s"}', None),
        ("slow down", None),
    ],
)
def test_a_pause_is_found_in_the_words_of_a_refusal(
    said: str, seconds: float | None
) -> None:
    assert told_in(said) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "20"}, 20.0),
        ({"x-ratelimit-reset": str(int(NOW + 20))}, 20.0),
        ({"x-ratelimit-reset": str(int(NOW + 20) * 1000)}, 20.0),
        ({"x-ratelimit-reset": "20", "x-ratelimit-remaining": "3"}, None),
        ({"x-ratelimit-reset-after": "4"}, 4.0),
        (
            {
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "120",
                "x-ratelimit-reset-requests": "1m2.5s",
                "x-ratelimit-remaining-requests": "0",
            },
            62.5,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-reset": iso(NOW + 30),
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-requests-reset": iso(NOW + 90),
                "anthropic-ratelimit-requests-remaining": "5",
            },
            30.0,
        ),
        ({"ratelimit-reset": "12"}, 12.0),
        ({"ratelimit": '"default";r=0;t=17'}, 17.0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-limit": "20"}, None),
    ],
)
def test_limit_that_is_used_up_says_when_it_begins_anew(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert limit_reset(headers, NOW) == seconds


@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-reset", "ratelimit", "ratelimit-reset-tokens"]),
        st.text() | st.floats().map(str) | st.integers().map(str),
    )
)
def test_no_limit_makes_a_wait_that_is_none(headers: dict[str, str]) -> None:
    found = limit_reset(headers, NOW)

    assert found is None or 0 < found < float("inf")


def test_limit_is_waited_for_after_a_refusal_because_of_it(server: SSEServer) -> None:
    reset = {
        "x-ratelimit-reset-requests": "30ms",
        "x-ratelimit-remaining-requests": "0",
    }
    server.json(refusal("Slow down"), status=429, headers=reset)
    server.answer(text("Hello"), finish(), DONE)

    events, _ = asked(server, max_retries=1)

    assert [each.seconds for each in retries(events)] == [0.03]


@given(st.text(alphabet='retry agin0123.5ms:" h'))
def test_no_words_make_a_wait_that_is_none(said: str) -> None:
    found = told_in(said)

    assert found is None or 0 < found < 1e14


def test_a_pause_that_the_words_name_is_kept(server: SSEServer) -> None:
    words = "Please try again in 30ms."
    server.json(refusal(words), status=429)
    server.answer(text("Hello"), finish(), DONE)

    events, _ = asked(server, max_retries=1)

    assert retries(events) == [RetryScheduled("rate-limited", 0.03, 1, 1, words)]


def test_a_date_counts_from_the_clock_of_the_server_that_wrote_it() -> None:
    headers = {
        "date": formatdate(NOW + 5000, usegmt=True),
        "retry-after": formatdate(NOW + 5020, usegmt=True),
    }

    assert retry_after(headers, NOW) == 20.0


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date"]),
        st.text() | st.floats().map(str) | st.integers().map(str),
    )
)
def test_no_header_makes_a_wait_that_is_none(headers: dict[str, str]) -> None:
    found = retry_after(headers, NOW)

    assert found is None or 0 < found < float("inf")


def test_server_that_says_nothing_is_asked_once(server: SSEServer) -> None:
    server.answer(before=Stall())

    events, error = asked(server, timeout=0.3, max_retries=2)

    assert error.kind == "unreachable"
    assert "has not answered within 0.3 seconds" in str(error)
    assert retries(events) == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("end", [Close, Reset])
def test_connection_that_breaks_before_the_answer_is_tried_again(
    server: SSEServer, end: type[Close]
) -> None:
    # Headers and no body are an answer; so it is ended by a server of one line.
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        port = listening.getsockname()[1]

        def hang_up() -> None:
            client = listening.accept()[0]
            client.recv(100_000)
            if end is Reset:
                linger = b"\1\0\0\0\0\0\0\0"
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.close()

        thread = threading.Thread(target=lambda: [hang_up() for _ in range(2)])
        thread.start()
        events, error = asked(f"http://127.0.0.1:{port}/v1", max_retries=1)
        thread.join(LIMIT)

    assert error.kind == "unreachable"
    (retry,) = retries(events)
    assert retry.why in ("it closed the connection", "connection reset by peer")
    assert (retry.attempt, retry.most) == (1, 1)


def test_server_that_comes_up_between_two_tries_answers() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    model = OpenAIModel("test", "fake", f"http://127.0.0.1:{port}/v1", max_retries=2)
    answer = model.generate(ASK, (), Turn("t"))

    retry = next(answer)
    with SSEServer(port=port) as server:
        server.answer(text("Hello"), finish(), DONE)
        events, reply = collect(answer)

    model.close()
    assert isinstance(retry, RetryScheduled)
    assert retry.why == "connection refused"
    assert 0 < retry.seconds <= 0.5
    assert text_of(events) == reply.message.text == "Hello"


def test_connecting_has_a_limit_of_its_own() -> None:
    with silent_port() as (port, clients):
        url = f"https://127.0.0.1:{port}/v1"

        events, error = asked(url, connect_timeout=0.2, max_retries=1)

        assert len(clients) == 2
    assert error.kind == "unreachable"
    assert "no connection within 0.2 seconds" in str(error)
    assert [retry.why for retry in retries(events)] == ["no connection within 0.2 s"]


def test_finding_the_host_is_a_part_of_connecting(
    server: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    find = socket.getaddrinfo

    def find_slowly(*args: Any, **more: Any) -> Any:
        go.wait(LIMIT)
        return find(*args, **more)

    preload()
    monkeypatch.setattr(socket, "getaddrinfo", find_slowly)

    _, error = asked(server, connect_timeout=0.2, max_retries=0)
    go.set()

    assert "no connection within 0.2 seconds" in str(error)
    assert server.requests == []


def test_waiting_for_an_answer_is_not_connecting(server: SSEServer) -> None:
    stall = Stall()
    server.answer(text("Hello"), finish(), DONE, before=stall)
    threading.Timer(0.6, stall.go).start()

    events, reply = asked(server, connect_timeout=0.2)

    assert reply.message.text == "Hello"
    assert retries(events) == []


def test_certificate_that_is_not_valid_is_told_at_once() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ROOT / "tests" / "data" / "localhost.pem")
    with SSEServer(context) as server:
        events, error = asked(server, max_retries=2)

    assert "its certificate is not valid" in str(error)
    assert retries(events) == []


def test_pause_before_a_try_ends_at_once_and_nothing_more_is_sent(
    server: SSEServer,
) -> None:
    server.json(refusal("slow"), status=429, headers={"Retry-After": "60"})
    model = OpenAIModel("test", "fake", server.url)
    turn = Turn("t")
    answer = model.generate(ASK, (), turn)
    assert isinstance(next(answer), RetryScheduled)

    timer = threading.Timer(0.1, turn.cancel.request)
    timer.start()
    with pytest.raises(Cancelled):
        next(answer)

    model.close()
    assert len(server.asked) == 1
