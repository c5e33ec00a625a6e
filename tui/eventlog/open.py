"""Opens the log, falling back to read-only or in-memory.

A damaged file is set aside and what can be read of it saved; one that cannot be
written is read, and what is new is kept in memory; one that cannot be had at all
leaves a log in memory. In each case the user is told, and the chat works.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tui.errors import DamagedError, LogError, NewerError
from tui.eventlog.log import EventLog
from tui.eventlog.sqlite import error_codes
from tui.eventlog.sqlite.overlay import has_wal, uri

FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
"""What a disk says that has no room, if need be for the log's shared memory."""


def open_log(path: Path, tell: Callable[[str], None]) -> EventLog:
    """Return the log in the file `path`, or the best that can be had of it.

    `tell` is given lines for the user, now and later, from any thread.
    """
    try:
        if EventLog.is_marked(path):
            _mend(path, tell)
        try:
            return EventLog(path, tell)
        except DamagedError:
            _mend(path, tell)
            return EventLog(path, tell)
    except LogError as error:
        problem = error
    if isinstance(problem, NewerError):
        log, reads = EventLog(path, tell, source=""), False
    else:
        # A disk that is full may have room soon.
        keeps = error_codes.code(problem.__cause__) in FULL
        log, reads = _over_what_is_there(path, tell, keeps)
        if keeps:
            return log
    if reads:
        tell(
            f"{problem} Until then old conversations can be read, "
            "and nothing new is kept."
        )
    else:
        tell(f"{problem} Until then nothing is kept.")
    return log


def open_to_read(path: Path, tell: Callable[[str], None]) -> EventLog:
    """Return the log in the file `path`, also where nothing may be written.

    `tell` is given a line then. Raises `LogError` when it cannot be read either.
    """
    try:
        return EventLog(path, tell)
    except (DamagedError, NewerError):
        raise
    except LogError:
        log, reads = _over_what_is_there(path, tell, keeps=False)
        if not reads:
            log.close()
            raise
    tell(f"The conversation store {path} cannot be written; it is only read.")
    return log


def _mend(path: Path, tell: Callable[[str], None]) -> None:
    if told := EventLog.mend(path):
        tell(told)


def _over_what_is_there(
    path: Path, tell: Callable[[str], None], keeps: bool
) -> tuple[EventLog, bool]:
    """Return a log in memory, and whether what is stored can be read through it."""
    name = str(path)
    if path.is_file():
        for mode in ("ro", *([] if has_wal(path) else ["immutable"])):
            with suppress(LogError):
                log = EventLog(path, tell, source=uri(name, mode), keeps=keeps)
                return log, True
    if path.is_file() and has_wal(path):
        # Nobody may write beside it, and not all of it has been put in its place:
        # that can be done to a copy.
        with suppress(LogError, OSError), tempfile.TemporaryDirectory() as folder:
            copy = f"{folder}/{path.name}"
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as db:
                db.execute("PRAGMA journal_mode = DELETE")
            log = EventLog(path, tell, source=uri(copy, "immutable"), keeps=keeps)
            # It stays open, and goes with the last who has it open.
            return log, True
    return EventLog(path, tell, source="", keeps=keeps), False
