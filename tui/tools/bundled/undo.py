"""Keeps what was in files before tools wrote them, and puts it back.

Each write has a folder of its own in the state folder: a note (`note.json`) and, if
there was a file, what was in it (`before`). The oldest are removed beyond a number and
a size. The notes are read with care: they outlive versions of this program.
"""

import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from tui import bounds, files, paths
from tui.errors import ToolError
from tui.i18n import _

_MOST, _MOST_BYTES = 200, 100_000_000
"""Writes, and bytes of old files, that are kept."""


class Written(NamedTuple):
    """A write that can be undone."""

    number: str
    """Its name in the state folder; later ones sort after it."""
    path: Path
    existed: bool
    """Whether there was a file before."""
    after: str
    """The SHA-256 of what was written, in hexadecimal."""
    at: float
    """Seconds since the epoch."""


def keep(path: Path, before: bytes | None, after: bytes) -> str:
    """Keep what is in `path` before it is written; return the number of the write.

    Raises `ToolError` if that is impossible: then nothing should be written.
    """
    from urllib.parse import quote_from_bytes  # names need not be UTF-8

    number = f"{time.time_ns():020d}-{os.getpid()}"
    folder = paths.written_folder() / number
    note = {
        "path": quote_from_bytes(os.fsencode(path)),
        "existed": before is not None,
        "after": sha256(after).hexdigest(),
        "at": time.time(),
    }
    try:
        if before is not None:
            files.replace_private(folder / "before", before)
        files.replace_private(folder / "note.json", msgspec.json.encode(note))
        _prune()
    except OSError as error:
        raise ToolError(
            f"nothing was written, as the old text cannot be kept in {folder.parent} "
            f"({(error.strerror or str(error)).lower()})"
        ) from error
    return number


def forget(number: str) -> None:
    """Remove what was kept for a write that did not happen or was undone."""
    folder = paths.written_folder() / number
    with suppress(OSError):
        for name in ("note.json", "before"):  # the note first: half a record is none
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def writes() -> list[Written]:
    """Return the writes that can be undone, the newest first."""
    found: list[Written] = []
    for number in reversed(_numbers()):
        try:
            data = (paths.written_folder() / number / "note.json").read_bytes()
            found.append(_written(number, bounds.decode(data)))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # damaged, or from a later version
    return found


def undo(written: Written) -> str:
    """Put back what was in the file; return a line that says what was done.

    Raises `ToolError` if the file is no longer what the tool wrote, or cannot be
    written.
    """
    folder = paths.written_folder() / written.number
    path = written.path
    try:
        now = _regular(path)
        if sha256(now).hexdigest() != written.after:
            raise ToolError(
                f"{path} was changed after the tool wrote it; left as it is."
            )
        if written.existed:
            _put_back(path, (folder / "before").read_bytes())
            said = _("{path} restored.").format(path=path)
        else:
            path.unlink()
            said = _("{path} deleted (it was new).").format(path=path)
    except FileNotFoundError as error:
        raise ToolError(f"{path} no longer exists; nothing to undo.") from error
    except OSError as error:
        raise ToolError(
            f"{path} cannot be written: {(error.strerror or str(error)).lower()}."
        ) from error
    forget(written.number)
    return said


def _open_no_other(path: str, flags: int) -> int:
    # A link or a pipe may have taken the place of the file.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _regular(path: Path) -> bytes:
    with open(path, "rb", opener=_open_no_other) as file:  # a Path takes no opener
        return file.read()


def _put_back(path: Path, data: bytes) -> None:
    new = path.with_name(f".lazychat-undo-{os.getpid()}")
    mode = path.stat().st_mode & 0o777
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _written(number: str, note: Any) -> Written:
    note = cast(dict[str, Any], note)
    path, after = note["path"], note["after"]
    if not (isinstance(path, str) and isinstance(after, str)):
        raise TypeError
    from urllib.parse import unquote_to_bytes

    name = os.fsdecode(unquote_to_bytes(path))
    at = bounds.duration(note["at"])
    return Written(number, Path(name), note["existed"] is True, after, at)


def _numbers() -> list[str]:
    try:
        return sorted(folder.name for folder in paths.written_folder().iterdir())
    except FileNotFoundError:
        return []


def _prune() -> None:
    size = 0
    for count, number in enumerate(reversed(_numbers()), 1):
        before = paths.written_folder() / number / "before"
        size += before.stat().st_size if before.exists() else 0
        if count > _MOST or (size > _MOST_BYTES and count > 1):
            forget(number)
