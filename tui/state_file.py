"""Reads and changes state.toml, in which the program remembers the user's choices.

Several parts keep something there, in several processes: each changes its own keys and
leaves all others as they are.
"""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tui import bounds, files

PATIENCE = 0.5
"""Seconds to wait for a process that was stopped while it changed the file."""


def read(path: Path) -> dict[str, Any]:
    """Return the table in `path`; empty if the file is missing or invalid."""
    with suppress(OSError, ValueError):
        return bounds.decode_toml(files.read_text(path))
    return {}


def change(path: Path, update: Callable[[dict[str, Any]], object]) -> None:
    """Let `update` change the table in `path`, which is replaced atomically.

    Waits for other processes that change it, `PATIENCE` seconds at most. Raises
    `OSError` if it cannot be written.
    """
    import tomli_w  # needed only here, after the first frame

    with _locked(path):
        table = read(path)
        update(table)
        files.replace_private(path, tomli_w.dumps(table).encode())


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Exclude other processes and threads, where the file system can."""
    files.make_folder(path.parent)
    lock = files.open_private(path.with_name(f".{path.name}.lock"), os.O_RDWR)
    try:
        end = time.monotonic() + PATIENCE
        while not _lock(lock) and time.monotonic() < end:
            time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def _lock(descriptor: int) -> bool:
    """Lock a file; return False if another process has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return True
    return True
