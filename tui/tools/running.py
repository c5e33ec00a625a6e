"""Runs a tool in a thread of its own, with a time limit.

A thread cannot be stopped from outside. A function that is still running at its time
limit or at a cancel is abandoned: an async one has its coroutine cancelled; a plain one
continues in a daemon thread, and its result is ignored, until it returns, calls
`report` or the program ends. Its effects in the meantime cannot be undone.
"""

import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Protocol

from tui.errors import Cancelled
from tui.messages import Value
from tui.turn import Cancellation


class Progress(Value, frozen=True):
    """The function has called `report`."""

    text: str


class Returned:
    """The function has returned."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Raised:
    """The function has raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class TimedOut(Value, frozen=True):
    """The time limit was reached."""


class Stopped(Value, frozen=True):
    """A cancel was requested."""


News = Progress | Returned | Raised | TimedOut | Stopped


class Running(Protocol):
    """A call whose function is running."""

    call_id: str
    cancel: Cancellation
    """Is requested once the function is abandoned, for what it has begun."""


_job: contextvars.ContextVar["_Job"] = contextvars.ContextVar("tool_job")


def current() -> Running | None:
    """Return the call that the current thread runs, else None."""
    return _job.get(None)


def report(text: str) -> None:
    """Report the progress of a running tool; tools call it, from any of their threads.

    The text is shown to the user and not sent to the model. Raises `Cancelled` if the
    tool was abandoned, which ends a long tool that does not catch it. Outside of a tool
    box it does nothing, so that tools can be called directly.
    """
    job = _job.get(None)
    if job is not None:
        job.report(text)


def run(
    function: Callable[[], Any],
    seconds: float,
    cancel: Cancellation,
    name: str,
    call_id: str = "",
) -> Generator[News]:
    """Run `function` in a daemon thread; only the last item is not `Progress`.

    If it returns an awaitable, an event loop in that thread awaits it. The thread has a
    copy of the caller's context variables. `seconds` may be infinite.
    """
    job = _Job(function, call_id)
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(job.work,), name=f"tool-{name}", daemon=True
    )
    end = monotonic() + min(seconds, threading.TIMEOUT_MAX)
    with cancel.on(lambda: job.news.put(Stopped())):
        thread.start()
        try:
            while True:
                try:
                    news = job.news.get(timeout=max(0.0, end - monotonic()))
                except Empty:
                    news = TimedOut()
                if isinstance(news, Progress) and monotonic() >= end:
                    news = TimedOut()  # progress does not extend the limit
                yield news
                if not isinstance(news, Progress):
                    return
        finally:
            job.abandon()


class _Job:
    """A running function, as both threads see it."""

    def __init__(self, function: Callable[[], Any], call_id: str) -> None:
        self.call_id = call_id
        self.cancel = Cancellation()
        self.news: SimpleQueue[News] = SimpleQueue()
        self._function = function
        self._lock = threading.Lock()
        self._abandoned = False
        self._cancel_task: Callable[[], object] | None = None

    def work(self) -> None:
        """Run the function, in its thread."""
        _job.set(self)
        try:
            value = self._function()
            if inspect.isawaitable(value):
                import asyncio  # slow to import, and most tools are plain functions

                value = asyncio.run(self._await(value))
            self.news.put(Returned(value))
        except BaseException as error:
            self.news.put(Raised(error))

    def report(self, text: str) -> None:
        """Pass on progress, or end the function if it was abandoned."""
        if self._abandoned:
            raise Cancelled
        # Convert it here, so that a failing conversion is the tool's error.
        self.news.put(Progress(str(text)))

    def abandon(self) -> None:
        """Ignore the function from now on; cancels a coroutine.

        Has no effect after its end.
        """
        with self._lock:
            self._abandoned = True
            cancel_task = self._cancel_task
        self.cancel.request()
        if cancel_task is not None:
            with suppress(RuntimeError):  # the loop is already closed
                cancel_task()

    async def _await(self, value: Awaitable[Any]) -> Any:
        import asyncio

        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        with self._lock:
            self._cancel_task = lambda: loop.call_soon_threadsafe(task.cancel)
            late = self._abandoned
        if late:
            if inspect.iscoroutine(value):
                value.close()  # never started
            raise Cancelled
        return await value
