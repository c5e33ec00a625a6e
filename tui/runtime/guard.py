"""Starts the process that restores the terminal if the app dies.

Nothing in a process survives SIGKILL, and little survives SIGSEGV: what would be left
is the alternate screen, a mouse that types, no echo. So a small process is forked
before anything heavy is imported and before there are threads. It waits until the app
is gone (see `watch`). If the terminal was the app's by then, it writes what switches
all modes off, restores the settings of the line, and says in one line what happened.

Which signal it was is told by `faulthandler`, whose handlers are written in C and run
where no Python does; they write to a pipe of the guard's, and raise the signal again:
exit status and core dump are those of the signal. The guard is nobody's child, so that
no `waitpid` meets it, and in a session of its own, so that it may write to a terminal
that a shell has taken back. When the guard dies the app goes on without it.
"""

import faulthandler
import marshal
import os
import signal
from contextlib import suppress
from typing import Any, NoReturn

from tui.runtime import tty, watch

_ENDING = ("QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "SYS", "TRAP")
"""Signals that end a program which does not handle them."""
_IGNORED = [
    "HUP",
    "INT",
    "TERM",
    "QUIT",
    "TSTP",
    "TTOU",
    "TTIN",
    "PIPE",
    "USR1",
    "USR2",
    "ALRM",
    "VTALRM",
    "XCPU",
]

Settings = list[Any]
"""What `termios.tcgetattr` returns."""


class Guard:
    """The app's end: tells the guard what belongs to whom. See `start`."""

    def __init__(self, control: int, words: dict[str, int]) -> None:
        self._control = control
        self._words = words
        self._pid = os.getpid()
        self._kept: bool | None = None

    def arm(self, before: Settings | None, *, plain: bool = False) -> None:
        """Tell that the terminal is the app's from now on.

        `before` are the settings to restore. `plain` is of a terminal which shows the
        sequences that it does not know.
        """
        self._tell(("armed", before, plain))

    def took(self, settings: Settings) -> None:
        """Tell with which settings the app uses the terminal.

        If it has others when the app is gone, somebody else uses it already.
        """
        self._tell(("took", settings))

    def keep(self, kept: bool) -> None:
        """Tell whether what is said outlives a kill; nothing is said of it before."""
        if kept != self._kept:
            self._kept = kept
            self._tell(("kept", kept))

    def disarm(self) -> None:
        """Tell that the terminal is no more the app's."""
        self._tell(("disarmed",))

    def dismiss(self) -> None:
        """Let the guard end. Nothing can be told any more."""
        if self._control < 0 or self._pid != os.getpid():
            return
        # Before the pipe is closed: another file would get its number.
        faulthandler.disable()
        for name in self._words:
            if number := getattr(signal, f"SIG{name}", None):
                faulthandler.unregister(number)
        for descriptor in {self._control, *self._words.values()}:
            os.close(descriptor)
        self._control, self._words = -1, {}

    def _tell(self, told: tuple[Any, ...]) -> None:
        # A process that was forked from the app has the pipe, and not the terminal.
        if self._control < 0 or self._pid != os.getpid():
            return
        data = marshal.dumps(told)
        # At once: a pipe takes as much as PIPE_BUF whole, and it is read at once. When
        # the guard has been killed the app goes on without.
        with suppress(OSError):
            os.write(self._control, len(data).to_bytes(2, "big") + data)


_guard: Guard | None = None


def current() -> Guard | None:
    """Return the guard of this process, if there is one."""
    return _guard


def start(log: str) -> Guard | None:
    """Fork the guard, for a program that draws on the terminal of its streams.

    To be called before there are threads. `log` is the file to which the place of a
    crash is added. None when there is no terminal, or no process to be had.
    """
    global _guard
    screen = tty.screen()
    if screen is None or not hasattr(os, "fork"):
        return None
    signals = [name for name in _ENDING if _ends(name)]
    opened: list[int] = []

    def pipe() -> tuple[int, int]:
        ends = os.pipe()
        opened.extend(ends)
        return ends

    try:
        control, crash = pipe(), pipe()
        words = {name: pipe() for name in signals}
        app = os.getpid()
        if (middle := os.fork()) == 0:
            _second_fork(app, screen, log, control[0], crash[0], words)
        os.waitpid(middle, 0)
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        return None
    for reader in (control[0], crash[0], *(ends[0] for ends in words.values())):
        os.close(reader)
    writers = {name: ends[1] for name, ends in words.items()}
    for name, writer in writers.items():
        number: int = getattr(signal, f"SIG{name}")
        faulthandler.register(number, file=writer, all_threads=False, chain=True)
    faulthandler.enable(file=crash[1], all_threads=False)
    _guard = Guard(control[1], writers | {"": crash[1]})
    return _guard


def _ends(name: str) -> bool:
    number = getattr(signal, f"SIG{name}", None)
    return number is not None and signal.getsignal(number) == signal.SIG_DFL


# -- the other process


def _second_fork(
    app: int,
    screen: int,
    log: str,
    control: int,
    crash: int,
    words: dict[str, tuple[int, int]],
) -> NoReturn:
    """Become the guard, in a process whose parent has ended."""
    code = 1
    try:
        if os.fork() == 0:
            for name in _IGNORED:
                signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
            os.setsid()
            os.chdir("/")
            readers = {crash: "", **{ends[0]: name for name, ends in words.items()}}
            screen = os.dup(screen)  # a standard stream of Python's may be written to
            _leave_open({screen, control, *readers})
            watch.name_process()
            watch.Watch(app, screen, log, control, readers).run(renews=True)
        code = 0
    finally:
        os._exit(code)


def _leave_open(kept: set[int]) -> None:
    """Close all other descriptors; a standard stream leads nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - kept:
        os.dup2(nothing, stream)
    low = 3
    for descriptor in sorted(kept - {0, 1, 2}):
        os.closerange(low, descriptor)
        low = descriptor + 1
    try:
        last = os.sysconf("SC_OPEN_MAX")
    except (OSError, ValueError):
        last = 1024
    os.closerange(low, last if 0 < last < 1 << 20 else 1 << 20)
