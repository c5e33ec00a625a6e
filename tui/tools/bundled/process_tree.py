"""Remembers the processes below one, to end them when what watched over them is gone.

A process that has changed its session and its environment, and whose parent was killed,
has nothing left that tells whose it was. So its ancestors are looked at while they
live. Only Linux lists children without a program; elsewhere nothing is remembered.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_MOST = 10_000
"""Processes that are remembered; a command that makes more is ended anyway."""
_ROUNDS = 200
"""Rounds of killing: what forks faster than it is killed is stopped by then."""


class ProcessTree:
    """A process and its descendants, by process id and start time. One thread."""

    def __init__(self, root: int) -> None:
        """Begin with `root`, which must run."""
        self._known: dict[int, bytes] = {}
        self._add(root)

    def look(self) -> None:
        """Remember what runs now below the processes that are known."""
        if sys.platform != "linux":
            return
        level = list(self._known)
        for pid in level:
            if _start(pid) != self._known[pid]:
                del self._known[pid]  # its number may be another's now
        level = list(self._known)
        while level and len(self._known) < _MOST:
            children = [child for pid in level for child in _children(pid)]
            level = [pid for pid in children if self._add(pid)]

    def end(self, patience: float) -> None:
        """Wait `patience` seconds for the end of all that are known, then kill them.

        What they start in the meantime is killed too.
        """
        end = time.monotonic() + patience
        self.look()
        while self._known and time.monotonic() < end:
            time.sleep(0.02)
            self.look()
        for _ in range(_ROUNDS):
            self.look()
            left = [pid for pid, start in self._known.items() if _kill(pid, start)]
            if not left:
                return
            time.sleep(0.01)

    def _add(self, pid: int) -> bool:
        """Remember a process; return whether it is new."""
        start = _start(pid)
        if start is None or self._known.get(pid) == start:
            return False
        self._known[pid] = start
        return True


def _kill(pid: int, start: bytes) -> bool:
    """Kill a process if it is still the same; return whether it was."""
    try:
        # A descriptor stays that of this process, whoever gets its number.
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if _start(pid) != start:
            return False
        with suppress(OSError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return True
    finally:
        os.close(descriptor)


def _start(pid: int) -> bytes | None:
    """Return the start time of a process in clock ticks; None if it has ended."""
    try:
        data = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name of a program, in parentheses, may hold anything.
    fields = data.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else fields[19]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    return found
