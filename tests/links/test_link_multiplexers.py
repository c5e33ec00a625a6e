"""The app inside tmux, GNU screen and mosh: what it draws comes through as it is."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support import ROOT
from support.start import ask, write_config
from support.terminal import LIMIT, Terminal

PARAGRAPHS = 30
ANSWER = "# Title\n\n" + "\n\n".join(
    f"para{number} has *italic*, **bold**, `code`, 世界 and é, then "
    + " ".join(f"w{number}x{each}" for each in range(20))
    for number in range(PARAGRAPHS)
)
SCRIPT = {"rate": 1500, "reply": [{"text": f"{ANSWER}\n\ntheend\n"}]}


class Expected(NamedTuple):
    """What the screen shows in the end, without anything in between."""

    rows: list[str]
    plain: tuple[object, ...]
    """How a plain word looks."""


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} (Debian has it as {program.split('-')[0]})")


class Places:
    """Terminals, and what can be started in them; ended with the test."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self.folder = folder
        """Short, as sockets' names have to be."""
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
        }

    def terminal(self, command: Sequence[str], **env: str) -> Terminal:
        given = {**self._env, "TERM": "xterm-256color", **env}
        return self._stack.enter_context(Terminal(command, env=given))

    def call(self, *command: str, **env: str) -> str:
        """Run a command to its end; return what it says."""
        done = subprocess.run(
            command,
            env={**self._env, "TERM": "xterm-256color", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
        )
        return done.stdout.decode("utf-8", "replace")

    def tmux(self, term: str, command: Sequence[str], **env: str) -> Terminal:
        needs("tmux")
        settings = self.folder / "tmux.conf"
        settings.write_text(
            f"set -g status off\nset -g default-terminal {term}\nset -s escape-time 0\n"
        )
        self._stack.callback(self.call, *self.of_tmux, "kill-server")
        start = [*self.of_tmux, "-f", str(settings), "new-session"]
        return self.terminal([*start, shlex.join(command)], **env)

    @property
    def of_tmux(self) -> list[str]:
        return ["tmux", "-S", str(self.folder / "tmux")]

    def screen(self, term: str, command: Sequence[str], **env: str) -> Terminal:
        needs("screen")
        settings = self.folder / "screenrc"
        settings.write_text(
            f"startup_message off\nterm {term}\nmaptimeout 0\ndefutf8 on\n"
        )
        sockets = self.folder / "sockets"
        sockets.mkdir(0o700)
        quit = ["screen", "-S", "test", "-X", "quit"]
        self._stack.callback(self.call, *quit, SCREENDIR=str(sockets))
        start = ["screen", "-c", str(settings), "-U", "-S", "test"]
        return self.terminal([*start, *command], SCREENDIR=str(sockets), **env)

    def mosh(self, command: Sequence[str], **env: str) -> Terminal:
        needs("mosh-server", "mosh-client")
        # The server picks a port, prints it with the key, and goes to the background.
        said = self.call(
            *["mosh-server", "new", "-i", "127.0.0.1", "-p", "0", "-c", "256"],
            *["--", *command],
            **env,
        )
        found = re.search(r"(?s)MOSH CONNECT (\d+) (\S+).*pid = (\d+)", said)
        assert found, said
        command = ["mosh-client", "127.0.0.1", found[1]]
        terminal = self.terminal(command, MOSH_KEY=found[2])
        # Its server waits for it for ever.
        self._stack.callback(_end, terminal, int(found[3]))
        return terminal


def _end(terminal: Terminal, server: int) -> None:
    if terminal.process.poll() is None:
        os.kill(server, signal.SIGTERM)


@pytest.fixture
def places() -> Iterator[Places]:
    with (
        tempfile.TemporaryDirectory(prefix="lc", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        yield Places(stack, Path(folder))


@pytest.fixture
def app(home: Path) -> tuple[list[str], dict[str, str]]:
    """The app's command, and what it needs in its environment."""
    file = write_config(home, SCRIPT)
    command = [sys.executable, "-m", "tui", "--config", str(file)]
    return command, {"LAZYCHAT_HOME": str(home), "PYTHONPATH": str(ROOT)}


def converse(terminal: Terminal) -> None:
    """Have it answer, scroll up and down again, and come to rest."""
    terminal.wait_for("Message")
    terminal.type("Go on")
    terminal.press("enter")
    # GNU screen may show a later part first.
    terminal.wait_for(lambda t: re.search(r"w\d+x3", t.text))
    terminal.type("typed meanwhile")
    terminal.wait_for("typed meanwhile")
    terminal.wait_for(_at_the_end)
    terminal.wait_for("ready")
    for key in ("pageup", "pageup", "pageup", "pagedown", "pageup"):
        terminal.press(key)
        terminal.settle(0.1)
    for _ in range(3):
        terminal.press("pagedown")
    terminal.wait_for(_at_the_end)
    terminal.settle()


def _at_the_end(terminal: Terminal) -> object:
    """Whether the footer of the answer is shown, which is the last row."""
    return re.search(r"theend\s+\S.* s · \d\d:\d\d", terminal.text)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    home = tmp_path_factory.mktemp("plain")
    file = write_config(home, SCRIPT)
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "TERM": "xterm-256color",
        "LAZYCHAT_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tui", "--config", str(file)]
    with Terminal(command, env=env) as terminal:
        converse(terminal)
        shown, plain = terminal.display, looks(terminal, "has")[0]
    said = " ".join(shown)
    assert f"w{PARAGRAPHS - 1}x19" in said
    assert "世界 and é" in said
    return Expected(timeless(shown), plain)


def timeless(rows: list[str]) -> list[str]:
    """Return rows without the seconds and times of answers, which differ."""
    return [re.sub(r"\d+(\.\d)? s · \d\d:\d\d|\d\d:\d\d$", "", row) for row in rows]


def looks(terminal: Terminal, text: str) -> list[tuple[object, ...]]:
    x, y = terminal.find(text)
    cells = terminal.cells(y)[x : x + len(text)]
    return [(c.bold, c.italics, c.reverse, c.fg, c.bg) for c in cells]


def leave(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


@pytest.mark.parametrize("term", ["tmux-256color", "screen-256color"])
def test_inside_tmux(
    places: Places,
    app: tuple[list[str], dict[str, str]],
    expected: Expected,
    term: str,
) -> None:
    command, env = app
    terminal = places.tmux(term, command, COLORTERM="truecolor", **env)

    converse(terminal)

    assert timeless(terminal.display) == expected.rows
    captured = places.call(*places.of_tmux, "capture-pane", "-p")
    rows = [row.rstrip() for row in captured.split("\n")]
    assert timeless(rows[: len(expected.rows)]) == expected.rows
    bold, italic, *_ = looks(terminal, "bold")[0]
    assert (bold, italic) == (True, False)
    assert looks(terminal, "italic")[0][1] is (term == "tmux-256color")
    assert not looks(terminal, "italic")[0][2]
    leave(terminal)


def test_inside_tmux_a_reattached_screen_is_drawn(
    places: Places, app: tuple[list[str], dict[str, str]], expected: Expected
) -> None:
    command, env = app
    first = places.tmux("tmux-256color", command, **env)
    converse(first)

    places.call(*places.of_tmux, "detach-client")
    assert first.wait_exit() == 0
    again = places.terminal([*places.of_tmux, "attach"])
    again.wait_for("theend")
    again.settle()

    assert timeless(again.display) == expected.rows
    leave(again)


def test_inside_tmux_letters_are_whole_and_copies_in_its_buffer(
    places: Places, app: tuple[list[str], dict[str, str]], home: Path
) -> None:
    text = "हिन्दी में नमस्ते कहें। বাংলা ভাষা। ශ්‍රී ලංකාව।"
    write_config(home, [{"text": f"{text} **End.**"}])
    command, env = app
    terminal = places.tmux("tmux-256color", command, **env)
    terminal.wait_for("Message")

    ask(terminal, "Say hello", "End.")
    terminal.settle()
    captured = places.call(*places.of_tmux, "capture-pane", "-p")
    for word in text.split():
        assert word in captured
    ask(terminal, "/copy")
    terminal.wait_for("copied to tmux")

    assert places.call(*places.of_tmux, "show-buffer") == f"{text} **End.**"
    leave(terminal)


@pytest.mark.parametrize("term", ["screen", "screen-256color"])
def test_inside_gnu_screen(
    places: Places,
    app: tuple[list[str], dict[str, str]],
    expected: Expected,
    term: str,
) -> None:
    command, env = app
    # Not as it would name itself: it looks for an entry with the outer name in it.
    inside = ["env", f"TERM={term}", *command]
    terminal = places.screen(term, inside, COLORTERM="truecolor", **env)

    converse(terminal)

    assert timeless(terminal.display) == expected.rows
    plain, bold = looks(terminal, "has")[0], looks(terminal, "bold")[0]
    # Its own idea of an italic is reverse, of 24-bit colours anything.
    assert looks(terminal, "italic")[0] == plain
    assert bold[0]
    assert not plain[0]
    if term == "screen":
        assert plain[3:] == ("brightwhite", "black")
    else:
        assert plain == expected.plain
    leave(terminal)


def test_inside_mosh(
    places: Places, app: tuple[list[str], dict[str, str]], expected: Expected
) -> None:
    command, env = app
    terminal = places.mosh(command, **env)

    converse(terminal)

    assert timeless(terminal.display) == expected.rows
    assert looks(terminal, "bold")[0][0]
    leave(terminal)
