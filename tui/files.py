"""Creates private files, and reads the user's files safely.

Conversations, state and logs are private, but on a shared machine a umask of 022 or 000
would expose them. And a path that should name a user's file may name a pipe, a device
or a disk image.
"""

import errno
import os
import stat
from pathlib import Path

from tui.i18n import _
from tui.readiness import readable

_FILE, _FOLDER = 0o600, 0o700
_LARGEST = 1_000_000
"""Most bytes of a file that a person writes: configuration, theme."""
_PATIENCE = 2.0
"""Seconds to wait for the next bytes of a pipe, as in `--config <(command)`."""


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file that a person has written.

    A byte order mark is removed. Never blocks for long: a pipe without data is an
    error. Raises `OSError`, with `strerror`, and `UnicodeDecodeError`.
    """
    # Without O_NONBLOCK, opening a pipe waits for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    data = bytearray()
    try:
        while True:
            if not readable(descriptor, seconds=_PATIENCE):
                raise OSError(errno.EAGAIN, _("it is a pipe that sends no data"))
            piece = os.read(descriptor, 65536)
            if not piece:
                return data.decode("utf-8-sig")
            data += piece
            if len(data) > _LARGEST:
                raise OSError(errno.EFBIG, _("it is larger than 1 MB"))
    finally:
        os.close(descriptor)


def expanded(path: str | Path) -> Path:
    """Return a path with `~` and `~user` replaced by the home.

    As in a shell, the `~` of a user whom this machine does not know stays;
    `Path.expanduser` raises an error there. Never raises.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, each with mode 0700.

    An existing folder keeps its mode: it is the user's. Raises `OSError`.
    """
    missing: list[Path] = []
    while not path.is_dir():
        missing.append(path)
        if path == path.parent:
            break
        path = path.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(_FOLDER)
        except FileExistsError:
            if not folder.is_dir():  # another process has just created it
                raise
        else:
            folder.chmod(_FOLDER)  # the umask may have removed the owner's bits


def open_private(path: Path, flags: int) -> int:
    """Open a file for writing, create it if needed; return the descriptor.

    Its mode is 0600 afterwards, even if an earlier version created it readable for
    others. Raises `OSError`.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, _FILE)
    try:
        found = os.fstat(descriptor)
        regular = stat.S_ISREG(found.st_mode)
        if regular and stat.S_IMODE(found.st_mode) != _FILE:
            os.fchmod(descriptor, _FILE)
    except PermissionError:
        pass  # owned by another user, such as root, but writable: keep its mode
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def replace_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; creates its folder. Raises `OSError`.

    A link stays: it may lead into a folder of dotfiles that is kept elsewhere.
    """
    path = Path(os.path.realpath(path))
    make_folder(path.parent)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(open_private(new, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(data)
    new.replace(path)
