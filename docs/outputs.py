"""What lazychat writes without a screen of its own, in a real terminal."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from panels import Panel, draw
from support.start import write_config
from support.terminal import Terminal

ROOT = Path(__file__).parent.parent
MODEL: list[dict[str, Any]] = [
    {
        "steps": [
            {"text": "I look at the clock there. "},
            {"call": "current_time", "arguments": {"place": "Tokyo"}},
        ]
    },
    {"text": "It is **9:02** in Tokyo.\n\n1. Call before six.\n2. Say hello.\n"},
    {
        "steps": [
            {"text": "I would look at the last changes. "},
            {"call": "run_command", "arguments": {"command": "git log --oneline"}},
        ]
    },
]


class Program(NamedTuple):
    """A command, and what a user types while it runs."""

    name: str
    arguments: tuple[str, ...]
    play: Callable[[Terminal], object]

    def draw(self, home: Path, columns: int, rows: int) -> str:
        """Run it in a terminal of that size; return the SVG of what is seen."""
        config: Mapping[str, Any] = {"tools": {"policy": {"run_command": "ask"}}}
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        write_config(home, MODEL, config)
        command = [sys.executable, "-m", "tui", *self.arguments]
        with Terminal(command, columns=columns, rows=rows, env=env) as terminal:
            self.play(terminal)
            terminal.settle()
            cells = [terminal.cells(y) for y in range(rows)]
        title = " ".join(("lazychat", *self.arguments))
        return draw([Panel(f"{title}, {columns}x{rows}", title, cells)])


def _to_its_end(terminal: Terminal) -> None:
    terminal.wait_exit()


def _plain(terminal: Terminal) -> None:
    terminal.wait_for("You:")
    terminal.type("What time is it in Tokyo?")
    terminal.press("enter")
    terminal.wait_for("Say hello")
    terminal.wait_for(lambda t: t.text.rstrip().endswith("You:"))
    terminal.type("What has changed?")
    terminal.press("enter")
    terminal.wait_for("run_command")


PROGRAMS = (
    Program("doctor", ("doctor",), _to_its_end),
    Program("plain", ("--plain",), _plain),
    Program("help-cli", ("--help",), _to_its_end),
)
