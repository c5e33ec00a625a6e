"""Records how far the user has read a conversation.

Drawing is no proof of reading: the connection may have been dead for a minute. Records
count as read when a key follows, or when the user leaves. A terminal that hangs up is
neither, and the user is brought back here at the next login.
"""

from collections.abc import Callable, Sequence

from tui.events import Record, TurnFinished


class ReadMarker:
    """What a screen has shown of a conversation. Runs in the UI's thread.

    One write a turn at most, and none while nothing has ended.
    """

    def __init__(self, mark: Callable[[int], object]) -> None:
        """Take how to `mark` all as seen up to a `seq`."""
        self._mark_seen = mark
        self._shown = 0
        self._marked = 0
        self._lost = False
        self._ended = 0
        """The `seq` of the last end of a turn that was shown."""

    def show(self, records: Sequence[Record]) -> None:
        """Note that `records`, at least one, are on the screen."""
        self._shown = records[-1].seq
        if any(isinstance(record.event, TurnFinished) for record in records):
            self._ended = self._shown

    def known(self, seq: int) -> None:
        """Note that all up to `seq` was seen before."""
        self._marked = max(self._marked, seq)

    def look(self) -> None:
        """Note that the user is there: what has ended was seen."""
        if self._ended > self._marked:
            self._mark(self._ended)

    def lose(self) -> None:
        """Note that nobody knows whether what is shown has been seen."""
        self._lost = True

    def leave(self) -> None:
        """Note that the user goes, having seen all that was shown."""
        if self._shown > self._marked and not self._lost:
            self._mark(self._shown)

    def _mark(self, seq: int) -> None:
        self._marked = seq
        self._mark_seen(seq)
