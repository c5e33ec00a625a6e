"""Keeps events that the store refuses in a file, the journal.

Data that the kernel has accepted in `write` survives a `kill -9` of the process. So
while the store cannot be written, each batch is in a journal before any reader sees it.
The journal is beside the store or, if that disk is in trouble, in the folder for
temporary files. Its owner holds a lock on it (flock(2)), which the kernel releases when
the process ends, however it ends. A process that gets the lock has found an abandoned
journal, and copies it into the store. The format is lines of JSON: a header, then
events and states.
"""

import fcntl
import os
import stat
import tempfile
import uuid
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import msgspec

from tui import bounds
from tui.eventlog.sqlite import event_rows
from tui.eventlog.states import AnyState
from tui.events import Record

AGAIN_SECONDS = 1.0
"""Seconds before the next try when the journal could not be written anywhere."""

Row = tuple[int, str, str | None, float, str, str]
"""An event as seq, conversation, turn, time, kind, data."""


class _Header(msgspec.Struct):
    id: str
    version: int = 1


class _Event(msgspec.Struct, array_like=True, tag="e"):
    seq: int
    conversation: str
    turn: str | None
    time: float
    kind: str
    data: str


class _State(msgspec.Struct, array_like=True, tag="s"):
    state: AnyState


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Event | _State).decode


class Left(msgspec.Struct, frozen=True):
    """The content of an abandoned journal."""

    id: str
    records: list[Record]
    """The records, with the `seq` numbers that they had in the fallback."""
    states: list[AnyState]


class Journal:
    """The journal of this process. Its file is created when there is something to keep.

    `rows` returns the events after a `seq`. With `elsewhere` the store's disk is in
    trouble, so the folder for temporary files is tried first. Use it in one thread.
    """

    def __init__(
        self, store: Path, rows: Callable[[int], list[Row]], elsewhere: bool
    ) -> None:
        self.id = uuid.uuid4().hex
        self.path: Path | None = None
        """The file, None while there is none."""
        self._store = store
        self._rows = rows
        folders = [store.parent, *_temporary(store)]
        self._folders = folders[::-1] if elsewhere else folders
        self._file: int = -1
        self._size: int = 0
        self._noted: int = 0
        """The `seq` of the last event in the file."""
        self._states: int = 0
        """How many states are in the file."""
        self._again = 0.0

    @property
    def noted(self) -> int:
        """The `seq` of the last event in the file, 0 when there is none."""
        return self._noted

    @property
    def is_beside(self) -> bool:
        """Whether the journal is in the folder of the store."""
        return self.path is not None and self.path.parent == self._store.parent

    def keep(self, states: Sequence[AnyState]) -> bool:
        """Write the events since the last call, and the new ones of all `states`.

        Returns whether the journal is complete.
        """
        if monotonic() < self._again:
            return False
        with suppress(OSError):
            if self._file >= 0:
                self._write(states)
                return True
        before = self.path, self._file, self._size, self._noted, self._states
        for folder in self._folders:
            try:
                self._begin(folder)
                self._write(states)
            except OSError:
                self._end()
                continue
            if before[0]:
                before[0].unlink(missing_ok=True)
                os.close(before[1])
            return True
        # No folder works: keep the old journal, which has the first part of the events.
        self.path, self._file, self._size, self._noted, self._states = before
        self._again = monotonic() + AGAIN_SECONDS
        return False

    def remove(self) -> None:
        """Delete the journal, because the store has all of it."""
        self._end()
        self._noted = self._states = 0

    def leave(self) -> None:
        """Release the journal, for the next process that opens the store."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self.path = -1, None

    def _begin(self, folder: Path) -> None:
        self.path, self._file, self._size, self._noted, self._states = None, -1, 0, 0, 0
        if folder != self._store.parent:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not _is_ours(folder):
                raise PermissionError
        path = folder / f"{self._store.name}.kept-{self.id}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o600)
        self.path = path
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._put(_encode(_Header(self.id)) + b"\n")

    def _write(self, states: Sequence[AnyState]) -> None:
        events = self._rows(self._noted)
        lines = [_encode(_Event(*row)) for row in events]
        lines += [_encode(_State(state)) for state in states[self._states :]]
        if lines:
            self._put(b"\n".join(lines) + b"\n")
        self._noted = events[-1][0] if events else self._noted
        self._states = len(states)

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += len(data)

    def _end(self) -> None:
        if self.path:
            self.path.unlink(missing_ok=True)
            if not self.is_beside:
                with suppress(OSError):
                    self.path.parent.rmdir()
        if self._file >= 0:
            os.close(self._file)
        self.path, self._file = None, -1


def left_behind(store: Path) -> list[Path]:
    """Return the journals of the store, including those that still have an owner."""
    found: list[Path] = []
    for folder in (store.parent, *filter(_is_ours, _temporary(store))):
        with suppress(OSError):
            names = [e.name for e in os.scandir(folder)]
            begin = f"{store.name}.kept-"
            found += [folder / name for name in names if name.startswith(begin)]
    return found


@contextmanager
def taken(path: Path) -> Generator[Left | None]:
    """Lock and read a journal whose owner has ended, so that no other process does.

    Yields None when the journal has an owner, or belongs to another user.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield _read(path, file)
    finally:
        os.close(file)


def _read(path: Path, file: int) -> Left | None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        here = os.fstat(file)
        # The previous holder of the lock may have deleted the journal.
        if not os.path.samestat(here, path.stat()):
            return None
        if here.st_uid != os.geteuid() or not stat.S_ISREG(here.st_mode):
            return None
        with open(os.dup(file), "rb") as reads:  # noqa: PTH123 # a descriptor
            # Drop the last line, which may be incomplete.
            lines = reads.read().split(b"\n")[:-1]
        id = bounds.decode_as(lines[0], _Header).id if lines else path.name
    except (OSError, ValueError):
        return None
    left = Left(id, [], [])
    for line in lines[1:]:
        with suppress(msgspec.MsgspecError, RecursionError, UnicodeError):
            match _decode(line):
                case _State(state):
                    left.states.append(state)
                case row:
                    left.records.append(
                        event_rows.record(
                            row.seq,
                            row.conversation,
                            row.turn,
                            row.time,
                            row.kind,
                            row.data,
                        )
                    )
    return left


def _temporary(store: Path) -> list[Path]:
    """Return the folder for the store's journals in the place for temporary files.

    Returns [] if no temporary file can be created, as on a full disk.
    """
    name = os.fsencode(store.absolute())
    # It tells the stores of one user apart. Each start computes it, and `hashlib`
    # would take 2 ms to load.
    digest = f"{zlib.crc32(name):08x}{zlib.adler32(name):08x}"
    try:
        return [Path(tempfile.gettempdir()) / f"lazychat-{os.geteuid()}-{digest}"]
    except OSError:
        return []


def _is_ours(folder: Path) -> bool:
    """Return whether a folder in a world-writable place belongs to this user alone."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    return private and found.st_uid == os.geteuid()
