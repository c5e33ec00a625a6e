"""A tool that asks before it runs, as a file for the folder of tools."""

from pathlib import Path

SOURCE = '''
from pathlib import Path
from tui.tools import tool
from tui.tools.policy import Preview


def shown(command: str) -> Preview:
    return Preview("command", command, command)


@tool(policy="ask", preview=shown)
def run_it(command: str) -> str:
    """Run a command.

    Args:
        command: The command line.
    """
    with Path("{marks}").open("a") as file:
        file.write(command + "\\n")
    return f"ran {command}"
'''


def add(home: Path) -> Path:
    """Add the tool to the folder of `home`; return the file that lists its runs."""
    marks = home / "ran.txt"
    folder = home / "tools"
    folder.mkdir(exist_ok=True)
    (folder / "asking.py").write_text(SOURCE.replace("{marks}", str(marks)))
    return marks


def runs(home: Path) -> list[str]:
    """Return the commands that were run."""
    marks = home / "ran.txt"
    return marks.read_text().splitlines() if marks.exists() else []


def call(command: str = "git status --short") -> dict[str, object]:
    """Return the step of a script that calls the tool."""
    return {"call": "run_it", "arguments": {"command": command}}
