"""How soon a key is seen while a local model decodes, beside an app that is idle.

Usage: python tests/bench/local_keys.py [KEYS]

The app runs in a pseudo-terminal with the starter's weights, whose process takes all
cores that it is given. A key is pressed every 50 ms, and its time is that from the
write to the frame that shows it. The limit is 1.2 times what the idle app takes.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from support import ROOT
from support.start import ask, write_config
from support.terminal import Terminal

from tui.models.llama import starter_path

PAUSE = 0.05  # seconds between two keys
STORY = "Tell me a very long story about a ship and each of its sailors."


def typed(terminal: Terminal) -> str:
    """Return what stands in the composer."""
    rows = [row for row in terminal.display if row.startswith("│")]
    return "".join(row.strip("│ ") for row in rows)


def echoes(terminal: Terminal, keys: int, while_: str = "") -> list[float]:
    """Press up to `keys` keys, as long as the status says `while_`; milliseconds."""
    found: list[float] = []
    for number in range(keys):
        if while_ and while_ not in terminal.row(-1):
            break
        if number % 20 == 0:
            terminal.send(b"\x7f" * 20)
            terminal.wait_for(lambda t: "x" not in typed(t))
        count = number % 20 + 1
        began = monotonic()
        terminal.send(b"x")
        terminal.wait_for(lambda t, count=count: typed(t).count("x") == count)
        found.append((monotonic() - began) * 1000)
        sleep(PAUSE)
    return found


def percentile(values: list[float], part: float) -> float:
    """Return the value below which `part` (0 to 1) of all are."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def main(keys: int) -> int:
    """Print both distributions; 1 if the limit is not held."""
    sampling = {"temperature": 0.8, "max_tokens": 2000}
    tiny = {"provider": "llama", "path": str(starter_path()), "options": sampling}
    config = {"model": "tiny", "models": {"tiny": tiny}}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        file = write_config(home, None, config)
        env = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        env |= {"LAZYCHAT_HOME": folder}
        command = [sys.executable, "-m", "tui", "--config", str(file)]
        with Terminal(command, env={**os.environ, **env}, cwd=home) as terminal:
            terminal.wait_for("Message")
            ask(terminal, "Hello")
            terminal.wait_for("writing")
            terminal.press("escape")
            terminal.wait_for("ready")
            idle = echoes(terminal, keys)
            busy: list[float] = []
            while len(busy) < keys:
                terminal.send(b"\x7f" * 20)
                ask(terminal, STORY)
                terminal.wait_for("writing")
                busy += echoes(terminal, keys - len(busy), "writing")
                terminal.press("escape")
                terminal.wait_for("ready")
            terminal.press("ctrl+q")
            terminal.wait_exit()
    for name, found in (("idle", idle), ("decoding", busy)):
        print(
            f"{name:9} {len(found):4} keys: median {statistics.median(found):6.1f} ms, "
            f"95 % below {percentile(found, 0.95):6.1f} ms"
        )
    ratio = percentile(busy, 0.95) / percentile(idle, 0.95)
    print(f"95 %: {ratio:.2f} times the idle app's; the limit is 1.2")
    return ratio > 1.2


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 200))
