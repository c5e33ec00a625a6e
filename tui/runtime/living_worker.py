"""Knows which worker of this machine lives, for threads that must not read files.

It is looked up in the thread that follows a conversation, before a request to another
program is handed on, and again beside whoever asks for it.
"""

import threading
from time import monotonic

from tui.runtime import worker_registry

_FRESH_SECONDS = 0.25
"""Age up to which what was found is not looked up again."""


class LivingWorker:
    """The worker that was last found. For any thread."""

    def __init__(self) -> None:
        self._runner = ""
        self._looked = 0.0
        self._looking = threading.Lock()

    def look(self) -> None:
        """Find the worker. Blocks: reads a small file, and asks for a process."""
        worker = worker_registry.find()
        self._runner = worker.runner if worker else ""
        self._looked = monotonic()

    def is_it(self, runner: str) -> bool:
        """Whether `runner` was the living worker when it was last looked; never blocks.

        If that was a while ago, it looks again, for the next caller.
        """
        if monotonic() - self._looked > _FRESH_SECONDS and self._looking.acquire(False):
            threading.Thread(
                target=self._look_once, name="lazychat-worker-look", daemon=True
            ).start()
        return runner == self._runner

    def _look_once(self) -> None:
        try:
            self.look()
        finally:
            self._looking.release()
