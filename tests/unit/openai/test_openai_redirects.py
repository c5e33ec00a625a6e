"""A server that sends requests on: nothing goes there, and both addresses are told."""

import importlib
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from openai import DefaultHttpxClient
from support import ROOT
from support.fakes.collect import collect
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.fault_notes import Tried

from tui.errors import ModelError
from tui.messages import Message
from tui.models.openai.limits import REDIRECT, keep_address
from tui.models.openai.model import OpenAIModel
from tui.turn import Turn

CERTIFICATE = ROOT / "tests" / "data" / "localhost.pem"
"""With its key; for 127.0.0.1 and localhost, trusted by nobody but these tests."""

STATUSES = [300, 301, 302, 303, 307, 308]


@pytest.fixture
def elsewhere() -> Iterator[SSEServer]:
    """Where requests are sent on to; it would answer."""
    with SSEServer() as server:
        server.answer(text("Hello"), finish(), DONE)
        yield server


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch) -> Iterator[SSEServer]:
    """A server with TLS, whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with SSEServer(context) as server:
        yield server


def refusal(url: str, **options: Any) -> str:
    """Ask a server at `url`; return the message of the error."""
    model = OpenAIModel(
        "test", "fake", url, "sk-key-of-tests", max_retries=2, **options
    )
    try:
        with pytest.raises(ModelError) as raised:
            collect(model.generate([Message("user", "My secret")], (), Turn("t")))
    finally:
        model.close()
    message = str(raised.value)
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 800
    return message


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_a_conversation_is_not_sent_on(
    server: SSEServer, elsewhere: SSEServer, tried: Tried, status: int, stream: bool
) -> None:
    place = f"{elsewhere.url}/chat/completions"
    server.answer(status=status, headers={"Location": place})

    message = refusal(server.url, stream=stream)

    assert server.url in message
    assert place in message
    assert elsewhere.requests == []
    assert [request.method for request in server.asked] == ["POST"]
    tried("a redirect to another address", leaked=len(elsewhere.requests))


@pytest.mark.parametrize("status", STATUSES)
def test_nothing_is_sent_on_from_https_to_http(
    secure: SSEServer, elsewhere: SSEServer, tried: Tried, status: int
) -> None:
    place = f"{elsewhere.url}/chat/completions"
    secure.answer(status=status, headers={"Location": place})

    message = refusal(secure.url)

    assert secure.url in message
    assert place in message
    assert elsewhere.requests == []
    tried("a redirect from https to http", leaked=len(elsewhere.requests))


def test_a_server_with_tls_answers(secure: SSEServer) -> None:
    """That those tests do not pass because nothing is reached."""
    secure.answer(text("Hello"), finish(), DONE)
    model = OpenAIModel("test", "fake", secure.url)

    _, reply = collect(model.generate([Message("user", "q")], (), Turn("t")))

    model.close()
    assert reply.message.text == "Hello"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/v1/chat/completions/", "{origin}/v1/chat/completions/"),
        ("//other.example/v1", "http://other.example/v1"),
        ("https://127.0.0.1/v1/chat/completions", "https://127.0.0.1/v1"),
        ("https://me:pw@other.example/v1", "https://other.example/v1"),
        ("HTTP://OTHER.EXAMPLE:80/v1", "http://OTHER.EXAMPLE:80/v1"),
        ("ftp://other.example/v1", "ftp://other.example/v1"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("http://[::1/v1", "http://[::1/v1, which is not a URL"),
        ("http://me:pw@[::1/v1", "http://***@[::1/v1, which is not a URL"),
        ("http://other.example:99x/v1", "http://other.example:99x/v1, which is not"),
        ("http://other.example:999999/v1", "http://other.example:999999/v1, which is"),
        ("http://other.example/" + "x" * 5000, "http://other.example/xxx"),
        ("http://other.example/\x9b31m\u202e", "http://other.example/"),
        ("http://other.example/?key=sk-key-of-tests", "http://other.example/?key=***"),
    ],
)
def test_any_address_is_told_and_never_asked(
    server: SSEServer, location: str, told: str
) -> None:
    header = location.encode().decode("latin-1")
    server.answer(status=307, headers={"Location": header})

    message = refusal(server.url)

    assert told.format(origin=server.url.removesuffix("/v1")) in message
    assert "me:pw" not in message
    assert "int()" not in message
    assert len(server.asked) == 1


def test_the_address_of_a_redirect_is_kept_from_the_library() -> None:
    """The library of openai 2.0 parses it, and fails with words of its own."""
    httpx = importlib.import_module(
        DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]
    )
    response = httpx.Response(307, headers={"Location": "http://[::1/v1"})

    keep_address(response)

    assert not response.has_redirect_location
    assert response.headers[REDIRECT] == "http://[::1/v1"


@pytest.mark.parametrize("location", ["", None, "?"])
def test_a_redirect_to_nowhere_is_told(server: SSEServer, location: str | None) -> None:
    server.answer(
        status=307, headers={} if location is None else {"Location": location}
    )

    assert server.url in refusal(server.url)


def test_the_look_up_of_the_window_is_not_sent_on_either(
    server: SSEServer, elsewhere: SSEServer
) -> None:
    place = f"{elsewhere.url}/models"
    server.answer(status=307, headers={"Location": place}, path="/models")
    elsewhere.json({"data": [{"id": "fake", "max_model_len": 99}]}, path="/models")
    model = OpenAIModel("test", "fake", server.url, "sk-key-of-tests")

    model.learn_window()

    model.close()
    assert model.window == 0
    assert elsewhere.requests == []


def test_what_a_proxy_sends_on_stays_here(
    server: SSEServer, elsewhere: SSEServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    login = f"{elsewhere.url}/login"
    server.answer(status=302, headers={"Location": login})

    message = refusal("http://model.example/v1")

    assert "http://model.example/v1" in message
    assert login in message
    assert elsewhere.requests == []
