"""Identifies processes across restarts and hosts, and checks whether one is alive.

A pid alone is not enough: pids are reused, within one boot and after it.
"""

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
    return _claim(os.getpid())  # the pid changes after a fork


@cache
def _claim(pid: int) -> TurnStarted:
    start = _process_start(pid)
    host = socket.gethostname()
    return TurnStarted(host, boot_id(), pid, start, _machine(), _pid_space())


def is_gone(owner: TurnStarted) -> bool:
    """Return whether the process that made the claim `owner` has certainly ended.

    Returns False for a process on another machine, whatever its name, or in a container
    that cannot be seen from here, as it may still be alive.
    """
    mine = claim()
    if owner.boot_id and mine.boot_id and owner.boot_id != mine.boot_id:
        # The same machine has rebooted since; no process survives that.
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
    """Return whether this process can check if the owner of the claim is alive."""
    mine = claim()
    if owner.boot_id != mine.boot_id:
        return False
    if not mine.boot_id and (owner.host, owner.machine) != (mine.host, mine.machine):
        return False
    spaces = owner.pid_space, mine.pid_space
    # Earlier versions did not store the namespace; compare the host names.
    return spaces[0] == spaces[1] if all(spaces) else owner.host == mine.host


_MACHINE_ID = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_FIRST_SPACE = "pid:[4026531836]"
"""The namespace outside of all containers (PROC_PID_INIT_INO in Linux)."""


@cache
def _machine() -> str:
    """Return a digest that identifies this machine, "" if there is no basis.

    Cloned systems share their machine-id, and containers have that of their image or
    none. So the host name counts too, and in a container the network addresses. The id
    itself must not be disclosed: machine-id(5).
    """
    if sys.platform == "darwin":
        text = _ask("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
        found = re.search(r'"IOPlatformUUID" = "([^"]+)"', text)
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
    import hashlib  # loads OpenSSL, 2 ms of a start that needs none

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
    """Return an id of the machine's current boot, "" if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _ask("sysctl", "-n", "kern.bootsessionuuid")  # macOS


def _process_start(pid: int) -> int:
    """Return the start time of `pid`, in units that only compare; 0 if unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        words = _ask("ps", "-o", "lstart=", "-p", str(pid))  # macOS
        return _number(words)
    # The second field is the command in parentheses and may hold anything; the
    # start time, in clock ticks since boot, is the 22nd field (man 5 proc).
    return int(stat.rpartition(")")[2].split()[19])


def _number(words: str) -> int:
    """Return a number for `words` that is the same in every process."""
    return zlib.crc32(words.encode()) if words else 0


def _ask(*command: str) -> str:
    import subprocess  # slow to import, and only macOS needs it

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
