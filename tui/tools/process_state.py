"""Puts back what tools change in the process, which they share with the program.

A tool that moves to another folder, takes the home folder out of the environment or
sets the hooks of threads to None would otherwise break the program, or have it read
another configuration, long after the call. What is put back is what the program itself
depends on. Tools may keep all else: modules, caches, variables of their own.

Calls overlap, and the process has only one state: it is looked at when the first of
them begins, and put back when the last has ended or was abandoned.
"""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

_VARIABLES = ("HOME", "TERM", "COLUMNS", "LINES")
_PREFIXES = ("LAZYCHAT_", "XDG_")
"""Environment variables that say where the program keeps its files, and how it
draws."""


class _Seen:
    """The state of the process at one time."""

    def __init__(self) -> None:
        self._variables = _variables()
        self._folder = _folder()
        self._trace = threading.gettrace()
        self._profile = threading.getprofile()
        self._recursion = sys.getrecursionlimit()
        self._switch = sys.getswitchinterval()

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
        _mend_hooks()


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
