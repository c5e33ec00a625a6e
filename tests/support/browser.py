"""A page of the app in a real browser: Debian's Chromium, driven by Playwright.

The page's policy forbids scripts from text, so nothing is evaluated to wait for the
page: the test looks at its rows again and again.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from support.terminal import LIMIT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or find_spec("playwright") is None,
    reason="needs chromium, and playwright of the extra `dev`",
)

_ROWS = """[...document.querySelectorAll(".xterm-rows > div")]
    .map(row => row.textContent)"""


class Page:
    """One page, as its user sees it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text))

    @property
    def rows(self) -> list[str]:
        """The rows of the terminal, without trailing blanks."""
        from playwright.sync_api import Error

        try:
            rows = self.page.evaluate(_ROWS)
        except Error:  # the page is being loaded
            return []
        return [row.replace("\xa0", " ").rstrip() for row in rows]

    @property
    def text(self) -> str:
        """All of the terminal."""
        return "\n".join(self.rows)

    @property
    def notice(self) -> str:
        """What the page itself says, "" for nothing."""
        return self.page.evaluate(
            "(n => n.hidden ? '' : n.textContent)(document.getElementById('notice'))"
        )

    def open(self, url: str) -> "Page":
        """Open an address, and wait until the app can be used."""
        self.page.goto(url)
        return self.wait_for("ready")

    def wait_for(self, what: str | Callable[["Page"], object]) -> "Page":
        """Wait for a text, or until `what` is true."""
        until = monotonic() + LIMIT
        while not (what in self.text if isinstance(what, str) else what(self)):
            assert monotonic() < until, f"{what}\n{self.text}\n{self.notice}"
            self.page.wait_for_timeout(20)
        return self

    def type(self, text: str) -> "Page":
        """Type a text key by key, and wait until it is in the composer."""
        for number, key in enumerate(text, 1):
            self.page.keyboard.press(key if key != " " else "Space")
            self.wait_for(f"│ {text[:number].rstrip()}")
        return self

    def press(self, key: str) -> "Page":
        """Press a key, named as browsers do."""
        self.page.keyboard.press(key)
        return self

    def ask(self, text: str) -> "Page":
        """Type a question and send it."""
        self.type(text).press("Enter")
        return self.wait_for(lambda p: f"│ {text}" not in p.text)


class Program:
    """A running program that serves pages."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        assert process.stdout
        said = b""
        while not (found := re.search(rb"(http://\S+)\n", said)):
            piece = os.read(process.stdout.fileno(), 1000)
            assert piece, (said, process.communicate())
            said += piece
        self.url = found[1].decode()

    @property
    def base(self) -> str:
        """The address without what follows the port."""
        return self.url.partition("/?")[0]

    @property
    def children(self) -> list[int]:
        """The processes that it has started."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def interrupt(self) -> int:
        """Press Ctrl+C and return the exit status."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=LIMIT)
        return self.process.returncode


class Forward:
    """Forwards a port of this machine to another one, as `ssh -L` does."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """Cut all connections; new ones are accepted."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut all connections and accept no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += near, far
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
    source.close()
