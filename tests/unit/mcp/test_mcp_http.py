"""Servers on HTTP, real ones by the SDK: calls, headers, logins, bounds."""

import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT
from support.fakes.sse_server import SSEServer
from support.mcp import call, called, connected, progress, state
from support.terminal import wait_until

from tui.config import McpServerConfig
from tui.errors import LazychatError
from tui.mcp import login, oauth
from tui.mcp.login import log_in

PROGRAM = ROOT / "tests" / "support" / "fakes" / "mcp_http_server.py"


def served(*arguments: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    yield from served()


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    yield from served("auth")


def browse(address: str) -> str:
    """Return where the browser is sent by the page for a login."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(address)
    except urllib.error.HTTPError as sent:
        return str(sent.headers["Location"])
    raise AssertionError("the page did not send the browser on")


def test_tools_prompts_and_resources_come_over_http(home: Path, address: str):
    with connected(web=McpServerConfig(url=f"{address}/mcp")) as servers:
        assert state(servers, "web").describe() == "4 tools, 1 prompt, 1 resource"
        result, events = called(servers, "web__steps", count=3)
        (prompt,) = servers.prompts
        (resource,) = servers.resources

        assert result.output == "done"
        assert progress(events)[-1] == "3 of 3: step 3"
        assert prompt.slash == "/web:greet"
        assert servers.prompt_text(prompt, {"who": "Ada"}) == "Say hello to Ada."
        (read,) = servers.read_resource("web", resource.uri)
        assert (read.uri, read.text) == ("note://one", "the note␛[31m")


def test_headers_come_from_variables_and_commands(
    home: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WEB_TOKEN", "abc")
    settings = McpServerConfig(
        url=f"{address}/mcp",
        headers={"X-Plain": "p"},
        headers_env={"Authorization": "WEB_TOKEN"},
        headers_cmd={"X-Printed": "echo printed"},
    )

    with connected(web=settings) as servers:
        sent = [
            call(servers, "web__headers", name=name).output
            for name in ("x-plain", "authorization", "x-printed")
        ]

    assert sent == ["p", "Bearer abc", "printed"]


def test_a_slow_call_ends_at_its_limit_and_the_connection_goes_on(
    home: Path, address: str
):
    settings = McpServerConfig(url=f"{address}/mcp", timeout=0.5)
    with connected(web=settings) as servers:
        slow = call(servers, "web__sleep", seconds=600)
        # On a busy machine, a quick one may miss such a limit too.
        wait_until(lambda: call(servers, "web__sleep", seconds=0).output == "slept")

    assert slow.error is not None
    assert "did not answer within 0.5 seconds" in slow.error


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/away", "Redirect to http://127.0.0.2:9/mcp not followed"),
        ("/large", "it sent more than 16 MB at once"),
        ("/nowhere", "Not Found"),
    ],
)
def test_what_no_server_may_do_is_refused(
    home: Path, address: str, path: str, problem: str
):
    with connected(web=McpServerConfig(url=address + path)) as servers:
        found = state(servers, "web")

    assert found.phase == "failed"
    assert problem in found.problem


def test_a_server_that_wants_a_login_says_how(home: Path, guarded: str):
    with connected(web=McpServerConfig(url=f"{guarded}/mcp")) as servers:
        found = state(servers, "web")

    assert found.phase == "login"
    assert found.describe() == "needs a login: lazychat mcp login web"


@pytest.mark.parametrize("whole", [True, False])
def test_a_login_with_a_pasted_address_or_code_is_kept(
    home: Path, guarded: str, whole: bool
):
    settings = McpServerConfig(url=f"{guarded}/mcp")
    shown: list[str] = []

    def take() -> str:
        sent = browse(shown[0])
        return sent if whole else str(oauth.read_pasted(sent)[0])

    log_in("web", settings, settings.url, shown.append, take, 60.0)

    assert stat.S_IMODE(oauth.file().stat().st_mode) == 0o600
    with connected(web=settings) as servers:
        assert state(servers, "web").phase == "ready"
        assert call(servers, "web__sleep", seconds=0).output == "slept"
    assert oauth.forget("web", settings.url)
    with connected(web=settings) as servers:
        wait_until(lambda: state(servers, "web").phase == "login")


def test_an_expired_login_is_renewed(home: Path, guarded: str):
    settings = McpServerConfig(url=f"{guarded}/mcp")
    shown: list[str] = []
    log_in("web", settings, settings.url, shown.append, lambda: browse(shown[0]), 60.0)
    before = oauth.file().read_bytes()
    logins = oauth._read()
    for each in logins.values():
        each.expires = 1.0
    oauth._write("x", None)
    for key, each in logins.items():
        oauth._write(key, each)

    with connected(web=settings) as servers:
        assert state(servers, "web").phase == "ready"

    assert oauth.file().read_bytes() != before


@pytest.mark.parametrize(
    ("pasted", "problem"),
    [
        ("", "Paste the address"),
        ("two words", "Paste the address"),
        ("http://127.0.0.1:8976/callback", "contains no code"),
        (
            "http://127.0.0.1:8976/callback?error=access_denied",
            "The login was refused: access_denied.",
        ),
    ],
)
def test_what_is_no_code_is_refused(pasted: str, problem: str):
    with pytest.raises(LazychatError, match=problem):
        oauth.read_pasted(pasted)


def test_a_login_is_bound_to_its_address(home: Path, guarded: str, address: str):
    settings = McpServerConfig(url=f"{guarded}/mcp")
    shown: list[str] = []
    log_in("web", settings, settings.url, shown.append, lambda: browse(shown[0]), 60.0)

    with connected(web=McpServerConfig(url=f"{address}/mcp")) as servers:
        sent = call(servers, "web__headers", name="authorization").output

    assert sent == "None"


def test_a_login_to_a_server_that_answers_nobody_ends(
    home: Path, server: SSEServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(login, "CONNECT_SECONDS", 0.5)
    for _ in range(4):
        server.json({"jsonrpc": "2.0", "id": "of nobody", "result": {}})

    with pytest.raises(LazychatError, match=r"did not answer within 0\.5 seconds"):
        log_in("web", McpServerConfig(), server.url, print, input, 30.0)
