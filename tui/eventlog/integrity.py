"""Looks at a store without changing it: is it whole, and what lies beside it?

For `lazychat doctor`. Repairing is the business of `open_log`.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tui.eventlog.fallback import journal, recovery
from tui.eventlog.sqlite import error_codes, network_mounts
from tui.eventlog.sqlite.overlay import uri
from tui.eventlog.sqlite.schema import VERSION

_STEPS = 1000
"""Instructions of SQLite's machine between two looks at the clock."""


class Integrity(NamedTuple):
    """What was found out about a store."""

    problem: str
    """SQLite's words for the damage, or why it could not be read; "" if whole."""
    damaged: bool
    """Whether `problem` is damage, and not only that it could not be read."""
    newer: bool
    """Whether a later version of lazychat wrote it."""
    complete: bool
    """Whether the check came to its end within its time."""
    conversations: int


def inspect(path: Path, seconds: float) -> Integrity:
    """Check the store at `path`, which exists, for at most `seconds`.

    Opens it for reading only. Blocks; never raises.
    """
    end = time.monotonic() + seconds
    late = False

    def stop() -> bool:
        nonlocal late
        late = time.monotonic() > end
        return late

    conversations, newer = 0, False
    problem, damaged = "", False
    for how in _ways(path):
        if how == "again" and not _log_of(path).exists():
            break
        problem, damaged = "", False
        try:
            with closing(_connect(path, how)) as db:
                db.set_progress_handler(stop, _STEPS)
                (version,) = db.execute("PRAGMA user_version").fetchone()
                newer = version > VERSION
                (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    problem, damaged = " ".join(found.replace("*", "").split()), True
                elif not newer:
                    sql = "SELECT count(*) FROM conversation"
                    (conversations,) = db.execute(sql).fetchone()
        except sqlite3.Error as error:
            if not late:
                problem = str(error)
                damaged = error_codes.code(error) in error_codes.DAMAGED
        if late or not problem:
            break
    return Integrity(problem, damaged, newer, not late, conversations)


def _ways(path: Path) -> tuple[str, ...]:
    """Return the modes of SQLite in which to try to read the store, one by one.

    Opening a store with a write-ahead log creates its files, even for reading. If they
    are not there, no process uses the store, and it is read as a file that nobody
    changes. Should one begin to use it meanwhile, that may look like damage: then it is
    read `again`.
    """
    if _log_of(path).exists():
        return ("ro",)
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        header = b""
    # Bytes 18 and 19 are 2 in WAL mode (https://sqlite.org/fileformat.html).
    return ("immutable", "again") if header[18:] == b"\2\2" else ("ro", "immutable")


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    how = "ro" if mode == "again" else mode
    return sqlite3.connect(uri(str(path), how), timeout=1.0, uri=True)


class Beside(NamedTuple):
    """The files that belong to a store."""

    kept: list[Path]
    """Journals: messages that are not in the store yet."""
    aside: list[Path]
    """Damaged or replaced stores that were set aside."""
    marked: bool
    """Whether a reader has found damage, which the next start repairs."""


def beside(path: Path) -> Beside:
    """Return the files that lie beside the store at `path`."""
    aside: list[Path] = []
    for kind in ("broken", "replaced"):
        aside += sorted(path.parent.glob(f"{path.name}.{kind}-*"))
    own = [file for file in aside if not file.name.endswith(("-wal", "-shm"))]
    return Beside(journal.left_behind(path), own, recovery.is_marked(path))


def disk_of(folder: Path) -> tuple[str, bool]:
    """Return the type of the folder's file system ("" if unknown); is it on a network?

    `folder` exists.
    """
    system = network_mounts.file_system(folder)
    return system, network_mounts.on_network(folder)
