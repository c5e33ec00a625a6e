"""Writes to the terminal from a thread, so that a slow link never blocks the app.

Textual's own writer blocks the event loop when 30 writes are queued; on a slow link
keys are then handled seconds late. Here any number of writes may be queued, and the
stage adds no frame while there is something to write.
"""

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

from tui.readiness import writable


class Writer:
    """Writes to the file descriptor `fd`, in the order of the calls of `write`.

    `drained` is called in the writer's thread each time the queue becomes empty. After
    an error, for example when the terminal is gone, all output is discarded.
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
        """Whether the terminal has accepted all output."""
        return self._waiting == 0

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Queue `data` after all earlier output. Never blocks."""
        with self._lock:
            self._waiting += 1
        self._queue.put(data)

    def stop(self, seconds: float) -> None:
        """Write the queued output, for at most `seconds`, and end the thread."""
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
                # Another program may have set the terminal to non-blocking.
                writable(self._fd, seconds=None)
