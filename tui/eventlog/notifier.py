"""Wakes followers when the log changes, in this process or another.

Writers in this process call `notify`. One thread detects other processes' writes: it
polls `PRAGMA data_version` while the log has followers. There is no lock file and no
busy loop.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

WATCH_SECONDS = 0.1
"""Seconds between two checks for other processes' writes, while there are followers."""


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
