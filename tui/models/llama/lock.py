"""Provides a lock whose waiters can be cancelled."""

import threading
from collections.abc import Callable

from tui.turn import Cancellation


def wait_until(
    changed: threading.Condition, done: Callable[[], bool], cancel: Cancellation
) -> None:
    """Wait until `done()` is true; check it whenever `changed` is notified.

    Call this without holding `changed`. Raises `Cancelled` as soon as a cancel is
    requested.
    """

    def wake() -> None:
        with changed:
            changed.notify_all()

    with cancel.on(wake), changed:
        while not done() and not cancel.requested:
            changed.wait()
    cancel.raise_if_requested()


class TurnLock:
    """A lock that any thread may release, not only the one that acquired it.

    It has no owner, because a generator may be closed in another thread than the one in
    which it ran.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False

    @property
    def held(self) -> bool:
        """Whether somebody has it at this moment."""
        return self._held

    def acquire(self, cancel: Cancellation) -> None:
        """Acquire the lock; raises `Cancelled` if a cancel comes first."""
        while not self.try_acquire():
            wait_until(self._changed, lambda: not self._held, cancel)

    def try_acquire(self, timeout: float = 0.0) -> bool:
        """Acquire the lock if it becomes free within `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._held, timeout):
                return False
            self._held = True
            return True

    def release(self) -> None:
        """Release the lock and wake the waiting threads."""
        with self._changed:
            self._held = False
            self._changed.notify_all()
