"""Emulated screens: libvterm where it is installed (fast), else pyte.

Debian's package is `libvterm0`. With pyte, times to the screen are the emulator's own
as much as the program's; bytes and processor time stay comparable.
"""

import ctypes
import ctypes.util
import re
from functools import cache
from typing import Any, Protocol

import pyte


class Screen(Protocol):
    """What a terminal shows."""

    def feed(self, data: bytes) -> None:
        """Draw what a program has written."""
        ...

    def text(self) -> str:
        """Return the rows, parted by line ends."""
        ...


class _Rect(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("top", "bottom", "left", "right")]


@cache
def _library() -> ctypes.CDLL:
    """Load libvterm. Raises OSError where it is not installed."""
    library = ctypes.CDLL(ctypes.util.find_library("vterm") or "libvterm.so.0")
    pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
    for name, result, *arguments in (
        ("vterm_new", pointer, number, number),
        ("vterm_set_utf8", None, pointer, number),
        ("vterm_obtain_screen", pointer, pointer),
        ("vterm_screen_enable_altscreen", None, pointer, number),
        ("vterm_screen_reset", None, pointer, number),
        ("vterm_input_write", size, pointer, ctypes.c_char_p, size),
        ("vterm_screen_get_text", size, pointer, ctypes.c_char_p, size, _Rect),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class VTermScreen:
    """A screen of libvterm, the emulator in Vim and Neovim."""

    def __init__(self, columns: int, rows: int) -> None:
        self._library = _library()
        self._columns, self._rows = columns, rows
        self._terminal = self._library.vterm_new(rows, columns)
        self._library.vterm_set_utf8(self._terminal, 1)
        self._screen = self._library.vterm_obtain_screen(self._terminal)
        self._library.vterm_screen_enable_altscreen(self._screen, 1)
        self._library.vterm_screen_reset(self._screen, 1)
        self._buffer = ctypes.create_string_buffer(columns * 12 + 64)

    def feed(self, data: bytes) -> None:
        """Draw what a program has written."""
        self._library.vterm_input_write(self._terminal, data, len(data))

    def text(self) -> str:
        """Return the rows, parted by line ends."""
        rows: list[str] = []
        for row in range(self._rows):
            size = self._library.vterm_screen_get_text(
                self._screen,
                self._buffer,
                len(self._buffer),
                _Rect(row, row + 1, 0, self._columns),
            )
            rows.append(self._buffer.raw[:size].decode("utf-8", "replace"))
        return "\n".join(rows)


class PyteScreen:
    """A screen of pyte, which is pure Python."""

    # Sequences that pyte takes for others.
    _unknown = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream: Any = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        """Draw what a program has written."""
        self._stream.feed(self._unknown.sub(b"", data))

    def text(self) -> str:
        """Return the rows, parted by line ends."""
        return "\n".join(self._screen.display)


def new_screen(columns: int, rows: int) -> Screen:
    """Return the best screen there is here."""
    try:
        return VTermScreen(columns, rows)
    except OSError:
        return PyteScreen(columns, rows)


class Queries:
    """Answers what a modern terminal answers."""

    _query = re.compile(
        rb"\x1b\[\?(?P<mode>\d+)\$p|\x1b\[(?P<device>>?)0?c|\x1b\[>0?(?P<version>q)"
        rb"|\x1b\[(?P<size>14|16|18)t|\x1b\[(?P<report>[56])n"
    )

    def __init__(self, columns: int, rows: int) -> None:
        self._sizes = {
            b"14": f"4;{rows * 20};{columns * 10}",
            b"16": "6;20;10",
            b"18": f"8;{rows};{columns}",
        }
        self._rest = b""

    def answers(self, data: bytes) -> bytes:
        """Return the answers to the queries that `data` completes."""
        data = self._rest + data
        end, found = 0, b""
        for query in self._query.finditer(data):
            end = query.end()
            if query["mode"]:
                known = 2 if query["mode"] == b"2026" else 0
                found += b"\x1b[?%s;%d$y" % (query["mode"], known)
            elif query["device"] is not None:
                found += b"\x1b[>0;10;1c" if query["device"] else b"\x1b[?62;22c"
            elif query["version"]:
                found += b"\x1bP>|harness\x1b\\"
            elif query["size"]:
                found += f"\x1b[{self._sizes[query['size']]}t".encode()
            else:
                found += b"\x1b[0n" if query["report"] == b"5" else b"\x1b[1;1R"
        self._rest = data[max(end, len(data) - 16) :]
        return found
