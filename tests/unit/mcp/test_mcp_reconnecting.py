"""Servers that end, or whose connection breaks: they are connected again."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import ROOT
from support.mcp import LIMIT, call, connected, fake, state
from support.terminal import wait_until

from tui.config import McpServerConfig
from tui.mcp import Servers, ServerState, retrying
from tui.mcp.retrying import Backoff

PROGRAM = ROOT / "tests" / "support" / "fakes" / "mcp_http_server.py"


def test_pauses_double_up_to_a_minute_and_stay_so():
    backoff = Backoff()

    pauses = []
    for _ in range(9):
        backoff.lost(connected=0.5)
        pauses.append(backoff.pause())

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_long_connection_begins_with_the_shortest_pause_again():
    backoff = Backoff()
    for _ in range(5):
        backoff.pause()

    backoff.lost(connected=60.0)

    assert backoff.pause() == 1


def test_a_server_that_ends_in_a_call_is_one_line_and_connected_again(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.01)
    seen: list[ServerState] = []
    with connected(fake=fake()) as servers:
        servers.on_change = lambda: seen.append(state(servers))
        result = call(servers, "fake__die")
        wait_until(lambda: any(s.phase == "retrying" for s in seen))
        wait_until(lambda: state(servers).phase == "ready")
        again = call(servers, "fake__echo", text="hi")

    assert result.error == (
        "fake__die failed: the MCP server fake has ended: it ended with status 7: "
        "the disk is on fire"
    )
    lost = next(s for s in seen if s.phase == "retrying")
    assert lost.describe() == (
        "it ended with status 7: the disk is on fire; tries again in 0.01 s"
    )
    assert json.loads(again.output) == {"text": "hi"}


def test_a_call_meanwhile_is_one_line_and_asking_connects_at_once(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 1e6)
    with connected(fake=fake()) as servers:
        call(servers, "fake__die")
        wait_until(lambda: state(servers).phase == "retrying")
        meanwhile = call(servers, "fake__echo")

        assert meanwhile.error is not None
        assert meanwhile.error.startswith(
            "fake__echo failed: the MCP server fake is not connected (it ended with"
        )
        assert "\n" not in meanwhile.error
        assert servers.reconnect() == ["fake"]
        wait_until(lambda: state(servers).phase == "ready")


def test_a_server_that_ends_after_each_start_is_started_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.01)
    pauses: list[float] = []
    with connected(fake=fake("brief")) as servers:
        servers.on_change = lambda: pauses.append(state(servers).pause)
        wait_until(lambda: max(pauses, default=0) >= 0.16)

    assert sorted(set(pauses) - {0})[:5] == [0.01, 0.02, 0.04, 0.08, 0.16]


def test_a_pause_delays_no_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 1e6)
    with connected(fake=fake()) as servers:
        call(servers, "fake__die")
        wait_until(lambda: state(servers).phase == "retrying")

    assert not [t for t in threading.enumerate() if t.name == "lazychat-mcp"]


def test_a_stopped_server_stays_so_until_asked():
    with connected(fake=fake()) as servers:
        (connection,) = servers._connections.values()
        pid = connection.pid
        assert servers.stop("fake")
        wait_until(lambda: state(servers).describe() == "stopped")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

        assert not servers.stop("other")
        assert servers.reconnect("fake") == ["fake"]
        wait_until(lambda: state(servers).phase == "ready")


def test_stopping_ends_the_tries(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 1e6)
    with connected(fake=fake()) as servers:
        call(servers, "fake__die")
        wait_until(lambda: state(servers).phase == "retrying")
        servers.stop("fake")
        wait_until(lambda: state(servers).describe() == "stopped")


@contextmanager
def serving(port: str = "0") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PORT": port},
    )
    with process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def test_a_server_on_http_that_is_started_anew_is_connected_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 0.5)
    with serving() as (address, process):
        servers = Servers({"fake": McpServerConfig(url=f"{address}/mcp")})
        servers.start()
        servers.wait(LIMIT)
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            failed = call(servers, "fake__sleep", seconds=0)
            wait_until(lambda: state(servers).phase == "retrying")

            assert failed.error is not None
            assert "\n" not in failed.error
            with serving(address.rpartition(":")[2]):
                wait_until(lambda: state(servers).phase == "ready", 60)

                assert call(servers, "fake__sleep", seconds=0).output == "slept"
        finally:
            servers.close()


def test_a_session_that_a_server_forgot_is_made_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.1)
    with serving() as (address, process):
        servers = Servers({"fake": McpServerConfig(url=f"{address}/mcp")})
        servers.start()
        servers.wait(LIMIT)
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            with serving(address.rpartition(":")[2]):
                wait_until(
                    lambda: call(servers, "fake__sleep", seconds=0).output == "slept",
                    60,
                )
        finally:
            servers.close()


def test_a_server_on_http_that_has_gone_is_noticed_when_its_state_is_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 1e6)
    with serving() as (address, process):
        servers = Servers({"fake": McpServerConfig(url=f"{address}/mcp")})
        servers.start()
        servers.wait(LIMIT)
        seen: list[str] = []
        servers.on_change = lambda: seen.append(state(servers).phase)
        try:
            servers.check()
            wait_until(lambda: seen == ["ready"])

            process.send_signal(signal.SIGKILL)
            process.wait()
            servers.check()
            wait_until(lambda: state(servers).phase == "retrying")
            assert state(servers).problem
        finally:
            servers.close()
