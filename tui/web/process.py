"""The process behind a page: the app on a pseudo-terminal."""

import asyncio
import fcntl
import os
import struct
import subprocess
import sys
import termios
import tty
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tui.runtime import served
from tui.runtime.served import Served

COLUMNS, ROWS = (12, 500), (4, 300)
"""The least and the most of a page's size, in characters."""

_PASSED_ON = (
    *("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ"),
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
    *("LAZYCHAT_HOME", "NO_COLOR"),
)
"""What a page's process gets of the environment. Keys of services are in it, and the
page needs none: a list of what it must not get would never be complete."""

_READ = 1 << 16
_LEAVING_SECONDS = 5.0
"""Seconds that the app has to end after a hang-up."""


class PageProcess:
    """A running app. Use it in the event loop that has started it."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self._process = process
        self._terminal = terminal

    @classmethod
    def start(
        cls, note: Served, conversation: str, columns: int, rows: int
    ) -> "PageProcess":
        """Start the app on a terminal of that size. Raises `OSError`."""
        note_file = served.pass_on(note)
        terminal, its_end = os.openpty()
        told = {
            served.DESCRIPTOR: str(note_file),
            served.CONVERSATION: conversation,
        }
        try:
            os.set_blocking(terminal, False)
            _resize(terminal, columns, rows)
            tty.setraw(its_end)  # so that nothing is echoed before the app is there
            # Not asyncio's, of which a cancel in mid-start loses the process.
            process = subprocess.Popen(
                # -P keeps what is in the current folder from being imported.
                [sys.executable, "-P", "-m", "tui"],
                stdin=its_end,
                stdout=its_end,
                stderr=its_end,
                env=environment(os.environ) | told,
                pass_fds=[note_file],
                start_new_session=True,
            )
        except BaseException:
            os.close(terminal)
            raise
        finally:
            os.close(its_end)
            os.close(note_file)
        return cls(process, terminal)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    async def read(self) -> bytes:
        """Wait for output and return it; b"" when the app has left the terminal."""
        while True:
            try:
                return os.read(self._terminal, _READ)
            except BlockingIOError:
                await self._ready(to_write=False)
            except OSError:  # Linux reports a terminal that nobody has open as an error
                return b""

    async def write(self, data: bytes) -> None:
        """Type `data`, as fast as the app takes it."""
        while data:
            try:
                data = data[os.write(self._terminal, data) :]
            except BlockingIOError:
                await self._ready(to_write=True)
            except OSError:  # it has ended
                return

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal; the app gets a signal."""
        with suppress(OSError):
            _resize(self._terminal, columns, rows)

    async def end(self, *, left: bool) -> int:
        """Wait for the end, and return the exit status.

        Unless the app has `left` by itself, take its terminal away: it saves its draft
        and ends; running turns are not its own.
        """
        try:
            if not left:
                self._close()
            return await asyncio.to_thread(self._process.wait, _LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return await asyncio.to_thread(self._process.wait)
        finally:
            self._close()

    def _close(self) -> None:
        terminal, self._terminal = self._terminal, -1
        if terminal >= 0:
            os.close(terminal)

    async def _ready(self, *, to_write: bool) -> None:
        loop = asyncio.get_running_loop()
        add, remove = loop.add_reader, loop.remove_reader
        if to_write:
            add, remove = loop.add_writer, loop.remove_writer
        ready = asyncio.Event()
        add(self._terminal, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._terminal)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a page's process, without the note of what is served.

    `own` is that of this process.
    """
    return {name: own[name] for name in _PASSED_ON if name in own} | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        # xterm.js knows UTF-8 only.
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }


def _resize(terminal: int, columns: int, rows: int) -> None:
    size = max(ROWS[0], min(rows, ROWS[1])), max(COLUMNS[0], min(columns, COLUMNS[1]))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
