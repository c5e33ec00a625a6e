"""`lazychat backup`: copies the store to one file while it is in use."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from tui.cli import streams
from tui.cli.codes import DONE
from tui.errors import LazychatError
from tui.eventlog import EventLog, open_to_read
from tui.i18n import _
from tui.safe import safe


def backup(store: Path, file: str, force: bool) -> int:
    """Copy `store` to `file` with SQLite's backup; other programs keep writing.

    The copy is verified before it gets its name, so `file` is never incomplete. An
    existing file is overwritten only with `force`.
    """
    target = Path(file)
    if not store.exists():
        raise LazychatError(
            _("There is no conversation store yet ({store}).").format(store=store)
        )
    if target.exists():
        if target.samefile(store):
            raise LazychatError(
                _("{file} is the conversation store itself.").format(file=file)
            )
        if not target.is_file():
            raise LazychatError(
                _("{file} is not a regular file: choose another name.").format(
                    file=file
                )
            )
        if not force:
            raise LazychatError(
                _("{file} exists already: --force overwrites it.").format(file=file)
            )
    new = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with open_to_read(store, streams.talk) as log:
            _copy(log, new)
        if force:
            new.replace(target)
        else:
            os.link(new, target)
            new.unlink()
    except FileExistsError as error:
        raise LazychatError(
            _("{file} exists already: --force overwrites it.").format(file=file)
        ) from error
    except OSError as error:
        raise LazychatError(
            _("{file} cannot be written: {strerror}.").format(
                file=file, strerror=error.strerror
            )
        ) from error
    except sqlite3.Error as error:
        raise LazychatError(
            _("{file} cannot be written: {error}.").format(file=file, error=error)
        ) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    print(safe(f"{target.absolute()}", newlines=False))
    return DONE


def _copy(log: EventLog, new: Path) -> None:
    if damage := log.backup(new):
        raise LazychatError(
            _("The conversation store is damaged ({damage}).").format(damage=damage)
        )
    file = os.open(new, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
