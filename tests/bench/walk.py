"""Through which files a question and its answer go, in a real run of the app.

Usage: python tests/bench/walk.py [--all]

The app runs in a pseudo-terminal and asks a server; a profiler sees every function from
the Enter of the second question to the end of its answer. Compares the files with the
walk in docs/architecture.md. `--all` lists them.
"""

import json
import os
import re
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import sleep
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from support import ROOT

QUESTION, ANSWER = "Qzmark", "Azmark"
TUI = f"{ROOT / 'tui'}/"
PARTS = ("text", "_text", "pieces")
"""Attributes in which values of the screen keep their text."""
KEY = "app/terminal/"
"""The folder where the walk begins, with a key, which has no text yet."""


def holds(value: object, depth: int = 6) -> bool:
    """Return whether a value contains the text; parts of the program do not count."""
    if isinstance(value, str):
        return QUESTION in value or ANSWER in value
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return QUESTION.encode() in data or ANSWER.encode() in data
    if value is None or isinstance(value, int | float | type) or not depth:
        return False
    if isinstance(value, dict):
        return any_holds(list(value.values()), depth)
    if isinstance(value, list | tuple | set | frozenset | deque):
        many = list(value)
        if many and all(isinstance(each, str) for each in many):
            return holds("".join(many))  # cells, or the pieces of a text
        return any_holds(many, depth)
    kind = type(value)
    if fields := getattr(kind, "__struct_fields__", ()):
        parts: Iterable[object] = (
            getattr(value, name, None)
            for name in fields
            if kind.__name__ != "Transcript"
        )
        return any_holds(parts, depth)
    known = getattr(value, "__dict__", {})
    slots = [getattr(value, "_segments", None)]  # of a strip
    return any_holds([known.get(name) for name in PARTS] + slots, depth)


def any_holds(values: Iterable[object], depth: int) -> bool:
    return any(holds(value, depth - 1) for value in values)


class Recorder:
    """Notes the functions of the app that run, and those that have the text."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._on = False
        self._ran: set[tuple[str, str]] = set()
        self._had: set[str] = set()
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def _begin(self, *_: object) -> None:
        self._on = True

    def _end(self, *_: object) -> None:
        self._on = False
        found = {"ran": sorted(self._ran), "had": sorted(self._had)}
        part = Path(f"{self._file}.part")
        part.write_text(json.dumps(found), "utf-8")
        part.rename(self._file)

    def _see(self, frame: FrameType, event: str, result: Any) -> None:
        path = self._path(frame)
        if not self._on or event not in ("call", "return") or not path:
            return
        self._ran.add((path, frame.f_code.co_qualname))
        values = [*frame.f_locals.values(), result]
        if path not in self._had and any_holds(values, 7):
            self._had.add(path)
        caller = frame.f_back  # a loop that hands it on has neither begun nor ended
        by = self._path(caller) if caller and event == "call" else ""
        if by and by not in self._had and any_holds(frame.f_locals.values(), 7):
            self._had.add(by)

    def _path(self, frame: FrameType) -> str:
        path = frame.f_code.co_filename
        return path.removeprefix(TUI) if path.startswith(TUI) else ""


def child(file: str) -> None:
    """Be the app, and record it."""
    Recorder(file)
    sys.argv = ["lazychat"]
    from tui.__main__ import main

    sys.exit(main())


def recorded(folder: Path) -> dict[str, list[Any]]:
    """Ask two questions, and return what ran from the second Enter on."""
    from support.fakes.lazychat import Home
    from support.fakes.sse_server import DONE, SSEServer, finish, text
    from support.terminal import Terminal, wait_until

    file = folder / "walk.json"
    home = Home(folder)
    with SSEServer() as server:
        server.answer(text("First "), text("answer."), finish(), DONE)
        server.answer(text(f"{ANSWER} and "), text(f"{ANSWER} end."), finish(), DONE)
        (home.folder / "config.toml").write_text(
            'model = "m"\n[models.m]\nprovider = "openai"\nmodel = "fake"\n'
            f'base_url = "{server.url}"\n',
            "utf-8",
        )
        command = [sys.executable, __file__, "--child", str(file)]
        env = home.env | {"TERM": "xterm-256color", "OPENAI_API_KEY": "none"}
        with Terminal(command, columns=100, rows=30, env=env) as terminal:
            terminal.wait_for("Message (")
            terminal.type("Hello")
            terminal.press("enter")
            terminal.wait_for(lambda t: "answer." in t.text and "ready" in t.row(-1))
            terminal.type(f"What is a {QUESTION}?")
            terminal.wait_for(f"{QUESTION}?")
            terminal.settle()
            os.kill(terminal.process.pid, signal.SIGUSR1)
            sleep(0.2)  # the signal is handled between two events
            terminal.press("enter")
            terminal.wait_for(
                lambda t: f"{ANSWER} end." in t.text and "ready" in t.row(-1)
            )
            terminal.settle()
            os.kill(terminal.process.pid, signal.SIGUSR2)
            wait_until(file.exists)
            terminal.press("ctrl+q")
            terminal.wait_exit()
    return json.loads(file.read_text("utf-8"))


def walk() -> list[str]:
    """Return the files of the walk in docs/architecture.md, each once."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    part = page.split("## The life of a prompt")[1].split("\n\n")
    table = next(lines for lines in part if lines.startswith("| thread "))
    return list(dict.fromkeys(re.findall(r"^\|[^|]*\| `([\w/]+\.py)`", table, re.M)))


def main(show_all: bool) -> int:
    """Print the counts; 1 if the page names a file without the text."""
    with tempfile.TemporaryDirectory() as folder:
        found = recorded(Path(folder))
    files = {file for file, _ in found["ran"]}
    had, named = set(found["had"]), walk()
    print(f"{len(found['ran'])} functions in {len(files)} files of tui/ have run.")
    print(f"{len(had)} files had the text of the question or of the answer.")
    print(f"The walk in docs/architecture.md names {len(named)} files.")
    without = [file for file in named if file not in had]
    print(f"Without the text: {', '.join(without) or 'none'}.")
    if show_all:
        print(
            *(f"{'*' if file in named else ' '} {file}" for file in sorted(had)),
            sep="\n",
        )
    return int(any(not file.startswith(KEY) for file in without))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        sys.exit(main("--all" in sys.argv[1:]))
