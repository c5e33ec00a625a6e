"""Runs a tool in a thread of its own, with a time limit.

A thread cannot be stopped from outside. A function that is still running at its time
limit or at a cancel is abandoned: an async one has its coroutine cancelled; a generator
is closed at its next `yield`; a plain one continues in a daemon thread, and its result
is ignored, until it returns, calls `report` or the program ends. Its effects in the
meantime cannot be undone. One that does not end within `GRACE` is left behind, which
the outcome says.

What a tool changes in the process, such as its folder, is put back: see
`process_state`. Nothing here survives a tool that ends the process, as a fault in C
does; `process_guard` keeps `os._exit` and the like from it.
"""

import contextvars
import inspect
import os
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, closing, suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Protocol, cast

from tui.errors import Cancelled
from tui.messages import Value
from tui.tools import descriptors, process_state
from tui.tools.results import as_output
from tui.tools.returned import is_file
from tui.tools.wording import words
from tui.turn import Cancellation

GRACE = 0.2
"""Seconds for which an abandoned function is given time to end."""
REPORTS = 20
"""Most reports that are passed on in each `PERIOD`; of the others, the last one is."""
PERIOD = 0.5
"""Seconds."""
REPORTS_IN_ALL = 500
"""Most reports of one call, because the log keeps them."""
LONGEST_REPORT = 2000
"""Characters."""


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
        """Take an error of the function, in the function's thread.

        Its class may be the tool's, whose `__str__` may raise or take for ever.
        """
        self.error = error
        self.words = words(error)


class TimedOut(Value, frozen=True):
    """The time limit was reached."""

    left_behind: bool = False
    """Whether the function was still running when the wait for its end was over."""


class Stopped(Value, frozen=True):
    """A cancel was requested."""

    left_behind: bool = False
    """As in `TimedOut`."""


News = Progress | Returned | Raised | TimedOut | Stopped


class Running(Protocol):
    """A call whose function is running."""

    call_id: str
    cancel: Cancellation
    """Is requested once the function is abandoned, for what it has begun."""
    descriptors: Mapping[int, descriptors.Identity]
    """What was open when it began."""


_job: contextvars.ContextVar["_Job"] = contextvars.ContextVar("tool_job")


def current() -> Running | None:
    """Return the call that the current thread runs, else None."""
    return _job.get(None)


def report(text: str) -> None:
    """Report the progress of a running tool; tools call it, from any of their threads.

    The text is shown to the user and not sent to the model. Raises `Cancelled` if the
    tool was abandoned, which ends a long tool that does not catch it. Long texts are
    cut, and of many in a short time most are only counted. Outside of a tool box it
    does nothing, so that tools can be called directly.
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
    convert: Callable[[Any], Any] = lambda value: value,
) -> Generator[News]:
    """Run `function` in a daemon thread; only the last item is not `Progress`.

    If it returns an awaitable, an event loop in that thread awaits it. Each value that
    a generator or an async generator yields is progress; its result is what it returns
    or, if that is None, the last of them. `convert` is applied to the result, in the
    thread. The thread has a copy of the caller's context variables. `seconds` may be
    infinite.
    """
    job = _Job(function, call_id, convert)
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(job.work,), name=f"tool-{name}", daemon=True
    )
    end = monotonic() + min(seconds, threading.TIMEOUT_MAX)
    with cancel.on(lambda: job.news.put(Stopped())):
        process_state.begin()
        try:
            thread.start()
        except RuntimeError as error:  # the system allows no more threads
            job.end()
            yield Raised(error)
            return
        try:
            while True:
                try:
                    news = job.news.get(timeout=max(0.0, end - monotonic()))
                except Empty:
                    news = TimedOut()
                if isinstance(news, Progress) and monotonic() >= end:
                    news = TimedOut()  # progress does not extend the limit
                if isinstance(news, TimedOut | Stopped):
                    job.abandon()
                    thread.join(GRACE)
                    news = type(news)(thread.is_alive())
                yield news
                if not isinstance(news, Progress):
                    return
        finally:
            job.abandon()


class _Job:
    """A running function, as both threads see it."""

    def __init__(
        self, function: Callable[[], Any], call_id: str, convert: Callable[[Any], Any]
    ) -> None:
        self.call_id = call_id
        self.cancel = Cancellation()
        self.descriptors: Mapping[int, descriptors.Identity] = {}
        self.news: SimpleQueue[News] = SimpleQueue()
        self._function = function
        self._convert = convert
        self._reports = _Reports(self.news.put)
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._abandoned = False
        self._ended = False
        self._cancel_task: Callable[[], object] | None = None

    def work(self) -> None:
        """Run the function, in its thread."""
        self.descriptors = descriptors.opened()
        _job.set(self)
        try:
            outcome: News = Returned(self._convert(self._finished(self._function())))
        except BaseException as error:
            # Of any kind, also KeyboardInterrupt, which a tool may raise or wait for:
            # only the call has failed.
            outcome = Raised(error)
        if os.getpid() != self._process:
            # The tool has forked, and this is its child: nothing here is its own.
            os._exit(int(isinstance(outcome, Raised)))
        descriptors.leave(self.descriptors)
        self._reports.finish()
        self.end()
        self.news.put(outcome)

    def end(self) -> None:
        """Have the state of the process put back; only the first call counts."""
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            process_state.end()

    def report(self, text: str) -> None:
        """Pass on progress, or end the function if it was abandoned."""
        if self._abandoned:
            raise Cancelled
        # Convert it here, so that a failing conversion is the tool's error.
        self._reports.add(str(text)[:LONGEST_REPORT])

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
        self.end()

    def _finished(self, value: Any) -> Any:
        """Return the result, once what the function has returned has run to its end."""
        if inspect.isgenerator(value):
            return self._last_of(cast(Generator[Any, None, Any], value))
        if inspect.isasyncgen(value):
            value = self._last_of_async(cast(AsyncGenerator[Any], value))
        if not inspect.isawaitable(value):
            return value
        import asyncio  # slow to import, and most tools are plain functions

        return self._finished(asyncio.run(self._await(value)))

    def _last_of(self, steps: Generator[Any, None, Any]) -> Any:
        last = None
        with closing(steps):
            while True:
                try:
                    last = next(steps)
                except StopIteration as end:
                    return last if end.value is None else end.value
                self._progress(last)

    async def _last_of_async(self, steps: AsyncGenerator[Any]) -> Any:
        last = None
        async with aclosing(steps):
            async for last in steps:
                self._progress(last)
        return last

    def _progress(self, value: Any) -> None:
        if is_file(value):
            return  # it may be the result
        self.report(as_output(value, LONGEST_REPORT).text)

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


class _Reports:
    """Passes on no more reports than the log should keep. Any threads."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._began = monotonic()
        self._left = REPORTS
        self._told = 0
        self._skipped = 0
        self._last = ""

    def add(self, text: str) -> None:
        with self._lock:
            now = monotonic()
            if now - self._began >= PERIOD and self._told < REPORTS_IN_ALL:
                self._settle()
                self._began, self._left = now, REPORTS
            if self._left <= 0 or self._told >= REPORTS_IN_ALL:
                self._skipped += 1
                self._last = text
                return
            self._left -= 1
            self._told += 1
            self._tell(Progress(text))

    def finish(self) -> None:
        """Tell what was left out, before the outcome."""
        with self._lock:
            self._settle()

    def _settle(self) -> None:
        if not self._skipped:
            return
        if self._skipped > 1:
            self._tell(Progress(f"({self._skipped - 1:,} reports left out)"))
        self._tell(Progress(self._last))
        self._skipped = 0
