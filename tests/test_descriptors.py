"""What tools and their processes write is not drawn over the screen."""

from pathlib import Path

from conftest import Start, Tried

_TOOLS = """
import os, subprocess
from tui.tools import tool

@tool
def write_around() -> str:
    "Write to the descriptors."
    os.write(1, b"Mk1 \\x1b]0;t\\x07\\x1b[31m\\n")
    os.write(2, b"Mk2 \\x9b31m\\n")
    script = r"printf 'Mk3 \\033]7713;x\\007\\n'; cat; "
    script += r"head -c 30000000 /dev/zero | tr '\\0' '\\n'"
    subprocess.run(["sh", "-c", script])
    return "written"
"""


def test_a_tool_and_its_process_write_into_the_debug_panel(
    start: Start, home: Path, tried: Tried
) -> None:
    (home / "tools").mkdir()
    (home / "tools" / "own.py").write_text(_TOOLS)
    call = {"steps": [{"call": "write_around", "arguments": {}}]}
    terminal = start([call, {"text": "All done."}], rows=40, columns=120)
    terminal.wait_for("write_around")

    terminal.press("f3")
    terminal.type("go")
    terminal.press("enter")
    terminal.wait_for("All done.")
    terminal.wait_for("Mk3")

    assert "Mk1 ␛]0;t␇␛[31m" in terminal.text
    raw = bytes(terminal.raw)
    for sequence in (b"\x1b]0;", b"\x1b[31m\n", b"\x9b31m", b"]7713;x\x07"):
        assert sequence not in raw
    terminal.press("ctrl+q")
    assert terminal.wait_exit() == 0
    assert terminal.left_on() == set()
    tried("A tool that writes to the terminal's descriptors", 3)
