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
from tui.eventlog.sqlite.overlay import has_wal, uri
from tui.eventlog.sqlite.schema import VERSION

_STEPS = 100_000
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
    mode: str
    """The journal mode: `wal`, or `delete` on a network disk."""


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

    conversations, mode, newer = 0, "", False
    # Without a write-ahead log, a folder that cannot be written can still be read.
    modes = ("ro",) if has_wal(path) else ("ro", "immutable")
    problem, damaged = "", False
    for how in modes:
        problem, damaged = "", False
        try:
            with closing(_connect(path, how)) as db:
                db.set_progress_handler(stop, _STEPS)
                (version,) = db.execute("PRAGMA user_version").fetchone()
                newer = version > VERSION
                (mode,) = db.execute("PRAGMA journal_mode").fetchone()
                (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    problem, damaged = " ".join(found.replace("*", "").split()), True
                elif not newer:
                    sql = "SELECT count(*) FROM conversation"
                    (conversations,) = db.execute(sql).fetchone()
            break
        except sqlite3.Error as error:
            if late:
                break
            problem = str(error)
            damaged = error_codes.code(error) in error_codes.DAMAGED
            if damaged:
                break
    return Integrity(problem, damaged, newer, not late, conversations, mode)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(uri(str(path), mode), timeout=1.0, uri=True)


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
