"""Keeps the process running turns after its screen has closed.

A shell waits for this process, so it cannot return to the shell and keep running; a
fork would lose its threads. So it does what Ctrl+Z and `bg` do: it stops its process
group, so that a shell with job control takes its terminal back, and a helper continues
the group a moment later, in the background. Without such a shell nothing is stopped.
The process releases the terminal in any case.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

_IGNORED = ("SIGHUP", "SIGPIPE", "SIGTTIN", "SIGTTOU", "SIGTSTP")

_CONTINUES_SECONDS = 10.0
"""More than the longest run of `_CONTINUE`."""

# Continues the process group of process argv[1] as soon as another group has the
# terminal. The sixth field after the command's name is that group (man 5 proc).
_CONTINUE = """
import os, signal, sys, time
pid = int(sys.argv[1])
group = os.getpgid(pid)
for _ in range(250):
    time.sleep(0.02)
    try:
        with open(f"/proc/{pid}/stat") as file:
            foreground = int(file.read().rpartition(")")[2].split()[5])
    except OSError:
        time.sleep(0.5)
        break
    if foreground != group:
        break
os.killpg(group, signal.SIGCONT)
"""


def let_go(descriptors: Iterable[int] = (0, 1, 2)) -> None:
    """Release the terminal: ignore its signals, and open `descriptors` on /dev/null."""
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Textual's handlers would take the terminal again.
    signal.signal(signal.SIGCONT, signal.SIG_DFL)
    signal.signal(signal.SIGWINCH, signal.SIG_DFL)
    # Flush while the descriptors are still open.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def hand_back() -> None:
    """Release the terminal and return it to the shell that waits for us."""
    waits = _shell_waits()
    let_go()
    if waits:
        with suppress(OSError, subprocess.TimeoutExpired):
            continues = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _CONTINUE, str(os.getpid())],
                start_new_session=True,
            )
            os.killpg(0, signal.SIGSTOP)
            # It ends with that; who forgets it keeps a zombie for the whole answer.
            continues.wait(_CONTINUES_SECONDS)


def _shell_waits() -> bool:
    """Return whether a shell with job control runs us in the foreground."""
    group = os.getpgrp()
    try:
        return group != os.getsid(0) and os.tcgetpgrp(2) == group
    except OSError:
        return False


@contextmanager
def ended_by_signal(*more: signal.Signals) -> Generator[None]:
    """Let SIGTERM and SIGINT end the block with `SystemExit`, code 128 + N.

    The signals in `more` do the same, unless they are ignored.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    heard = [n for n in more if signal.getsignal(n) != signal.SIG_IGN]
    numbers = (signal.SIGTERM, signal.SIGINT, *heard)
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_signal() -> NoReturn:
    """Block until the handler of a signal raises. Call it in the main thread.

    `signal.pause` would block for ever after a signal that the kernel gave to another
    thread, or that came just before it: the handlers of Python run in the main thread,
    which nothing would wake.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        while True:
            os.read(reader, 512)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
