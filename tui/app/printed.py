"""Captures what tools print while the screen is up, and assigns it to their calls.

Textual replaces `sys.stdout` and `sys.stderr` and drops what is printed. Output of a
tool's child processes arrives through file descriptors: see
`tui.app.terminal.descriptors`.
"""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tui.i18n import _
from tui.safe import safe

if TYPE_CHECKING:
    from tui.tools.running import Running

MOST = 20_000
"""Most characters that are shown of one call."""


class Printed:
    """Collects printed text in any thread and shows it in the UI thread.

    `soon` runs a function in the UI thread; `show` gets the id of a call and its
    printed text.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        show: Callable[[str, str], None],
    ) -> None:
        self._soon = soon
        self._show = show
        self._lock = Lock()
        self._new: deque[tuple[str, str]] = deque()
        self._sizes: WeakKeyDictionary[Running, int] = WeakKeyDictionary()
        """Characters that each call has printed."""

    def take(self, text: str) -> None:
        """Collect text that was just printed; may be called in any thread."""
        from tui.tools.running import current  # imported by then, if a tool prints

        call = current()
        if call is None:
            # Printed by a thread that a tool started: handle it like process output.
            with suppress(OSError):
                os.write(1, safe(text).encode())
            return
        with self._lock:
            size = self._sizes.get(call, 0)
            self._sizes[call] = size + len(text)
            if not text or size > MOST:
                return
            if size + len(text) > MOST:
                text = _("{text}\n… further output is not shown").format(
                    text=text[: MOST - size]
                )
                self._sizes[call] = MOST + 1
            due = bool(self._new)
            self._new.append((call.call_id, text))
        if not due:
            self._soon(self._flush)

    def _flush(self) -> None:
        with self._lock:
            new = list(self._new)
            self._new.clear()
        pieces: dict[str, list[str]] = {}
        for call_id, text in new:
            pieces.setdefault(call_id, []).append(text)
        for call_id, texts in pieces.items():
            self._show(call_id, "".join(texts))
