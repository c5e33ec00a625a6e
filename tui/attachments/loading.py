"""Loads one file as an attachment."""

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from tui.attachments import images, pdf, texts
from tui.errors import AttachmentError
from tui.i18n import _
from tui.messages import Attachment
from tui.safe import decoded, safe

LARGEST = 20_000_000
"""Most bytes of an attachment, as it is stored and sent."""
LARGEST_FILE = 100_000_000
"""Most bytes of a file of which a part, its text or a smaller picture is attached."""
MOST = 20
"""Most files of one message."""

_LONGEST_SHOWN = 200
"""Characters of a name in a message: a pasted text may be taken for one."""
_RANGE = re.compile(r"(.+):(\d{1,9})(?:(-)(\d{1,9})?)?", re.DOTALL)


class Wanted(NamedTuple):
    """A file, and which of its lines."""

    path: Path
    first: int = 1
    """The first line, from 1."""
    last: int | None = None
    """The last line; None for the end of the file."""
    ranged: bool = False
    """Whether a range was named."""


def wanted(spec: str, folder: Path) -> Wanted:
    """Return what `spec` names: `FILE`, `FILE:10-40`, `FILE:10-` or `FILE:10`.

    `FILE` is relative to `folder`; `~` is a home. A file whose name ends like a range
    is meant as a whole. Raises `AttachmentError` for an invalid range.
    """
    path = _path(spec, folder)
    found = _RANGE.fullmatch(spec)
    if found is None or os.path.lexists(path):
        return Wanted(path)
    first = int(found[2])
    last = first if found[3] is None else int(found[4]) if found[4] else None
    if first < 1 or (last is not None and last < first):
        raise AttachmentError(
            _(
                "{spec}: lines are counted from 1, and the first comes first, as "
                "in FILE:10-40."
            ).format(spec=shown(spec))
        )
    return Wanted(_path(found[1], folder), first, last, ranged=True)


def load(spec: str, folder: Path) -> Attachment:
    """Return the attachment that `spec` names, see `wanted`.

    Blocks. Raises `AttachmentError` with one line for the user.
    """
    want = wanted(spec, folder)
    return of_bytes(_read(want.path, spec), _name(want.path, folder), want)


def of_bytes(data: bytes, name: str, want: Wanted | None = None) -> Attachment:
    """Return the attachment of a file's content. Raises `AttachmentError`."""
    name = decoded(name)
    ranged = want is not None and want.ranged
    if not data:
        raise AttachmentError(_("{name} is empty.").format(name=shown(name)))
    kind = images.kind_of(data)
    if (kind or pdf.is_pdf(data)) and ranged:
        raise AttachmentError(
            _("{name} has no lines: attach it without a range.").format(
                name=shown(name)
            )
        )
    if kind:
        file = images.prepared(name, data, kind)
    elif pdf.is_pdf(data):
        file = pdf.as_text(name, data)
    else:
        first, last = (want.first, want.last) if want and ranged else (1, None)
        file = texts.as_text(name, data, first, last, ranged=ranged)
    if len(file.data) > LARGEST:
        raise AttachmentError(
            _(
                "{name} has {count:,.0f} MB of text; at most {largest} MB can be "
                "attached. Attach a range of its lines: {name}:1-500"
            ).format(
                name=shown(name),
                count=len(file.data) / 1000000.0,
                largest=LARGEST // 1000000,
            )
        )
    return file


def is_file(spec: str, folder: Path) -> bool:
    """Return whether `spec` names an existing regular file."""
    try:
        return wanted(spec, folder).path.is_file()
    except (AttachmentError, OSError, ValueError):
        return False


def leads_out(spec: str, folder: Path) -> bool:
    """Return whether `spec` names something outside `folder`, perhaps by a link."""
    try:
        path = wanted(spec, folder).path.resolve()
        return not path.is_relative_to(folder.resolve())
    except (AttachmentError, OSError, ValueError, RuntimeError):
        return True


def shown(name: str) -> str:
    """Return a file name as printable text, of which the end is kept if it is long."""
    text = safe(decoded(name), newlines=False)
    return text if len(text) <= _LONGEST_SHOWN else f"…{text[1 - _LONGEST_SHOWN :]}"


def _path(text: str, folder: Path) -> Path:
    path = Path(text)
    if text.startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:  # no such user
            path = Path(text)
    return folder / path


def _name(path: Path, folder: Path) -> str:
    """Return what a file is called: its path below `folder`, else only its name.

    The model can then tell files of one name apart, and is told of no other folder.
    """
    below = os.path.relpath(os.path.abspath(path), os.path.abspath(folder))  # noqa: PTH100 # a link is called as it is named
    return path.name if below.startswith("..") else below


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a pipe waits for its other end.
    return os.open(path, flags | os.O_NONBLOCK)


def _read(path: Path, spec: str) -> bytes:
    name = shown(spec)
    try:
        with open(path, "rb", opener=_open_at_once) as reads:  # a Path takes no opener
            found = os.fstat(reads.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError
            if not stat.S_ISREG(found.st_mode):
                raise AttachmentError(
                    _("{name} is not a regular file.").format(name=name)
                )
            if found.st_size <= LARGEST_FILE:
                data = reads.read(LARGEST_FILE + 1)
                if len(data) <= LARGEST_FILE:
                    return data
    except IsADirectoryError:
        raise AttachmentError(
            _("{name} is a folder: attach a file in it.").format(name=name)
        ) from None
    except FileNotFoundError:
        raise AttachmentError(_("There is no file {name}.").format(name=name)) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise AttachmentError(
            _("{name} cannot be read: {why}.").format(name=name, why=why)
        ) from error
    raise AttachmentError(
        _(
            "{name} is larger than {largest_file} MB: attach a smaller part of it "
            "as a file of its own."
        ).format(name=name, largest_file=LARGEST_FILE // 1000000)
    )
