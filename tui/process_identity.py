"""Identifies processes across restarts and hosts, and tells whether one is alive.

A pid alone is not enough: pids are reused, within one boot and after it.
"""

import hashlib
import os
import re
import socket
import sys
import zlib
from functools import cache
from pathlib import Path

from tui.events import TurnStarted


def claim() -> TurnStarted:
    """Return the claim with which this process starts a turn."""
    return _claim(os.getpid())  # which is another one after a fork


@cache
def _claim(pid: int) -> TurnStarted:
    start = _process_start(pid)
    host = socket.gethostname()
    return TurnStarted(host, boot_id(), pid, start, _machine(), _pid_space())


def is_gone(owner: TurnStarted) -> bool:
    """Return whether the process that made the claim `owner` has ended for certain.

    One on another machine, whatever its name, or in a container whose processes cannot
    be seen from here, may still be alive as far as we can know: False.
    """
    mine = claim()
    if owner.boot_id and mine.boot_id and owner.boot_id != mine.boot_id:
        # The same machine, started anew since: nothing survives that.
        return bool(mine.machine) and owner.machine == mine.machine
    if not is_here(owner):
        return False
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


def is_here(owner: TurnStarted) -> bool:
    """Return whether this process can tell if the one that made the claim lives."""
    mine = claim()
    if owner.boot_id != mine.boot_id:
        return False
    if not mine.boot_id and (owner.host, owner.machine) != (mine.host, mine.machine):
        return False
    spaces = owner.pid_space, mine.pid_space
    # Before it was noted, a host's name was all that told containers apart.
    return spaces[0] == spaces[1] if all(spaces) else owner.host == mine.host


_MACHINE_ID = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_FIRST_SPACE = "pid:[4026531836]"
"""The namespace outside of all containers (PROC_PID_INIT_INO in Linux)."""


@cache
def _machine() -> str:
    """Return what tells this machine from all others, "" when nothing does.

    Images of systems are cloned with their machine-id, and containers have that of
    their image or none. So the name counts too, and in a container the addresses of
    its network. The id itself is nobody else's business: machine-id(5).
    """
    if sys.platform == "darwin":
        told = _ask("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
        found = re.search(r'"IOPlatformUUID" = "([^"]+)"', told)
        return _digest(found[1]) if found else ""
    id = next((text for file in _MACHINE_ID if (text := _read(file))), "")
    parts = [id, socket.gethostname()]
    if not id or _pid_space() not in ("", _FIRST_SPACE):
        cards = sorted(Path("/sys/class/net").glob("*/address"))
        addresses = [address for card in cards if (address := _read(card))]
        real = [it for it in addresses if it.strip("0:")]
        if not id and not real:
            return ""
        parts += real
    return _digest("\n".join(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(f"lazychat\n{text}".encode(errors="replace")).hexdigest()[:16]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


@cache
def _pid_space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


@cache
def boot_id() -> str:
    """Return what names the present boot of this machine, "" when unknown."""
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
