"""Redirects descriptors 0, 1 and 2 while the screen is up.

A tool may start a process, call into C or write to a descriptor: that would be drawn
over the screen, and could drive the terminal. So the driver reads and writes through
descriptors of its own that no child inherits; descriptor 0 is empty, and what is
written to 1 and 2 goes through a pipe to whoever shows it. Who opens /dev/tty itself
is kept from it by `controlling_tty`.
"""

import os
import select
from codecs import getincrementaldecoder
from collections.abc import Callable
from threading import Thread
from time import monotonic

from tui.safe import safe

LINES = 20
"""Lines that are shown of what is written within `PERIOD`; the rest is counted."""
PERIOD = 0.5
"""Seconds."""
LINES_IN_ALL = 500
"""Lines that are shown at all: they are kept as long as the screen."""
WIDTH = 400
"""Characters of a line."""


class Aside:
    """Takes the terminal from descriptors 0 to 2, and gives it back.

    `tell` is called in a thread with each line that is written meanwhile, cleaned.
    A flood is read to its end and thrown away, so that nobody who writes waits.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._kept: list[int] = []
        self._stop = -1
        self._thread: Thread | None = None
        self._shown = 0

    def take(self, screen: int) -> tuple[int, int]:
        """Return the descriptors to read the terminal from and to draw on it.

        `screen` is which of 0, 1 and 2 is the terminal to draw on.
        """
        if not self._kept:
            # At ends above those that a shell may have given a meaning.
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
        """Have 0 to 2 be the terminal again, as before `take`. Does nothing twice."""
        if not self._kept:
            return
        for number, kept in enumerate(self._kept):
            os.dup2(kept, number)
            os.close(kept)
        self._kept = []
        # Children that live on may hold the pipe: its end is not waited for.
        os.close(self._stop)
        if self._thread is not None:
            self._thread.join()

    def _listen(self, read: int, stopped: int) -> None:
        decode = getincrementaldecoder("utf-8")("replace").decode
        rest, left, skipped, began = "", LINES, 0, monotonic()
        while True:
            wait = PERIOD if skipped or rest else None
            ready = select.select([read, stopped], [], [], wait)[0]
            if monotonic() - began >= PERIOD and stopped not in ready:
                if skipped:
                    self._say(f"… and {skipped:,} lines more")
                left, skipped, began = LINES, 0, monotonic()
            if not ready:
                self._say(rest)  # a line whose end does not come
                rest = ""
            # What was written before the end is shown, a flood is not waited out.
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
            self._say(f"… and {skipped:,} lines more")
        self._say(rest)
        os.close(read)
        os.close(stopped)

    def _say(self, line: str) -> None:
        if not line.strip() or self._shown > LINES_IN_ALL:
            return
        self._shown += 1
        if self._shown > LINES_IN_ALL:
            line = "… what else is written is not shown"
        self._tell(safe(line[:WIDTH].rstrip("\r"), newlines=False))
