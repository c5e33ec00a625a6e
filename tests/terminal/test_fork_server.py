"""A forked process is what a new one would be."""

import signal
import sys
from pathlib import Path

import pytest
from support import fork_server
from support.fakes.lazychat import Home
from support.start import Start
from support.terminal import Terminal

TOOL = """
import json, locale, os, signal, sys, threading, warnings
from tui.tools import tool

@tool
def look() -> str:
    "Look around."
    streams = (sys.stdin, sys.stdout, sys.stderr)
    names = ("SIGINT", "SIGTERM", "SIGPIPE", "SIGCHLD", "SIGHUP", "SIGWINCH")
    return json.dumps({
        "streams": [
            (s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.isatty())
            for s in streams
        ],
        "numbers": [s.fileno() for s in streams],
        "environment": dict(os.environ),
        "path": sys.path,
        "arguments": sys.argv,
        "folder": os.getcwd(),
        "signals": [
            getattr(handler, "__qualname__", str(handler))
            for handler in map(signal.getsignal, map(signal.Signals.__getitem__, names))
        ],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "main": [sys.modules["__main__"].__file__, sys.modules["__main__"].__name__],
        "leads": (os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()),
        "flags": str(sys.flags),
        "warnings": warnings.filters[:2] != [],
        "locale": locale.setlocale(locale.LC_CTYPE),
        "umask": os.umask(0o22),
    })
"""


def looked(place: Home) -> str:
    """Return what a tool sees of the process that it runs in."""
    done = place.ask("-T", "look", "go", env={"MINE": "1"})
    assert (done.code, done.out, done.err) == (0, "Done.\n", "")
    return place.said()[-2][1]


@pytest.mark.skipif(not hasattr(fork_server.os, "pidfd_open"), reason="needs Linux")
def test_a_tool_sees_the_same_in_a_forked_process_and_in_a_new_one(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.scripted([{"call": "look", "arguments": {}}], "Done.")
    place.write("tools/look.py", TOOL)
    forked = looked(place)
    monkeypatch.setattr(fork_server, "enabled", False)

    assert looked(place) == forked


def test_its_end_is_seen(place: Home) -> None:
    place.scripted([{"wait": 60}])
    process = place.start("-m", "tui", "ask", "hi")
    assert process.poll() is None

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    assert process.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{process.pid}").exists()


def test_its_terminal_is_its_own(start: Start) -> None:
    terminal = start(["Hello."])

    terminal.resize(60, 20)  # of which only the terminal's session hears
    terminal.wait_for(lambda t: "ready" in t.row(-1))
    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


@pytest.mark.new_process
def test_a_test_that_asks_for_new_processes_gets_them(place: Home) -> None:
    command = [sys.executable, "-m", "tui", "--version"]

    with Terminal(command, env=place.env) as terminal:
        terminal.wait_for("lazychat")
        assert terminal.wait_exit() == 0
        assert not isinstance(terminal.process, fork_server.Forked)


@pytest.mark.skipif(not hasattr(fork_server.os, "pidfd_open"), reason="needs Linux")
def test_who_wants_no_forks_has_none(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.setattr(fork_server, "_WANTED", True)
    assert isinstance(place.start("-m", "tui", "--version"), fork_server.Forked)
    monkeypatch.setattr(fork_server, "_WANTED", False)

    assert not isinstance(place.start("-m", "tui", "--version"), fork_server.Forked)
    for process in place._started:
        process.communicate(timeout=30)
