"""Two terminal emulators that report the content of each cell: pyte and libvterm.

pyte comes with the development tools. libvterm is used if it is installed (Debian and
Ubuntu: libvterm0); Neovim and others use it to show terminals.
"""

import copy
import ctypes
import ctypes.util
import unicodedata
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

import pyte
import pyte.screens
from rich._palettes import EIGHT_BIT_PALETTE


def use_marks(monkeypatch: Any = None, *, spacing: int = 1) -> None:
    """Have pyte draw marks: it drops those that do not combine, and what follows.

    `spacing` is the columns of a spacing mark: 1 in VTE, xterm and tmux, 0 in kitty.
    """
    counts = _wcwidth

    def columns(character: str) -> int:
        kind = unicodedata.category(character)
        return spacing if kind == "Mc" else 0 if kind[0] == "M" else counts(character)

    def combines(character: str) -> bool:
        return unicodedata.category(character)[0] == "M" or character in "\u200c\u200d"

    given = SimpleNamespace(combining=combines, normalize=unicodedata.normalize)
    change = monkeypatch.setattr if monkeypatch else setattr
    change(pyte.screens, "wcwidth", columns)
    change(pyte.screens, "unicodedata", given)


_wcwidth = pyte.screens.wcwidth  # pyright: ignore[reportPrivateImportUsage]
use_marks()


class Cell(NamedTuple):
    text: str
    look: tuple[object, ...]


class Emulator(Protocol):
    def feed(self, data: str) -> None: ...

    def rows(self) -> list[list[Cell]]: ...

    def resize(self, width: int, height: int) -> None: ...


def tty(data: str) -> str:
    """Translate line feeds as a tty does on their way to the terminal."""
    return data.replace("\n", "\r\n")


class BceScreen(pyte.Screen):
    """pyte's screen, with coloured erasing and a saved cursor that persists."""

    def restore_cursor(self) -> None:
        # pyte pops a saved cursor off a stack; terminals keep it.
        saved = list(self.savepoints)
        super().restore_cursor()
        self.cursor = copy.copy(self.cursor)
        self.savepoints = saved

    def resize(self, *args: Any, **kwargs: Any) -> None:
        saved = list(self.savepoints)
        super().resize(*args, **kwargs)  # saves the cursor internally
        self.savepoints = saved

    # pyte erases in the pen's background within a line only; terminals always do.

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        super().erase_in_display(how, *args, **kwargs)
        if how == 2:
            self._blank(range(self.lines))
        elif how == 0:
            self._blank(range(self.cursor.y + 1, self.lines))

    def delete_lines(self, count: int | None = None) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        if top <= self.cursor.y <= bottom:
            super().delete_lines(count)
            fresh = max(self.cursor.y, bottom + 1 - (count or 1))
            self._blank(range(fresh, bottom + 1))

    def insert_lines(self, count: int | None = None) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        y = self.cursor.y
        if top <= y <= bottom:
            super().insert_lines(count)
            self._blank(range(y, min(bottom + 1, y + (count or 1))))

    def _blank(self, rows: range) -> None:
        for y in rows:
            for x in range(self.columns):
                self.buffer[y][x] = self.cursor.attrs

    def set_margins(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("private", None)
        super().set_margins(*args, **kwargs)
        self.cursor_position()  # pyte does not move it when there are no margins


class Pyte:
    def __init__(self, width: int, height: int) -> None:
        self.screen = BceScreen(width, height)
        self._stream = pyte.Stream(self.screen)
        self.feed("\x1b[?7l")

    def feed(self, data: str) -> None:
        self._stream.feed(tty(data))

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)

    def rows(self) -> list[list[Cell]]:
        screen = self.screen
        return [
            [self._cell(screen.buffer[y][x]) for x in range(screen.columns)]
            for y in range(screen.lines)
        ]

    def _cell(self, char: Any) -> Cell:
        shown = (char.underscore, char.strikethrough, char.reverse, char.blink)
        if char.data == " " and not any(shown):
            return Cell(" ", (char.bg,))
        return Cell(char.data, (char.fg, char.bg, char.bold, char.italics, *shown))


class _VtermCell(ctypes.Structure):
    _fields_ = (
        ("chars", ctypes.c_uint32 * 6),
        ("width", ctypes.c_char),
        ("attributes", ctypes.c_uint32),
        ("fore", ctypes.c_uint8 * 4),
        ("back", ctypes.c_uint8 * 4),
    )


class _Position(ctypes.Structure):
    _fields_ = (("row", ctypes.c_int), ("column", ctypes.c_int))


_BOLD, _ITALIC = 1, 8
_INVISIBLE_ON_BLANKS = _BOLD | _ITALIC


def _colour(parts: Any) -> tuple[int, ...]:
    kind = parts[0]
    if kind & 6:  # the terminal's own
        return ()
    if not kind & 1:
        return tuple(parts[1:])
    # Users configure the first 16 colours; the others are fixed.
    number = parts[1]
    return (number,) if number < 16 else tuple(EIGHT_BIT_PALETTE[number])


def find_vterm() -> str | None:
    return ctypes.util.find_library("vterm")


class Vterm:
    def __init__(self, width: int, height: int) -> None:
        library = self._library = ctypes.CDLL(find_vterm() or "")
        pointer = ctypes.c_void_p
        library.vterm_new.restype = pointer
        library.vterm_new.argtypes = [ctypes.c_int, ctypes.c_int]
        library.vterm_free.argtypes = [pointer]
        library.vterm_set_size.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
        library.vterm_set_utf8.argtypes = [pointer, ctypes.c_int]
        library.vterm_obtain_screen.restype = pointer
        library.vterm_obtain_screen.argtypes = [pointer]
        library.vterm_screen_reset.argtypes = [pointer, ctypes.c_int]
        library.vterm_screen_enable_altscreen.argtypes = [pointer, ctypes.c_int]
        library.vterm_input_write.argtypes = [
            pointer,
            ctypes.c_char_p,
            ctypes.c_size_t,
        ]
        library.vterm_screen_get_cell.argtypes = [
            pointer,
            _Position,
            ctypes.POINTER(_VtermCell),
        ]
        self._terminal = library.vterm_new(height, width)
        library.vterm_set_utf8(self._terminal, 1)
        self._screen = library.vterm_obtain_screen(self._terminal)
        library.vterm_screen_enable_altscreen(self._screen, 1)
        library.vterm_screen_reset(self._screen, 1)
        self._size = width, height
        self.feed("\x1b[?1049h\x1b[?7l")

    def __del__(self) -> None:
        if hasattr(self, "_terminal"):
            self._library.vterm_free(self._terminal)

    def feed(self, data: str) -> None:
        coded = tty(data).encode()
        self._library.vterm_input_write(self._terminal, coded, len(coded))

    def resize(self, width: int, height: int) -> None:
        self._size = width, height
        self._library.vterm_set_size(self._terminal, height, width)

    def rows(self) -> list[list[Cell]]:
        width, height = self._size
        return [[self._cell(x, y) for x in range(width)] for y in range(height)]

    def _cell(self, x: int, y: int) -> Cell:
        cell = _VtermCell()
        self._library.vterm_screen_get_cell(
            self._screen, _Position(y, x), ctypes.byref(cell)
        )
        chars = [code for code in cell.chars if code]
        fore, back = _colour(cell.fore), _colour(cell.back)
        if chars and chars[0] > 0x10FFFF:  # the second cell of a wide character
            return Cell("", ())
        text = "".join(map(chr, chars)) or " "
        if text == " " and not cell.attributes & ~_INVISIBLE_ON_BLANKS:
            return Cell(" ", (back,))
        return Cell(text, (fore, back, cell.attributes))
