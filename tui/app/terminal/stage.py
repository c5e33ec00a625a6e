"""The frame scheduler: holds the newest screen and sends it when it may.

All but `key_pressed` runs in the event loop's thread. A frame is made at the moment it
is sent, from what is shown then to what is wanted then, so nothing that is out of date
is ever under way for longer than the two frames that may be unanswered.
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
_ANSWERS = 8  # questions that may still be answered: those before are taken as lost
_SMALL = 1000  # characters: one packet, and drawn in one go without asking for it
_SETTLE = 0.1  # seconds for a resized terminal to come to rest


class Stage:
    """The way of one app's frames to one terminal."""

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
        """What has gone wrong; then it draws no more."""
        self.asked = 0
        """How many questions the terminal was asked."""
        self.answers_due: deque[tuple[int, int]] = deque(maxlen=_ANSWERS)
        """Column and row, from 1, that each answer to come will give, as far as known.
        Whoever gets the answer takes it away, in any thread."""
        self.synchronized = False
        """Whether the terminal has said that it can draw a frame at once."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of what it has been shown; (0, 0) before."""
        surface = self._surface
        return (surface.width, surface.height) if surface else (0, 0)

    # What is wanted

    def show(self, update: Update, size: tuple[int, int], cursor: Offset) -> None:
        """Show an update of a screen of `size` (columns, rows) soon."""
        surface = self._surface
        if surface is None or self.size != size:
            self._surface = surface = Surface(*size, self._maker)
            self._painter = Painter(*size, self._pens, self._abilities)
        try:
            surface.take(update)
        except Exception as error:  # whatever it is, there has to be a screen
            self._fail(error)
            return
        self._cursor = max(0, cursor.x), max(0, cursor.y)
        self._wanting = True
        self._send_or_wait()

    def repaint(self) -> None:
        """Draw everything anew: nobody knows what the terminal shows."""
        if self._painter is not None:
            self._painter.forget()
            self._wanting = True
            self._wait(_SETTLE)

    def key_pressed(self) -> None:
        """Draw the next frames at once. May be called in any thread."""
        self._pace.key_pressed(monotonic())

    # When it is sent

    def open(self, writer: Writer) -> None:
        """Begin to send: the terminal is the app's."""
        self._writer = writer
        self._pace = Pace()
        if self._painter is not None:
            self._painter.forget()

    def close(self) -> None:
        """Send no more: the terminal is taken back."""
        self._writer = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answered(self) -> None:
        """Note that the terminal has drawn a frame."""
        self._pace.answered(monotonic())
        self._send_or_wait()

    def drained(self) -> None:
        """Note that the terminal has taken all that was written."""
        self._send_or_wait()

    @property
    def patience(self) -> float:
        """Seconds that are worth waiting for the answers that are still to come."""
        pace = self._pace
        if pace.silent or not pace.unanswered:
            return 0.0
        return pace.patience if pace.answers else 0.3

    @property
    def is_silent(self) -> bool:
        """Whether the terminal was given up as one that does not answer."""
        return self._pace.silent

    def _send_or_wait(self) -> None:
        if not self._wanting or self._writer is None or not self._writer.idle:
            return  # what is written now will call again
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
        """Leave the screen to Textual's own writer."""
        self.failed = error
        if self._writer is not None:
            self._writer.write(b"\x1b[r\x1b[m\x1b[H\x1b[J")
        self.close()
        self._tell_failure()

    def _ask(self) -> str:
        x, y = self._cursor
        if y == 0 and 0 < x < 16:
            # In the first row the answer could be F3 with a modifier.
            self.answers_due.append((1, 2))
            return f"\x1b[2;1H{_ASK}\x1b[1;{x + 1}H"
        columns, rows = self.size
        self.answers_due.append((min(x + 1, columns), min(y + 1, rows)))
        return _ASK
