"""Finds the terminal of the program, whichever streams are redirected.

Any of the standard streams may be redirected, and COLUMNS and LINES may belong to
another terminal. So only the size that the kernel reports for the descriptor counts.
"""

import os
import struct
import sys
from contextlib import suppress


def screen() -> int | None:
    """Return the descriptor to draw on, None without a terminal.

    It is the first of stderr, stdout and stdin that is a writable terminal. Opens no
    file.
    """
    import fcntl

    for descriptor in (2, 1, 0):
        with suppress(OSError):
            written = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
            if os.isatty(descriptor) and written != os.O_RDONLY:
                return descriptor
    return None


def size(descriptor: int) -> tuple[int, int] | None:
    """Return columns and rows of a terminal, None when they are unknown.

    A line without a window, such as a serial one, reports 0.
    """
    import fcntl
    import termios

    try:
        window = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, _, _ = struct.unpack("HHHH", window)
    return (columns, rows) if columns and rows else None


def make_controlling(descriptor: int) -> None:
    """Make a terminal that of this process, which leads a session without one.

    So a change of its size and a hang-up reach this process as signals. Raises
    `OSError`.
    """
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def forget_size_in_environment() -> None:
    """Remove COLUMNS and LINES from the environment if a terminal knows its size.

    Values that a shell has exported are as old as the export, but
    `shutil.get_terminal_size` prefers them. Without the variables, child processes ask
    the terminal too.
    """
    if any(size(stream) for stream in (0, 1, 2) if sys.platform != "win32"):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
