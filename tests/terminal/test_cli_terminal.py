"""lazychat in a real pseudo-terminal: what it writes to one, and when it refuses."""

import io
import os
import shlex
import subprocess
import sys

import pexpect
import pytest
from support.fakes.lazychat import LIMIT, Home, needs_starter

EVIL = "Hi \x1b]0;owned\x07\x1b[31mred\x1b[0m \x9b2J \u202eback"


@pytest.fixture
def home(tmp_path):
    with Home(tmp_path) as home:
        yield home


class Terminal:
    """A process on a terminal; `shown` is every byte that has reached it."""

    def __init__(self, home, *arguments, command=None, **env):
        self._shown = io.BytesIO()
        self._child = pexpect.spawn(
            "/bin/sh" if command else sys.executable,
            ["-c", command] if command else ["-m", "tui", *arguments],
            env=home.env | env,
            cwd=str(home.work),
            timeout=LIMIT,
            echo=False,
        )
        self._child.logfile_read = self._shown

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.close(force=True)

    @property
    def shown(self):
        return self._shown.getvalue().decode()

    def see(self, text):
        self._child.expect_exact(text)

    def press(self, keys):
        self._child.send(keys)

    def end(self):
        """Wait for the end; return the exit code."""
        self._child.expect(pexpect.EOF)
        self._child.wait()
        return self._child.exitstatus


def test_nothing_of_an_answer_drives_the_terminal(home):
    home.scripted(EVIL)

    with Terminal(home, "ask", "hi") as terminal:
        assert terminal.end() == 0

    assert "red" in terminal.shown
    assert not set("\x1b\x07\x9b\u202e") & set(terminal.shown)


def test_a_pipe_gets_what_the_model_said(home):
    home.scripted(EVIL)

    assert home.ask("hi").out == f"{EVIL}\n"


def test_nothing_of_an_error_drives_the_terminal(home):
    home.scripted([{"error": "no\x1b]0;owned\x07\nmore"}])

    with Terminal(home, "ask", "hi") as terminal:
        assert terminal.end() == 1

    assert "owned" in terminal.shown
    assert not set("\x1b\x07") & set(terminal.shown)
    assert terminal.shown.count("\n") == 1


def test_it_streams_to_a_terminal_and_ctrl_c_cancels(home):
    home.scripted([{"text": "Half an"}, {"pause": LIMIT}, {"text": " answer"}])

    with Terminal(home, "ask", "hi") as terminal:
        terminal.see("Half an")
        terminal.press("\x03")
        assert terminal.end() == 130

    assert terminal.shown == "Half an\r\n"
    assert home.entries()[-1].finish_reason == "cancelled"


def test_a_question_at_a_terminal_does_not_wait_for_stdin(home):
    home.scripted("Fine.")

    with Terminal(home, "ask", "hi") as terminal:
        terminal.see("Fine.")
        assert terminal.end() == 0

    assert home.said()[0] == ("user", "hi")


def test_what_a_tool_or_its_process_writes_is_shown_clean(home, tried):
    home.write(
        "tools/loud.py",
        "import os, subprocess, sys\nfrom tui.tools import tool\n\n@tool\n"
        'def loud() -> str:\n    """Make noise."""\n'
        "    assert not any(map(os.isatty, range(3)))\n"
        '    os.write(2, b"Mk1 \\x1b]0;t\\x07\\n")\n'
        r"""    subprocess.run(["sh", "-c", r"printf 'Mk2 \033[31m\n' >&2; cat"])"""
        '\n    print("Mk3 \\x9b2J")\n    print("Mk4 \\x1b", file=sys.stderr)\n'
        '    subprocess.run(["sh", "-c", "yes | head -c 100000000"])\n'
        '    return "ok"\n',
    )
    home.scripted([{"call": "loud"}], "Done.")

    with Terminal(home, "ask", "hi") as terminal:
        assert terminal.end() == 0

    for mark in ("Mk1 ␛]0;t␇", "Mk2 ␛[31m", "Mk3 \ufffd2J", "Mk4 ␛"):
        assert f"lazychat: written by a tool: {mark}\r\n" in terminal.shown
    assert not set("\x1b\x07\x9b") & set(terminal.shown)
    assert "more lines" in terminal.shown
    assert len(terminal.shown) < 100_000
    assert "\r\nDone.\r\n" in terminal.shown
    tried("A tool of `ask` that writes to the terminal's descriptors", 4)


_REACHES = """
import os, pathlib, subprocess, sys
from tui.tools import tool

def tried(way):
    try:
        return way()
    except OSError as error:
        return type(error).__name__

@tool
def reach() -> list:
    "Write to the terminal, and read it, in every way."
    def inside(command):
        return subprocess.run(command, shell=True, capture_output=True).returncode
    return [
        tried(lambda: pathlib.Path("/dev/tty").write_text("Mk1")),
        inside("printf Mk2 > /dev/tty") != 0,
        inside("head -c 1 < /dev/tty") != 0,
        os.system("printf Mk3 > /dev/tty") != 0,
        sys.stdin.read(),
        subprocess.run(["cat"], stdout=subprocess.PIPE).stdout.decode(),
    ]
"""


@pytest.mark.parametrize("aside", ["", "2> err", "> out"])
def test_a_tool_can_neither_draw_on_the_terminal_nor_read_it(home, aside):
    home.write("tools/reach.py", _REACHES)
    home.scripted([{"call": "reach"}], "Done.")
    command = f"{shlex.quote(sys.executable)} -m tui ask hi {aside}"

    with Terminal(home, command=command) as terminal:
        assert terminal.end() == 0

    assert "Mk" not in terminal.shown
    assert home.said()[2] == ("tool", '["OSError",true,true,true,"",""]')


def test_ask_works_on_a_dumb_terminal(home):
    home.scripted("Fine.")

    with Terminal(home, "ask", "hi", TERM="dumb") as terminal:
        assert terminal.end() == 0

    assert terminal.shown == "Fine.\r\n"


def test_a_screen_without_a_terminal_to_type_in_is_refused(home):
    """The others are a terminal: it would be drawn, and could not be left."""
    home.scripted("Fine.")
    aside = home.work / "aside"
    aside.write_text("")
    ours, theirs = os.openpty()
    command = '"$0" -m tui <"$1"'

    process = subprocess.Popen(
        ["sh", "-c", command, sys.executable, str(aside)],
        env=home.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 # no path
        seen = read_all(terminal)
    assert process.wait(LIMIT) == 2

    said = seen + aside.read_text()
    assert said.count("\n") == 1
    assert "The chat screen needs a terminal. In a script or a pipe, use" in said


def read_all(terminal):
    pieces = []
    try:
        while piece := terminal.read(4096):
            pieces.append(piece)
    except OSError:  # how Linux says that the other side is closed
        pass
    return b"".join(pieces).decode()


@needs_starter
def test_who_sees_the_starter_answer_unasked_is_told_what_it_is(home):
    with Terminal(home, "ask", "-T", "none", "Say hello.") as terminal:
        assert terminal.end() == 0

    first, *answer = terminal.shown.splitlines()
    assert first.startswith("lazychat: This is the starter, a tiny model")
    assert answer
