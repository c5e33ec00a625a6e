"""The terminal of plain mode: lines in, labelled lines out, and nothing else.

Output is only ever appended. What others wrote is made safe first, so the one escape
sequence that reaches the terminal is the bold of a label, if the user wants that. Lines
are edited by readline, which is told that the terminal is a dumb one: it then moves
with backspace and carriage return alone.

While an answer comes, the terminal does not echo: what is typed then would be torn
apart by the text, so it is read line by line and shown when it is used.
"""

import codecs
import os
import sys
import termios
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tui.app.terminal import controlling_tty
from tui.app.terminal.descriptors import Aside
from tui.cli import streams
from tui.i18n import _
from tui.readiness import readable
from tui.safe import safe

TOGETHER_SECONDS = 0.03
"""Seconds between two lines of a paste; more are between lines that are typed."""
MOST_PASTED = 10_000
"""Lines of a paste that are one message."""
LONGEST_LINE = 1_000_000
"""Bytes of a line that are read from a pipe; the rest is the next line."""
_BOLD, _END = "\x1b[1m", "\x1b[0m"


class HungUp(Exception):
    """The terminal is gone."""


class Console:
    """Reads and writes the standard streams. Only the main thread may use it."""

    def __init__(self, *, color: bool = False) -> None:
        """`color` makes labels bold."""
        self._color = color
        self.types = os.isatty(0)
        """Whether a user types; otherwise the lines come from a pipe or a file."""
        self.edits = self.types and os.isatty(1)
        """Whether lines can be edited."""
        self.gone = False
        """Whether the terminal has hung up."""
        self.prompting = False
        """Whether it waits for a line: a signal may then raise an exception."""
        self.begun = 0
        """How many labels and lines were begun: whose text is last."""
        self._aside = Aside(lambda line: None)  # tools' output is not for the user
        self._in, self._out = (
            os.dup(0),
            streams.open_stream(os.dup(1), sys.stdout.encoding),
        )
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._read = ""
        """What was read after the last line end."""
        self._ended = False
        self._at_start = True
        """Whether the next character begins a line."""

    def __enter__(self) -> "Console":
        """Keep tools off the terminal until the end of the block."""
        terminal = next(filter(os.isatty, range(3)), None)
        if terminal is not None:
            controlling_tty.keep_off(terminal)
        if self.edits:
            _prepare_readline()
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        else:
            self._aside.take(1)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the standard streams back."""
        self._aside.give_back()
        controlling_tty.let_in()
        with suppress(OSError):
            self._out.close()
        os.close(self._in)

    # -- output

    def say(self, label: str, text: str) -> None:
        """Write `label: text` as lines of their own."""
        self.begin(label)
        self.stream(text)
        self.end_line()

    def line(self, text: str) -> None:
        """Write a line without a label."""
        self.end_line()
        self.begun += 1
        self.stream(text)
        self.end_line()

    def begin(self, label: str) -> None:
        """Begin a line with a label; `stream` writes what follows."""
        self.end_line()
        self.begun += 1
        self._write(self._labelled(label), styled=True)
        self._at_start = False

    def stream(self, text: str) -> None:
        """Write text where the last one ended, at once."""
        if text := safe(text):
            self._write(text)
            self._at_start = text.endswith("\n")

    def end_line(self) -> None:
        """End the line, if one has been begun."""
        if not self._at_start:
            self._write("\n")
            self._at_start = True

    def _labelled(self, label: str, shown: Callable[[str], str] = str) -> str:
        spaced = _("{label}: ").format(label=safe(_(label), newlines=False))
        label = spaced.rstrip()
        if self._color:
            return f"{shown(_BOLD)}{label}{shown(_END)}{spaced[len(label) :]}"
        return spaced

    def _write(self, text: str, *, styled: bool = False) -> None:
        if self.gone:
            return
        try:
            if styled and isinstance(self._out, streams.Clean):
                self._out.write_styled(text)
            else:
                self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            raise
        except OSError:  # the terminal is gone; the answer continues
            self.gone = True

    # -- input

    @contextmanager
    def busy(self) -> Generator[None]:
        """Keep the terminal quiet while an answer comes: no echo, no tools' output."""
        if not self.edits:
            yield
            return
        self._aside.take(1)
        before = _echo_off(self._in)
        try:
            yield
        finally:
            if before is not None:
                with suppress(termios.error):  # it is gone
                    termios.tcsetattr(self._in, termios.TCSADRAIN, before)
            self._aside.give_back()

    def typed(self) -> list[str]:
        """Return the lines that were typed meanwhile; raises EOFError at Ctrl+D.

        What comes from a pipe is left there: each line waits for the answer before.
        """
        lines: list[str] = []
        while self.types and not lines and self._is_ready(0):
            if not self._fill() and not self._read:
                self._ended = False  # one Ctrl+D, one end
                raise EOFError
            lines = self._lines()
        return lines

    def ask(self, label: str) -> str:
        """Wait for a line. Raises EOFError, KeyboardInterrupt or `HungUp`."""
        self.end_line()
        if self.gone:
            raise HungUp
        self.prompting = True
        try:
            line = self._edited(label) if self.edits else self._plain(label)
        except BrokenPipeError:
            raise
        except (EOFError, OSError):
            if self.types and not _lives(self._in):
                raise HungUp from None
            if self.types:
                self._write("\n")
            raise EOFError from None
        except KeyboardInterrupt:
            self._write("\n")
            raise
        finally:
            self.prompting = False
        return line

    def _edited(self, label: str) -> str:
        """Return a line, or the lines of a paste, from readline."""
        begun, self._read = self._read, ""
        lines = [begun + input(self._labelled(label, _unseen))]
        while len(lines) < MOST_PASTED and self._is_ready(TOGETHER_SECONDS):
            try:
                lines.append(input())
            except EOFError:
                break
        return "\n".join(lines)

    def _plain(self, label: str) -> str:
        """Return a line from a pipe, or from a terminal that is not written to."""
        if self.types:
            self._write(self._labelled(label), styled=True)
        line = self._next_line()
        if not self.types:
            self.say(label, line)  # nobody has seen it yet
        return line

    def _next_line(self) -> str:
        while "\n" not in self._read and len(self._read) < LONGEST_LINE:
            if self._ended or not self._fill():
                break
        if not self._read:
            raise EOFError
        line, _, self._read = self._read.partition("\n")
        return line.removesuffix("\r")

    def _lines(self) -> list[str]:
        *lines, self._read = self._read.split("\n")
        return lines

    def _fill(self) -> bool:
        """Read what there is; return False at the end."""
        try:
            data = os.read(self._in, 1 << 16)
        except OSError:
            data = b""
        self._ended = not data
        self._read += self._decode(data)
        return bool(data)

    def _is_ready(self, seconds: float) -> bool:
        return bool(readable(self._in, seconds=seconds))

    def remember(self, lines: Sequence[str]) -> None:
        """Let Up walk through earlier `lines`, oldest first."""
        if not self.edits or (readline := _readline()) is None:
            return
        for line in lines:
            if "\n" not in line and safe(line) == line:
                readline.add_history(line)

    def complete(self, matching: Callable[[str], Sequence[str]]) -> None:
        """Let Tab complete the words that `matching` returns for a beginning."""
        if not self.edits or (readline := _readline()) is None:
            return

        def complete(text: str, state: int) -> str | None:
            found = matching(readline.get_line_buffer())
            return found[state] if state < len(found) else None

        readline.set_completer_delims(" ")
        readline.set_completer(complete)
        readline.parse_and_bind("tab: complete")


def _readline() -> Any:
    """Return the module, None where Python was built without it."""
    try:
        import readline
    except ImportError:
        return None
    return readline


def _prepare_readline() -> None:
    """Import readline, which reads TERM then, for a terminal without movements."""
    term = os.environ.get("TERM")
    os.environ["TERM"] = "dumb"
    try:
        _readline()
    finally:
        if term is None:
            del os.environ["TERM"]
        else:
            os.environ["TERM"] = term


def _unseen(sequence: str) -> str:
    """Mark a sequence as one that takes no room on the line, for readline."""
    return f"\x01{sequence}\x02"


def _echo_off(descriptor: int) -> list[Any] | None:
    """Switch the echo off; return the settings before, None if it has none."""
    try:
        before = termios.tcgetattr(descriptor)
        silent = [*before]
        silent[3] = before[3] & ~termios.ECHO
        termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    except termios.error:
        return None
    return before


def _lives(descriptor: int) -> bool:
    """Return whether a terminal is still there."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error:
        return False
    return True
