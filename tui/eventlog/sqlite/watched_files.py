"""Watches the files of a store in use: whether they still hold what was committed.

SQLite trusts its shared index of the log (`-shm`) and does not look at the file behind
it: when another program cuts the log short, commits go on without an error, and the
next start finds an empty log. So the size of both files and the header of the log are
remembered after each commit, and looked at before the next one and at each poll. Only
what looks wrong is read: legitimate changes are a log that was begun anew, and files
that a purge has made smaller.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tui.eventlog.sqlite import error_codes
from tui.eventlog.sqlite.overlay import last_seq, uri
from tui.eventlog.sqlite.replaced import Files, Id

HEADER = 32
"""Bytes of a log's header (https://sqlite.org/fileformat.html, section 4.1)."""


class _State(NamedTuple):
    """What the files are like."""

    files: Files
    store: int = 0
    """Bytes of the store."""
    log: int = 0
    """Bytes of the log."""
    header: bytes = b""
    """The beginning of the log, with its salts."""


class WatchedFiles:
    """The files of the store at `path`, as this process has left them.

    `connect` opens a database by its URI, to wait so many seconds for a lock. One
    thread at a time calls the methods, but for `looks_wrong`.
    """

    def __init__(
        self, path: Path, connect: Callable[[str, float], sqlite3.Connection]
    ) -> None:
        self._names = tuple(f"{path}{suffix}" for suffix in ("", "-wal", "-shm"))
        self._path = path
        self._connect = connect
        self._log: int = -1
        """A descriptor of the log. Closing it costs no lock: SQLite has none on it."""
        self._of: Id | None = None
        """Which file that is."""
        self._known = self._now()

    @property
    def files(self) -> Files:
        """Which files they are."""
        return self._known.files

    @property
    def has_log(self) -> bool:
        """Whether what is committed goes to a write-ahead log first."""
        return self._known.files.wal is not None

    @property
    def log_id(self) -> bytes:
        """What tells a log from the one that is begun when all of it was copied."""
        return self._known.header

    def looks_wrong(self) -> bool:
        """Return whether the files have to be looked at with `are_lost`; any thread."""
        known = self._known
        now = self._now(reopen=False)
        if (
            now.files != known.files
            or now.store < known.store
            or now.log < known.log
            or now.header != known.header
        ):
            return True
        # Others have written. If the writer has noted more meanwhile, that looks wrong
        # the next time, and is found to be right.
        self._known = now
        return False

    def note(self) -> tuple[bool, bool]:
        """Remember what a commit of this process has left.

        Returns whether the log was begun anew by it: then all that was committed before
        is in the store's own file. And whether the log is one that can be read again.
        """
        before, self._known = self._known, self._now()
        anew = self._known.header != before.header
        return anew, not self._known.log or _is_header(self._known.header)

    def are_lost(self, known: int, *, suspected: bool = False) -> bool:
        """Return whether something is gone of what was committed up to the `seq` known.

        What is not wrong is remembered. Reads all of the store when it has become
        smaller, or somebody could not read it.
        """
        before, now = self._known, self._now()
        if now.files.store is None or now.files.store != before.files.store:
            return True
        replaced = zip(before.files[1:], now.files[1:], strict=True)
        if any(was is not None and was != is_now for was, is_now in replaced):
            return True
        shrunk = suspected or now.store < before.store or now.log < before.log
        if now.log < before.log and now.log and now.header == before.header:
            return True  # SQLite itself cuts it to nothing, or not at all
        if now.log and not _is_header(now.header):
            return True
        whole = True
        if shrunk or now.header != before.header:
            whole = self._is_whole(known, now.store < before.store, shrunk)
        if whole:
            self._known = now
        return whole is False

    def close(self) -> None:
        """Let go of the files."""
        if self._log >= 0:
            os.close(self._log)
        self._log, self._of = -1, None

    def _is_whole(self, known: int, cut: bool, everything: bool) -> bool | None:
        """Return whether the store can be read, None when that cannot be told now.

        By a connection of its own: those in use have pages in memory. What is damaged
        in a file that is not `cut` is another matter: see `recovery`.
        """
        try:
            with closing(self._connect(uri(str(self._path), "rw"), 0.2)) as db:
                if last_seq(db) < known:
                    return False
                found = problem(db) if everything else ""
                return not found or not (cut or _SHORT in found)
        except sqlite3.Error as error:
            code = error_codes.code(error)
            if code in error_codes.BUSY or code == sqlite3.SQLITE_CANTOPEN:
                return None
            # What is no database any more was overwritten.
            damaged = code in error_codes.DAMAGED
            return damaged and (not cut or code == sqlite3.SQLITE_NOTADB)

    def _now(self, *, reopen: bool = True) -> _State:
        sizes = [0, 0, 0]
        ids: list[Id | None] = [None, None, None]
        for number, name in enumerate(self._names):
            try:
                found = os.stat(name)  # noqa: PTH116 # a third of the time of Path's
            except OSError:
                continue
            ids[number] = found.st_dev, found.st_ino
            sizes[number] = found.st_size
        if reopen and ids[1] != self._of:
            self._open(ids[1])
        header = b""
        if self._log >= 0 and sizes[1]:
            try:
                header = os.pread(self._log, HEADER, 0)
            except OSError:
                header = b"?"
        return _State(Files(*ids), sizes[0], sizes[1], header)

    def _open(self, id: Id | None) -> None:
        self.close()
        if id is None:
            return
        try:
            self._log = os.open(self._names[1], os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        self._of = id


def problem(db: sqlite3.Connection) -> str:
    """Return what is wrong with the pages of a store, "" for nothing."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)


_SHORT = f"error code={sqlite3.SQLITE_IOERR_SHORT_READ}"
"""What SQLite says of a page that the log ought to have."""


def _is_header(header: bytes) -> bool:
    """Return whether a write-ahead log begins so.

    The last eight bytes are a checksum over the others, in the order of bytes that the
    magic number names (https://sqlite.org/fileformat.html, 4.2).
    """
    magic = int.from_bytes(header[:4], "big")
    if len(header) < HEADER or magic not in (0x377F0682, 0x377F0683):
        return False
    one = two = 0
    order = "big" if magic & 1 else "little"
    for at in range(0, 24, 8):
        one += int.from_bytes(header[at : at + 4], order) + two
        one &= 0xFFFFFFFF
        two += int.from_bytes(header[at + 4 : at + 8], order) + one
        two &= 0xFFFFFFFF
    return header[24:] == one.to_bytes(4, "big") + two.to_bytes(4, "big")
