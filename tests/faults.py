"""Kills the app at random moments of an answer with tools, and looks what is left.

    python tests/faults.py 200 [--seed N] [--during import|backup|lock]

See support/crashes.py for what is done. It prints the table of docs/faults.md.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from support.crashes import MEANWHILE, STAGES, Faults, Trial


def table(trials: list[Trial]) -> str:
    """Return the table of docs/faults.md."""
    kills = Counter(trial.stage for trial in trials)
    shown = Counter[str]()
    lost = Counter[str]()
    faults = Counter[str]()
    for trial in trials:
        shown[trial.stage] += trial.shown
        lost[trial.stage] += len(set(trial.lost))
        faults[trial.stage] += len(trial.faults)
    lines = [
        "| killed | times | words on the screen | lost | other faults |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for stage in (*STAGES, "in all"):
        counted = [stage] if stage in STAGES else list(STAGES)
        figures = [sum(c[s] for s in counted) for c in (kills, shown, lost, faults)]
        lines.append(f"| {stage} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


def main() -> int:
    """Run as many kills as wanted; the code says whether anything was lost."""
    parser = argparse.ArgumentParser(description="Kills the app, and looks.")
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--during", choices=MEANWHILE, default="")
    options = parser.parse_args()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory() as folder:
        faults = Faults(Path(folder) / "home", options.seed, options.during)
        for number in range(1, options.kills + 1):
            trial = faults.kill_once()
            trials.append(trial)
            print(f"\r{number} of {options.kills}", end="", file=sys.stderr)
            for problem in (*trial.lost, *trial.faults):
                print(f"\n{trial.stage}: {problem}", file=sys.stderr)
    print(f"\nseed {options.seed}", file=sys.stderr)
    print(table(trials))
    return any(trial.lost or trial.faults for trial in trials)


if __name__ == "__main__":
    sys.exit(main())
