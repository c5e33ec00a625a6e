"""The guard's process: waits for the app to die, then restores the terminal.

The process must need little memory. `guard` forks it from the app, and the pages that
both share at first become copies as the app goes on. So some seconds later the process
replaces itself by a fresh Python that runs only this file, without `site`. That is why
this file imports nothing of `tui`, and little of the standard library.
"""

# pathlib and contextlib would need as much memory as everything else here.
# ruff: noqa: PTH116, PTH123, SIM105

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
    "\x1b[m\x1b[H\x1b[J"  # clears the screen, for terminals without an alternate one
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # focus, paste, reports of its size
    "\x1b[?7h"  # lines wrap
)
"""Switches off whatever `OutputDriver` and Textual's drivers switch on."""
RESET_NEWER = "\x1b[<u\x1b[0 q"
"""Ends the keyboard protocol, and the cursor's shape; not sent to terminals that would
display it."""
LEAVE = "\x1b[?1049l\x1b[?25h\x1b[m\r"
"""Leaves the alternate screen. Comes after `RESET_NEWER`, because terminals keep
separate keyboard flags for each screen."""


def N_(message: str) -> str:
    """Mark a text for the catalogue, as in `tui.i18n`; `guard` sends translations."""
    return message


TEXTS = {
    "signal": N_("lazychat was ended by {signal}."),
    "fatal": N_("lazychat was ended by a fatal Python error ({error})."),
    "killed": N_("lazychat was killed."),
    "kept": N_("Conversation saved: run `lazychat` to continue."),
    "lost": N_("Messages sent since the store became unwritable are lost."),
}
"""The line that the user sees, by the names that `Guard.say` sends."""
_KEPT = {True: "kept", False: "lost", None: ""}
"""What has become of the conversation, by the last `Guard.keep`; None: unknown."""

_CRASHES = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating-point exception": "SIGFPE",
    "Floating point exception": "SIGFPE",
}
"""`faulthandler`'s descriptions of signals, and the names of the signals."""
_WORDS = 20_000  # the most bytes of a crash report that are kept
_EXITING = 0x4  # PF_EXITING in the flags of /proc/PID/stat (linux/sched.h)
_NUMBER = 0x7F  # of the signal, in a status of `wait`
_RENEW_SECONDS = 3.0  # without news, so as not to slow down the start of the app
_DYING_SECONDS = 5.0  # a process that has closed its files is gone much sooner
_LOOK_SECONDS = 0.5  # between checks, if the kernel cannot report the end of a process


class Watch:
    """Waits in the guard's process until the process `app` is gone.

    `screen` is the terminal, `log` the file to which a crash is appended. `control` is
    the pipe with the app's reports. `readers` maps the descriptors of the crash pipes
    to the names of their signals.
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
        self._status: int | None = None
        self._armed = False
        self._before: Settings | None = None
        self._taken: Settings | None = None
        self._plain = False
        self._kept: bool | None = None
        self._texts = TEXTS
        self._told = b""
        self._renews = False

    def run(self, *, renews: bool = False) -> None:
        """Wait for the app's end, restore the terminal if the app has not, and return.

        With `renews`, this process replaces itself by a fresh Python after a while.
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
                # The app has closed the pipe: it is exiting, or has dismissed the
                # guard.
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
        """Milliseconds until the next check; None to wait for a descriptor."""
        if self._renews:
            return int(_RENEW_SECONDS * 1000)
        return int(_LOOK_SECONDS * 1000) if self._ended is None else None

    def _renew(self) -> None:
        """Replace this process by a Python without the app's memory, if possible."""
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
            *(self._signal, self._told, self._texts),
        )
        reader, writer = os.pipe()
        kept = (self._screen, self._control, *self._readers, reader)
        try:
            # The state must fit into the pipe, because nobody reads it yet.
            os.write(writer, marshal.dumps(state))
            os.close(writer)
            for descriptor in (*kept, *([] if self._ended is None else [self._ended])):
                os.set_inheritable(descriptor, True)
            again = [sys.executable, "-I", "-S", file, str(reader)]
            os.execv(sys.executable, again)
        except OSError:
            os.close(reader)

    @classmethod
    def renewed(cls, reader: int) -> "Watch":
        """Return the watch whose state `_renew` wrote to the pipe `reader`."""
        app, screen, log, control, readers, *rest = marshal.loads(
            os.read(reader, 65536)
        )
        os.close(reader)
        self = cls.__new__(cls)
        self._app, self._screen, self._log = app, screen, log
        self._control, self._readers, self._words = control, readers, b""
        self._status = None
        self._ended, self._armed, self._before, self._taken, *rest = rest
        self._plain, self._kept, self._signal, self._told, self._texts = rest
        return self

    def _obey(self) -> bool:
        """Read and apply the app's reports; return False at the end of the pipe."""
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
                case ("texts", texts):
                    self._texts = {**TEXTS, **texts}
                case ("kept", kept):
                    self._kept = kept
                case _:
                    self._armed = False
            self._told = self._told[end:]
        return bool(data)

    def _hear(self, descriptor: int) -> bool:
        """Read a crash report; return False at the end of the pipe."""
        data = os.read(descriptor, 4096)
        if data:
            self._signal = self._readers[descriptor] or self._signal
            self._words = (self._words + data)[:_WORDS]
        return bool(data)

    def _dies(self) -> bool:
        """Return whether the app, which has closed the pipe, is exiting."""
        exits, self._status = _exits(self._app)
        if exits:
            return True  # do not wait for the end: the shell then draws its prompt
        if self._ended is not None:
            return bool(select.select([self._ended], [], [], _DYING_SECONDS)[0])
        until = time.monotonic() + _DYING_SECONDS
        while _lives(self._app) and time.monotonic() < until:
            time.sleep(0.01)
        return not _lives(self._app)

    def _restore(self) -> None:
        """Restore the terminal, and report why the app could not do it."""
        for descriptor in self._readers:  # read the last reports
            try:
                os.set_blocking(descriptor, False)
                self._hear(descriptor)
            except OSError:
                pass
        newer = "" if self._plain else RESET_NEWER
        if self._status is None:
            self._status = _exits(self._app)[1]
        name, about = _how(self._words, self._status, self._signal)
        line = _filled(self._texts[name], about)
        if kept := _KEPT[self._kept]:
            gap = " " if line.endswith(".") else ""  # Chinese has a wide full stop
            line = f"{line}{gap}{self._texts[kept]}"
        try:
            self._restore_settings()
            _write(self._screen, f"{RESET}{newer}{LEAVE}{line}\r\n".encode())
        except OSError:  # the terminal is gone too
            pass
        try:
            self._note(_filled(TEXTS[name], about))
        except OSError:
            pass

    def _restore_settings(self) -> None:
        now = termios.tcgetattr(self._screen)
        if self._before and (self._taken is None or now == self._taken):
            # TCSAFLUSH discards unread input, which was meant for the app.
            termios.tcsetattr(self._screen, termios.TCSAFLUSH, self._before)

    def _note(self, what: str) -> None:
        """Append to the log what happened, and where in the program."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        log = os.open(self._log, flags, 0o600)
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        where = self._words.decode("utf-8", "replace").strip()
        text = f"{when} (process {self._app}) {what}\n{where}\n"
        _write(log, text.encode())
        os.close(log)


def _can_renew() -> str:
    """Return this file, compiled if possible; "" if Python may not find its library."""
    if getattr(sys, "frozen", False) or "PYTHONHOME" in os.environ:
        return ""
    if not sys.executable or not os.access(sys.executable, os.X_OK):
        return ""
    # Compiling the source would take a megabyte that Python does not release.
    compiled = __spec__.cached if __spec__ else None
    if compiled and _is_current(compiled):
        return compiled
    return __file__ if os.access(__file__, os.R_OK) else ""


def _is_current(compiled: str) -> bool:
    """Return whether a compiled file was made of this source.

    A Python that writes no compiled files (`PYTHONDONTWRITEBYTECODE`) leaves old ones.
    The header (PEP 552): magic number, flags, and time and size of the source.
    """
    try:
        with open(compiled, "rb") as file:
            header = file.read(16)
        source = os.stat(__file__)
    except OSError:
        return False
    flags, time_of_source, size = (
        int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12)
    )
    if flags:  # it holds a hash of the source in place of its time
        return True
    made_of = (int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF)
    return (time_of_source, size) == made_of


def name_process() -> None:
    """Set the name that `ps` and `top` show for this process, on Linux."""
    try:
        with open("/proc/self/comm", "w") as comm:
            comm.write("lazychat-guard")
    except OSError:
        pass


def _how(words: bytes, status: "int | None", name: str) -> "tuple[str, str]":
    """Return how the app ended, by its exit status and by the report of `faulthandler`.

    Either may be missing: the parent of the app may have taken the status already, and
    there is no report if a thread without Python's state got the signal, for example
    one that was just starting. `name` is that of the signal whose pipe has the report.
    The first value is a name in `TEXTS`, the second what its text has to be filled
    with.
    """
    if words.startswith(b"Fatal Python error: "):
        line = words[20:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
        if known := _CRASHES.get(line):
            return "signal", known
        return "fatal", line
    name = _signal_of(status) or name
    return ("signal", f"SIG{name}") if name not in ("", "KILL") else ("killed", "")


def _signal_of(status: "int | None") -> str:
    """Return the name, without SIG, of the signal in an exit status; "" if none."""
    try:
        import signal  # with `enum`, whose memory is needed no sooner

        return signal.Signals((status or 0) & _NUMBER).name[3:]
    except (ImportError, ValueError):
        return ""


def _filled(text: str, about: str) -> str:
    # Not `format`: a translation with another brace must not fail here.
    return text.replace("{signal}", about).replace("{error}", about)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of `data`; give up after `_DYING_SECONDS` if the terminal blocks."""
    os.set_blocking(descriptor, False)
    until = time.monotonic() + _DYING_SECONDS
    while data and time.monotonic() < until:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [], 0.1)
    os.set_blocking(descriptor, True)


def _end_of(process: int) -> int | None:
    """Return a descriptor that becomes readable when `process` is gone (Linux)."""
    opened = getattr(os, "pidfd_open", None)
    if opened is None:
        return None
    try:
        return opened(process)
    except OSError:  # an old kernel, or a sandbox
        return None


def _exits(process: int) -> "tuple[bool, int | None]":
    """Return whether `process` is exiting or gone, and its exit status.

    The status is that of `wait`: a signal's number, or 256 times an exit code. It is
    None if the process is not exiting, or if its parent has taken the status. Both
    values are unknown except on Linux: False, None.
    """
    if sys.platform != "linux":
        return False, None
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return True, None
    exits = fields[0] in "ZX" or bool(int(fields[6]) & _EXITING)
    # The last field (proc_pid_stat(5)); the kernel sets it before it closes the files.
    return exits, int(fields[49]) if exits and len(fields) > 49 else None


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
