"""Keeps tools and their processes from /dev/tty while the screen is up.

What is opened there is drawn over the screen, whatever becomes of descriptors 0 to 2.
The program cannot give its controlling terminal up, as it could never take it back for
an editor, and a session leader would take it from all. So a process that is started
gets a session of its own, which has no terminal, and to open the terminal in this
process fails as it does without one. An editor runs when the screen is down.

Not kept from it: C code that opens it, `os.posix_spawn`, and who opens the terminal's
device by its own name from a process.
"""

import errno
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

_NAME = "/dev/tty"
_POSITIONAL = 15
"""Arguments of `Popen` before `start_new_session`."""

_kept_from: set[str] = set()
"""The names of the terminal while the screen is up; empty for: not up."""
_watched = False


def keep_off(descriptor: int) -> None:
    """Keep others from the terminal that `descriptor` is, until `let_in`."""
    global _watched
    with suppress(OSError):
        _kept_from.add(os.ttyname(descriptor))
    _kept_from.add(_NAME)
    if not _watched:
        _watched = True  # neither hook can be taken away again
        sys.addaudithook(_audit)
        os.register_at_fork(after_in_child=_leave_session)
        subprocess.Popen.__init__ = _in_session_of_its_own(subprocess.Popen.__init__)
        os.system = _system


def let_in() -> None:
    """Let who opens the terminal have it again."""
    _kept_from.clear()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _kept_from and arguments[0] in _kept_from:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), arguments[0])


def _leave_session() -> None:
    if _kept_from:
        let_in()
        with suppress(OSError):  # it leads one, as after `os.forkpty`
            os.setsid()


def _in_session_of_its_own(init: Any) -> Any:
    def popen(self: Any, *arguments: Any, **options: Any) -> None:
        told = len(arguments) > _POSITIONAL
        in_group = options.get("process_group") not in (None, -1)
        if _kept_from and not told and not in_group:
            options["start_new_session"] = True
        init(self, *arguments, **options)

    return popen


def _system(command: str | bytes) -> int:
    """Run a command as `os.system` does, whose C cannot be told of sessions."""
    status = subprocess.call(command, shell=True)
    return -status if status < 0 else status << 8
