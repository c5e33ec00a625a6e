"""`FileSystemQueue`: the tutorial's queue as a cursor over the log."""

import threading
from collections.abc import Iterable

from tui import paths, session
from tui.conversation.spoken_text import SpokenText
from tui.eventlog.log import EventLog
from tui.eventlog.reader import Position
from tui.events import Queued, Record

AGENT = "lazychat"
"""The channel for the models' text to the user."""


class _Cursor:
    def __init__(self, position: Position) -> None:
        self.lock = threading.Lock()
        self.position = position
        self.spoken = SpokenText()


_cursors: dict[tuple[str, str, str], _Cursor] = {}
_cursors_lock = threading.Lock()
_default_log: list[EventLog] = []


def default_log() -> EventLog:
    """Return this process's log at the standard place, opened at the first call."""
    with _cursors_lock:
        if not _default_log:
            _default_log.append(EventLog(paths.log_file()))
        return _default_log[0]


class FileSystemQueue:
    """A queue of text between threads and processes, based on the log.

    The cursor belongs to the process, by session and channel, not to the object: a new
    object continues where the last one stopped. Without `klass` the queue gives the
    models' text to the user in the current session; any other channel gives what
    `enqueue` has put there. All methods may be called in any thread and never block.
    """

    def __init__(self, klass: str = AGENT, log: EventLog | None = None) -> None:
        self._klass = klass
        self._log = log or default_log()
        self._path = str(self._log.path)

    def enqueue(self, text: str) -> None:
        """Append `text`; any later `dequeue` call sees it."""
        self._log.write(session.current(), Queued(self._klass, text))

    def dequeue(self, limit: int | None = None) -> list[str]:
        """Remove and return the available pieces, [] if there are none.

        `limit` is the largest number of pieces, None for all.
        """
        cursor = self._cursor()
        with cursor.lock:
            pieces: list[str] = []
            for record, piece in self._pieces(cursor.position, cursor.spoken, limit):
                cursor.position.after = record.seq
                if piece:
                    pieces.append(piece)
            return pieces

    def peek(self) -> str | None:
        """Return the next piece without removing it; None if there is none."""
        pieces = self._waiting(1)
        return pieces[0] if pieces else None

    def size(self) -> int:
        """Return the number of waiting pieces."""
        return len(self._waiting(None))

    def clear(self) -> None:
        """Skip all waiting pieces."""
        self.dequeue()

    def _waiting(self, limit: int | None) -> list[str]:
        cursor = self._cursor()
        with cursor.lock:
            found = self._pieces(cursor.position, cursor.spoken.copy(), limit)
            return [piece for _, piece in found if piece]

    def _pieces(
        self, after: Position, spoken: SpokenText, limit: int | None
    ) -> Iterable[tuple[Record, str]]:
        for record in self._log.read(session.current(), after):
            if limit is not None and limit <= 0:
                return
            match record.event:
                case Queued(channel, text):
                    piece = text if channel == self._klass else ""
                case _:
                    piece = spoken.take(record) if self._klass == AGENT else ""
            yield record, piece
            if piece and limit is not None:
                limit -= 1

    def _cursor(self) -> _Cursor:
        key = (self._path, session.current(), self._klass)
        with _cursors_lock:
            cursor = _cursors.get(key)
            if cursor is None:
                cursor = _cursors[key] = _Cursor(self._log.position())
            return cursor
