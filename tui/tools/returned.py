"""Takes images and files out of what a tool has returned.

A tool returns a `File`, an image of Pillow or the bytes of an image, alone or in a
list, tuple or dict beside other values. The model gets the rest as text, and the files
as attachments: see `Message.attachments`.
"""

import io
from itertools import islice
from pathlib import Path
from typing import Any, cast

import msgspec

from tui.errors import AttachmentError, ToolError
from tui.messages import Attachment
from tui.tools.results import listed

MOST = 20
"""Most files of one result."""


class File(msgspec.Struct, frozen=True):
    """A file that a tool returns: a picture, a text or a PDF."""

    path: Path | str = ""
    """Where it is; relative to the current folder."""
    data: bytes = b""
    """Its bytes, instead of a path."""
    name: str = ""
    """What it is called; "" means the last part of the path."""


def taken_apart(value: Any) -> tuple[Any, tuple[Attachment, ...]]:
    """Return the value without its files, and the files.

    Raises `ToolError` for a file that cannot be read.
    """
    if isinstance(value, list | tuple):
        parts = iter(cast(list[Any], value))  # of a class that may have no end
        first = list(islice(parts, MOST))
        files = [_file(part, n) for n, part in enumerate(first, 1)]
        if not any(files):
            return cast(Any, value), ()
        rest = [part for part, file in zip(first, files, strict=True) if not file]
        rest += listed(parts)
        found = tuple(filter(None, files))
        texts = all(isinstance(part, str) for part in rest)
        return ("\n".join(rest) or _told(found)) if texts else rest, found
    if isinstance(value, dict):
        entries = cast(dict[Any, Any], value)
        some = enumerate(islice(entries.items(), MOST), 1)
        taken = {key: file for n, (key, each) in some if (file := _file(each, n))}
        names = {key: file.name for key, file in taken.items()}
        return entries | names if taken else entries, tuple(taken.values())
    file = _file(value, 1)
    return (_told((file,)), (file,)) if file else (value, ())


def is_file(value: Any) -> bool:
    """Return whether a value is taken for a file. Reads nothing."""
    if isinstance(value, bytes):
        from tui.attachments.images import kind_of

        return bool(kind_of(value))
    return isinstance(value, Attachment | File) or _is_picture(value)


def _is_picture(value: Any) -> bool:
    return type(value).__module__.startswith("PIL.") and hasattr(value, "save")


def _told(files: tuple[Attachment, ...]) -> str:
    return "Returned: " + ", ".join(file.name for file in files)


def _file(value: Any, number: int) -> Attachment | None:
    """Return a value as an attachment, None if it is not a file."""
    match value:
        case Attachment():
            return value
        case File():
            return _loaded(value, number)
        case bytes():
            from tui.attachments.images import kind_of

            # Other bytes are a value like any other.
            return _loaded(File(data=value), number) if kind_of(value) else None
        case _ if _is_picture(value):
            return _loaded(File(data=_png(value)), number)
        case _:
            return None


def _loaded(file: File, number: int) -> Attachment:
    from tui.attachments import images, loading  # few tools return files

    try:
        if not file.data:
            found = loading.load(str(file.path), Path())
        else:
            suffix = images.kind_of(file.data).partition("/")[2] or "txt"
            found = loading.of_bytes(
                file.data, file.name or f"result-{number}.{suffix}"
            )
    except AttachmentError as error:
        raise ToolError(
            f"The file that was returned cannot be used: {error}"
        ) from error
    return msgspec.structs.replace(found, name=file.name) if file.name else found


def _png(image: Any) -> bytes:
    out = io.BytesIO()
    try:
        image.save(out, "PNG")
    except Exception as error:  # a mode that PNG does not have
        raise ToolError(
            f"The image that was returned cannot be saved: {error}"
        ) from error
    return out.getvalue()
