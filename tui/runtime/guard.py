"""Starts the process that restores the terminal if the app dies.

No code of a process runs after SIGKILL, and little after SIGSEGV. The terminal would be
left in the alternate screen, without echo, and mouse movements would type text. So a
small process, the guard, is forked before anything heavy is imported and before there
are threads. It waits until the app is gone (see `watch`). If the app was using the
terminal at that time, the guard switches all terminal modes off, restores the line
settings, and reports in one line what happened.

`faulthandler` reports the signal: its handlers are written in C, so they run where
Python code cannot. They write to a pipe that the guard reads and raise the signal
again, so that exit status and core dump are those of the signal. The guard is not a
child of the app, so no `waitpid` finds it. It runs in a session of its own, so that it
may write to a terminal that a shell has taken back. If the guard dies, the app
continues without it.
"""

import faulthandler
import marshal
import os
import signal
from contextlib import suppress
from typing import Any, NoReturn

from tui.runtime import tty, watch

_ENDING = ("QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "SYS", "TRAP")
"""Signals that end a program that does not handle them."""
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
    """The app's side: tells the guard who is using the terminal. See `start`.

    No method raises or blocks; after `dismiss`, or in a forked process, they do
    nothing.
    """

    def __init__(self, control: int, words: dict[str, int]) -> None:
        self._control = control
        self._words = words
        self._pid = os.getpid()
        self._kept: bool | None = None

    def arm(self, before: Settings | None, *, plain: bool = False) -> None:
        """Report that the app uses the terminal from now on.

        `before` are the settings to restore. `plain` means that the terminal displays
        escape sequences that it does not know.
        """
        self._tell(("armed", before, plain))

    def took(self, settings: Settings) -> None:
        """Report the settings with which the app uses the terminal.

        If the terminal has other settings when the app is gone, another program is
        using it already, and the guard leaves them alone.
        """
        self._tell(("took", settings))

    def keep(self, kept: bool) -> None:
        """Report whether messages survive a kill; unknown before the first call."""
        if kept != self._kept:
            self._kept = kept
            self._tell(("kept", kept))

    def say(self, texts: dict[str, str]) -> None:
        """Report translations of `watch.TEXTS`, which is in English, by its names."""
        self._tell(("texts", texts))

    def disarm(self) -> None:
        """Report that the app no longer uses the terminal."""
        self._tell(("disarmed",))

    def dismiss(self) -> None:
        """Let the guard end; later reports are ignored."""
        if self._control < 0 or self._pid != os.getpid():
            return
        # Disable it before the pipes are closed: other files may get their numbers.
        faulthandler.disable()
        for name in self._words:
            if number := getattr(signal, f"SIG{name}", None):
                faulthandler.unregister(number)
        for descriptor in {self._control, *self._words.values()}:
            os.close(descriptor)
        self._control, self._words = -1, {}

    def _tell(self, report: tuple[Any, ...]) -> None:
        # A process forked from the app inherits the pipe, but does not own the
        # terminal.
        if self._control < 0 or self._pid != os.getpid():
            return
        data = marshal.dumps(report)
        # This write does not block: a report is smaller than PIPE_BUF, so the pipe
        # takes it whole, and the guard reads it at once. It fails if the guard was
        # killed.
        with suppress(OSError):
            os.write(self._control, len(data).to_bytes(2, "big") + data)


_guard: Guard | None = None


def current() -> Guard | None:
    """Return the guard of this process, if there is one."""
    return _guard


def start(log: str) -> Guard | None:
    """Fork the guard, for a program that draws on the terminal of its streams.

    Call this before there are threads. `log` is the file to which the guard appends the
    place of a crash. Returns None when there is no terminal, or no process can be
    started.
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
        # Before the app goes on: when it ends, all of its session may get SIGHUP.
        for name in _IGNORED:
            signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            readers = {crash: "", **{ends[0]: name for name, ends in words.items()}}
            screen = os.dup(screen)  # Python may write to its standard streams
            _leave_open({screen, control, *readers})
            watch.name_process()
            watch.Watch(app, screen, log, control, readers).run(renews=True)
        code = 0
    finally:
        os._exit(code)


def _leave_open(kept: set[int]) -> None:
    """Close all descriptors but `kept`; point the standard streams to /dev/null."""
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
