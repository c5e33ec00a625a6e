"""Finds the terminal of the program, whichever streams are redirected.

Any of the standard streams may have been redirected, and COLUMNS and LINES may be those
of another terminal: only the kernel's answer for the descriptor counts.
"""

import os
import struct
import sys
from contextlib import suppress


def screen() -> int | None:
    """Return a descriptor to draw on: stderr's, stdout's or stdin's; None: no terminal.

    The first of them that is a terminal and may be written. Nothing is opened.
    """
    import fcntl

    for descriptor in (2, 1, 0):
        with suppress(OSError):
            written = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
            if os.isatty(descriptor) and written != os.O_RDONLY:
                return descriptor
    return None


def size(descriptor: int) -> tuple[int, int] | None:
    """Return columns and rows of a terminal; None where it does not know them.

    A line without a window, such as a serial one, says 0.
    """
    import fcntl
    import termios

    try:
        said = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, _, _ = struct.unpack("HHHH", said)
    return (columns, rows) if columns and rows else None


def forget_size_in_environment() -> None:
    """Take COLUMNS and LINES out of the environment when a terminal knows its size.

    Those that a shell has exported are of the time of their export, and Python's own
    `shutil.get_terminal_size` believes them. Programs that are started from here see
    the terminal's own, too.
    """
    if any(size(stream) for stream in (0, 1, 2) if sys.platform != "win32"):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
