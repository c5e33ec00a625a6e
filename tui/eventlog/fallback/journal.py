"""The journal: a file for events that the store refuses.

What a kernel has been handed by `write` survives a `kill -9` of whoever wrote it. So
while the store cannot be written, each batch is in such a file before anybody sees it:
beside the store, or where that disk is in trouble in the folder for temporary files.
Its owner holds a lock on it (flock(2)) that ends with the process, whatever ends that;
whoever gets the lock finds a journal that was left behind, and takes it into the
store. Lines of JSON: a header, then events and states.
"""

import fcntl
import hashlib
import os
import stat
import tempfile
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import msgspec

from tui import bounds
from tui.eventlog.sqlite import event_rows
from tui.eventlog.states import AnyState
from tui.events import Record

AGAIN_SECONDS = 1.0
"""How soon it is tried again when it could be written nowhere."""

Row = tuple[int, str, str | None, float, str, str]
"""Of an event: seq, conversation, turn, time, kind, data."""


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


class Left(NamedTuple):
    """What a journal holds."""

    id: str
    records: list[Record]
    """With the numbers that they had where they stood in."""
    states: list[AnyState]


class Journal:
    """The journal of a process; its file is made when there is something to keep.

    `rows` returns the events after a `seq`. With `elsewhere` the disk of the store is
    in trouble, and so is the second choice. One thread.
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
        """Whether it is in the folder of the store."""
        return self.path is not None and self.path.parent == self._store.parent

    def keep(self, states: Sequence[AnyState]) -> bool:
        """Write what has come since; `states` are all. Return whether it has all."""
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
        # The beginning of it all is better than nothing.
        self.path, self._file, self._size, self._noted, self._states = before
        self._again = monotonic() + AGAIN_SECONDS
        return False

    def remove(self) -> None:
        """Forget it: all of it is kept elsewhere."""
        self._end()
        self._noted = self._states = 0

    def leave(self) -> None:
        """Let go of it, for whoever opens the store next."""
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
    """Return the journals of the store, also those that have an owner."""
    found: list[Path] = []
    for folder in (store.parent, *filter(_is_ours, _temporary(store))):
        with suppress(OSError):
            names = [e.name for e in os.scandir(folder)]
            begin = f"{store.name}.kept-"
            found += [folder / name for name in names if name.startswith(begin)]
    return found


@contextmanager
def taken(path: Path) -> Generator[Left | None]:
    """Read a journal whose owner is gone, and keep others from doing it.

    None when it has an owner, or is none of ours.
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
        # Whoever had the lock may have been done with it.
        if not os.path.samestat(here, path.stat()):
            return None
        if here.st_uid != os.geteuid() or not stat.S_ISREG(here.st_mode):
            return None
        with open(os.dup(file), "rb") as reads:  # noqa: PTH123 # a descriptor
            # The last line may be half of one.
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
    """Return the folder for journals of the store that is not on its disk.

    None where no temporary file can be made, as on a full disk.
    """
    digest = hashlib.sha256(os.fsencode(store.absolute())).hexdigest()[:12]
    try:
        return [Path(tempfile.gettempdir()) / f"lazychat-{os.geteuid()}-{digest}"]
    except OSError:
        return []


def _is_ours(folder: Path) -> bool:
    """Return whether a folder in a place that all may write to is the user's own."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    return private and found.st_uid == os.geteuid()
