"""How light the wire is over a real ssh: sshd, its client, a relay that is slow.

Usage: python tests/bench/ssh_link.py [--quick]

The same figures as the rows `link` and `stop` of wire.py, whose slow link is simulated
at the pseudo-terminal: here ssh's packets, buffers and processes are in between.
10 kB/s each way, 100 ms round trip.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import which

from harness.app import App, Failed
from harness.measure import Answer, Server, answer_of
from harness.programs import program
from wire import Figure, percentile

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import ssh

RATE, ROUND_TRIP = 10_000, 0.1


@contextmanager
def far_away(server: Server) -> Generator[App]:
    """Start lazychat at the other end of a slow line."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        tempfile.TemporaryDirectory() as folder,
        ssh.Server(Path(folder)) as sshd,
        ssh.Relay(sshd.port, rate=RATE, round_trip=ROUND_TRIP) as relay,
    ):
        there = program("lazychat", Path(home), server.port)
        # All that ssh tells of the terminal is its TERM.
        given = [f"{k}={v}" for k, v in there.env.items() if k != "COLORTERM"]
        _, *command = sshd.command(["env", *given, *there.command], relay.port)
        here = replace(there, command=(which("ssh") or "", *command))
        with App(here) as app:
            yield app


def measure(server: Server, number: int, *, stop_after: float = 0.0) -> Answer:
    """Return what an answer of `number` tokens costs, in 100 tokens a second."""
    with far_away(server) as app:
        return answer_of(app, server, "md", number, 100, stop_after=stop_after)


def figures(server: Server, *, quick: bool) -> Generator[Figure]:
    """Measure, and yield what is known so far."""
    name = "sshd, 10 kB/s + 100 ms:"
    found = measure(server, 300 if quick else 1000)
    for part, must, aim in ((0.5, 120, 90), (0.99, 250, 150)):
        value = percentile(found.latency, part)
        yield Figure(f"{name} staleness p{part * 100:.0f}", value, must, aim, " ms")
    stops = [measure(server, 2000, stop_after=4) for _ in range(1 if quick else 3)]
    aborts = [each.abort for each in stops if each.abort is not None]
    quiets = [each.quiet for each in stops if each.quiet is not None]
    for what, values, must, aim in (
        ("server abort", aborts, 100, 70),
        ("a quiet screen", quiets, 150, 100),
    ):
        value = statistics.median(values) if len(values) == len(stops) else None
        yield Figure(f"{name} Esc to {what}", value, must, aim, " ms")


def main() -> int:
    """Print the figures; return 1 when one misses what must hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="once each, and shortly")
    quick = parser.parse_args().quick
    if why := ssh.missing():
        parser.error(why)
    print(f"{date.today()}{', a quick look' if quick else ''}")
    missed = False
    with Server() as server:
        try:
            for figure in figures(server, quick=quick):
                print(figure, flush=True)
                missed |= figure.verdict not in ("aim", "must")
        except Failed as failure:
            print(failure)
            missed = True
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
