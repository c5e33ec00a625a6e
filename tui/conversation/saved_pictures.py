"""Saves the pictures of an exported page beside it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tui.messages import Attachment


def folder_of(page: Path) -> str:
    """Return the name of the folder for the pictures of `page`: `trip-files`."""
    return f"{page.stem}-files"


def file_name(picture: Attachment) -> str:
    """Return the name under which a picture is saved: its own, made plain and unique.

    The same picture has the same name in each conversation of a page.
    """
    stem, dot, suffix = picture.name.rpartition(".")
    plain = re.sub(r"[^\w-]+", "-", stem if dot else suffix).strip("-")[:50]
    kind = re.sub(r"\W", "", picture.media_type.rpartition("/")[2])[:10] or "img"
    digest = picture.digest[:8]
    return "-".join(filter(None, [plain, digest])) + f".{kind}"


def save(pictures: Mapping[str, bytes], page: Path) -> None:
    """Write pictures into the folder beside `page`, if there are any.

    Those that are there already stay. Raises `OSError`.
    """
    if not pictures:
        return
    folder = page.with_name(folder_of(page))
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, data in pictures.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            file = os.open(folder / name, flags, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(file, "wb") as out:
            out.write(data)
