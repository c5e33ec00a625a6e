"""How light the wire is: what must hold, and what holds on this machine.

Usage: python tests/bench/wire.py [ROW ...] [--quick]

Each row is a ratio within one sitting where it can be: against `hello` (the smallest
Textual app), `tx-md` (the plainest Textual chat), `floor-openai` (no screen, the
openai client printing), or lazychat itself under another load. Markdown tokens,
120x40, the real openai client, the log written as always. `--quick` runs each once
and shortly, for a first look; only the full run is worth quoting.
"""

import argparse
import compileall
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from harness.app import Failed, Link
from harness.measure import Answer, Server, Start, answer, start
from harness.screen import VTermScreen, new_screen

import tui

SLOW = Link(rate=10_000, round_trip=0.1)
QUEUE = Path(__file__).parent / "queue_loop.py"


@dataclass(frozen=True)
class Figure:
    """A value measured; `must` and `aim` are its limits."""

    name: str
    value: float | None
    must: float
    aim: float
    unit: str = ""
    least: bool = False
    """Whether the limits are the least it may be."""
    note: str = ""

    @property
    def verdict(self) -> str:
        """`aim`, `must`, `MISSED`, or `-` when nothing was measured."""
        if self.value is None:
            return "-"
        sign = -1 if self.least else 1
        if sign * self.value <= sign * self.aim:
            return "aim"
        return "must" if sign * self.value <= sign * self.must else "MISSED"

    def __str__(self) -> str:
        value = "-"
        if self.value is not None:
            shown = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.3g}"
            value = f"{shown}{self.unit}"
        must = f"{'>=' if self.least else '<='} {self.must:g}{self.unit}"
        aim = f"{self.aim:g}{self.unit}"
        columns = f"{self.name:<50} {value:>10}  {must:<10} {aim:<7} {self.verdict}"
        return f"{columns:<90} {self.note}".rstrip()


def percentile(values: list[float], part: float) -> float:
    """Return the value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class Sitting:
    """The measurements of one run; each is made once and serves several rows."""

    def __init__(self, server: Server, *, quick: bool) -> None:
        self.server = server
        self.quick = quick
        self.answer = cache(self._answer)
        self.starts = cache(self._starts)

    def _answer(
        self, name: str, kind: str, number: int, rate: float, link: Link | None = None
    ) -> Answer:
        _say(f"{name}: {number} tokens of {kind} at {rate:g}/s")
        return answer(name, self.server, kind, number, rate, link=link)

    def _starts(
        self, *names: str, settle: float, first: bool
    ) -> dict[str, list[Start]]:
        """Start programs by turns, so that a noisy machine is noisy for all."""
        found: dict[str, list[Start]] = {name: [] for name in names}
        for number in range(1 if self.quick else 9):
            _say(f"start {number + 1} of {', '.join(names)}")
            for name in names:
                found[name].append(
                    start(name, self.server, settle=settle, answer=first)
                )
        return found

    # -- the rows

    def cpu_100(self) -> Iterator[Figure]:
        """CPU for 1,000 tokens at 100/s, against tx-md."""
        ratio = self._at_100("lazychat").cpu / self._at_100("tx-md").cpu
        yield Figure("CPU at 100/s, against tx-md", ratio, 0.20, 0.12)

    def cpu_1000(self) -> Iterator[Figure]:
        """CPU for 1,000 tokens at 1,000/s, against floor-openai."""
        ratio = self._at_1000("lazychat").cpu / self._at_1000("floor-openai").cpu
        yield Figure("CPU at 1,000/s, against floor-openai", ratio, 2.0, 1.4)

    def bytes(self) -> Iterator[Figure]:
        """Bytes sent for each byte of text."""
        for rate, found, must, aim in (
            ("100", self._at_100("lazychat"), 5.0, 3.5),
            ("1,000", self._at_1000("lazychat"), 2.2, 1.6),
        ):
            ratio = found.bytes / found.text_bytes
            yield Figure(f"bytes sent / text bytes, at {rate}/s", ratio, must, aim)

    def flat(self) -> Iterator[Figure]:
        """CPU of the last fifth of 10,000 tokens, against the second."""
        for kind in ("md", "oneline", "code", "table"):
            found = [self._long(kind).fifths]
            # A noisy machine may be slow in any of them.
            found += [
                self._answer("lazychat", kind, self._much, 1000).fifths
                for _ in range(0 if self.quick else 2)
            ]
            ratio = statistics.median(fifths[4] / fifths[1] for fifths in found)
            name = f"CPU last fifth / second fifth, {self._many} {kind}"
            yield Figure(name, ratio, 1.15, 1.05)

    def latency(self) -> Iterator[Figure]:
        """Token to screen."""
        p99 = percentile(self._at_100("lazychat").latency, 0.99)
        yield Figure("p99 token to screen", p99, 75, 55, " ms")

    def echo(self) -> Iterator[Figure]:
        """A key's letter on the screen while an answer comes."""
        # 1,000 tokens last a second, too short to type in.
        p95 = percentile(self._long("md").echo, 0.95)
        yield Figure("key echo p95 while streaming at 1,000/s", p95, 50, 30, " ms")

    def link(self) -> Iterator[Figure]:
        """How old the screen is at the end of a slow link."""
        number = 300 if self.quick else 1000
        found = self.answer("lazychat", "md", number, 100, SLOW).latency
        for part, must, aim in ((0.5, 120, 90), (0.99, 250, 150)):
            name = f"10 kB/s + 100 ms: staleness p{part * 100:.0f}"
            yield Figure(name, percentile(found, part), must, aim, " ms")

    def stop(self) -> Iterator[Figure]:
        """Esc, at the end of a slow link."""
        aborts: list[float] = []
        quiets: list[float] = []
        for _ in range(1 if self.quick else 3):
            _say("lazychat: Esc on a slow link")
            found = answer(
                "lazychat", self.server, "md", 2000, 100, link=SLOW, stop_after=4
            )
            if found.abort is not None and found.quiet is not None:
                aborts.append(found.abort)
                quiets.append(found.quiet)
        for what, values, must, aim in (
            ("server abort", aborts, 100, 70),
            ("a quiet screen", quiets, 150, 100),
        ):
            value = statistics.median(values) if values else None
            note = "" if values else "the server was not left"
            name = f"10 kB/s + 100 ms: Esc to {what}"
            yield Figure(name, value, must, aim, " ms", note=note)

    def start(self) -> Iterator[Figure]:
        """Start to ready, CPU against hello."""
        found = self.starts("lazychat", "hello", settle=0.0, first=False)
        ratio = _ratio(found["lazychat"], found["hello"], lambda each: each.ready)
        yield Figure("start to ready, CPU against hello", ratio, 1.5, 1.25)

    def first_answer(self) -> Iterator[Figure]:
        """What a first answer adds three seconds after the start."""
        found = self.starts("lazychat", "floor-openai", settle=3.0, first=True)
        ratio = _ratio(
            found["lazychat"], found["floor-openai"], lambda each: each.first_answer
        )
        yield Figure("first answer, CPU added against floor's", ratio, 0.3, 0.1)

    def open_1000(self) -> Iterator[Figure]:
        """Open a conversation of 1,000 messages, against an empty one."""
        # Until all is loaded, in both: else the empty one is quiet before.
        found = self.starts("lazychat-1000", "lazychat", settle=3.0, first=False)
        ratio = _ratio(
            found["lazychat-1000"], found["lazychat"], lambda each: each.settled
        )
        yield Figure("open 1,000 messages, CPU against none", ratio, 1.5, 1.2)

    def end_1000(self) -> Iterator[Figure]:
        """An answer at the end of 1,000 messages, against an empty conversation."""
        ratio = self._at_100("lazychat-1000").cpu / self._at_100("lazychat").cpu
        yield Figure("CPU at the end of 1,000 messages, against none", ratio, 1.3, 1.1)

    def memory(self) -> Iterator[Figure]:
        """Peak memory."""
        peak = self._long("md").peak
        yield Figure(f"peak memory, {self._many} tokens", peak, 90, 70, " MB")

    def idle(self) -> Iterator[Figure]:
        """What it costs while nothing happens."""
        _say("lazychat: idle")
        seconds = 3 if self.quick else 10
        found = start("lazychat", self.server, settle=3, answer=True, idle=seconds)
        yield Figure("idle bytes a second", found.idle_bytes, 0, 0)
        yield Figure("idle CPU", found.idle_cpu * 100, 1, 0.3, " %")

    def queue(self) -> Iterator[Figure]:
        """enqueue + dequeue, against LazyLLM's on the same disk."""
        _say("queue: enqueue and dequeue")
        rounds = 1 if self.quick else 5
        name = "queue: enqueue + dequeue, times LazyLLM's speed"
        if importlib.util.find_spec("lazyllm") is None:
            ours = statistics.median(_queue("tui.lazyllm") for _ in range(rounds))
            note = f"LazyLLM is not installed; ours {ours * 1e6:.0f} µs"
            yield Figure(name, None, 50, 300, "x", least=True, note=note)
            return
        pairs = [(_queue("tui.lazyllm"), _queue("lazyllm")) for _ in range(rounds)]
        ours, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(theirs / ours for ours, theirs in pairs)
        note = f"ours {ours * 1e6:.0f} µs, LazyLLM's {theirs * 1e6:.0f} µs"
        yield Figure(name, ratio, 50, 300, "x", least=True, note=note)

    # -- what they share

    @property
    def _much(self) -> int:
        return 3000 if self.quick else 10_000

    @property
    def _many(self) -> str:
        return f"{self._much:,}"

    def _at_100(self, name: str) -> Answer:
        return self.answer(name, "md", 300 if self.quick else 1000, 100)

    def _at_1000(self, name: str) -> Answer:
        return self.answer(name, "md", 1000 if self.quick else 3000, 1000)

    def _long(self, kind: str) -> Answer:
        return self.answer("lazychat", kind, self._much, 1000)


ROWS: dict[str, Callable[[Sitting], Iterator[Figure]]] = {
    "cpu-100": Sitting.cpu_100,
    "cpu-1000": Sitting.cpu_1000,
    "bytes": Sitting.bytes,
    "flat": Sitting.flat,
    "latency": Sitting.latency,
    "echo": Sitting.echo,
    "link": Sitting.link,
    "stop": Sitting.stop,
    "start": Sitting.start,
    "first-answer": Sitting.first_answer,
    "open-1000": Sitting.open_1000,
    "end-1000": Sitting.end_1000,
    "memory": Sitting.memory,
    "idle": Sitting.idle,
    "queue": Sitting.queue,
}


def _ratio(
    ours: list[Start], others: list[Start], figure: Callable[[Start], float]
) -> float:
    """Return the median of the ratios of what ran side by side."""
    # 10 ms is the step of the clock: what is less may have been anything below.
    pairs = zip(ours, others, strict=True)
    return statistics.median(figure(a) / max(figure(b), 0.01) for a, b in pairs)


def _queue(module: str, rounds: int = 200) -> float:
    """Return the seconds that one enqueue with its dequeue takes."""
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {
            "HOME": home,
            "LAZYCHAT_HOME": home,
            "LAZYLLM_HOME": home,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        command = [sys.executable, str(QUEUE), module, str(rounds)]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=True
        )
    return float(done.stdout.split()[-1])


def _say(text: str) -> None:
    """Tell what is being measured, on a line that is written over; "" ends it."""
    if sys.stderr.isatty():
        text = f"{text} ..." if text else ""
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    """Print the rows; return 1 when a figure misses what must hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="once each, and shortly")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(
            f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}"
        )
    if not Path("/proc/self/stat").exists():
        parser.error("processor time is read from /proc, which only Linux has")
    emulator = (
        "libvterm" if isinstance(new_screen(2, 2), VTermScreen) else "pyte (slow)"
    )
    print(
        f"{date.today()}, {os.cpu_count()} processors, Python "
        f"{sys.version.split()[0]}, emulator {emulator}"
        + (", a quick look" if arguments.quick else "")
    )
    print(f"{'figure':<50} {'measured':>10}  {'must':<10} {'aim':<7}")
    # As pip does: where Python may not keep what it has compiled
    # ($PYTHONDONTWRITEBYTECODE), each start would compile what was changed since.
    compileall.compile_dir(Path(tui.__file__).parent, quiet=1)
    missed = False
    with Server() as server:
        sitting = Sitting(server, quick=arguments.quick)
        for name in arguments.rows or ROWS:
            try:
                for figure in ROWS[name](sitting):
                    _say("")
                    print(figure, flush=True)
                    missed |= figure.verdict == "MISSED"
            except Failed as failure:
                _say("")
                print(f"{name}: {failure}")
                missed = True
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
