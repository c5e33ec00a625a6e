"""Detects that the files of a store in use no longer hold the committed data.

SQLite trusts its shared index of the log (`-shm`) and does not check the log file
itself. If another program truncates the log, commits keep succeeding, and the next
start finds an empty log. So the sizes of the store and the log and the header of the
log are remembered after each commit, and checked before the next one and at each poll.
The content is read only if these look wrong. Some such changes are legitimate: SQLite
restarts the log, and a purge makes the files smaller.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from tui.eventlog.sqlite import error_codes
from tui.eventlog.sqlite.overlay import last_seq, uri
from tui.eventlog.sqlite.replaced import Files, Id

HEADER = 32
"""Bytes of a log's header (https://sqlite.org/fileformat.html, section 4.1)."""


class _State(msgspec.Struct, frozen=True):
    """The state of the files at one moment."""

    files: Files
    store: int = 0
    """Bytes of the store."""
    log: int = 0
    """Bytes of the log."""
    header: bytes = b""
    """The beginning of the log, with its salts."""


class WatchedFiles:
    """Compares the files of the store at `path` with their state after the last commit.

    `connect` opens a database by its URI with a lock timeout in seconds. Only one
    thread at a time may call the methods, except `looks_wrong`.
    """

    def __init__(
        self, path: Path, connect: Callable[[str, float], sqlite3.Connection]
    ) -> None:
        self._names = tuple(f"{path}{suffix}" for suffix in ("", "-wal", "-shm"))
        self._path = path
        self._connect = connect
        self._log: int = -1
        """A descriptor of the log. SQLite holds no lock on it, so closing is safe."""
        self._of: Id | None = None
        """The identity of the file behind that descriptor."""
        self._known = self._now()

    @property
    def files(self) -> Files:
        """The identities of the files."""
        return self._known.files

    @property
    def has_log(self) -> bool:
        """Whether commits go to a write-ahead log first."""
        return self._known.files.wal is not None

    @property
    def log_id(self) -> bytes:
        """The header of the log, which changes when SQLite restarts the log."""
        return self._known.header

    def looks_wrong(self) -> bool:
        """Return whether the files must be checked with `are_lost`; any thread."""
        known = self._known
        now = self._now(reopen=False)
        if (
            now.files != known.files
            or now.store < known.store
            or now.log < known.log
            or now.header != known.header
        ):
            return True
        # Another process may have written. If our writer notes a newer state meanwhile,
        # the next check looks wrong, and `are_lost` finds that nothing is missing.
        self._known = now
        return False

    def note(self) -> tuple[bool, bool]:
        """Remember the state of the files after a commit by this process.

        Returns two values: whether the commit restarted the log, in which case all
        earlier commits are in the store's own file; and whether the log is valid.
        """
        before, self._known = self._known, self._now()
        restarted = self._known.header != before.header
        return restarted, not self._known.log or _is_header(self._known.header)

    def are_lost(self, known: int, *, suspected: bool = False) -> bool:
        """Return whether committed data up to the `seq` `known` is missing.

        Remembers the new state if nothing is missing. Reads the whole store if a file
        has become smaller, or, with `suspected`, because a reader missed a page.
        """
        before, now = self._known, self._now()
        if now.files.store is None or now.files.store != before.files.store:
            return True
        replaced = zip(before.files[1:], now.files[1:], strict=True)
        if any(was is not None and was != is_now for was, is_now in replaced):
            return True
        shrunk = suspected or now.store < before.store or now.log < before.log
        if now.log < before.log and now.log and now.header == before.header:
            return True  # SQLite only truncates the log to nothing
        if now.log and not _is_header(now.header):
            return True
        whole = True
        if shrunk or now.header != before.header:
            whole = self._is_whole(known, now.store < before.store, shrunk)
        if whole:
            self._known = now
        return whole is False

    def close(self) -> None:
        """Close the descriptor of the log."""
        if self._log >= 0:
            os.close(self._log)
        self._log, self._of = -1, None

    def _is_whole(self, known: int, cut: bool, everything: bool) -> bool | None:
        """Return whether the store is complete, None when that is unknown now.

        Uses a new connection, because the open ones have pages in memory. Damage in a
        file that is not `cut` counts as complete here: see `recovery` for that.
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
            # A file that is not a database any more was overwritten, not truncated.
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
    """Return the first problem with the pages of a store, "" for none."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)


_SHORT = f"error code={sqlite3.SQLITE_IOERR_SHORT_READ}"
"""SQLite's report of a page that the log should have, but does not."""


def _is_header(header: bytes) -> bool:
    """Return whether `header` is a valid header of a write-ahead log.

    The last eight bytes are a checksum over the others, in the byte order that the
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
