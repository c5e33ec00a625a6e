"""The one verb: follow the log from a cursor."""

import sqlite3
import time
from contextlib import ExitStack

from tui.errors import LogError
from tui.eventlog.notifier import Changes
from tui.eventlog.reader import Reader
from tui.eventlog.sqlite import error_codes
from tui.events import Record

CANTOPEN = sqlite3.SQLITE_CANTOPEN

BUSY_SECONDS = 0.2
"""How soon a store that was locked for readers is read again."""


class Follow:
    """Iterates over what is in the log, then over what comes.

    One thread iterates; any thread may `close` it, which ends the iteration. It
    ends too when the log is closed.
    """

    def __init__(
        self,
        reader: Reader,
        changes: Changes,
        conversation: str | None,
        after: int,
        *,
        provisional: bool = True,
    ) -> None:
        self.cursor = after
        """The `seq` of the last record given."""
        self._provisional = provisional
        self._position = reader.position(after)
        self._reader = reader
        self._changes = changes
        self._conversation = conversation
        self._closed = False
        self._watching = ExitStack()
        self._watching.enter_context(changes.watched())

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
            changes = self._changes
            count = changes.count if self._provisional else changes.whole_count
            left = None if end is None else end - time.monotonic()
            try:
                records = self._read()
            except LogError as error:
                cause = error.__cause__
                passes = error_codes.code(cause) in (*error_codes.BUSY, CANTOPEN)
                if not passes and not error_codes.is_short(cause):
                    raise
                # Nobody may even read, or it was removed: a new one comes with what is
                # appended next. Or it was cut short: the writer writes it anew.
                left, records = min(left or BUSY_SECONDS, BUSY_SECONDS), []
            if records:
                self.cursor = records[-1].seq
                return records
            if end is not None and time.monotonic() >= end:
                break
            (changes.wait if self._provisional else changes.wait_whole)(count, left)
        return []

    def _read(self) -> list[Record]:
        position, tail = self._position, 0
        if not self._provisional:
            # Deltas that are passed over now are not looked at again the next time: a
            # long answer has thousands. The tail comes first: it may grow meanwhile.
            tail = self._reader.tail()
        records = self._reader.read(
            self._conversation, position, provisional=self._provisional
        )
        last = records[-1].seq if records else 0
        position.after = max(position.after, tail, last)
        return records

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
