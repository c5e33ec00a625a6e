"""From the first screen to an answer of a real model: each way, keys and seconds."""

import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from support.fakes.lazychat import needs_starter
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.gateway import Authority, Proxy, needs_openssl
from support.processes import processor_seconds
from support.start import Start
from support.terminal import Terminal

from tui import config
from tui.eventlog import EventLog
from tui.events import MessageAdded, TextDelta, TurnFinished
from tui.models.suppliers import SUPPLIERS

KEY = "sk-proj-9fK2xQzT4aB7cD8e"
SECONDS = 30.0
"""Seconds of the processor that the app may take until the answer has ended."""
LONGEST = 240.0
"""Seconds that a model in a file may take for its first word on a busy machine."""
KEYS = 10


class Newcomer:
    """A new user at the app; counts keys and seconds."""

    def __init__(self, start: Start, home: Path) -> None:
        self._start = start
        self.home = home
        self.keys = 0
        self.began = 0.0
        """When the program was started."""
        self.seconds = 0.0
        """From the start of the program to the end of the answer, by the clock."""
        self.environment = {
            "HOME": str(home),
            "LAZYCHAT_PROBE": "http://127.0.0.1:9/v1",
            "HF_HOME": str(home / "hf"),
        }

    def open(self, until: str = "Message") -> None:
        self.began = monotonic()
        self.terminal: Terminal = self._start(
            None, config="", environment=self.environment, until=until
        )

    def press(self, *keys: str, then: str) -> None:
        self.keys += len(keys)
        self.terminal.press(*keys)
        self.terminal.wait_for(then)

    def type(self, letters: str, then: str) -> None:
        self.keys += len(letters)
        self.terminal.type(letters)
        self.terminal.wait_for(then)

    def paste(self, copied: str, then: str) -> None:
        self.terminal.paste(copied)
        self.terminal.wait_for(then)

    def asks(self, answer: str = "", *, stops: EventLog | None = None) -> float:
        """Ask; return the processor's seconds that the app has taken since its start.

        With `stops`, the log, an answer that may be long is stopped when it has begun.
        """
        self.terminal.type("Hi there")
        self.terminal.press("enter")
        self.terminal.wait_for(answer)
        if stops:
            # On a busy machine the screen may go on to "ready" before it is looked at.
            self.terminal.wait_for(lambda _: has_begun(stops), LONGEST)
            self.terminal.press("escape")
            self.terminal.wait_for(lambda _: has_ended(stops))
        self.terminal.wait_for(lambda t: "ready" in t.row(-1))
        self.seconds = monotonic() - self.began
        return processor_seconds(self.terminal.process.pid)


@pytest.fixture
def newcomer(
    start: Start,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> Iterator[Newcomer]:
    """A user without a key; fails if more keys are pressed than are promised."""
    for supplier in SUPPLIERS.values():
        monkeypatch.delenv(supplier.key_env or "NONE", raising=False)
    for name in ("HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    user = Newcomer(start, home)
    yield user
    record_property("keys", user.keys)
    record_property("seconds", user.seconds)
    print(f"{user.keys} keys, {user.seconds:.1f} s")
    assert user.keys <= KEYS


def plays(server: SSEServer, *models: dict[str, Any], key: str = "") -> SSEServer:
    """Let a server list models and answer."""
    server.json({"object": "list", "data": list(models)}, path="/models")
    server.answer(text("Hello from "), text("a real model."), finish(), DONE)
    return server


def has_begun(log: EventLog) -> bool:
    """Return whether a model has written something."""
    events = [record.event for record in log.read()]
    return any(
        isinstance(event, TextDelta)
        or (isinstance(event, MessageAdded) and event.message.role == "assistant")
        for event in events
    )


def has_ended(log: EventLog) -> bool:
    """Return whether a turn has ended."""
    return any(isinstance(record.event, TurnFinished) for record in log.read())


def assert_no_key_but_in_its_file(home: Path, terminal: Terminal) -> None:
    assert KEY not in terminal.text
    assert KEY.encode() not in terminal.raw
    holders = [
        p for p in home.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()
    ]
    assert [p.name for p in holders] == ["keys.toml"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("owner", "title"),
    [
        ("library", "Ollama"),
        ("organization_owner", "LM Studio"),
        ("llamacpp", "llama.cpp"),
        ("vllm", "vLLM"),
    ],
)
def test_a_server_of_this_machine(
    newcomer: Newcomer, server: SSEServer, owner: str, title: str
) -> None:
    plays(server, {"id": "qwen3:8b", "owned_by": owner})
    newcomer.environment["LAZYCHAT_PROBE"] = server.url
    newcomer.open()
    newcomer.terminal.wait_for(f"Found    {title}: qwen3:8b")

    newcomer.press("enter", then="Set up a model")
    newcomer.press("enter", then="qwen3-8b is ready")
    assert newcomer.asks("Hello from a real model.") < SECONDS

    written = config.load(newcomer.home / "config.toml")
    assert written.model == "qwen3-8b"
    assert server.asked[-1].json["model"] == "qwen3:8b"


def test_a_question_that_is_typed_fast_is_a_question(
    newcomer: Newcomer, server: SSEServer
) -> None:
    """As over a slow link: its Enter does not accept what was found."""
    plays(server, {"id": "qwen3:8b", "owned_by": "library"})
    newcomer.environment["LAZYCHAT_PROBE"] = server.url
    newcomer.open()
    newcomer.terminal.wait_for("Found    Ollama")

    for letter in b"Who are you?\r":
        newcomer.terminal.send(bytes([letter]))

    newcomer.terminal.wait_for("▌ Who are you?")
    assert "Set up a model" not in newcomer.terminal.text


@needs_starter
def test_a_gguf_file(newcomer: Newcomer, log: EventLog) -> None:
    from tui.models.llama import starter_path

    (newcomer.home / "models").mkdir()
    (newcomer.home / "models" / "My-Model.gguf").symlink_to(starter_path())
    newcomer.open()
    newcomer.terminal.wait_for("Found    1 GGUF file")

    newcomer.press("enter", then="My-Model")
    newcomer.press("enter", then="my-model is ready")
    assert newcomer.asks(stops=log) < SECONDS

    newcomer.terminal.wait_for(lambda t: re.search(r"^  \w", t.text, re.M))
    loaded = config.load(newcomer.home / "config.toml")
    assert loaded.models["my-model"] == config.LlamaModelConfig(
        "~/models/My-Model.gguf"
    )


def test_a_key_of_openai(newcomer: Newcomer, server: SSEServer) -> None:
    plays(server, {"id": "gpt-4.1-mini"}, {"id": "gpt-4.1"}, {"id": "dall-e-3"})
    newcomer.environment["OPENAI_BASE_URL"] = server.url
    newcomer.open()

    newcomer.type("/setup", then="/setup")
    newcomer.press("enter", then="No local server")
    newcomer.press("enter", then="Key for OpenAI")
    newcomer.paste(KEY, then="••••")
    newcomer.press("enter", then="2 models")
    newcomer.press("enter", then="gpt-4-1-mini is ready")
    assert newcomer.asks("Hello from a real model.") < SECONDS

    assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    assert_no_key_but_in_its_file(newcomer.home, newcomer.terminal)


def test_a_key_of_openai_in_its_variable(newcomer: Newcomer, server: SSEServer) -> None:
    plays(server)
    newcomer.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
    newcomer.open()

    assert newcomer.asks("Hello from a real model.") < SECONDS


@needs_openssl
def test_any_other_service(newcomer: Newcomer, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "api.groq.com")
    with ExitStack() as stack:
        server = stack.enter_context(SSEServer(authority.context))
        proxy = stack.enter_context(Proxy(server.port))
        plays(server, {"id": "llama-3.3-70b", "context_window": 131072})
        newcomer.environment |= {
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(authority.certificate),
        }
        newcomer.open()

        newcomer.press("ctrl+l", then="Needs a key")
        newcomer.type("groq", then="Groq")
        newcomer.press("enter", then="Key for Groq")
        newcomer.paste(KEY, then="••••")
        newcomer.press("enter", then="131k")
        newcomer.press("enter", then="llama-3-3-70b is ready")
        assert newcomer.asks("Hello from a real model.") < SECONDS

        assert set(proxy.hosts) == {"api.groq.com:443"}
        assert_no_key_but_in_its_file(newcomer.home, newcomer.terminal)


@needs_openssl
def test_a_gateway_with_its_own_authority_and_proxy(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "llm.corp.example")
    with ExitStack() as stack:
        server = stack.enter_context(SSEServer(authority.context))
        proxy = stack.enter_context(Proxy(server.port))
        refusal = {"error": {"message": "Missing token"}}
        server.json(refusal, path="/models", status=401)
        plays(server, {"id": "corp-large"})
        newcomer.environment |= {
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(authority.certificate),
        }
        newcomer.open()

        newcomer.press("ctrl+l", then="Needs a key")
        newcomer.paste("https://llm.corp.example/v1", then="use this server")
        newcomer.press("enter", then="needs an API key")
        newcomer.paste(KEY, then="••••")
        newcomer.press("enter", then="corp-large")
        newcomer.press("enter", then="corp-large is ready")
        assert newcomer.asks("Hello from a real model.") < SECONDS

        assert set(proxy.hosts) == {"llm.corp.example:443"}
        assert_no_key_but_in_its_file(newcomer.home, newcomer.terminal)


@needs_openssl
def test_without_its_authority_a_gateway_is_refused_with_what_to_set(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "llm.corp.example")
    with (
        SSEServer(authority.context) as server,
        Proxy(server.port) as proxy,
    ):
        newcomer.environment["HTTPS_PROXY"] = proxy.url
        newcomer.open()

        newcomer.press("ctrl+l", then="Needs a key")
        newcomer.paste("https://llm.corp.example/v1", then="use this server")
        newcomer.press("enter", then="SSL_CERT_FILE")
        newcomer.press("escape", then="Choose a model")


def test_a_key_that_is_refused_can_be_pasted_again(
    newcomer: Newcomer, server: SSEServer
) -> None:
    server.json({"error": {"message": "bad key"}}, path="/models", status=401)
    plays(server, {"id": "gpt-4.1"})
    newcomer.environment["OPENAI_BASE_URL"] = server.url
    newcomer.open()

    newcomer.press("ctrl+l", then="Needs a key")
    newcomer.type("opena", then="OpenAI")
    newcomer.press("enter", then="Key for OpenAI")
    newcomer.paste("sk-wrong-1234567", then="••••")
    newcomer.press("enter", then="did not accept the API key")
    newcomer.paste(KEY, then="••••")
    newcomer.press("enter", then="gpt-4.1")
    newcomer.press("enter", then="gpt-4-1 is ready")

    assert_no_key_but_in_its_file(newcomer.home, newcomer.terminal)
    assert "sk-wrong-1234567" not in newcomer.terminal.text
