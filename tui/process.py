"""Who a process is, so that others can tell whether it still lives.

A pid alone is not enough: pids are reused, within one boot and after it.
"""

import os
import socket
import zlib
from functools import cache
from pathlib import Path

from tui.events import TurnStarted


def claim() -> TurnStarted:
    """Return the claim with which this process starts a turn."""
    return _claim(os.getpid())  # which is another one after a fork


@cache
def _claim(pid: int) -> TurnStarted:
    return TurnStarted(socket.gethostname(), _boot_id(), pid, _process_start(pid))


def is_gone(owner: TurnStarted) -> bool:
    """Return whether the process that made the claim `owner` has ended for certain.

    One on another host, or of another boot of a host that cannot be asked, may
    still be alive as far as we can know: False.
    """
    mine = claim()
    if owner.host != mine.host:
        return False
    if owner.boot_id != mine.boot_id:
        # The same machine, started anew since: nothing survives that.
        return bool(owner.boot_id and mine.boot_id)
    if not 0 < owner.pid < 2**31:
        return True  # no process has such a number
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    start = _process_start(owner.pid)
    return bool(start and owner.process_start and start != owner.process_start)


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _ask("sysctl", "-n", "kern.bootsessionuuid")  # macOS


def _process_start(pid: int) -> int:
    """Return when `pid` started, in units that only compare; 0 when unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        words = _ask("ps", "-o", "lstart=", "-p", str(pid))  # macOS
        return _number(words)
    # The second field is the command in parentheses and may hold anything; the
    # start time, in clock ticks since boot, is the 22nd field (man 5 proc).
    return int(stat.rpartition(")")[2].split()[19])


def _number(words: str) -> int:
    """Return a number that tells `words` apart, the same in every process."""
    return zlib.crc32(words.encode()) if words else 0


def _ask(*command: str) -> str:
    import subprocess  # takes 4 ms, and only macOS needs it

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
