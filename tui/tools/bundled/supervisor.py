"""Runs one command and leaves none of its processes behind. A program of its own.

    python -I -S supervisor.py SECONDS COMMAND [ARGUMENT ...]

It stands between lazychat and the command, so that all processes of the command are
its descendants: on Linux also those that made a session of their own or whose parent
has ended, because orphans become children of the supervisor. When the command has
ended, at the time limit, or when standard input is closed, which the death of lazychat
does too, it ends every one of them.

It is two processes. A command can kill or stop the one that runs it, its parent; then
the orphans come to the other one, which ends them.

Standard output is the command's. The end is told by the exit status: that of the
command, 128 plus the signal that ended it, or 124 at the time limit. A command that
cannot be started writes a line with the reason, status 127. Only the standard library,
without site-packages, so that it starts in 20 ms.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER, of linux/prctl.h."""
_GRACE = 1.0
"""Seconds between the request to end and the kill."""
_STUCK = 3.0
"""Seconds beyond its time in which the process that runs the command must end."""
_ROUNDS = 200
"""Rounds of killing: what forks faster than it is killed is stopped by then."""
TIMED_OUT, NOT_STARTED = 124, 127


def main(seconds: float, command: list[str]) -> int:
    """Run `command`; return the exit status."""
    _adopt_orphans()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    alive, hold = os.pipe()
    runner = os.fork()
    if runner:
        return _watch(runner, seconds)
    os.close(hold)  # `alive` is at its end when the watching process is gone
    _adopt_orphans()  # this is not inherited
    return _run(seconds, command, alive)


def _watch(runner: int, seconds: float) -> int:
    """Wait for the process that runs the command; end all if it is killed or stuck."""
    os.close(1)  # so that the end of the output is the end of all who may write
    os.close(2)
    ended = _waker()
    end = time.monotonic() + seconds + _STUCK
    told = False
    while os.waitid(os.P_PID, runner, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        left = end - time.monotonic()
        if left <= 0:
            os.kill(runner, signal.SIGKILL)
            left = 1.0
        ready, _, _ = select.select([ended] if told else [0, ended], [], [], left)
        if 0 in ready:
            told = True
            end = min(end, time.monotonic() + _STUCK)
        if ended in ready:
            os.read(ended, 512)
    status = os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])
    if status < 0:
        _end_all(runner)
        os.kill(os.getpid(), signal.SIGKILL)  # tells lazychat the same
    return status


def _waker() -> int:
    """Return a descriptor that can be read when a child has ended."""
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return ended


def _run(seconds: float, command: list[str], alive: int) -> int:
    ended = _waker()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # no terminal to draw on or to read from
            preexec_fn=_default_signals,
        )
    except (OSError, ValueError) as error:
        print(f"{command[0]}: {getattr(error, 'strerror', '') or error}")
        return NOT_STARTED
    os.close(1)  # so that the end of the output is the end of all who may write
    os.close(2)
    status = _wait(process, seconds, ended, alive)
    _end_all(process.pid)
    return status


def _adopt_orphans() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def _wait(
    process: "subprocess.Popen[bytes]", seconds: float, ended: int, alive: int
) -> int:
    """Wait for the end of the command, of the time, of lazychat or of the watcher."""
    end = time.monotonic() + seconds
    while (status := process.poll()) is None:
        left = end - time.monotonic()
        if left <= 0:
            return TIMED_OUT
        ready, _, _ = select.select([0, ended, alive], [], [], left)
        if 0 in ready or alive in ready:
            return 128 + signal.SIGTERM
        if ended in ready:
            os.read(ended, 512)
    return status if status >= 0 else 128 - status


def _end_all(group: int) -> None:
    """End all descendants: asked first, then killed."""
    end = time.monotonic() + _GRACE
    _send(group, signal.SIGTERM)
    while _left(group) and time.monotonic() < end:
        time.sleep(0.02)
    for _ in range(_ROUNDS):
        if not _left(group):
            return
        _send(group, signal.SIGKILL)
        time.sleep(0.01)


def _send(group: int, number: int) -> None:
    with suppress(OSError):
        os.killpg(group, number)
    for pid in _descendants():
        with suppress(OSError):
            os.kill(pid, number)


def _left(group: int) -> bool:
    """Whether a process is left; collects those that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        if sys.platform == "linux":
            return False
    if sys.platform == "linux":
        return bool(_descendants())
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _descendants() -> list[int]:
    """Return all processes below this one; only Linux says that without a program."""
    if sys.platform != "linux":
        return []
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name of a program, in parentheses, may hold anything.
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            parents[int(entry.name)] = int(fields[1])
    found: list[int] = []
    level = {os.getpid()}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
