"""`FileSystemQueue`: the tutorial's queue as a cursor over the log."""

import threading
from collections.abc import Iterable
from time import monotonic
from typing import Protocol

from tui import paths, session
from tui.conversation.spoken_text import SpokenText
from tui.eventlog.log import EventLog
from tui.eventlog.reader import Position
from tui.events import (
    MessageAdded,
    Queued,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
)
from tui.lazyllm.arguments import ArgumentError
from tui.lazyllm.trace import told
from tui.safe import harmless

AGENT = "lazychat"
"""The channel for the models' text to the user."""

_LAZYLLM_S_DEFAULT = "__default__"

TRACE = "lazy_trace"
"""The channel for what happens inside of turns with `return_trace`."""


class _View(Protocol):
    """What a channel gives of the log, besides what was put into it."""

    def take(self, record: Record) -> str: ...
    def copy(self) -> "_View": ...
    def begin(self) -> None:
        """Begin a list of pieces, which may be joined."""
        ...


class _Nothing:
    def take(self, record: Record) -> str:
        return ""

    def copy(self) -> _View:
        return self

    def begin(self) -> None:
        pass


class _Trace(_Nothing):
    """What the debug panel shows, of turns that were requested with `trace`."""

    def __init__(self) -> None:
        self._turns: set[str | None] = set()

    def take(self, record: Record) -> str:
        match record.event:
            case TurnRequested(options={"trace": True}):
                self._turns.add(record.turn)
                return ""
            case TurnFinished():
                self._turns.discard(record.turn)
                return ""
            case event:
                line = told(event) if record.turn in self._turns else ""
                return f"{line}\n" if line else ""

    def copy(self) -> _View:
        twin = _Trace()
        twin._turns = set(self._turns)
        return twin


class _Spoken(_Nothing):
    """The text for the user, with a line break where two messages would touch.

    Those of one turn never do; those of several turns, not in one list. White space
    that a model has written is enough. Records without a turn are taken as they are.
    """

    def __init__(self) -> None:
        self._text = SpokenText()
        self._ends: dict[str, tuple[str, bool]] = {}
        """Of each turn the last message, and whether it ends in white space."""
        self._before: tuple[str, bool] | None = None
        """The same of the piece before in the list."""

    def take(self, record: Record) -> str:
        text = self._text.take(record)
        turn, event = record.turn, record.event
        if turn is None:
            return text
        if isinstance(event, TurnFinished):
            self._ends.pop(turn, None)
        if not text or not isinstance(event, TextDelta | MessageAdded):
            return text
        before = self._before or self._ends.get(turn)
        self._before = event.message_id, text[-1].isspace()
        self._ends[turn] = self._before
        if not before or before[0] == event.message_id:
            return text
        return text if before[1] or text[0].isspace() else f"\n{text}"

    def copy(self) -> _View:
        twin = _Spoken()
        twin._text, twin._ends = self._text.copy(), dict(self._ends)
        twin._before = self._before
        return twin

    def begin(self) -> None:
        self._before = None


_VIEWS: dict[str, type[_Nothing]] = {AGENT: _Spoken, TRACE: _Trace}


class _Cursor:
    def __init__(self, position: Position, klass: str) -> None:
        self.lock = threading.Lock()
        self.position = position
        self.view: _View = _VIEWS.get(klass, _Nothing)()


_cursors: dict[tuple[str, str, str], _Cursor] = {}
_cursors_lock = threading.Lock()
_default_log: list[EventLog] = []
_thread = threading.local()


def default_log() -> EventLog:
    """Return this process's log at the standard place, opened at the first call."""
    with _cursors_lock:
        if not _default_log:
            _default_log.append(EventLog(paths.log_file()))
        return _default_log[0]


def last_read() -> float:
    """Return when this thread has last read a queue (`time.monotonic`), 0 if never."""
    return getattr(_thread, "read", 0.0)


class FileSystemQueue:
    """A queue of text between threads and processes, based on the log.

    The cursor belongs to the process, by session and channel, not to the object: a new
    object continues where the last one stopped. Without `klass` the queue gives the
    models' text to the user in the current session, with `lazy_trace` what happens
    inside of turns with `return_trace`, both without anything that drives a terminal;
    any other channel gives what `enqueue` has put there. All methods may be called in
    any thread and never block.
    """

    def __init__(self, klass: str = AGENT, log: EventLog | None = None) -> None:
        self._klass = AGENT if klass == _LAZYLLM_S_DEFAULT else klass
        self._log = log or default_log()
        self._path = str(self._log.path)

    @classmethod
    def get_instance(cls, klass: str) -> "FileSystemQueue":
        """Return the queue of the channel `klass`."""
        return cls(klass=klass)

    @classmethod
    def set_default(cls, queue: object) -> None:
        """Accept only this class: the log is the one store there is."""
        if queue is not FileSystemQueue:
            raise ArgumentError(
                "FileSystemQueue has one store, the log, and set_default cannot "
                "replace it; for a process elsewhere write your own consumer."
            )

    @property
    def sid(self) -> str:
        """The session and the channel that this queue reads now."""
        return f"{session.current()}-{self._klass}"

    def enqueue(self, message: str | float) -> None:
        """Append `message`; any later `dequeue` call sees it. A number becomes text.

        Raises `ArgumentError` for anything else.
        """
        if not isinstance(message, str):
            if not isinstance(message, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] # callers may not be type-checked
                raise ArgumentError(
                    f"A queue carries text, not {type(message).__name__}: pass "
                    f"str(...) or json.dumps(...) of it."
                )
            message = str(message)
        self._log.write(session.current(), Queued(self._klass, message))

    def dequeue(self, limit: int | None = None) -> list[str]:
        """Remove and return the available pieces, [] if there are none.

        `limit` is the largest number of pieces, None for all.
        """
        cursor = self._cursor()
        with cursor.lock:
            pieces: list[str] = []
            for record, piece in self._pieces(cursor.position, cursor.view, limit):
                cursor.position.after = record.seq
                if piece is not None:
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

    def init(self) -> None:
        """Skip all waiting pieces, as `clear` does."""
        self.clear()

    def _waiting(self, limit: int | None) -> list[str]:
        cursor = self._cursor()
        with cursor.lock:
            found = self._pieces(cursor.position, cursor.view.copy(), limit)
            return [piece for _, piece in found if piece is not None]

    def _pieces(
        self, after: Position, view: _View, limit: int | None
    ) -> Iterable[tuple[Record, str | None]]:
        view.begin()
        for record in self._log.read(session.current(), after):
            if limit is not None and limit <= 0:
                return
            match record.event:
                case Queued(channel, text):
                    piece = text if channel == self._klass else None
                case _:
                    piece = harmless(view.take(record)) or None
            yield record, piece
            if piece is not None and limit is not None:
                limit -= 1

    def _cursor(self) -> _Cursor:
        _thread.read = monotonic()
        key = (self._path, session.current(), self._klass)
        with _cursors_lock:
            cursor = _cursors.get(key)
            if cursor is None:
                cursor = _Cursor(self._log.position(), self._klass)
                _cursors[key] = cursor
            return cursor
