"""The guard's process: waits for the app to die, then restores the terminal.

It has next to nothing in it: `guard` forks it from an app that has modules to share,
and what is shared becomes a copy as the app goes on. So a little later it becomes a
fresh Python that runs this file alone, without `site`: that is why hardly anything is
imported here: nothing of `tui`, and little of the library.
"""

# pathlib and contextlib would take as much memory as all the rest.
# ruff: noqa: PTH123, SIM105

import marshal
import os
import select
import sys
import termios
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Settings = list[Any]
    """What `termios.tcgetattr` returns."""

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

_KEPT = {
    True: " What was said is kept: `lazychat` goes on.",
    False: " What was said since the store could not be written is lost.",
    None: "",
}
"""What has become of the conversation, by whether it was kept; None: not known."""

_CRASHES = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating-point exception": "SIGFPE",
    "Floating point exception": "SIGFPE",
}
"""How `faulthandler` calls what it handles, and its name."""
_WORDS = 20_000  # bytes of a crash report that are kept
_EXITING = 0x4  # of the flags in /proc/PID/stat: PF_EXITING of linux/sched.h
_RENEW_SECONDS = 3.0  # of quiet: the start of the app has the processor first
_DYING_SECONDS = 5.0  # a process whose files are closed is gone much sooner
_LOOK_SECONDS = 0.5  # where the kernel does not tell that a process has ended


class Watch:
    """Waits in the guard's process until `app`, a process, is gone.

    `screen` is the terminal, `log` the file that is told of a crash. `control` is what
    the app tells by, and `readers` from which descriptor is read what was said upon
    which signal.
    """

    def __init__(
        self, app: int, screen: int, log: str, control: int, readers: "dict[int, str]"
    ) -> None:
        self._app = app
        self._screen = screen
        self._log = log
        self._control = control
        self._readers = readers
        self._ended = _end_of(app)
        self._words = b""
        self._signal = ""
        self._armed = False
        self._before: Settings | None = None
        self._taken: Settings | None = None
        self._plain = False
        self._kept: bool | None = None
        self._told = b""
        self._renews = False

    def run(self, *, renews: bool = False) -> None:
        """Wait, restore the terminal if the app has not, and return.

        With `renews` it goes on, after a while, as a fresh Python in this process.
        """
        self._renews = renews
        poll = select.poll()
        for descriptor in (self._control, *self._readers):
            poll.register(descriptor, select.POLLIN)
        if self._ended is not None:
            poll.register(self._ended, select.POLLIN)
        while True:
            ready = dict(poll.poll(self._patience))
            for descriptor in [fd for fd in self._readers if fd in ready]:
                if not self._hear(descriptor):
                    poll.unregister(descriptor)
            if self._control in ready and not self._obey():
                # Its files are closed: it goes, or it has dismissed us.
                if self._armed and self._dies():
                    self._restore()
                return
            if self._ended in ready or not (ready or _lives(self._app)):
                if self._armed:
                    self._restore()
                return
            if not ready:
                self._renew()

    @property
    def _patience(self) -> "int | None":
        """Milliseconds after which to look; None: when something comes."""
        if self._renews:
            return int(_RENEW_SECONDS * 1000)
        return int(_LOOK_SECONDS * 1000) if self._ended is None else None

    def _renew(self) -> None:
        """Go on as a Python that has nothing of the app's; return if that fails."""
        if not self._renews or self._words:
            return
        self._renews = False
        file = _can_renew()
        if not file:
            return
        before, taken = self._before, self._taken
        state = (
            *(self._app, self._screen, self._log, self._control, self._readers),
            *(self._ended, self._armed, before, taken, self._plain, self._kept),
            *(self._signal, self._told),
        )
        reader, writer = os.pipe()
        kept = (self._screen, self._control, *self._readers, reader)
        try:
            # Less than a pipe takes at once: nobody reads it yet.
            os.write(writer, marshal.dumps(state))
            os.close(writer)
            for descriptor in (*kept, *([] if self._ended is None else [self._ended])):
                os.set_inheritable(descriptor, True)
            again = [sys.executable, "-I", "-S", __file__, str(reader)]
            again = [sys.executable, "-I", "-S", file, str(reader)]
            os.execv(sys.executable, again)
        except OSError:
            os.close(reader)

    @classmethod
    def renewed(cls, reader: int) -> "Watch":
        """Return what has written its state to the pipe `reader` before it went."""
        app, screen, log, control, readers, *rest = marshal.loads(
            os.read(reader, 65536)
        )
        os.close(reader)
        self = cls.__new__(cls)
        self._app, self._screen, self._log = app, screen, log
        self._control, self._readers, self._words = control, readers, b""
        self._ended, self._armed, self._before, self._taken, *rest = rest
        self._plain, self._kept, self._signal, self._told = rest
        return self

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
                case ("kept", kept):
                    self._kept = kept
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

    def _dies(self) -> bool:
        """Whether the app, whose end of the pipe is closed, is about to be gone."""
        if _exits(self._app):
            return True  # not waited for: a shell draws its prompt as soon as it is
        if self._ended is not None:
            return bool(select.select([self._ended], [], [], _DYING_SECONDS)[0])
        until = time.monotonic() + _DYING_SECONDS
        while _lives(self._app) and time.monotonic() < until:
            time.sleep(0.01)
        return not _lives(self._app)

    def _restore(self) -> None:
        """Give the terminal back, and say why it was not the app that did."""
        for descriptor in self._readers:  # what came last
            try:
                os.set_blocking(descriptor, False)
                self._hear(descriptor)
            except OSError:
                pass
        newer = "" if self._plain else RESET_NEWER
        how = _how(self._words, self._signal)
        said = f"lazychat {how}.{_KEPT[self._kept]}"
        try:
            self._restore_settings()
            _write(self._screen, f"{RESET}{newer}{LEAVE}{said}\r\n".encode())
        except OSError:  # the terminal has gone too
            pass
        try:
            self._note(how)
        except OSError:
            pass

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


def _can_renew() -> str:
    """Return the file to start Python with, "" if it may not find its library then."""
    if getattr(sys, "frozen", False) or "PYTHONHOME" in os.environ:
        return ""
    if not sys.executable or not os.access(sys.executable, os.X_OK):
        return ""
    # To compile it takes a megabyte that is not given back.
    compiled = __spec__.cached if __spec__ else None
    files = [file for file in (compiled, __file__) if file and os.access(file, os.R_OK)]
    return files[0] if files else ""


def name_process() -> None:
    """Have `ps` and `top` tell what this process is, where that can be."""
    try:
        with open("/proc/self/comm", "w") as comm:
            comm.write("lazychat-guard")
    except OSError:
        pass


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
    opened = getattr(os, "pidfd_open", None)
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
        with open(f"/proc/{process}/stat") as file:
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


if __name__ == "__main__":
    name_process()
    Watch.renewed(int(sys.argv[1])).run()
