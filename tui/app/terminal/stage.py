"""Schedules frames: holds the newest screen and sends it when the terminal is ready.

All methods except `key_pressed` run in the event loop's thread. A frame is computed at
the moment it is sent, as the difference between the shown and the wanted screen at that
time. So at most the two unanswered frames in transit can be outdated.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from textual.geometry import Offset

from tui.app.terminal.cells import CellMaker
from tui.app.terminal.flow_control import Pace
from tui.app.terminal.painter import Abilities, Painter
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.surface import Surface, Update
from tui.app.terminal.tty_writer import Writer

_SYNC_BEGIN, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_ASK = "\x1b[6n"
_ANSWERS = 8  # expected answers to remember; the answers before them count as lost
_SMALL = 1000  # characters that fit into one packet and are drawn at once anyway
_SETTLE = 0.1  # seconds to wait until a terminal is no longer being resized


class Stage:
    """Sends the frames of one app to one terminal."""

    def __init__(
        self, pens: PenBook, abilities: Abilities, failed: Callable[[], None]
    ) -> None:
        self._maker = CellMaker(pens)
        self._pens = pens
        self._abilities = abilities
        self._loop = asyncio.get_running_loop()
        self._surface: Surface | None = None
        self._painter: Painter | None = None
        self._cursor = (0, 0)
        self._pace = Pace()
        self._writer: Writer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wanting = False
        self._tell_failure = failed
        self.failed: Exception | None = None
        """The error after which the stage draws no more, None before."""
        self.asked = 0
        """How many queries the terminal was sent."""
        self.answers_due: deque[tuple[int, int]] = deque(maxlen=_ANSWERS)
        """Column and row, from 1, of each expected answer. The receiver of an answer
        removes its entry, in any thread."""
        self.synchronized = False
        """Whether the terminal has reported support for synchronized output."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the last screen; (0, 0) before the first."""
        surface = self._surface
        return (surface.width, surface.height) if surface else (0, 0)

    # The wanted screen

    def show(self, update: Update, size: tuple[int, int], cursor: Offset) -> None:
        """Send an update of a screen of `size` (columns, rows) as soon as possible."""
        surface = self._surface
        if surface is None or self.size != size:
            self._surface = surface = Surface(*size, self._maker)
            self._painter = Painter(*size, self._pens, self._abilities)
        try:
            surface.take(update)
        except Exception as error:  # whatever it is, Textual can still draw
            self._fail(error)
            return
        self._cursor = max(0, cursor.x), max(0, cursor.y)
        self._wanting = True
        self._send_or_wait()

    def repaint(self) -> None:
        """Redraw everything, because the content of the terminal is unknown."""
        if self._painter is not None:
            self._painter.forget()
            self._wanting = True
            self._wait(_SETTLE)

    def key_pressed(self) -> None:
        """Send the next frames without delay. May be called in any thread."""
        self._pace.key_pressed(monotonic())

    # Sending

    def open(self, writer: Writer) -> None:
        """Start to send frames, because the app has taken over the terminal."""
        self._writer = writer
        self._pace = Pace()
        if self._painter is not None:
            self._painter.forget()

    def close(self) -> None:
        """Stop sending frames, because the app gives the terminal back."""
        self._writer = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answered(self) -> None:
        """Note that the terminal has drawn a frame."""
        self._pace.answered(monotonic())
        self._send_or_wait()

    def drained(self) -> None:
        """Note that the terminal has accepted all output."""
        self._send_or_wait()

    @property
    def patience(self) -> float:
        """Seconds to wait at most for the answers that are still expected."""
        pace = self._pace
        if pace.silent or not pace.unanswered:
            return 0.0
        return pace.patience if pace.answers else 0.3

    @property
    def is_silent(self) -> bool:
        """Whether the terminal is assumed not to answer."""
        return self._pace.silent

    def _send_or_wait(self) -> None:
        if not self._wanting or self._writer is None or not self._writer.idle:
            return  # if output is pending, `drained` calls this again
        wait = self._pace.wait(monotonic())
        if wait > 0:
            self._wait(wait)
        else:
            self._send()

    def _wait(self, seconds: float) -> None:
        when = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        self._send_or_wait()

    def _send(self) -> None:
        surface, painter, writer = self._surface, self._painter, self._writer
        assert surface is not None
        assert painter is not None
        assert writer is not None
        self._wanting = False
        try:
            frame = painter.paint(surface.rows, self._cursor)
        except Exception as error:
            self._fail(error)
            return
        if not frame:
            return
        if self._pace.sent(monotonic()):
            frame += self._ask()
            self.asked += 1
        if self.synchronized and len(frame) > _SMALL:
            frame = f"{_SYNC_BEGIN}{frame}{_SYNC_END}"
        writer.write(frame.encode("utf-8", "replace"))

    def _fail(self, error: Exception) -> None:
        """Stop drawing and let Textual's own writer draw."""
        self.failed = error
        if self._writer is not None:
            self._writer.write(b"\x1b[r\x1b[m\x1b[H\x1b[J")
        self.close()
        self._tell_failure()

    def _ask(self) -> str:
        x, y = self._cursor
        if y == 0 and 0 < x < 16:
            # In the first row the answer would look like F3 with a modifier.
            self.answers_due.append((1, 2))
            return f"\x1b[2;1H{_ASK}\x1b[1;{x + 1}H"
        columns, rows = self.size
        self.answers_due.append((min(x + 1, columns), min(y + 1, rows)))
        return _ASK
