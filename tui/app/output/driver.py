"""Textual's driver for Linux and macOS, with the output stage in the place of its
writer."""

# Textual does not say of what its App is generic.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportUnknownVariableType=false

import os
import select
import signal
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from threading import Condition
from types import FrameType

from rich.color import ColorSystem
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.app.output.hook import OutputApp
from tui.app.output.pen import PenBook
from tui.app.output.stage import Stage
from tui.app.output.terminal import abilities
from tui.app.output.writer import Writer

_TICK = 0.1  # seconds between two looks whether a lone Esc has come, or the app leaves
_LEAVING = 3.0  # seconds for the terminal to take the last of what was written


class OutputDriver(LinuxDriver):
    """Passes control sequences on in order, and frames when the stage sends them."""

    def __init__(
        self,
        app: App,
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._output: Writer | None = None
        self._answers = Condition()
        self._answered = 0
        self._gone = False
        # As Textual does it: the screen is on stderr, whatever that was made since.
        self._fd = 2 if self._file is None else self._file.fileno()
        name = app.console.color_system or "truecolor"
        colours = {
            "standard": ColorSystem.STANDARD,
            "256": ColorSystem.EIGHT_BIT,
            "windows": ColorSystem.WINDOWS,
        }.get(name, ColorSystem.TRUECOLOR)
        self.stage = Stage(PenBook(colours), abilities(self._fd), self._failed)
        """Draws the frames."""

    def write(self, data: str) -> None:
        """Write a control sequence after what has been written."""
        if self._output is not None:
            self._output.write(data.encode("utf-8", "replace"))

    def start_application_mode(self) -> None:
        """Take the terminal."""
        writer = self._output = Writer(self._fd, self._drained)
        writer.start()
        super().start_application_mode()
        self.stage.open(writer)
        self._watch_size()

    def disable_input(self) -> None:
        """Read no more; the answers that are under way first.

        They would else be typed into the shell.
        """
        patience = 0 if self._gone else self.stage.patience
        self.stage.close()
        if patience and not self.exit_event.is_set():
            with self._answers:
                self._answers.wait_for(
                    lambda: self._answered >= self.stage.asked, patience
                )
        super().disable_input()

    def close(self) -> None:
        """Give the terminal back."""
        if self._output is not None:
            self._output.stop(_LEAVING)
            self._output = None
        super().close()

    def run_input_thread(self) -> None:
        """Read the terminal until the app leaves, or the terminal has gone.

        Textual's own takes the end of input for a pause and looks again at once: a
        whole core for as long as the program lives.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        leaving = False
        while not (leaving or self._gone):
            leaving = self.exit_event.is_set()  # what comes just then is read too
            if select.select([self.fileno], [], [], _TICK)[0]:
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:  # how Linux says that the other side is closed
                    data = b""
                self._gone = not data
                for message in parser.feed(text) if (text := decode(data)) else ():
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
        if self._gone:
            self._in_loop(self._hung_up)

    def _hung_up(self) -> None:
        if isinstance(self._app, OutputApp):
            self._app.hang_up()

    def process_message(self, message: Message) -> None:
        """Take the answers to the stage's questions. Runs in the input's thread."""
        if isinstance(message, events.CursorPosition):
            # `CSI 1 ; 2 R` is Shift+F3, and so on; no question is asked from there.
            if message.y > 0 or message.x == 0 or message.x > 15:
                self._take_answer()
                return
        elif isinstance(message, events.Key | events.Paste | events.MouseEvent):
            if not isinstance(message, events.MouseMove):
                self.stage.key_pressed()
        elif isinstance(message, TerminalSupportsSynchronizedOutput):
            self.stage.synchronized = True
        elif isinstance(message, events.Resize):
            self._in_loop(self.stage.repaint)
        super().process_message(message)

    def _take_answer(self) -> None:
        with self._answers:
            self._answered += 1
            self._answers.notify_all()
        self._in_loop(self.stage.answered)

    def _drained(self) -> None:
        self._in_loop(self.stage.drained)

    def _failed(self) -> None:
        self._app.log.error(f"The output stage has failed: {self.stage.failed!r}")
        self._app.call_later(self._app.screen.refresh)

    def _in_loop(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the app has ended
            self._loop.call_soon_threadsafe(call)

    def _watch_size(self) -> None:
        """Draw anew after a resize, also one that was undone before we looked."""
        handler = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self._in_loop(self.stage.repaint)
            if callable(handler):
                handler(number, frame)

        signal.signal(signal.SIGWINCH, resized)
