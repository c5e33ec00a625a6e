"""Passes on what is typed in an open page and what its process draws."""

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.i18n import _
from tui.web.process import PageProcess

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

LEFT, IDLE, FULL, FAILED = 4000, 4001, 4002, 4003
"""Close codes: the page does not connect again by itself after these."""

_FRAME_END = b"\x1b[6n"
"""The query with which a frame ends: see `tui.app.terminal.stage`."""
_DRAWN_SECONDS = 10.0
"""Most seconds that typed keys wait for the first frame."""


class Page:
    """An open page; after `idle` seconds without a byte it ends."""

    def __init__(
        self, connection: "ServerConnection", process: PageProcess, idle: float
    ) -> None:
        self._connection = connection
        self._process = process
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._drawn = asyncio.Event()

    async def run(self) -> tuple[int, str]:
        """Pass on until the page or the app is closed; return how to close the page."""
        from websockets.exceptions import ConnectionClosed

        ends = {
            asyncio.create_task(self._draw()): (LEFT, _("You have left the chat.")),
            asyncio.create_task(self._type()): (1000, ""),
            asyncio.create_task(self._watch()): (
                IDLE,
                _("Nothing happened for a long time."),
            ),
        }
        try:
            done, __ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            results = await asyncio.gather(*ends, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(
                result, ConnectionClosed
            ):
                raise result
        return ends[done.pop()]

    async def _draw(self) -> None:
        # `send` waits while the browser is slow; the app's frames wait for its answers.
        while data := await self._process.read():
            self._last = self._loop.time()
            if _FRAME_END in data:
                self._drawn.set()
            await self._connection.send(data)

    async def _type(self) -> None:
        async for message in self._connection:
            self._last = self._loop.time()
            if isinstance(message, bytes):
                # What is typed before the first frame would reach no composer.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_DRAWN_SECONDS):
                        await self._drawn.wait()
                await self._process.write(message)
            elif size := _size(message):
                self._process.resize(*size)

    async def _watch(self) -> None:
        # Time itself is waited for, no event.
        while (rest := self._last + self._idle - self._loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(rest)


def _size(message: str) -> tuple[int, int] | None:
    """Return columns and rows of a message; None if it is none."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        asked = json.loads(message)
        return int(asked["columns"]), int(asked["rows"])
    return None
