"""Opens and reads regular files of the folders, and nothing that only looks like one.

Opening a pipe can block, and opening a device can have effects.
"""

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress

from tui.errors import ToolError
from tui.tools.bundled.confined import Place, failed

_VIRTUAL = ("/proc", "/sys", "/dev")
"""File systems whose files are not data."""


def open_file(place: Place) -> tuple[int, os.stat_result]:
    """Open the regular file at `place` for reading; raises `ToolError` for others."""
    found = place.stat()
    if found is None:
        raise ToolError(f"{place.shown}: no such file")
    # Looked at before, as opening a device may do something, and after, as what was
    # there may have been replaced. Without O_NONBLOCK a pipe waits for its other end.
    check_regular(place, found)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(place.name, flags, dir_fd=place.folder)
    except OSError as error:
        raise failed(place.shown, error) from error
    try:
        found = os.fstat(descriptor)
        check_regular(place, found)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found


def check_regular(place: Place, found: os.stat_result) -> None:
    """Raise `ToolError` unless `found` is a file with data."""
    if stat.S_ISDIR(found.st_mode):
        raise ToolError(f"{place.shown} is a folder; list_folder shows what is in it")
    if not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{place.shown} is {_kind(found.st_mode)}, not a regular file")
    for folder in _VIRTUAL:
        with suppress(OSError):
            if found.st_dev == os.stat(folder).st_dev != os.stat("/").st_dev:  # noqa: PTH116 # no Path: called for each file
                raise ToolError(f"{place.shown} is in {folder}, which holds no files")


def read(place: Place, limit: int) -> tuple[bytes, os.stat_result]:
    """Return the whole file at `place`, of at most `limit` bytes; `ToolError`."""
    descriptor, found = open_file(place)
    with os.fdopen(descriptor, "rb") as file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise failed(place.shown, error) from error
    if len(data) > limit:
        raise ToolError(
            f"{place.shown} is larger than {limit // 1_000_000} MB; search_text finds "
            f"lines in it"
        )
    return data, found


def text_of(data: bytes, shown: str) -> str:
    """Return UTF-8 without its byte order mark; raises `ToolError` for other data."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ToolError(f"{shown} is not UTF-8 text") from None
    if "\0" in text:
        raise ToolError(f"{shown} is a binary file")
    return text


_KINDS: Sequence[tuple[Callable[[int], bool], str]] = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _kind(mode: int) -> str:
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
