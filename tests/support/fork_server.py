"""Starts lazychat by forking a Python that has imported it.

A new Python computes for a quarter of a second or longer until lazychat does anything,
nearly all of it imports; a forked one begins at once. It is a process like any other,
with arguments, environment, working folder, streams, signals, session and end of its
own. What differs: what it imports is there already, its parent is the server,
`/proc/PID/cmdline` is the server's, and it is reaped as soon as it ends. A test to
which that matters has the mark `new_process`, and so have those of starts and imports.

`LAZYCHAT_TESTS_FORK=off` starts all processes anew. So does measuring coverage, and a
system other than Linux.
"""

import atexit
import marshal
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support import ROOT

PROGRAM = ROOT / "tests" / "programs" / "fork_server.py"

# What Python, or a library while it is imported, reads in the environment.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "TEXTUAL", "COVERAGE", "MALLOC_", "LD_")
_READ_AT_START += ("TERM_PROGRAM", "TZ", "COV_CORE")
_HEADER = struct.Struct("=I")
_NUMBER = struct.Struct("=i")

# Runs in a new process before the command. A preexec_fn would fork a process that may
# have threads, and Python warns about that.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)

# Before a test takes lazychat's variables away.
_WANTED = os.environ.get("LAZYCHAT_TESTS_FORK") != "off"

Variables = tuple[tuple[str, str], ...]
enabled = True
"""Whether processes are forked: not in a test with the mark `new_process`."""
_usual: set[Variables] = set()
_servers: dict[Variables, "_Server"] = {}


def popen(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    terminal: bool = False,
    **options: Any,
) -> "subprocess.Popen[bytes]":
    """Start a command, like `subprocess.Popen`; fork it if it is `python -m tui ...`.

    `options` are `cwd`, `stdin`, `stdout` and `stderr`. With `terminal`, stdin becomes
    the controlling terminal of a new session.
    """
    if _can_fork(command, env, options.get("cwd")):
        return Forked(command, env, terminal, options)
    if terminal:
        command = [sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL, *command]
    return subprocess.Popen[bytes](
        command, env=env, start_new_session=terminal, **options
    )


def usual(env: Mapping[str, str]) -> None:
    """Let processes with such an environment be forked.

    What Python and the libraries read in it at their start must be the same in all, and
    a server for a few would cost more than it saves.
    """
    _usual.add(_read_at_start(env))


def _read_at_start(env: Mapping[str, str]) -> Variables:
    read = (item for item in env.items() if item[0].startswith(_READ_AT_START))
    return tuple(sorted(read))


def _can_fork(
    command: Sequence[str], env: Mapping[str, str], cwd: str | os.PathLike[str] | None
) -> bool:
    return (
        enabled
        and hasattr(os, "pidfd_open")
        and _WANTED
        and not any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
        and list(command[:3]) == [sys.executable, "-m", "tui"]
        and "HOME" in env  # `tui.paths` looks for it while it is imported
        and _read_at_start(env) in _usual
        and (cwd is None or Path(cwd).is_dir())
    )


class _Server:
    """A Python that forks itself, and ends when this process does."""

    def __init__(self, variables: Variables) -> None:
        self._socket, its_end = socket.socketpair()
        self._lock = threading.Lock()
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(its_end.fileno())],
                env={"PATH": os.environ["PATH"], "HOME": "/", **dict(variables)},
                stdin=subprocess.DEVNULL,
                pass_fds=(its_end.fileno(),),
                cwd="/",
            )
        atexit.register(self._close)

    def fork(self, job: dict[str, Any], descriptors: Sequence[int]) -> tuple[int, int]:
        """Return the id of a forked process, and a pipe with its status at its end."""
        reader, writer = os.pipe()
        data = marshal.dumps(job)
        with self._lock:
            header = _HEADER.pack(len(data))
            socket.send_fds(self._socket, [header], [*descriptors, writer])
            self._socket.sendall(data)
        os.close(writer)
        (pid,) = _NUMBER.unpack(os.read(reader, _NUMBER.size))
        return pid, reader

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()


class Forked(subprocess.Popen[bytes]):
    """A forked process: it begins, and its end is seen, in another way."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        terminal: bool,
        options: Mapping[str, Any],
    ) -> None:
        self._status, self._terminal = -1, terminal
        super().__init__(command, env=env, **options)

    def _execute_child(self, *given: Any) -> None:
        command, cwd, env = given[0], given[5], given[6]
        pipes = given[10:16]
        to_read, to_write, to_complain = pipes[0], pipes[3], pipes[5]
        streams = [
            number if end == -1 else end
            for number, end in enumerate((to_read, to_write, to_complain))
        ]
        variables = _read_at_start(env)
        server = _servers.get(variables) or _Server(variables)
        _servers[variables] = server
        job = {
            "arguments": list(map(os.fsdecode, command[3:])),
            "environment": dict(env),
            "folder": os.fspath(cwd or Path.cwd()),
            "terminal": self._terminal,
        }
        self.pid, self._status = server.fork(job, streams)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # pyright: ignore

    def _internal_poll(self, _deadstate: int | None = None, **_: Any) -> int | None:
        self._hear(0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int | None:
        if not self._hear(timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def _hear(self, seconds: float | None) -> bool:
        """Wait for the end; return whether the process has ended."""
        with self._waitpid_lock:  # pyright: ignore
            if self.returncode is None:
                poll = select.poll()
                poll.register(self._status, select.POLLIN)
                if not poll.poll(None if seconds is None else max(seconds, 0) * 1000):
                    return False
                (status,) = _NUMBER.unpack(os.read(self._status, _NUMBER.size))
                os.close(self._status)
                self.returncode = os.waitstatus_to_exitcode(status)
        return True
