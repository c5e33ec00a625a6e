"""The reactive poller: follows one conversation's log in a thread.

Opening an old conversation is the same act as watching a new one: its log is followed
from the start.
"""

from collections.abc import Callable
from threading import Event

from tui.errors import LogError
from tui.eventlog import EventLog, Follow
from tui.events import Record
from tui.runtime.turn_driver import end_if_gone

FRAME = 0.05
"""Seconds between two batches of records, at least: 20 frames a second."""


class Follower:
    """Follows one conversation. One thread calls `run`; the rest any thread."""

    def __init__(
        self,
        log: EventLog,
        conversation: str,
        arrived: Callable[[list[Record]], object],
        failed: Callable[[str], object],
    ) -> None:
        """Take what to call with each batch of records, and why no more will come.

        Both are called in the thread of `run`.
        """
        self._log = log
        self._conversation = conversation
        self._arrived = arrived
        self._failed = failed
        self._follow: Follow | None = None
        self._closed = False
        self._may_read = Event()
        self._may_read.set()
        self._hurried = Event()

    def run(self) -> None:
        """Follow the conversation until `close`. Raises `LogError` at the beginning."""
        end_if_gone(self._log, self._conversation)
        self._follow = follow = self._log.follow(self._conversation)
        with follow:
            if self._closed:
                return
            try:
                for records in follow:
                    self._may_read.wait()
                    self._arrived(records)
                    # What comes meanwhile is read together; the first is not delayed.
                    self._hurried.wait(FRAME)
            except LogError as error:
                if not follow.closed:  # else the program ends
                    self._failed(str(error))

    def pause(self) -> None:
        """Hand on no more until `resume`: nobody looks."""
        self._may_read.clear()

    def resume(self) -> None:
        """Go on where it was paused."""
        self._may_read.set()

    def hurry(self) -> None:
        """Hand on each record as it comes: who has stopped an answer wants to see it.

        Until `calm`.
        """
        self._hurried.set()

    def calm(self) -> None:
        """Hand on batches again."""
        self._hurried.clear()

    def close(self) -> None:
        """End `run`."""
        self._closed = True
        self._may_read.set()
        self._hurried.set()
        if self._follow:
            self._follow.close()
