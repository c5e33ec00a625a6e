"""Wakes followers when the log changes, in this process or another.

Writers of this process call `notify`. Other processes' writes are seen by one
thread, which looks at `PRAGMA data_version` while anybody waits: no lock file, no
busy loop.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

WATCH_SECONDS = 0.1
"""How often a process with followers looks for other processes' writes. Costs
0.15 % of a core."""


class Changes:
    """A counter of changes that threads can wait on.

    `connect` opens a connection for the watching thread; it must not be the one
    that writes, since `data_version` does not count a connection's own commits.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        # For those who do not care for pieces of text: not woken by them.
        self._whole = threading.Condition(lock)
        self._stop = threading.Event()
        self._renew = threading.Event()
        self._followers = 0
        self._watcher: threading.Thread | None = None
        self.look: Callable[[], None] = lambda: None
        """Called each time the watching thread looks: whether the file is the same."""
        self.count = 0
        """Rises with each change; read it before looking, then `wait` on it."""
        self.whole_count = 0
        """The same without changes of which all records are provisional."""

    @property
    def closed(self) -> bool:
        """Whether `close` has been called: no change will come any more."""
        return self._stop.is_set()

    def notify(self, *, provisional: bool = False) -> None:
        """Wake everybody who waits; for `provisional` records those who want them."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            if not provisional:
                self.whole_count += 1
                self._whole.notify_all()

    def renew(self) -> None:
        """Watch the file that has the store's name now."""
        self._renew.set()

    def wait(self, count: int, seconds: float | None) -> None:
        """Wait until `self.count` is no longer `count`, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != count or self.closed, seconds)

    def wait_whole(self, count: int, seconds: float | None) -> None:
        """Wait as `wait` does, on `self.whole_count`."""
        with self._whole:
            self._whole.wait_for(
                lambda: self.whole_count != count or self.closed, seconds
            )

    @contextmanager
    def watched(self) -> Generator[None]:
        """Have other processes' writes noticed while the block is open."""
        with self._changed:
            self._followers += 1
            if self._watcher is None and not self.closed:
                self._watcher = threading.Thread(
                    target=self._watch, name="lazychat-log-watch", daemon=True
                )
                self._watcher.start()
        try:
            yield
        finally:
            with self._changed:
                self._followers -= 1

    def close(self) -> None:
        """Wake everybody for good and end the watching thread."""
        self._stop.set()
        self.notify()
        if watcher := self._watcher:
            watcher.join()

    def _watch(self) -> None:
        connection: sqlite3.Connection | None = None
        seen: object = None
        try:
            while not self._stop.wait(WATCH_SECONDS):
                # Locked, or gone for a while: then nothing of it is news.
                self.look()
                if self._renew.is_set():
                    self._renew.clear()
                    if connection:
                        connection.close()
                    # Versions of two connections cannot be compared.
                    connection = seen = None
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
