"""Writes to the terminal from a thread, so that a slow link never blocks the app.

Textual's own writer blocks the event loop when 30 writes wait; on a slow link keys are
then read seconds late. Here any number may wait, and whoever draws frames does not add
one while there is something to write.
"""

import os
import select
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread


class Writer:
    """Writes to the file descriptor `fd` in the order of `write`.

    `drained` is called in the writer's thread each time nothing is left to write.
    After an error, as when the terminal is gone, all is thrown away.
    """

    def __init__(self, fd: int, drained: Callable[[], None]) -> None:
        self._fd = fd
        self._drained = drained
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = Lock()
        self._waiting = 0
        self._broken = False
        self._thread = Thread(target=self._run, daemon=True, name="output")

    @property
    def idle(self) -> bool:
        """Whether the terminal has taken everything."""
        return self._waiting == 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write `data` after all that was given before. Never blocks."""
        with self._lock:
            self._waiting += 1
        self._queue.put(data)

    def stop(self, seconds: float) -> None:
        """Write what waits, at most for some seconds, and end."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            if not self._broken:
                try:
                    self._write(data)
                except OSError:
                    self._broken = True
            with self._lock:
                self._waiting -= 1
                drained = self._waiting == 0
            if drained:
                self._drained()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                # Another program that has the terminal open may have set that.
                select.select([], [self._fd], [])
