r"""A terminal without a window: runs a command in a pty and draws its output.

The command has a real pseudo-terminal, with a size, signals and line settings; its
output is drawn on an emulated screen. Nothing sleeps: each wait selects on the pty
until a condition holds, or fails with a picture of the screen.

    with Terminal(["python", "-m", "tui"], columns=80, rows=24) as terminal:
        terminal.wait_for("Message")
        terminal.type("Hello")
        terminal.press("enter")
        terminal.wait_for(lambda t: "Hi" in t.row(-1))
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert terminal.left_on() == set()

`raw` has every byte of output; `shown` has every row that was ever on the screen at the
end of a frame, so a test can find text that flashed by. A frame ends where the command
says so (mode 2026), or when it pauses its output.

The terminal answers like a modern one: device attributes, mode queries, cursor reports,
sizes, colours. Joined emoji are drawn as pyte draws them, and real terminals differ
there; compare such rows with care.
"""

import codecs
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NamedTuple

import pyte
from pyte.screens import Char

from support import fork_server
from support.emulators import BceScreen

LIMIT = 30.0
"""Seconds after which a wait fails the test."""

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "space": " ",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "alt+enter": "\x1b\r",
} | {f"ctrl+{letter}": chr(ord(letter) - 96) for letter in map(chr, range(97, 123))}
"""What the keys send, as in xterm without kitty's keyboard protocol."""

MODES = {
    "1000": "mouse",
    "1002": "mouse",
    "1003": "mouse",
    "1004": "focus reports",
    "1006": "mouse",
    "1015": "mouse",
    "1016": "mouse",
    "1047": "alternate screen",
    "1049": "alternate screen",
    "2004": "bracketed paste",
    "2026": "synchronized output",
    "2048": "resize reports",
    "47": "alternate screen",
    "u": "keyboard protocol",
    "r": "scroll region",
}
"""Modes that a program must have switched off when it ends."""

# A sequence, or the start of one that the next bytes may complete.
_SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<numbers>[\d;:]*)(?P<between>[ -/]*)(?P<end>[@-~])"
    r"|\x1b(?P<string>[]PX^_])(?P<body>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
_BEGUN = re.compile(r"\x1b(?:\[[\d;:<=>?]*[ -/]*|[]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?\Z")


class Control(NamedTuple):
    """A control sequence that the command sent: `CSI private numbers between end`."""

    private: str
    numbers: str
    between: str
    end: str


class _Screen(BceScreen):
    """pyte's screen with scrolling by SU and SD, which it lacks."""

    def scroll_up(self, count: int = 1) -> None:
        self._scroll(count or 1, self.delete_lines)

    def scroll_down(self, count: int = 1) -> None:
        self._scroll(count or 1, self.insert_lines)

    def _scroll(self, count: int, move: Callable[[int], None]) -> None:
        y, x = self.cursor.y, self.cursor.x
        self.cursor.y = self.margins.top if self.margins else 0
        move(count)
        self.cursor.y, self.cursor.x = y, x


class _Stream(pyte.Stream):
    csi = pyte.Stream.csi | {"S": "scroll_up", "T": "scroll_down"}
    events = pyte.Stream.events | {"scroll_up", "scroll_down"}


def _ready(fd: int, seconds: float, wanted: int = 0) -> tuple[bool, bool]:
    """Wait until `fd` can be read, or be written if wanted; return which.

    Unlike `select`, this takes descriptors of any number.
    """
    poll = select.poll()
    poll.register(fd, select.POLLIN | wanted)
    events = dict(poll.poll(seconds * 1000)).get(fd, 0)
    return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)


def wait_until(done: Callable[[], object], seconds: float = LIMIT) -> None:
    """Wait for a condition that no terminal shows: a file, a record, a process."""
    until = monotonic() + seconds
    while not done():
        assert monotonic() < until, "the condition did not become true"
        sleep(0.01)


class Terminal:
    """Runs `command` on a screen of `columns` by `rows`; use it in a `with`.

    `env` is the whole environment, including TERM; None means this process's with
    TERM=xterm-256color. `modes` has the answers to queries of private modes: 1 on, 2
    off, 0 unknown.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        modes: Mapping[int, int] | None = None,
    ) -> None:
        self.raw = bytearray()
        """Every byte that the command has written."""
        self.shown: dict[str, None] = {}
        """Every row that was on the screen at the end of a frame, in order."""
        self.sequences: list[Control] = []
        """Every CSI sequence that the command has sent."""
        self.frames = 0
        """Number of frames that have ended."""
        self._modes = {2026: 2, 2004: 2, 25: 1, 7: 1, 1049: 2} | dict(modes or {})
        self._on: dict[str, int] = {}
        self._cursor_shown = True
        self._in_frame = False
        self._pending = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._screen = _Screen(columns, rows)
        self._stream = _Stream(self._screen)
        self._ended = False
        self._fd, its_end = os.openpty()
        self._set_size(columns, rows)
        self._settings = termios.tcgetattr(self._fd)
        try:
            self.process = fork_server.popen(
                command,
                stdin=its_end,
                stdout=its_end,
                stderr=its_end,
                env=dict(env) if env is not None else _environment(),
                cwd=cwd,
                terminal=True,
            )
        finally:
            os.close(its_end)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up and make sure that the command ends."""
        self.hang_up()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # -- the screen

    @property
    def columns(self) -> int:
        """The width of the screen."""
        return self._screen.columns

    @property
    def rows(self) -> int:
        """The height of the screen."""
        return self._screen.lines

    @property
    def display(self) -> list[str]:
        """The rows of the screen, without trailing blanks."""
        return [self.row(number) for number in range(self.rows)]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.display)

    @property
    def words(self) -> str:
        """The whole screen as words separated by single spaces, without line breaks."""
        return " ".join(self.text.split())

    def row(self, number: int) -> str:
        """Return one row without trailing blanks; -1 is the last."""
        cells = self._screen.buffer[number % self.rows]
        return "".join(cells[x].data for x in range(self.columns)).rstrip()

    def cells(self, number: int) -> list[Char]:
        """Return the cells of a row; the second of a wide character has no data."""
        line = self._screen.buffer[number % self.rows]
        return [line[x] for x in range(self.columns)]

    @property
    def cursor(self) -> tuple[int, int] | None:
        """Column and row of the cursor, from 0; None while it is hidden."""
        at = self._screen.cursor
        return (at.x, at.y) if self._cursor_shown else None

    def find(self, text: str) -> tuple[int, int]:
        """Return column and row where `text` begins; fails if it is not there."""
        for y, row in enumerate(self.display):
            if (x := row.find(text)) >= 0:
                return x, y
        raise AssertionError(f"{text!r} is not on the screen:\n{self.picture()}")

    def picture(self) -> str:
        """Return the screen in a frame, for the message of a failed test."""
        edge = "-" * self.columns
        return "\n".join([edge, *self.display, edge])

    # -- input

    def press(self, *keys: str) -> None:
        """Press keys: names of `KEYS`, or single characters."""
        for key in keys:
            self.send(KEYS.get(key, key).encode())

    def type(self, text: str) -> None:
        """Type `text`, each character a key."""
        self.send(text.encode())

    def paste(self, text: str) -> None:
        """Paste `text`, bracketed if the command has enabled that.

        As in real terminals, line ends are sent as Enter, and control characters as
        blanks.
        """
        data = re.sub("[\x00-\x08\x0b-\x1f\x7f]", " ", text.replace("\r\n", "\n"))
        data = data.replace("\n", "\r")
        if "2004" in self._on:
            data = f"\x1b[200~{data}\x1b[201~"
        self.send(data.encode())

    def click(self, column: int, row: int) -> None:
        """Press and release the left button; both arguments count from 0."""
        at = f"{column + 1};{row + 1}"
        self.send(f"\x1b[<0;{at}M\x1b[<0;{at}m".encode())

    def wheel(self, column: int, row: int, down: bool = False) -> None:
        """Turn the wheel by one notch."""
        at = f"{column + 1};{row + 1}"
        self.send(f"\x1b[<{65 if down else 64};{at}M".encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the kernel sends SIGWINCH."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def send(self, data: bytes) -> None:
        """Send bytes unchanged; read the command's output in the meantime."""
        while data:
            readable, writable = _ready(self._fd, LIMIT, select.POLLOUT)
            if readable:
                self._read()
            if writable:
                data = data[os.write(self._fd, data) :]
            if not readable and not writable:
                raise AssertionError("the command does not read its terminal")

    # -- waiting

    def wait_for(
        self, what: "str | Callable[[Terminal], object]", seconds: float = LIMIT
    ) -> None:
        """Wait until a text is on the screen, or a condition holds.

        It is checked between frames, when a whole frame is on the screen.
        """

        def holds() -> bool:
            if self._in_frame:
                return False
            return what in self.text if isinstance(what, str) else bool(what(self))

        until = monotonic() + seconds
        while not holds():
            left = until - monotonic()
            # A condition may hold without a byte being written.
            step = left if isinstance(what, str) else min(left, 0.05)
            went_on = left > 0 and (self._wait(step) or step < left)
            if not holds() and (self._ended or not went_on):
                why = "the command has ended" if self._ended else f"{seconds} s"
                failed = "the condition did not hold"
                if isinstance(what, str):
                    failed = f"{what!r} did not appear"
                raise AssertionError(f"{failed} ({why}):\n{self.picture()}")

    def settle(self, still: float = 0.3, seconds: float = LIMIT) -> None:
        """Wait until nothing has been written for `still` seconds."""
        until = monotonic() + seconds
        while self._wait(still):
            if monotonic() > until:
                raise AssertionError(f"the output never pauses:\n{self.picture()}")

    def written_within(self, seconds: float) -> bytes:
        """Return the output of the next `seconds`, after waiting for all of them."""
        before = len(self.raw)
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0 and not self._ended:
            self._wait(left)
        return bytes(self.raw[before:])

    def wait_exit(self, seconds: float = LIMIT) -> int:
        """Wait until the command ends; return its exit code (-N: by signal N)."""
        until = monotonic() + seconds
        while not self._ended:
            left = until - monotonic()
            if left <= 0 or not (self._wait(left) or self._ended):
                raise AssertionError(f"the command does not end:\n{self.picture()}")
        return self.process.wait(max(until - monotonic(), 0.1))

    def wait_closed(self, seconds: float = LIMIT) -> None:
        """Wait until no process has the terminal open."""
        until = monotonic() + seconds
        while not self._ended:
            left = until - monotonic()
            if left <= 0 or not (self._wait(left) or self._ended):
                raise AssertionError(
                    f"a process keeps the terminal open:\n{self.picture()}"
                )

    def hang_up(self) -> None:
        """Close the terminal, as a closed window or a lost line does."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def signal(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        self.process.send_signal(number)

    def left_on(self) -> set[str]:
        """Return the state that the command left changed: modes, cursor, settings."""
        left = {MODES[mode] for mode in self._on if mode in MODES}
        if not self._cursor_shown:
            left.add("hidden cursor")
        if termios.tcgetattr(self._fd)[:6] != self._settings[:6]:
            left.add("line settings")
        return left

    # -- reading

    def _wait(self, seconds: float) -> bool:
        """Read output for up to `seconds`; return whether any came."""
        if self._ended:
            return False
        ready, _ = _ready(self._fd, max(seconds, 0))
        return bool(ready) and self._read()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # on Linux: no process has it open
                raise
            data = b""
        if not data:
            self._ended = True
            return False
        self.raw += data
        self._pending += self._decode(data)
        self._interpret()
        if not self._in_frame:
            self._end_frame()
        return True

    def _interpret(self) -> None:
        text, at = self._pending, 0
        for found in _SEQUENCE.finditer(text):
            self._stream.feed(text[at : found.start()])
            at = found.end()
            if found["end"]:
                self._control(found)
            elif found["string"]:
                self._control_string(found["string"], found["body"])
            else:
                self._stream.feed(found[0])
        begun = _BEGUN.search(text, at)
        rest = begun.start() if begun else len(text)
        self._stream.feed(text[at:rest])
        self._pending = text[rest:]

    def _control(self, found: "re.Match[str]") -> None:
        csi = Control(*found.group("private", "numbers", "between", "end"))
        self.sequences.append(csi)
        match csi:
            case ("?", numbers, "", "h" | "l" as end):
                self._switch(numbers.split(";"), end == "h")
            case ("?", number, "$", "p"):
                state = self._modes.get(int(number), 0)
                if state and number in self._on:
                    state = 1
                self._answer(f"\x1b[?{number};{state}$y")
            case ("", "6", "", "n"):
                at = self._screen.cursor
                self._answer(f"\x1b[{at.y + 1};{min(at.x, self.columns - 1) + 1}R")
            case ("", "5", "", "n"):
                self._answer("\x1b[0n")
            case ("", "" | "0", "", "c"):
                self._answer("\x1b[?62;22c")
            case (">", "" | "0", "", "c"):
                self._answer("\x1b[>1;10;0c")
            case (">", "" | "0", "", "q"):
                self._answer("\x1bP>|terminal.py\x1b\\")
            case ("?", "", "", "u"):
                self._answer("\x1b[?0u")
            case (">", _, "", "u"):
                self._on["u"] = self._on.get("u", 0) + 1
            case ("<", _, "", "u"):
                self._off("u")
            case ("", "14", "", "t"):
                self._answer(f"\x1b[4;{self.rows * 16};{self.columns * 8}t")
            case ("", "18", "", "t"):
                self._answer(f"\x1b[8;{self.rows};{self.columns}t")
            case ("", numbers, "", "r"):
                whole = numbers in ("", ";", f"1;{self.rows}", "1")
                self._on.pop("r", None) if whole else self._on.update(r=1)
                self._stream.feed(found[0])
            case ("", _, "", _):
                self._stream.feed(found[0])
            case _:
                pass  # not relevant for the screen

    def _control_string(self, kind: str, body: str) -> None:
        if kind == "]" and body in ("10;?", "11;?"):
            colour = "dddd/dddd/dddd" if body[1] == "0" else "1111/1111/1111"
            self._answer(f"\x1b]{body[:2]};rgb:{colour}\x1b\\")
        elif kind == "P" and body.startswith("+q"):
            self._answer("\x1bP0+r\x1b\\")

    def _switch(self, modes: Sequence[str], on: bool) -> None:
        for mode in modes:
            if mode == "25":
                self._cursor_shown = on
            elif mode == "2026":
                self._in_frame = on
                if not on:
                    self._end_frame()
            elif mode in ("7", "6"):
                self._stream.feed(f"\x1b[?{mode}{'h' if on else 'l'}")
            if on and mode != "25":
                self._on[mode] = 1
            else:
                self._off(mode)

    def _off(self, mode: str) -> None:
        left = self._on.pop(mode, 0) - 1
        if left > 0:
            self._on[mode] = left

    def _end_frame(self) -> None:
        self.frames += 1
        for number in self._screen.dirty:
            if number < self.rows:
                self.shown.setdefault(self.row(number))
        self._screen.dirty.clear()

    def _answer(self, text: str) -> None:
        # The command may have exited since its query.
        with suppress(OSError):
            os.write(self._fd, text.encode())

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(
            self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0)
        )


def _environment() -> dict[str, Any]:
    return {**os.environ, "TERM": "xterm-256color"}
