"""Runs the writes of a screen one after the other, in a thread of its own."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tui.errors import LazychatError

T = TypeVar("T")

_logger = logging.getLogger(__name__)

Write = Callable[[], "Future[int]"]
"""Appends to the log and returns the future of `EventLog.append`."""


class InOrder:
    """Runs functions one after the other, in a thread of its own.

    So the events are stored in the order of the calls, even if a message must first
    wait until its runner is found.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "lazychat-writes")

    def write(self, write: Write) -> "Future[int]":
        """Run `write` after all earlier calls; return a future with its result."""
        done: Future[int] = Future()

        def work() -> None:
            try:
                written = write()
            except Exception as error:
                if not isinstance(error, LazychatError):
                    _logger.error("nothing was written", exc_info=error)
                done.set_exception(error)
            else:
                written.add_done_callback(lambda it: _become(done, it))

        self._pool.submit(work)
        return done

    def do(self, work: Callable[[], T]) -> T:
        """Run `work` after all earlier calls, wait for it and return its result."""
        return self._pool.submit(work).result()

    def wait(self) -> None:
        """Wait until all earlier writes have been passed to the log."""
        self.do(lambda: None)

    def close(self) -> None:
        """Wait for all earlier calls and accept no more."""
        self._pool.shutdown()


def _become(done: "Future[int]", written: "Future[int]") -> None:
    if error := written.exception():
        done.set_exception(error)
    else:
        done.set_result(written.result())
