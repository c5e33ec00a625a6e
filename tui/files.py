"""Creates private files, and reads the user's files safely.

Conversations, state and logs are private, but on a shared machine a umask of 022, or of
000, would expose them. And where a file of the user's is expected there may be a pipe,
a device or a disk image.
"""

import errno
import os
import select
import stat
from pathlib import Path

_FILE, _FOLDER = 0o600, 0o700
_LARGEST = 1_000_000
"""Bytes of a file that a person writes: configuration, theme."""
_PATIENCE = 2.0
"""Seconds for the next bytes of a pipe, as in `--config <(command)`."""


def read_text(path: Path) -> str:
    """Return the text of a file that a person has written, which is UTF-8.

    A byte order mark is no part of it. Never blocks for long: a pipe that nobody
    writes to is an error. Raises `OSError`, with `strerror`, and `UnicodeDecodeError`.
    """
    # O_NONBLOCK: else to open a pipe waits for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    data = bytearray()
    try:
        while True:
            if not select.select([descriptor], [], [], _PATIENCE)[0]:
                raise OSError(errno.EAGAIN, "it is a pipe, and nothing comes from it")
            piece = os.read(descriptor, 65536)
            if not piece:
                return data.decode("utf-8-sig")
            data += piece
            if len(data) > _LARGEST:
                raise OSError(errno.EFBIG, "it is larger than 1 MB")
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each 0700.

    One that is there stays as it is: it is the user's. Raises `OSError`.
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
            if not folder.is_dir():  # else another process was quicker
                raise
        else:
            folder.chmod(_FOLDER)  # a umask may take away even what is the user's


def open_private(path: Path, flags: int) -> int:
    """Open a file to be written, made if it is not there; return the descriptor.

    It is 0600 afterwards, also one of an earlier version that others could read.
    Raises `OSError`.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, _FILE)
    try:
        found = os.fstat(descriptor)
        regular = stat.S_ISREG(found.st_mode)
        if regular and stat.S_IMODE(found.st_mode) != _FILE:
            os.fchmod(descriptor, _FILE)
    except PermissionError:
        pass  # another user's, such as root's: it can be written, and stays so
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def replace_private(path: Path, data: bytes) -> None:
    """Write `data` to `path`, all or nothing; makes its folder. Raises `OSError`."""
    make_folder(path.parent)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(open_private(new, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(data)
    new.replace(path)
