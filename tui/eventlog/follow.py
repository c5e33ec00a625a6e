"""Follows the log from a cursor: existing records first, then new ones.

Writers in this process call `Changes.notify`. One thread detects other processes'
writes: it polls `PRAGMA data_version` while the log has followers. There is no lock
file and no busy loop.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress

from tui.errors import LogError
from tui.eventlog.reader import Reader
from tui.eventlog.sqlite import error_codes
from tui.events import Record

CANTOPEN = sqlite3.SQLITE_CANTOPEN

BUSY_SECONDS = 0.2
"""Seconds before a reader tries again when the store is locked for readers."""

WATCH_SECONDS = 0.1
"""Seconds between two checks for other processes' writes, while there are followers."""


class Follow:
    """Iterates over the records in the log, then over new records.

    One thread iterates. Any thread may call `close`, which ends the iteration; closing
    the log ends it as well.
    """

    def __init__(
        self,
        reader: Reader,
        changes: "Changes",
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
        another process within `WATCH_SECONDS`.
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


class Changes:
    """Counts changes of the log, and lets threads wait for the next one.

    `connect` opens a connection for the watcher thread. It must not return the writing
    connection, because `data_version` does not count a connection's own commits.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        # For followers without deltas: deltas do not wake them.
        self._whole = threading.Condition(lock)
        self._stop = threading.Event()
        self._renew = threading.Event()
        self._followers = 0
        self._watcher: threading.Thread | None = None
        self.look: Callable[[], None] = lambda: None
        """Called by the watcher thread at each check, to detect a replaced file."""
        self.count = 0
        """Rises with each change. Get it before you read, then pass it to `wait`."""
        self.whole_count = 0
        """As `count`, but without changes that consist only of provisional records."""

    @property
    def closed(self) -> bool:
        """Whether `close` has been called: there will be no more changes."""
        return self._stop.is_set()

    def notify(self, *, provisional: bool = False) -> None:
        """Wake all waiting threads; for `provisional` records only those in `wait`."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            if not provisional:
                self.whole_count += 1
                self._whole.notify_all()

    def renew(self) -> None:
        """Make the watcher open the file that now has the store's name."""
        self._renew.set()

    def wait(self, count: int, seconds: float | None) -> None:
        """Wait until `self.count` differs from `count`, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != count or self.closed, seconds)

    def wait_whole(self, count: int, seconds: float | None) -> None:
        """Wait like `wait`, but on `self.whole_count`."""
        with self._whole:
            self._whole.wait_for(
                lambda: self.whole_count != count or self.closed, seconds
            )

    @contextmanager
    def watched(self) -> Generator[None]:
        """Watch for other processes' writes while the block is open."""
        with self._changed:
            self._followers += 1
            if self._watcher is None and not self.closed:
                self._watcher = threading.Thread(
                    target=self._watch, name="lazychat-log-watch", daemon=True
                )
                self._watcher.start()
        # A file that shrinks before the first look of the watcher is noticed too.
        self.look()
        try:
            yield
        finally:
            with self._changed:
                self._followers -= 1

    def close(self) -> None:
        """Wake all waiting threads and end the watcher thread."""
        self._stop.set()
        self.notify()
        if watcher := self._watcher:
            watcher.join()

    def _watch(self) -> None:
        connection: sqlite3.Connection | None = None
        seen: object = None
        try:
            while not self._stop.wait(WATCH_SECONDS):
                self.look()
                if self._renew.is_set():
                    self._renew.clear()
                    if connection:
                        connection.close()
                    # data_version values of two connections cannot be compared.
                    connection = seen = None
                # The store may be locked or missing for a while: then check again
                # later.
                with suppress(sqlite3.Error):
                    connection = connection or self._connect()
                    version = connection.execute("PRAGMA data_version").fetchone()
                    if version != seen:
                        seen = version
                        self.notify()
                with self._changed:
                    if not self._followers:
                        self._watcher = None
                        return
        finally:
            if connection:
                connection.close()
