"""Lets a hostile server loose on the app, at full size, and looks what that costs.

    python tests/attacks.py [ATTACK ...] [--megabytes N]

Each attack meets an app of its own in a terminal. While it lasts a letter is typed
again and again, and has to be on the screen at once; then Esc is pressed, and Ctrl+Q.
It prints a table: the memory of the process before and at its peak, the longest that a
letter took, how long after Esc the server was left and the screen had come to rest, and
how long Ctrl+Q took.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from support import ROOT
from support.fakes.hostile_server import ATTACKS, HostileServer
from support.processes import memory
from support.terminal import Terminal

FULL = {
    "line": 1024.0,
    "data lines": 1024.0,
    "comments": 1024.0,
    "error": 1024.0,
    "gzip": 1024.0,
    "gzip error": 1024.0,
    "delta": 50.0,
    "words": 5.0,
    "wide": 5.0,
    "reasoning": 5.0,
    "flood": 116.0,
    "flood of lines": 116.0,
    "flood of tags": 116.0,
    "flood of links": 116.0,
    "flood of emphasis": 116.0,
    "flood of tables": 116.0,
    "flood of quotes": 116.0,
    "flood of marks": 116.0,
    "arguments": 50.0,
    "calls": 1.0,
    "name": 1.0,
    "called in text": 20.0,
    "document": 1024.0,
    "page": 1024.0,
    "models": 50.0,
}
"""Megabytes of each attack."""

TYPED_SECONDS = 3.0
"""How long letters are typed before Esc."""


@dataclass
class Outcome:
    """What an attack did. Memory in MB, times in seconds."""

    before: float
    peak: float
    typed: float
    """The longest that a letter took to be on the screen."""
    stopped: float
    """From Esc until the turn was at its end."""
    quiet: float
    """From Esc until nothing was written any more."""
    left: float
    """From Ctrl+Q until the program asked or was gone."""
    told: str
    """The last line of the conversation that tells of it."""


def attack(terminal: Terminal, seconds: float = TYPED_SECONDS) -> Outcome:
    """Ask, type for some seconds, press Esc and then Ctrl+Q."""
    pid = terminal.process.pid
    terminal.settle(1.0)
    before = memory(pid, "VmRSS")
    terminal.type("go")
    terminal.wait_for("go")
    terminal.press("enter")
    begun = time.monotonic()
    worst, typed = 0.0, ""
    while time.monotonic() - begun < seconds:
        typed = "" if len(typed) >= 20 else typed
        if not typed:
            terminal.press("ctrl+u")
        typed += "q"
        pressed = time.monotonic()
        terminal.type("q")
        terminal.wait_for(lambda t, typed=typed: typed in t.text, 60)
        worst = max(worst, time.monotonic() - pressed)
        terminal.written_within(0.02)
    pressed = time.monotonic()
    terminal.press("escape")
    ended = ("ready", "error")
    terminal.wait_for(lambda t: any(word in t.row(-1) for word in ended), 60)
    stopped = time.monotonic() - pressed
    quiet = time.monotonic()
    while terminal.written_within(0.5):
        quiet = time.monotonic()
    words = terminal.words
    told = words[words.rfind("× ") :].split(" ╭")[0] if "× " in words else ""
    peak = memory(pid, "VmHWM")
    left = time.monotonic()
    terminal.press("ctrl+q")
    terminal.wait_for(lambda t: "alternate screen" not in t.left_on(), 60)
    left = time.monotonic() - left
    return Outcome(before, peak, worst, stopped, quiet - pressed, left, told)


def main() -> None:
    """Run the attacks that are named, or all."""
    parser = argparse.ArgumentParser(description="Attacks the app, and looks.")
    parser.add_argument("attacks", nargs="*", default=list(ATTACKS))
    parser.add_argument("--megabytes", type=float)
    parser.add_argument("--seconds", type=float, default=TYPED_SECONDS)
    options = parser.parse_args()
    print("| attack | MB | memory | typed s | stopped s | quiet s | left s | told |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for name in options.attacks:
        size = options.megabytes or FULL[name]
        with (
            tempfile.TemporaryDirectory() as folder,
            HostileServer(name, size) as server,
            start(Path(folder), server.url) as terminal,
        ):
            terminal.wait_for("Message")
            try:
                it = attack(terminal, options.seconds)
            except AssertionError as error:
                peak = memory(terminal.process.pid, "VmHWM")
                print(f"| {name} | {size:g} | {peak:.0f} | {error}")
                continue
        memories = f"{it.before:.0f} → {it.peak:.0f}"
        times = (it.typed, it.stopped, it.quiet, it.left)
        told = " | ".join(f"{seconds:.2f}" for seconds in times)
        print(f"| {name} | {size:g} | {memories} | {told} | {it.told} |", flush=True)


def start(home: Path, url: str) -> Terminal:
    """Start the app, with a model of the server at `url`."""
    model = {"provider": "openai", "model": "x", "base_url": url}
    config = {"model": "hostile", "models": {"hostile": model}}
    (home / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LAZYCHAT_")}
    given = {"LAZYCHAT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return Terminal(
        [sys.executable, "-m", "tui"],
        env={**kept, **given, "TERM": "xterm-256color"},
        cwd=home,
    )


if __name__ == "__main__":
    main()
