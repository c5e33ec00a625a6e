"""Writes a file of the user's own, and overwrites only what they have agreed to.

A link is never followed unseen: the question names what it leads to. Modes are those of
the umask, or of the file that is replaced.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from tui.i18n import _


class Saved(msgspec.Struct, frozen=True):
    """The file is written."""

    path: Path
    """The whole path."""
    size: int
    """In bytes."""


class Exists(msgspec.Struct, frozen=True):
    """There is something of that name, and nothing is written yet."""

    path: Path
    target: Path
    """What would be overwritten: elsewhere if `path` is a link."""
    why: str


def save(
    name: str, data: bytes, over: Exists | None, usual: str
) -> Exists | Saved | str:
    """Write `data` to the file `name`, or return why not.

    `~` is the home folder. In a folder the file is called `usual`. A file that exists
    is overwritten only if `over` is the earlier answer about it. Blocks.
    """
    try:
        path = Path(os.path.abspath(Path(name).expanduser()))  # noqa: PTH100 - keeps links
        if name.endswith("/") or path.is_dir():
            path /= usual
        return _save(path, data, over)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _("Cannot write {name}: {why}").format(name=name[:80], why=why)


def _save(path: Path, data: bytes, over: Exists | None) -> Exists | Saved | str:
    try:
        _create(path, data)
    except FileExistsError:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            return _("Cannot write {name}: not a regular file").format(
                name=path.name[:80]
            )
        why = (
            _("is a link to {target}").format(target=target)
            if path.is_symlink()
            else _("exists")
        )
        found = Exists(path, target, why)
        if over != found:
            return found
        if target.exists():
            _replace(target, data)
        else:
            _create(target, data)  # of a link that leads nowhere
    return Saved(path, len(data))


def _create(path: Path, data: bytes, mode: int = 0o666) -> None:
    # O_EXCL does not follow a link at the end of the path.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _replace(path: Path, data: bytes) -> None:
    """Overwrite a file at once or not at all; its mode stays."""
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    mode = stat.S_IMODE(path.stat().st_mode)
    new = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    _create(new, data, 0o600)
    try:
        new.chmod(mode)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise
