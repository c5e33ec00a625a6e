"""Keeps the process running turns after its screen has gone.

A process that a shell waits for cannot leave and stay at the same time, and a fork of
a program with threads would lose them. So it does what Ctrl+Z and `bg` do: it stops
its process group, upon which a shell with job control takes its terminal back, and
has itself continued a moment later, in the background. Where no such shell waits
nothing is stopped; the terminal is let go of in any case.
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

# Continues the process group of process argv[1] as soon as another one has the
# terminal. The sixth field after the command's name is who has it (man 5 proc).
_CONTINUES_SECONDS = 10.0
"""More than `_CONTINUE` takes at most."""
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
    """Have no more to do with the terminal, whatever it still sends or is asked.

    `descriptors` are those that it is open on.
    """
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Textual would take the terminal again.
    signal.signal(signal.SIGCONT, signal.SIG_DFL)
    signal.signal(signal.SIGWINCH, signal.SIG_DFL)
    # What is still buffered goes where there is somebody to read it.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def hand_back() -> None:
    """Let go of the terminal and give it back to the shell that waits for us."""
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
    """Whether a shell with job control runs us in the foreground."""
    group = os.getpgrp()
    try:
        return group != os.getsid(0) and os.tcgetpgrp(2) == group
    except OSError:
        return False


@contextmanager
def ended_by_signal(*more: signal.Signals) -> Generator[None]:
    """Have SIGTERM and SIGINT end the block, by `SystemExit`: 128 + N, as shells do.

    So do `more`, unless they are ignored.
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
