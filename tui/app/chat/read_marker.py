"""Records how far the user has read a conversation.

Drawing is not proof of reading: the connection may have been dead for a minute. Records
count as read when a key follows, or when the user leaves the screen. A terminal that
hangs up is neither, so the next login brings the user back here.
"""

from collections.abc import Callable, Sequence

from tui.events import Record, TurnFinished


class ReadMarker:
    """Tracks which records a screen has shown. Call it in the UI thread.

    It writes at most once a turn, and never before a turn has ended.
    """

    def __init__(self, mark: Callable[[int], object]) -> None:
        """Use `mark` to store that all records up to a `seq` are seen."""
        self._mark_seen = mark
        self._shown = 0
        self._marked = 0
        self._lost = False
        self._ended = 0
        """The `seq` of the last `TurnFinished` that was shown."""
        self._cancels = False

    def show(self, records: Sequence[Record]) -> None:
        """Note that `records` (at least one) are on the screen."""
        self._shown = records[-1].seq
        if any(isinstance(record.event, TurnFinished) for record in records):
            self._ended = self._shown
            if self._cancels:  # the user knows: that is why it has ended
                self._cancels = False
                self.look()

    def expect_cancel(self) -> None:
        """Note that the user has stopped the running turn, and sees its end."""
        self._cancels = True

    def known(self, seq: int) -> None:
        """Note that all records up to `seq` were seen earlier."""
        self._marked = max(self._marked, seq)

    def look(self) -> None:
        """Mark finished turns as seen: the user is present."""
        if self._ended > self._marked:
            self._mark(self._ended)

    def lose(self) -> None:
        """Note that it is unknown whether the shown records were seen."""
        self._lost = True

    def leave(self) -> None:
        """Mark all shown records as seen: the user leaves the screen."""
        if self._shown > self._marked and not self._lost:
            self._mark(self._shown)

    def _mark(self, seq: int) -> None:
        self._marked = seq
        self._mark_seen(seq)
