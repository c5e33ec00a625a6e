"""Puts back what tools change in the process, which they share with the program.

A tool that moves to another folder, takes the home folder out of the environment or
sets the hooks of threads to None would otherwise break the program, or have it read
another configuration, long after the call. What is put back is what the program itself
depends on. Tools may keep all else: modules, caches, variables of their own.

Calls overlap, and the process has only one state: it is looked at when the first of
them begins, and put back when the last has ended or was abandoned.
"""

import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

_VARIABLES = ("HOME", "TERM", "COLUMNS", "LINES")
_PREFIXES = ("LAZYCHAT_", "XDG_")
"""Environment variables that say where the program keeps its files, and how it
draws."""


_STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}
_ROOM = 256
"""Files that the program can open, at least, after a call."""
_TIMERS = ("SIGALRM", "SIGVTALRM", "SIGPROF")


class _Seen:
    """The state of the process at one time."""

    def __init__(self) -> None:
        self._variables = _variables()
        self._folder = _folder()
        self._trace = threading.gettrace()
        self._profile = threading.getprofile()
        self._recursion = sys.getrecursionlimit()
        self._switch = sys.getswitchinterval()
        self._streams = {name: getattr(sys, name, None) for name in _STREAMS}
        self._open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    def put_back(self) -> None:
        """Undo what was changed since."""
        now = _variables()
        for name in now.keys() - self._variables.keys():
            os.environ.pop(name, None)
        for name, value in self._variables.items():
            if now.get(name) != value:
                os.environ[name] = value
        if self._folder and _folder() != self._folder:
            with suppress(OSError):  # it was removed
                os.chdir(self._folder)
        # Each new thread would run them.
        if threading.gettrace() is not self._trace:
            threading.settrace(self._trace)  # pyright: ignore[reportArgumentType] # None is what it was
        if threading.getprofile() is not self._profile:
            threading.setprofile(self._profile)
        if sys.getrecursionlimit() < self._recursion:
            with suppress(RecursionError):
                sys.setrecursionlimit(self._recursion)
        sys.setswitchinterval(self._switch)
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        _mend_hooks()
        _leave_room_for_files(self._open_files)
        _fill_descriptors()
        for name, stream in self._streams.items():
            if _is_lost(getattr(sys, name, None)):
                setattr(sys, name, _usable(name, stream))


_lock = threading.Lock()
_running = 0
_seen: _Seen | None = None


def begin() -> None:
    """A call is about to run. Any thread."""
    global _running, _seen
    with _lock:
        if not _running:
            _seen = _Seen()
        _running += 1


def end() -> None:
    """A call has ended, or nobody waits for it any more. Any thread."""
    global _running, _seen
    with _lock:
        _running -= 1
        if not _running and _seen is not None:
            _seen.put_back()
            _seen = None


def is_in_call() -> bool:
    """Whether a call is running, which may be what has interrupted the program."""
    return _running > 0


def ignore_timers() -> None:
    """Do nothing at the signal of a timer while a tool runs: the timer is the tool's.

    A timer that a tool has left running is stopped after the call. Only in the main
    thread; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _TIMERS:
        number = getattr(signal, name)
        if signal.getsignal(number) == signal.SIG_DFL:
            # Not SIG_IGN, which the processes of tools would inherit.
            signal.signal(number, _end_unless_in_call)


def _end_unless_in_call(number: int, frame: object) -> None:
    """Let the signal of a timer end the program, as it does without a handler."""
    if not is_in_call():
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _leave_room_for_files(limit: int) -> None:
    """Allow as many open files as before, and some more than are open.

    A tool that does not close its files would otherwise leave none for the store, the
    connection to the model and the modules that are still to be imported. Where the
    system allows no more, they fail.
    """
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        lowest_free = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.close(lowest_free)
    except OSError:
        lowest_free = now
    wanted = max(now, limit)
    if lowest_free + _ROOM > wanted:
        wanted = lowest_free + 2 * _ROOM
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if wanted > now:
        with suppress(OSError, ValueError):  # the system allows fewer than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _fill_descriptors() -> None:
    """Open what was closed of 0 to 2 on nothing.

    Otherwise the next opened file, the store, would get the descriptor, and printed
    text would be written into it.
    """
    for number in _STREAMS.values():
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)


def _is_lost(stream: Any) -> bool:
    return stream is None or bool(getattr(stream, "closed", False))


def _usable(name: str, stream: Any) -> Any:
    """Return the stream that was there, or a new one if it was closed."""
    if stream is None or not _is_lost(stream):
        return stream
    mode = "r" if name == "stdin" else "w"
    return os.fdopen(_STREAMS[name], mode, closefd=False, errors="replace")


def _variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _VARIABLES or name.startswith(_PREFIXES)
    }


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _mend_hooks() -> None:
    """Replace hooks that cannot be called: without one, no thread can be started."""
    hooks: tuple[tuple[Any, str], ...] = (
        (threading, "excepthook"),
        (sys, "excepthook"),
        (sys, "unraisablehook"),
    )
    for module, name in hooks:
        if not callable(getattr(module, name, None)):
            setattr(module, name, getattr(module, f"__{name}__"))
