"""What tools and their processes write is not drawn over the screen."""

from pathlib import Path

import pytest
from support.fault_notes import Tried
from support.processes import memory
from support.start import Start
from support.terminal import Terminal

# What a process has open at its start counts.
pytestmark = pytest.mark.new_process

_TOOLS = """
import os, subprocess, sys
from tui.tools import tool

@tool
def write_around() -> str:
    "Write to the descriptors."
    os.write(1, b"Mk1 \\x1b]0;t\\x07\\x1b[31m\\n")
    os.write(2, b"Mk2 \\x9b31m\\n")
    script = r"printf 'Mk3 \\033]7713;x\\007\\n'; cat; "
    script += r"head -c 100000000 /dev/zero | tr '\\0' '\\n'"
    subprocess.run(["sh", "-c", script])
    return "written"

@tool
def talk_aloud() -> str:
    "Print."
    print("Mk4 \\x1b]0;t\\x07", 4)
    for number in range(100_000):
        print("again", number, file=sys.stderr)
    return "talked"
"""


def with_tool(start: Start, home: Path, tools: str, name: str) -> Terminal:
    """Return the app with a file of tools, whose next answer calls one of them."""
    (home / "tools").mkdir()
    (home / "tools" / "own.py").write_text(tools)
    call = {"steps": [{"call": name, "arguments": {}}]}
    terminal = start([call, {"text": "All done."}], rows=40, columns=120)
    terminal.press("f2")
    terminal.wait_for(name)  # the sidebar has it once it is loaded
    terminal.press("f2")
    terminal.wait_for(lambda t: name not in t.text)
    return terminal


def call_it(terminal: Terminal) -> None:
    """Open the debug panel, and ask the question that is answered with the call."""
    terminal.press("f3")
    terminal.type("go")
    terminal.press("enter")


def look_at(terminal: Terminal, call: str) -> None:
    """Unfold a finished call in the debug panel."""
    terminal.wait_for("All done.")
    terminal.press("tab", "tab")
    terminal.click(5, terminal.find(call)[1])


def leave(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()


def test_a_tool_and_its_process_write_into_the_debug_panel(
    start: Start, home: Path, tried: Tried
) -> None:
    terminal = with_tool(start, home, _TOOLS, "write_around")

    call_it(terminal)
    terminal.wait_for("All done.")
    terminal.wait_for("Mk3")

    assert "Mk1 ␛]0;t␇␛[31m" in terminal.text
    raw = bytes(terminal.raw)
    for sequence in (b"\x1b]0;", b"\x1b[31m\n", b"\x9b31m", b"]7713;x\x07"):
        assert sequence not in raw
    leave(terminal)
    tried("A tool that writes to the terminal's descriptors", 3)


def test_a_flood_of_what_a_process_writes_leaves_the_keys_alone(
    start: Start, home: Path, tried: Tried
) -> None:
    terminal = with_tool(start, home, _TOOLS, "write_around")
    before = memory(terminal.process.pid, "VmRSS")
    call_it(terminal)
    terminal.wait_for("Mk3")

    for letter in "qwxz":
        terminal.type(letter)
        terminal.wait_for(lambda t, letter=letter: letter in t.display[-3], 5)
    terminal.wait_for("All done.")

    terminal.wait_for("more lines")
    assert memory(terminal.process.pid, "VmHWM") - before < 50
    tried("100 MB that a tool's process writes")


def test_what_a_tool_prints_stands_with_its_call(start: Start, home: Path) -> None:
    terminal = with_tool(start, home, _TOOLS, "talk_aloud")
    call_it(terminal)
    look_at(terminal, "talk_aloud()")

    terminal.wait_for("    Mk4 ")
    assert b"\x1b]0;t" not in terminal.raw
    leave(terminal)


_OPENS_TTY = """
import os, pathlib, subprocess
from tui.tools import tool

SAY = "printf 'Mk\\\\033]7713;x\\\\007' > /dev/tty"

@tool
def open_terminal() -> str:
    "Write to the terminal in every way."
    outcomes = []
    for way in (in_process, by_pathlib, by_name, in_fork):
        try:
            way()
            outcomes.append("opened")
        except OSError as error:
            outcomes.append(error.strerror.split()[-1])
    for run in (subprocess.call, lambda it, shell: os.system(it)):
        outcomes.append("ran" if run(SAY, shell=True) == 0 else "failed")
    with os.popen(SAY + " && echo opened || echo failed") as said:
        outcomes.append(said.read().strip())
    outcomes.append(os.system("exit 3") >> 8)
    return " ".join(map(str, outcomes))

def name():
    for number in range(64):
        try:
            return os.ttyname(number)
        except OSError:
            pass

def in_process():
    os.write(os.open("/dev/tty", os.O_RDWR), b"Mk")

def by_pathlib():
    pathlib.Path("/dev/tty").write_text("Mk")

def by_name():
    pathlib.Path(name()).write_text("Mk")

def in_fork():
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        raise OSError(0, f"in a fork: {status}")
    code = 9
    try:
        in_process()
    except OSError:
        code = 7
    finally:
        os._exit(code)
"""


def test_who_opens_the_terminal_does_not_get_it_while_the_screen_is_up(
    start: Start, home: Path, tried: Tried
) -> None:
    terminal = with_tool(start, home, _OPENS_TTY, "open_terminal")

    call_it(terminal)
    look_at(terminal, "open_terminal()")

    terminal.wait_for("address address address 7 failed failed failed 3")
    assert b"Mk" not in terminal.raw
    assert b"7713;x" not in terminal.raw
    leave(terminal)
    tried("A tool that opens the terminal", 7)
