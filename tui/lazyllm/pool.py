"""Threads, and a pool of them, that share their creator's queue."""

import contextvars
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from tui import session
from tui.lazyllm import file_queue
from tui.turn import Cancellation

P = ParamSpec("P")
T = TypeVar("T")

LOOK_SECONDS = 0.005
"""Seconds that `done()` waits for a running task.

The tutorial's loop calls it without a pause, which would keep a core busy and slow the
model down; so short a wait is invisible.
"""


class _Turns:
    """The running turns of one pool."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancels: set[Cancellation] = set()
        self._broken = False

    @contextmanager
    def holding(self, cancel: Cancellation) -> Generator[None]:
        with self._lock:
            self._cancels.add(cancel)
            broken = self._broken
        if broken:
            cancel.request()
        try:
            yield
        finally:
            with self._lock:
                self._cancels.discard(cancel)

    def break_off(self) -> None:
        """Cancel the running turns, and those about to start."""
        with self._lock:
            self._broken = True
            cancels = list(self._cancels)
        for cancel in cancels:
            cancel.request()


_of_pool: contextvars.ContextVar[_Turns | None] = contextvars.ContextVar(
    "of_pool", default=None
)


def breakable(cancel: Cancellation) -> AbstractContextManager[None]:
    """Request `cancel` when the pool of this thread is interrupted."""
    turns = _of_pool.get()
    return turns.holding(cancel) if turns else nullcontext()


class ThreadPoolExecutor(session.SessionPool):
    """A pool that passes on the session, so that its tasks share the caller's queue.

    An exception that leaves its `with` block, such as Ctrl+C, cancels the running
    turns; their text so far is stored.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "lazyllm",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(max_workers, thread_name_prefix, initializer, initargs)
        self._turns = _Turns()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind:
            self.shutdown(wait=False, cancel_futures=True)
            self._turns.break_off()
        self.shutdown()

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run `fn` in a worker thread, in the session of the caller."""

        def run() -> T:
            _of_pool.set(self._turns)
            return fn(*args, **kwargs)

        inner = super().submit(run)
        future = _LookTwice(inner)
        inner.add_done_callback(future.settle)
        return future


class _LookTwice(Future[T]):
    """A future whose `done()` is False at a reader's first call after its end.

    The tutorial's loop drains the queue and then asks whether the task is done; text
    that arrived in between would be lost. So the loop drains again. Threads that
    do not read the queue, and asyncio, which insists on it, get the plain answer.
    """

    def __init__(self, inner: Future[T]) -> None:
        super().__init__()
        self._inner = inner
        self._ended = threading.Event()
        self._looked = False
        self._begun = monotonic()

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
        """Prevent the task from starting; return whether that was still possible."""
        return self._inner.cancel()

    def running(self) -> bool:
        """Return whether the task has started and not ended."""
        return self._inner.running()

    def done(self) -> bool:
        """Return whether the task has ended.

        A thread that reads the queue is told so at the second call.
        """
        if not self._ended.wait(LOOK_SECONDS):
            return False
        if file_queue.last_read() < self._begun:
            return True
        looked, self._looked = self._looked, True
        return looked

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call `fn` with this future once the task has ended."""
        if getattr(fn, "__module__", "").startswith("asyncio"):
            self._looked = True  # it asserts that `done()` is true
        super().add_done_callback(fn)

    def result(self, timeout: float | None = None) -> T:
        """Return the task's result, or raise its exception."""
        value = super().result(timeout)
        self._looked = True
        return value


class Thread(threading.Thread):
    """A thread in the session of its creator, whose result can be fetched.

    `prehook`, a function or several, is called in the thread before `target`.
    """

    def __init__(
        self,
        group: None = None,
        target: Callable[..., Any] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        prehook: Callable[[], object] | Sequence[Callable[[], object]] | None = None,
        daemon: bool | None = None,
    ) -> None:
        hooks = [prehook] if callable(prehook) else list(prehook or ())
        outcome: Future[Any] = Future()

        def work() -> None:
            try:
                for hook in hooks:
                    hook()
                outcome.set_result(target(*args, **(kwargs or {})) if target else None)
            except BaseException as error:
                outcome.set_exception(error)

        context = contextvars.copy_context()
        super().__init__(group, context.run, name, (work,), daemon=daemon)
        self._outcome = outcome

    def get_result(self, timeout: float | None = None) -> Any:
        """Wait for the result of `target`; raises what it raises.

        After `timeout` seconds (None: no limit) raises `TimeoutError`.
        """
        return self._outcome.result(timeout)
