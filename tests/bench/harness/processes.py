"""What a tree of processes has cost, from Linux's /proc."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_peak = re.compile(r"VmHWM:\s+(\d+) kB")


def _stat(process: int) -> tuple[int, float] | None:
    """Return the parent and the seconds of a process and its reaped children."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / _TICK


class Tree:
    """A process and all that it has started."""

    def __init__(self, root: int) -> None:
        self._root = root

    def _processes(self) -> Iterator[tuple[int, float]]:
        children: dict[int, list[int]] = defaultdict(list)
        spent: dict[int, float] = {}
        for name in os.listdir("/proc"):  # noqa: PTH208 - strings are cheaper here
            if name.isdigit() and (found := _stat(int(name))):
                children[found[0]].append(int(name))
                spent[int(name)] = found[1]
        todo = [self._root]
        while todo:
            process = todo.pop()
            todo += children[process]
            yield process, spent.get(process, 0.0)

    def cpu(self) -> float:
        """Return processor seconds, user and system; steps of 10 ms."""
        return sum(seconds for _, seconds in self._processes())

    def peak(self) -> float:
        """Return the sum of what each had in memory at most, in MB."""
        total = 0
        for process, _ in self._processes():
            try:
                found = _peak.search(Path(f"/proc/{process}/status").read_text())
            except OSError:
                continue
            total += int(found[1]) if found else 0
        return total / 1024
