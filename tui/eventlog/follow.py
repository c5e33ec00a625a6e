"""Follows the log from a cursor: existing records first, then new ones."""

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
"""Seconds before a reader tries again when the store is locked for readers."""


class Follow:
    """Iterates over the records in the log, then over new records.

    One thread iterates. Any thread may call `close`, which ends the iteration; closing
    the log ends it as well.
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
        """The `seq` of the last record returned."""
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
        """Whether no more records will be returned."""
        return self._closed or self._changes.closed

    def poll(self, timeout: float | None = None) -> list[Record]:
        """Wait for new records and return them.

        Returns [] after `timeout` seconds or when closed; None waits without limit, 0
        only checks. A write by this process wakes the reader at once, a write by
        another process within `notifier.WATCH_SECONDS`.
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
                transient = error_codes.code(cause) in (*error_codes.BUSY, CANTOPEN)
                if not transient and not error_codes.is_short(cause):
                    raise
                # Retry: the file is locked for readers too, or it was removed (the next
                # append creates it), or truncated (the writer rewrites it).
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
            # Advance past the skipped deltas, so that the next read does not scan them
            # again: a long answer has thousands. Get the tail before reading, because
            # the log may grow in between.
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
        """Return the next records, at least one, in log order."""
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
