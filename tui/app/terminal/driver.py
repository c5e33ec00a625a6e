"""Extends Textual's driver for Linux and macOS: draws through the output stage."""

# Textual leaves the type parameter of App unknown.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportUnknownVariableType=false

import os
import re
import signal
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition
from time import monotonic
from types import FrameType
from typing import Protocol, runtime_checkable

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from textual import events
from textual.app import App
from textual.constants import COLOR_SYSTEM, ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.app.terminal import controlling_tty
from tui.app.terminal.capabilities import abilities, looks
from tui.app.terminal.descriptors import Aside
from tui.app.terminal.key_sequences import ALTERNATES
from tui.app.terminal.reduced_colours import FewPens
from tui.app.terminal.sgr import PenBook
from tui.app.terminal.stage import Stage
from tui.app.terminal.tty_reader import Reader
from tui.app.terminal.tty_writer import Writer
from tui.i18n import _, language
from tui.readiness import readable
from tui.runtime import guard, tty, watch

# The least columns and rows of the layout. A smaller terminal shows only a part of it,
# because some Textual widgets fail when a text gets no columns.
_LEAST = (12, 4)
_TICK = 0.1  # seconds between two checks whether the app exits
# Titles and pointers (OSC), the keyboard protocol, queries of modes.
_NEWER = re.compile(r"\x1b\].*|\x1b\[[<=>].*|\x1b\[\?\d+\$p", re.DOTALL)
_KEYBOARD = re.compile(r"\x1b\[>(\d+)u")
_LEAVING = 3.0  # seconds that the terminal gets to take the last output


@runtime_checkable
class _Owner(Protocol):
    """The methods of an app that this driver calls, if the app has them."""

    def hang_up(self) -> None:
        """Exit, because the terminal is gone."""

    def show_written(self, line: str) -> None:
        """Show a line that another part of the program wrote to stdout or stderr."""


class OutputDriver(LinuxDriver):
    """Writes control sequences in order, and frames when the stage sends them."""

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
        self._aside = Aside(self._written)
        # Textual always draws on stderr, which may be redirected.
        self._screen = 2 if (screen := tty.screen()) is None else screen
        self._fd = self._screen
        # Otherwise the app assumes 80x25, the size of a stream that is not a terminal,
        # and lays itself out twice.
        self._size = self._size or self._get_terminal_size()
        self._looks = looks(self._fd)
        self.stage = Stage(self._pens(), abilities(self._fd), self._failed)
        """Draws the frames."""
        self._shape = 0

    @property
    def shapes_cursor(self) -> bool:
        """Whether the terminal's own cursor can be shown, in a shape."""
        return not self._looks.plain

    def shape_cursor(self, shape: int) -> None:
        """Show the terminal's cursor in a shape (DECSCUSR), or hide it with 0."""
        if shape != self._shape and self.shapes_cursor:
            self.write(f"\x1b[{shape} q\x1b[?25{'h' if shape else 'l'}")
            self._shape = shape

    def _pens(self) -> PenBook:
        # The environment may choose the number of colours for a Textual app.
        wanted = COLOR_SYSTEM and COLOR_SYSTEMS.get(COLOR_SYSTEM)
        colours = wanted or self._looks.colours
        self._app.console._color_system = colours  # pyright: ignore[reportPrivateUsage]: for when Textual has to draw
        if colours and colours > ColorSystem.STANDARD and self._looks.italic:
            return PenBook(colours)
        found = self._looks._replace(colours=colours)
        return FewPens(found, lambda: self._app.current_theme.dark)

    def write(self, data: str) -> None:
        """Write a control sequence after all earlier output."""
        if self._looks.plain and _NEWER.fullmatch(data):
            return
        if flags := _KEYBOARD.fullmatch(data):
            data = f"\x1b[>{int(flags[1]) | ALTERNATES}u"
        if self._output is not None:
            self._output.write(data.encode("utf-8", "replace"))

    @property
    def mouse(self) -> bool:
        """Whether the terminal reports the mouse; if not, it is left to the terminal.

        A change takes effect at once, and whenever the terminal is taken over again.
        """
        return self._mouse

    @mouse.setter
    def mouse(self, on: bool) -> None:
        if on == self._mouse:
            return
        if on:
            self._mouse = True
            self._enable_mouse_support()
            if self._in_band_window_resize:
                self._enable_mouse_pixels()
        else:
            self._disable_mouse_support()
            if self._mouse_pixels:
                self._mouse_pixels = False
                self.write("\x1b[?1016l")
            self._mouse = False

    def start_application_mode(self) -> None:
        """Take over the terminal."""
        self.fileno, self._fd = self._aside.take(self._screen)
        controlling_tty.keep_off(self._fd)
        writer = self._output = Writer(self._fd, self._drained)
        writer.start()
        if guarded := guard.current():
            guarded.arm(self._settings(), plain=self._looks.plain)
            if language() != "en":
                guarded.say({name: _(text) for name, text in watch.TEXTS.items()})
        super().start_application_mode()
        if guarded and (settings := self._settings()):
            guarded.took(settings)
        self.stage.open(writer)
        self._watch_size()

    def _settings(self) -> "guard.Settings | None":
        with suppress(termios.error):
            return termios.tcgetattr(self.fileno)
        return None

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return columns and rows of the terminal that the app draws on."""
        columns, rows = tty.size(self._fd) or super()._get_terminal_size()
        return max(columns, _LEAST[0]), max(rows, _LEAST[1])

    def disable_input(self) -> None:
        """Stop reading, after waiting for answers that the terminal still owes.

        Otherwise they would appear as typed text in the shell.
        """
        patience = 0 if self._gone else self.stage.patience
        self.stage.close()
        self.shape_cursor(0)
        # Clear the screen for terminals without an alternate one: the Linux console,
        # and GNU screen in its default configuration.
        self.write("\x1b[m\x1b[H\x1b[J")
        if patience and not self.exit_event.is_set():
            with self._answers:
                self._answers.wait_for(
                    lambda: self._answered >= self.stage.asked, patience
                )
        super().disable_input()

    def close(self) -> None:
        """Give the terminal back to the shell."""
        if self._output is not None:
            self._output.stop(_LEAVING)
            self._output = None
            if guarded := guard.current():
                guarded.disarm()
        super().close()
        controlling_tty.let_in()
        self._aside.give_back()
        self.fileno, self._fd = 0, self._screen

    def _run_input_thread(self) -> None:
        """Read the terminal; pass an exception to the app."""
        try:
            self.run_input_thread()
        except Exception as error:
            fault = error  # `error` is unset after the block
            self._in_loop(lambda: self._app._handle_exception(fault))  # pyright: ignore[reportPrivateUsage]: as Textual's own calls it

    def run_input_thread(self) -> None:
        """Read the terminal until the app exits or the terminal is gone.

        Textual's method treats the end of input as a pause and reads again at once,
        which keeps a whole core busy.
        """
        reader = Reader(self._answers_due, ESCAPE_DELAY, self._debug)
        leaving = False
        wait = _TICK
        while not (leaving or self._gone):
            leaving = self.exit_event.is_set()  # then read one last time
            ready = readable(self.fileno, seconds=wait)
            if ready:
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:  # Linux reports a closed terminal as an error
                    data = b""
                self._gone = not data
                for message in reader.feed(data, monotonic()):
                    self.process_message(message)
            now = monotonic()
            # Report a pause only if there is nothing more to read.
            if not readable(self.fileno, seconds=0):
                for message in reader.tick(now):
                    self.process_message(message)
            # After ESCAPE_DELAY without more bytes, a lone ESC is the Esc key.
            wait = min(ESCAPE_DELAY if ready else _TICK, reader.wait(now))
        if self._gone:
            for message in reader.end():
                self.process_message(message)
            self._in_loop(self._hung_up)

    def _written(self, line: str) -> None:
        """Show a line that was written to descriptor 1 or 2. Runs in a thread."""
        app = self._app
        if isinstance(app, _Owner):
            self._in_loop(lambda: app.show_written(line))

    def _hung_up(self) -> None:
        if isinstance(self._app, _Owner):
            self._app.hang_up()

    def process_message(self, message: Message) -> None:
        """Handle answers to the stage's queries. Runs in the input thread."""
        if isinstance(message, events.CursorPosition):
            # `CSI 1 ; 2 R` and the like are F3 with modifiers; the stage sends no query
            # from there.
            if message.y > 0 or message.x == 0 or message.x > 15:
                self._take_answer((message.x + 1, message.y + 1))
                return
        elif isinstance(message, events.Key | events.Paste | events.MouseEvent):
            if not isinstance(message, events.MouseMove):
                self.stage.key_pressed()
        elif isinstance(message, TerminalSupportsSynchronizedOutput):
            self.stage.synchronized = True
        elif isinstance(message, events.Resize):
            self._in_loop(self.stage.repaint)
            # The terminal may also report it in the input, where others can write too.
            told = tty.size(self._fd) or message.size
            size = Size(*map(max, told, _LEAST))
            if size != message.size:
                message = events.Resize(size, size)
        super().process_message(message)

    def _answers_due(self) -> Sequence[tuple[int, int]]:
        """Return the expected answers; none from a terminal that does not answer."""
        return () if self.stage.is_silent else tuple(self.stage.answers_due)

    def _take_answer(self, place: tuple[int, int]) -> None:
        due = self.stage.answers_due
        with suppress(IndexError):
            # Expected answers before this one are lost. An answer with an unexpected
            # place counts as the oldest one.
            while due.popleft() != place and place in due:
                pass
        with self._answers:
            if self._answered >= self.stage.asked:
                return  # no query is open
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
        """Redraw after each SIGWINCH, even if the size is the same again by then."""
        handler = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self._in_loop(self.stage.repaint)
            if callable(handler):
                handler(number, frame)

        signal.signal(signal.SIGWINCH, resized)
