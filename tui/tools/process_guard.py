"""Keeps tools from ending or maiming the process, which they share with the program.

A tool that calls `os._exit`, signals its own process or closes descriptors that it has
not opened is written for a process of its own. The first two fail its call, the third
has no effect. In the processes that a tool forks all of it works as ever, as it does
for the program itself. What C code does is not noticed.
"""

import _thread
import errno
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from tui.tools import descriptors, process_state
from tui.tools.running import current

_HARMLESS = {0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
"""Signals that end no process."""
_REFUSED = "not a descriptor of this tool"

_installed = False


def install() -> None:
    """Replace functions of `os`, `signal` and `_thread`; only the first call counts.

    Before any tool is loaded, as it may import one of them by its name.
    """
    global _installed
    if _installed:
        return
    _installed = True
    ours = os.getpid()
    for name in ("_exit", "abort"):
        setattr(os, name, _ending(name, getattr(os, name), ours))
    guarded: tuple[tuple[Any, str, Callable[[int], bool]], ...] = (
        (os, "kill", _is_of_us),
        (os, "killpg", lambda group: group in (0, os.getpgrp())),
        (signal, "raise_signal", _always),
        (signal, "pthread_kill", _always),
        (_thread, "interrupt_main", _always),
    )
    for module, name, aims_at_us in guarded:
        title, real = f"{module.__name__}.{name}", getattr(module, name)
        setattr(module, name, _signalling(title, real, aims_at_us, ours))
    os.close = _closing(os.close, ours)
    os.closerange = _closing_all(os.closerange, os.close, ours)
    os.dup2 = _replacing(os.dup2, ours)


def _ending(name: str, real: Callable[..., Any], ours: int) -> Callable[..., Any]:
    def end(*arguments: Any) -> Any:
        if current() is not None and os.getpid() == ours:
            raise SystemExit(f"os.{name} is not for tools")
        return real(*arguments)

    return end


def _always(target: int = 0) -> bool:
    return True


def _is_of_us(process: int) -> bool:
    """Return whether `os.kill` of this number would reach this process."""
    return process in (os.getpid(), 0, -1, -os.getpgrp())


def _signalling(
    name: str,
    real: Callable[..., Any],
    aims_at_us: Callable[..., bool],
    ours: int,
) -> Callable[..., Any]:
    """Guard a function whose arguments are a target and a signal, or only a signal.

    The main thread is the program's. A thread that a tool has started is not known, but
    only a tool interrupts: as after so many seconds, by a `threading.Timer`.
    """

    def send(*arguments: Any) -> Any:
        *target, number = arguments or (signal.SIGINT,)
        if (
            threading.current_thread() is threading.main_thread()
            or os.getpid() != ours
            or number in _HARMLESS
            or not aims_at_us(*target)
        ):
            return real(*arguments)
        if current() is not None:
            raise SystemExit(f"{name} of its own process is not for tools")
        if number == signal.SIGINT and process_state.is_in_call():
            return None
        return real(*arguments)

    return send


def _is_foreign(number: Any, ours: int) -> bool:
    """Return whether a tool is about to close a descriptor of the program.

    The standard streams are put back after the call.
    """
    call = current()
    if call is None or os.getpid() != ours or not isinstance(number, int):
        return False
    return number > 2 and descriptors.is_foreign(number, call.descriptors)


def _closing(real: Callable[[int], None], ours: int) -> Callable[[int], None]:
    def close(fd: int) -> None:
        if _is_foreign(fd, ours):
            raise OSError(errno.EBADF, _REFUSED)
        real(fd)

    return close


def _closing_all(
    real: Callable[[int, int], None], close: Callable[[int], None], ours: int
) -> Callable[[int, int], None]:
    def closerange(fd_low: int, fd_high: int, /) -> None:
        if current() is None or os.getpid() != ours:
            real(fd_low, fd_high)
            return
        for number in descriptors.opened():
            if fd_low <= number < fd_high:
                try:
                    close(number)
                except OSError:  # as `closerange` ignores them
                    continue

    return closerange


def _replacing(real: Callable[..., int], ours: int) -> Callable[..., int]:
    def dup2(fd: int, fd2: int, inheritable: bool = True) -> int:
        if _is_foreign(fd2, ours):
            raise OSError(errno.EBADF, _REFUSED)
        return real(fd, fd2, inheritable)

    return dup2
