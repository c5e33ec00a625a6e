"""Opens the log, falling back to read-only or in-memory.

A damaged file is set aside and its readable records are recovered. A file that cannot
be written is read, and new events stay in memory. If the file cannot be opened at all,
the log is only in memory. In each case the user gets a message, and the chat works.
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
from tui.i18n import _

FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
"""Error codes of a full disk; I/O errors include a full disk for the `-shm` file."""


def open_log(path: Path, tell: Callable[[str], None]) -> EventLog:
    """Open the log at `path`, falling back to read-only or in-memory.

    `tell` gets lines for the user, now and later, in any thread.
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
        # A full disk may have room again soon.
        keeps = error_codes.code(problem.__cause__) in FULL
        log, reads = _over_what_is_there(path, tell, keeps)
        if keeps:
            return log
    if reads:
        tell(
            _(
                "{problem} Until then you can read old conversations, but nothing "
                "new is saved."
            ).format(problem=problem)
        )
    else:
        tell(_("{problem} Until then nothing is saved.").format(problem=problem))
    return log


def open_to_read(path: Path, tell: Callable[[str], None]) -> EventLog:
    """Open the log at `path` for reading, even if it cannot be written.

    `tell` gets a line if it cannot. Raises `LogError` when it cannot be read either.
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
    tell(
        _(
            "Cannot write the conversation store {path}; it is opened as read-only."
        ).format(path=path)
    )
    return log


def _mend(path: Path, tell: Callable[[str], None]) -> None:
    if message := EventLog.repair(path):
        tell(message)


def _over_what_is_there(
    path: Path, tell: Callable[[str], None], keeps: bool
) -> tuple[EventLog, bool]:
    """Return a log in memory, and whether it shows the stored events."""
    name = str(path)
    if path.is_file():
        for mode in ("ro", *([] if has_wal(path) else ["immutable"])):
            with suppress(LogError):
                log = EventLog(path, tell, source=uri(name, mode), keeps=keeps)
                return log, True
    if path.is_file() and has_wal(path):
        # The folder is read-only and part of the data is still in the write-ahead log.
        # SQLite cannot read that without writing, so checkpoint a copy.
        with suppress(LogError, OSError), tempfile.TemporaryDirectory() as folder:
            copy = f"{folder}/{path.name}"
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as db:
                db.execute("PRAGMA journal_mode = DELETE")
            log = EventLog(path, tell, source=uri(copy, "immutable"), keeps=keeps)
            # The deleted copy stays readable until its last connection closes.
            return log, True
    return EventLog(path, tell, source="", keeps=keeps), False
