"""Captures what tools print while the screen is up, and assigns it to their calls.

Textual takes `sys.stdout` and `sys.stderr` from the program and drops what is printed.
What a process of a tool writes comes by descriptors: see
`tui.app.terminal.descriptors`.
"""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from weakref import WeakKeyDictionary

from tui.safe import safe
from tui.tools.running import Running, current

MOST = 20_000
"""Characters that are shown of one call; the rest is counted."""


class Printed:
    """Gathers what is printed in any thread, and has it shown in the screen's.

    `soon` runs a function in the screen's thread; `show` takes the id of a call and
    what was printed there.
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
        """Take what was just printed; in any thread."""
        call = current()
        if call is None:
            # A thread that a tool has started: a line among those of its processes.
            with suppress(OSError):
                os.write(1, safe(text).encode())
            return
        with self._lock:
            size = self._sizes.get(call, 0)
            self._sizes[call] = size + len(text)
            if not text or size > MOST:
                return
            if size + len(text) > MOST:
                text = f"{text[: MOST - size]}\n… what else it prints is not shown"
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
