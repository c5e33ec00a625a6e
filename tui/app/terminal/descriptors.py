"""Redirects descriptors 0, 1 and 2 while the screen is up.

A tool may start a process, call into C or write to a descriptor. Such output would be
drawn over the screen and could control the terminal. So the driver reads and writes
through descriptors of its own that child processes do not inherit. Descriptor 0 is
empty, and output to 1 and 2 goes through a pipe to a callback that shows it.
`controlling_tty` keeps programs from opening /dev/tty itself.
"""

import os
from codecs import getincrementaldecoder
from collections.abc import Callable
from threading import Thread
from time import monotonic

from tui.i18n import _
from tui.readiness import readable
from tui.safe import safe

LINES = 20
"""The most lines shown in each `PERIOD`; further lines are only counted."""
PERIOD = 0.5
"""Seconds."""
LINES_IN_ALL = 500
"""The most lines shown in total, because they are kept as long as the screen."""
WIDTH = 400
"""The most characters shown of a line."""


class Aside:
    """Redirects descriptors 0 to 2 away from the terminal, and restores them.

    `tell` is called in a thread with each line written meanwhile, cleaned. Excess
    output is read and discarded, so that the writing process never blocks.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._kept: list[int] = []
        self._stop = -1
        self._thread: Thread | None = None
        self._shown = 0

    def take(self, screen: int) -> tuple[int, int]:
        """Redirect 0 to 2; return the descriptors to read the terminal and to draw.

        `screen` is the descriptor, 0, 1 or 2, of the terminal to draw on.
        """
        if not self._kept:
            self._kept = [os.dup(number) for number in (0, 1, 2)]
            nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            os.dup2(nothing, 0)
            os.close(nothing)
            read, write = os.pipe()
            for number in (1, 2):
                os.dup2(write, number)
            os.close(write)
            stopped, self._stop = os.pipe()
            self._thread = Thread(
                target=self._listen, args=(read, stopped), daemon=True, name="written"
            )
            self._thread.start()
        return self._kept[0], self._kept[screen]

    def give_back(self) -> None:
        """Restore 0 to 2 as before `take`. A second call does nothing."""
        if not self._kept:
            return
        for number, kept in enumerate(self._kept):
            os.dup2(kept, number)
            os.close(kept)
        self._kept = []
        # Do not wait for the end of the pipe: surviving children may hold it open.
        os.close(self._stop)
        if self._thread is not None:
            self._thread.join()

    def _listen(self, read: int, stopped: int) -> None:
        decode = getincrementaldecoder("utf-8")("replace").decode
        rest, left, skipped, began = "", LINES, 0, monotonic()
        while True:
            wait = PERIOD if skipped or rest else None
            ready = readable(read, stopped, seconds=wait)
            if monotonic() - began >= PERIOD and stopped not in ready:
                if skipped:
                    self._say(_("… and {count:,} more lines").format(count=skipped))
                left, skipped, began = LINES, 0, monotonic()
            if not ready:
                self._say(rest)  # show an unfinished line after a pause
                rest = ""
            # After a stop, show earlier output, but do not wait for the end of a flood.
            if stopped in ready and monotonic() - began >= PERIOD:
                break
            if read in ready:
                data = os.read(read, 1 << 16)
                if not data:
                    break
                if left <= 0 or self._shown >= LINES_IN_ALL:
                    skipped += data.count(b"\n")
                    continue
                *lines, rest = (rest + decode(data)).split("\n")
                for line in lines[:left]:
                    self._say(line)
                skipped += len(lines[left:])
                left -= len(lines)
                rest = rest[:WIDTH]
            elif stopped in ready:
                break
        if skipped:
            self._say(_("… and {count:,} more lines").format(count=skipped))
        self._say(rest)
        os.close(read)
        os.close(stopped)

    def _say(self, line: str) -> None:
        if not line.strip() or self._shown > LINES_IN_ALL:
            return
        self._shown += 1
        if self._shown > LINES_IN_ALL:
            line = _("… further output is not shown")
        self._tell(safe(line[:WIDTH].rstrip("\r"), newlines=False))
