"""Records how far the user has read a conversation.

Drawing is no proof of reading: the connection may have been dead for a minute. Records
count as read when a key follows, or when the user leaves. A terminal that hangs up is
neither, and the user is brought back here at the next login.
"""

from collections.abc import Sequence

from tui.conversation import read_state
from tui.eventlog import EventLog
from tui.events import Record, TurnFinished


class ReadMarker:
    """What a screen has shown of `conversation`. Runs in the UI's thread.

    One write a turn at most, and none while nothing has ended.
    """

    def __init__(self, log: EventLog, conversation: str) -> None:
        self._log = log
        self._conversation = conversation
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
        read_state.mark_seen(self._log, self._conversation, seq)
