"""A pool of threads whose tasks share the queue of whoever submits them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from tui import session

P = ParamSpec("P")
T = TypeVar("T")

LOOK_SECONDS = 0.005
"""How long `done()` waits for a task that runs. The tutorial's loop asks it without
a rest, which took a whole core, and half of the model's; 5 ms cannot be seen."""


class ThreadPoolExecutor(session.SessionPool):
    """A pool that carries the session, so that producer and consumer share a queue."""

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `fn` in a worker thread, in the session of the caller."""
        inner = super().submit(fn, *args, **kwargs)
        future = _LookTwice(inner)
        inner.add_done_callback(future.settle)
        return future


class _LookTwice(Future[T]):
    """A future that `done()` reports at the second look after it has ended.

    The tutorial's loop drains the queue and then asks whether the task is done; what
    was said between the two would be lost. This way the loop drains once more.
    """

    def __init__(self, inner: Future[T]) -> None:
        super().__init__()
        self._inner = inner
        self._ended = threading.Event()
        self._looked = False

    def settle(self, inner: Future[T]) -> None:
        if inner.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
        elif error := inner.exception():
            self.set_exception(error)
        else:
            self.set_result(inner.result())
        self._ended.set()

    def cancel(self) -> bool:
        """Keep the task from starting; return whether that was still possible."""
        return self._inner.cancel()

    def running(self) -> bool:
        """Return whether the task has begun and not ended."""
        return self._inner.running()

    def done(self) -> bool:
        """Return whether the task has ended and this was asked after it had."""
        if not self._ended.wait(LOOK_SECONDS):
            return False
        looked, self._looked = self._looked, True
        return looked

    def result(self, timeout: float | None = None) -> T:
        """Return what the task returned, or raise what it raised."""
        value = super().result(timeout)
        self._looked = True
        return value
