"""The mouse left to the terminal: no mode of it is on, whatever happens."""

import re
import signal
import sys
from pathlib import Path

import pytest
from support.start import Start, ask
from support.terminal import Terminal, wait_until

pytestmark = pytest.mark.new_process  # /proc shows its end

ON = re.compile(rb"\x1b\[\?(?:9|1000|1001|1002|1003|1005|1006|1015|1016)h")
MOUSE = {"1000", "1002", "1003", "1006", "1015", "1016"}

REPLY = [{"steps": [{"text": "Hello."}]}]


def modes(terminal: Terminal) -> list[bytes]:
    return ON.findall(bytes(terminal.raw))


def on_now(terminal: Terminal) -> set[str]:
    """The mouse modes that the last switches have left on."""
    left: set[str] = set()
    for number, how in re.findall(rb"\x1b\[\?(\d+)([hl])", bytes(terminal.raw)):
        name = number.decode()
        if name in MOUSE:
            (left.add if how == b"h" else left.discard)(name)
    return left


def test_mouse_false_sends_no_mouse_mode_at_all(start: Start) -> None:
    terminal = start(REPLY, config={"mouse": False})
    ask(terminal, "Hi", "Hello.")

    terminal.press("ctrl+q")

    assert terminal.wait_exit() == 0
    assert modes(terminal) == []


def test_slash_mouse_takes_effect_at_once_and_is_remembered(start: Start) -> None:
    terminal = start(REPLY)
    assert "1000" in on_now(terminal)

    ask(terminal, "/mouse off")
    terminal.wait_for("Mouse off")
    terminal.wait_for(lambda t: not on_now(t))
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0

    again = start(REPLY)
    assert modes(again) == []
    ask(again, "/mouse on")
    again.wait_for("Mouse on")
    again.wait_for(lambda t: {"1000", "1006"} <= on_now(t))


def test_after_ctrl_z_the_mouse_is_still_the_terminals(start: Start) -> None:
    terminal = start(REPLY, config={"mouse": False})
    state = Path(f"/proc/{terminal.process.pid}/stat")

    terminal.press("ctrl+z")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
    terminal.signal(signal.SIGCONT)
    terminal.wait_for(lambda t: "line settings" in t.left_on())
    terminal.settle()
    ask(terminal, "Hi", "Hello.")

    assert modes(terminal) == []


def test_after_the_editor_the_mouse_is_still_the_terminals(
    start: Start, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nprint('EDITING')\n")
    editor.chmod(0o755)
    terminal = start(
        REPLY, config={"mouse": False}, environment={"VISUAL": str(editor)}
    )

    terminal.press("ctrl+o")
    terminal.wait_for(lambda t: b"EDITING" in bytes(t.raw))
    terminal.wait_for("Message")
    ask(terminal, "Hi", "Hello.")

    assert modes(terminal) == []
