"""The reactive poller: follows one conversation's log in a thread.

Opening an old conversation is the same act as watching a new one: its log is followed
from the start.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event

from tui.app.backend import Conversation, Follow
from tui.conversation.read_state import Opened
from tui.errors import LogError
from tui.events import Record

FRAME = 0.05
"""Seconds between two batches of records, at least: 20 frames a second."""


class Follower:
    """Follows one conversation. One thread calls `run`; the rest any thread."""

    def __init__(
        self,
        conversation: Conversation,
        opened: Callable[[Opened | None], object],
        arrived: Callable[[list[Record]], object],
        failed: Callable[[str], object],
        *,
        adopt: bool = False,
    ) -> None:
        """Take what to call with what is known of it, and then with what it gains.

        `opened` is called once before the first batch of records, with None where
        nothing can be known, and `failed` with why no more will come; all in the
        thread of `run`. `adopt` is as of `Conversation.opened`.
        """
        self._conversation = conversation
        self._opened = opened
        self._adopt = adopt
        self._arrived = arrived
        self._failed = failed
        self._follow: Follow | None = None
        self._closed = False
        self._may_read = Event()
        self._may_read.set()
        self._hurried = Event()

    def run(self) -> None:
        """Follow the conversation until `close`. Raises `LogError` at the beginning."""
        self._opened(self._look())
        self._follow = follow = self._conversation.follow()
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

    def _look(self) -> Opened | None:
        with suppress(LogError):
            return self._conversation.opened(adopt=self._adopt)
        return None

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
