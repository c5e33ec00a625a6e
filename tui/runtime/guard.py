"""Gives the terminal back when the app is gone without having done so.

Nothing in a process survives SIGKILL, and little survives SIGSEGV: what would be left
is the alternate screen, a mouse that types, no echo. So a small process is forked
before anything heavy is imported and before there are threads. It waits until the app
is gone. If the terminal was the app's by then, it writes what switches all modes off,
restores the settings of the line, and says in one line what has happened.

Which signal it was is told by `faulthandler`, whose handlers are written in C and run
where no Python does; they write to a pipe of the guard's, and raise the signal again:
exit status and core dump are those of the signal. The guard is nobody's child, so that
no `waitpid` meets it, and in a session of its own, so that it may write to a terminal
that a shell has taken back. When the guard dies the app goes on without it.
"""

import faulthandler
import marshal
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from tui.runtime import tty

RESET = (
    "\x1b[?2026l"  # synchronized output
    "\x1b[r"  # the scroll region
    "\x1b[m\x1b[H\x1b[J"  # where there is no alternate screen to go back from
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # focus, paste, reports of its size
    "\x1b[?7h"  # lines wrap
)
"""Switches off whatever `OutputDriver` and Textual's drivers switch on."""
RESET_NEWER = "\x1b[<u"
"""The keyboard protocol; left out for terminals that would show it."""
LEAVE = "\x1b[?1049l\x1b[?25h\x1b[m\r"
"""Leaves the alternate screen; the keyboard's flags are kept for each screen."""

_CRASHES = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating-point exception": "SIGFPE",
    "Floating point exception": "SIGFPE",
}
"""How `faulthandler` calls what it handles, and its name."""
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
_WORDS = 20_000  # bytes of a crash report that are kept
_EXITING = 0x4  # of the flags in /proc/PID/stat: PF_EXITING of linux/sched.h
_DYING_SECONDS = 5.0  # a process whose files are closed is gone much sooner
_LOOK_SECONDS = 0.5  # where the kernel does not tell that a process has ended

Settings = list[Any]
"""What `termios.tcgetattr` returns."""


class Guard:
    """The app's end: tells the guard what belongs to whom. See `start`."""

    def __init__(self, control: int, words: dict[str, int]) -> None:
        self._control = control
        self._words = words
        self._pid = os.getpid()

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
            _leave_open({screen, control, *readers})
            with suppress(OSError), Path("/proc/self/comm").open("w") as comm:
                comm.write("lazychat-guard")
            Watch(app, screen, log, control, readers).run()
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


class Watch:
    """Waits in the guard's process until `app`, a process, is gone."""

    def __init__(
        self, app: int, screen: int, log: str, control: int, readers: dict[int, str]
    ) -> None:
        self._app = app
        self._screen = screen
        self._log = log
        self._control = control
        self._readers = readers
        """From which descriptor is read what was said upon which signal."""
        self._words = b""
        self._signal = ""
        self._armed = False
        self._before: Settings | None = None
        self._taken: Settings | None = None
        self._plain = False
        self._told = b""

    def run(self) -> None:
        """Wait, restore the terminal if the app has not, and return."""
        ended = _end_of(self._app)
        poll = select.poll()
        for descriptor in (self._control, *self._readers):
            poll.register(descriptor, select.POLLIN)
        if ended is not None:
            poll.register(ended, select.POLLIN)
        wait = None if ended is not None else int(_LOOK_SECONDS * 1000)
        while True:
            ready = dict(poll.poll(wait))
            for descriptor in [fd for fd in self._readers if fd in ready]:
                if not self._hear(descriptor):
                    poll.unregister(descriptor)
            if self._control in ready and not self._obey():
                # Its files are closed: it goes, or it has dismissed us.
                if self._armed and self._dies(ended):
                    self._restore()
                return
            if ended in ready or not (ready or _lives(self._app)):
                if self._armed:
                    self._restore()
                return

    def _obey(self) -> bool:
        """Read what the app tells; return False when it tells no more."""
        data = os.read(self._control, 4096)
        self._told += data
        while len(self._told) > 1:
            end = 2 + int.from_bytes(self._told[:2], "big")
            if len(self._told) < end:
                break
            match marshal.loads(self._told[2:end]):
                case ("armed", before, plain):
                    self._armed, self._before, self._plain = True, before, plain
                    self._taken = None
                case ("took", settings):
                    self._taken = settings
                case _:
                    self._armed = False
            self._told = self._told[end:]
        return bool(data)

    def _hear(self, descriptor: int) -> bool:
        """Read what is said of a signal; return False when nobody can say more."""
        data = os.read(descriptor, 4096)
        if data:
            self._signal = self._readers[descriptor] or self._signal
            self._words = (self._words + data)[:_WORDS]
        return bool(data)

    def _dies(self, ended: int | None) -> bool:
        """Whether the app, whose end of the pipe is closed, is about to be gone."""
        if _exits(self._app):
            return True  # not waited for: a shell draws its prompt as soon as it is
        if ended is not None:
            return bool(select.select([ended], [], [], _DYING_SECONDS)[0])
        until = time.monotonic() + _DYING_SECONDS
        while _lives(self._app) and time.monotonic() < until:
            time.sleep(0.01)
        return not _lives(self._app)

    def _restore(self) -> None:
        """Give the terminal back, and say why it was not the app that did."""
        for descriptor in self._readers:  # what came last
            with suppress(OSError):
                os.set_blocking(descriptor, False)
                self._hear(descriptor)
        newer = "" if self._plain else RESET_NEWER
        how = _how(self._words, self._signal)
        said = f"lazychat {how}. What was said is kept: `lazychat` goes on."
        with suppress(OSError):  # the terminal has gone too
            self._restore_settings()
            _write(self._screen, f"{RESET}{newer}{LEAVE}{said}\r\n".encode())
        with suppress(OSError):
            self._note(how)

    def _restore_settings(self) -> None:
        now = termios.tcgetattr(self._screen)
        if self._before and (self._taken is None or now == self._taken):
            # What was typed and not read was meant for the app.
            termios.tcsetattr(self._screen, termios.TCSAFLUSH, self._before)

    def _note(self, how: str) -> None:
        """Add to the log what happened, and where in the program."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        log = os.open(self._log, flags, 0o600)
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        where = self._words.decode("utf-8", "replace").strip()
        text = f"{when} lazychat (process {self._app}) {how}\n{where}\n"
        _write(log, text.encode())
        os.close(log)


def _how(words: bytes, name: str) -> str:
    """Return how the app has ended, by what `faulthandler` has said."""
    if words.startswith(b"Fatal Python error: "):
        line = words[20:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
        if known := _CRASHES.get(line):
            return f"was ended by {known}"
        return f"was ended by a fault of Python ({line})"
    if name:
        return f"was ended by SIG{name}"
    return "was killed"


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it, unless the terminal takes nothing for a while."""
    os.set_blocking(descriptor, False)
    until = time.monotonic() + _DYING_SECONDS
    while data and time.monotonic() < until:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [], 0.1)
    os.set_blocking(descriptor, True)


def _end_of(process: int) -> int | None:
    """Return a descriptor that can be read once `process` is gone (Linux)."""
    opened: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if opened is None:
        return None
    try:
        return opened(process)
    except OSError:  # an old kernel, or a sandbox
        return None


def _exits(process: int) -> bool:
    """Whether `process` closes its files because it ends; False when nobody knows."""
    if sys.platform != "linux":
        return False
    try:
        with Path(f"/proc/{process}/stat").open() as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return True
    return fields[0] in "ZX" or bool(int(fields[6]) & _EXITING)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
