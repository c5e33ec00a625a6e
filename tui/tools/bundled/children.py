"""Runs a program for a tool: bounded, without a terminal, ended with the call."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tui.errors import ToolError
from tui.readiness import readable
from tui.tools.bundled.process_tree import ProcessTree
from tui.tools.running import current

_PASSED_ON = (
    *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
    *("VIRTUAL_ENV", "CONDA_PREFIX", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"),
    *("NODE_ENV", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS"),
)
_PASSED_ON_ENDS = ("_HOME", "_ROOT", "_PATH", "PATH", "_DIR", "_DIRS")
_KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
_SET = {
    **{"TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", "GIT_PAGER": "cat"},
    **{"GIT_TERMINAL_PROMPT": "0", "DEBIAN_FRONTEND": "noninteractive"},
}
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_GRACE = 5.0
"""Seconds beyond the limit in which the supervisor must have ended everything."""
_TOKEN = "RUN_COMMAND_ID"
"""The variable that marks the processes of a command, whatever becomes of the
supervisor."""
_ROUNDS = 200
"""Rounds of killing: what forks faster than it is killed is stopped by then."""
_PATIENCE = 2.0
"""Seconds in which the other half of a killed supervisor must have ended the rest."""
_TICK = 0.1
"""Seconds between two looks at a cancel."""


class Ended(NamedTuple):
    """What has become of a program."""

    status: int
    """Its exit status; see `supervisor`."""
    stopped: bool
    """Whether it was ended because it wrote too much."""


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return what a program gets of the environment `own`: no keys.

    A list of what it must not get would never be complete, so this is a list of what
    it may have.
    """
    kept = {
        name: value
        for name, value in own.items()
        if (name in _PASSED_ON or name.startswith(("LC_", "XDG_")))
        or (name.endswith(_PASSED_ON_ENDS) and not any(key in name for key in _KEYS))
    }
    return {n: v for n, v in kept.items() if not n.startswith("LAZYCHAT_")} | _SET


def run(
    command: Sequence[str],
    folder: int,
    seconds: float,
    take: Callable[[bytes], bool],
    tick: Callable[[], None] = lambda: None,
) -> Ended:
    """Run `command` in the folder of a descriptor; returns when all of it has ended.

    Passes its output, both streams in one, to `take`, until that returns False, which
    ends the program; calls `tick` several times a second. Ends it too after `seconds`,
    and when the call of the tool that runs in this thread is abandoned. Raises
    `ToolError` if it cannot be started.
    """
    # So that a folder that was moved since it was checked is not entered.
    token = uuid.uuid4().hex
    where = f"/proc/self/fd/{folder}" if sys.platform == "linux" else _path(folder)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), str(seconds), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=where,
            env=environment(os.environ) | {_TOKEN: token},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or str(error)
        raise ToolError(f"{command[0]} cannot be started: {reason.lower()}") from error
    with process:
        tree = ProcessTree(process.pid)

        def look() -> None:
            tree.look()
            tick()

        try:
            stopped = _pass_on(process, monotonic() + seconds + _GRACE, take, look)
        finally:
            _let_go(process, tree)
            if process.returncode < 0:  # killed: it cannot end the others
                tree.end(_PATIENCE)
            _end_left(token)
    return Ended(process.returncode, stopped)


def _pass_on(
    process: "subprocess.Popen[bytes]",
    end: float,
    take: Callable[[bytes], bool],
    tick: Callable[[], None],
) -> bool:
    """Pass the output on; return whether `take` had enough."""
    assert process.stdout is not None
    output = process.stdout.fileno()
    call = current()
    ended = False
    while monotonic() < end and not (call and call.cancel.requested):
        if ended:  # of the output; the program may still run
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
                return False
        elif process.poll() is not None and process.returncode < 0:
            return False  # killed, maybe by the command, whose rest holds the output
        elif readable(output, seconds=_TICK):
            data = os.read(output, 1 << 16)
            ended = not data
            if not take(data):
                return True
        tick()
    return False


def _let_go(process: "subprocess.Popen[bytes]", tree: ProcessTree) -> None:
    """Have the supervisor end everything, and wait for that."""
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        process.stdout.close()  # what still writes is ended by that, or by a signal
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        tree.end(0)  # the command has stopped it
        process.kill()
        process.wait()


def _end_left(token: str) -> None:
    """End what a killed supervisor has left: all that has the token in its environment.

    Only Linux shows the environment of other processes.
    """
    if sys.platform != "linux":
        return
    mark = f"{_TOKEN}={token}".encode()
    for _ in range(_ROUNDS):
        left = False
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _has(entry, mark):
                left = True
                with suppress(OSError):
                    os.kill(int(entry.name), signal.SIGKILL)
        if not left:
            return
        time.sleep(0.01)


def _has(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes().split(b"\0")
    except OSError:  # of another user, or gone
        return False


def _path(folder: int) -> str:
    import fcntl

    f_getpath = 50  # of macOS
    return os.fsdecode(fcntl.fcntl(folder, f_getpath, bytes(1024)).rstrip(b"\0"))
