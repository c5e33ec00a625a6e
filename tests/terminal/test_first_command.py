"""The commands of docs/getting-started.md, each to an answer of a real model.

The servers are at their usual ports, so a test is skipped where one is taken.
"""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import ROOT
from support.fakes.lazychat import Home, needs_starter
from support.fakes.sse_server import DONE, SSEServer, finish, text
from support.gateway import Authority, Proxy, needs_openssl
from support.start import Start
from support.terminal import LIMIT

PAGE = (ROOT / "docs" / "getting-started.md").read_text("utf-8")
KEY = "sk-proj-9fK2xQzT4aB7cD8e"
PORTS = {"ollama": 11434, "lmstudio": 1234, "llama.cpp": 8080, "vllm": 8000}


def named(supplier: str) -> str:
    """Return the model that the page names for a supplier, with the supplier."""
    found = re.search(rf"`lazychat -m ({re.escape(supplier)}/\S+)`", PAGE)
    found = found or re.search(rf"`lazychat -m ({re.escape(supplier)}\S*)`", PAGE)
    assert found, f"the page has no command for {supplier}"
    return found[1]


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as user:
        yield user


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("supplier", PORTS)
def test_a_server_at_its_usual_port_needs_no_configuration(
    start: Start, supplier: str
) -> None:
    model = named(supplier)
    if is_taken(PORTS[supplier]):
        pytest.skip(f"something listens on port {PORTS[supplier]}")
    with SSEServer(port=PORTS[supplier]) as server:
        server.answer(text("Hello from "), text("a real model."), finish(), DONE)
        terminal = start(None, "-m", model, config="")

        terminal.type("Hi there")
        terminal.press("enter")
        terminal.wait_for("Hello from a real model.")

        assert server.asked[0].json["model"] == model.partition("/")[2]


@needs_openssl
def test_a_key_in_the_variable_of_another_service_needs_no_configuration(
    user: Home, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "openrouter.ai")
    with ExitStack() as stack:
        server = stack.enter_context(SSEServer(authority.context))
        proxy = stack.enter_context(Proxy(server.port))
        server.answer(text("Hello from "), text("a real model."), finish(), DONE)
        user.env |= {
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(authority.certificate),
            "OPENROUTER_API_KEY": KEY,
        }

        done = user.run("ask", "-m", "openrouter/qwen/qwen3-8b", "Hi there")

        assert done.out == "Hello from a real model.\n", done.err
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert "-m openrouter/qwen/qwen3-8b`" in PAGE


@needs_starter
def test_a_gguf_file_needs_no_configuration(user: Home) -> None:
    from tui.models.llama import starter_path

    path = named("~/models").removeprefix("~/")
    file = user.work / path
    file.parent.mkdir()
    file.symlink_to(starter_path())

    # Without configuration, nothing limits how long a tiny model goes on.
    asking = user.start(
        *("-m", "tui", "ask", "-m", f"~/{path}", "--tool", "none", "Say hello.")
    )
    assert asking.stdout
    assert asking.stdout.read(1)
    asking.send_signal(signal.SIGINT)
    asking.communicate(timeout=LIMIT)

    assert asking.returncode == 130
