"""The reactive poller: follows one conversation's log in a thread.

Opening an old conversation works like watching a new one: the follower reads its log
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
"""Minimum seconds between two batches of records: 20 batches a second."""


class Follower:
    """Follows one conversation. One thread calls `run`; any thread the rest."""

    def __init__(
        self,
        conversation: Conversation,
        opened: Callable[[Opened | None], object],
        arrived: Callable[[list[Record]], object],
        failed: Callable[[str], object],
        *,
        adopt: bool = False,
    ) -> None:
        """Set the callbacks; all of them run in the thread of `run`.

        `opened` is called once, before the first batch, with the stored state of the
        conversation, or None if it cannot be read. `arrived` gets each batch of
        records, `failed` the reason why no more will come. For `adopt` see
        `Conversation.opened`.
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
        """Follow the conversation until `close`. Raises `LogError` at the start."""
        self._opened(self._look())
        self._follow = follow = self._conversation.follow()
        with follow:
            if self._closed:
                return
            try:
                for records in follow:
                    self._may_read.wait()
                    self._arrived(records)
                    # The first record is not delayed; later ones are batched.
                    self._hurried.wait(FRAME)
            except LogError as error:
                if not follow.closed:  # if it is closed, the program is ending
                    self._failed(str(error))

    def _look(self) -> Opened | None:
        with suppress(LogError):
            return self._conversation.opened(adopt=self._adopt)
        return None

    def pause(self) -> None:
        """Pass on no records until `resume`, while the screen is hidden."""
        self._may_read.clear()

    def resume(self) -> None:
        """Pass on records again from where `pause` stopped."""
        self._may_read.set()

    def hurry(self) -> None:
        """Pass on each record at once until `calm`, so that a stop is seen quickly."""
        self._hurried.set()

    def calm(self) -> None:
        """Pass on records in batches again."""
        self._hurried.clear()

    def close(self) -> None:
        """Make `run` return."""
        self._closed = True
        self._may_read.set()
        self._hurried.set()
        if self._follow:
            self._follow.close()
