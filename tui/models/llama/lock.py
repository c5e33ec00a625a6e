"""A lock whose waiters can be cancelled."""

import threading
from collections.abc import Callable

from tui.turn import Cancellation


def wait_until(
    changed: threading.Condition, done: Callable[[], bool], cancel: Cancellation
) -> None:
    """Wait for `done()`, asked whenever `changed` is notified.

    Call it without holding `changed`. Raises `Cancelled` as soon as `cancel` is
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
    """A lock that may be released by another thread than the one that took it.

    A generator may be closed in another thread than it ran in, so no owner is kept.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False

    def acquire(self, cancel: Cancellation) -> None:
        """Take the lock; raises `Cancelled` when that comes first."""
        while not self.try_acquire():
            wait_until(self._changed, lambda: not self._held, cancel)

    def try_acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock if it gets free within `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._held, timeout):
                return False
            self._held = True
            return True

    def release(self) -> None:
        """Give the lock to whoever waits."""
        with self._changed:
            self._held = False
            self._changed.notify_all()
