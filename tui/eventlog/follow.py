"""The one verb: follow the log from a cursor."""

import time
from contextlib import ExitStack

from tui.errors import LogError
from tui.eventlog import codes
from tui.eventlog.changes import Changes
from tui.eventlog.reader import Reader
from tui.events import Record

BUSY_SECONDS = 0.2
"""How soon a store that was locked for readers is read again."""


class Follow:
    """Iterates over what is in the log, then over what comes.

    One thread iterates; any thread may `close` it, which ends the iteration. It
    ends too when the log is closed.
    """

    def __init__(
        self, reader: Reader, changes: Changes, conversation: str | None, after: int
    ) -> None:
        self._position = reader.position(after)
        self._reader = reader
        self._changes = changes
        self._conversation = conversation
        self._closed = False
        self._watching = ExitStack()
        self._watching.enter_context(changes.watched())

    @property
    def cursor(self) -> int:
        """The `seq` of the last record given."""
        return self._position.after

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._closed or self._changes.closed

    def poll(self, timeout: float | None = None) -> list[Record]:
        """Wait for records; [] after `timeout` seconds or when closed.

        None waits without limit, 0 only looks. Woken at once by writes of this
        process, within `changes.WATCH_SECONDS` by others'.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self.closed:
            count = self._changes.count
            left = None if end is None else end - time.monotonic()
            try:
                records = self._reader.read(self._conversation, self._position)
            except LogError as error:
                if codes.code(error.__cause__) not in codes.BUSY:
                    raise
                # Nobody may even read: it will be let go.
                left, records = min(left or BUSY_SECONDS, BUSY_SECONDS), []
            if records:
                self._position.after = records[-1].seq
                return records
            if end is not None and time.monotonic() >= end:
                break
            self._changes.wait(count, left)
        return []

    def __iter__(self) -> "Follow":
        return self

    def __next__(self) -> list[Record]:
        """Return the next records, at least one, in the order of the log."""
        if records := self.poll():
            return records
        raise StopIteration

    def close(self) -> None:
        """End the iteration, from any thread."""
        self._closed = True
        self._watching.close()
        self._changes.notify()

    def __enter__(self) -> "Follow":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
