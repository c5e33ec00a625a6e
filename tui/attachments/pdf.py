"""Extracts the text of a PDF, with pypdf if it is installed."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from tui import bounds
from tui.attachments.texts import MEDIA_TYPE
from tui.errors import AttachmentError
from tui.i18n import _, ngettext
from tui.messages import Attachment
from tui.readiness import readable
from tui.safe import safe

MOST_PAGES = 500
MOST_CHARACTERS = 4_000_000
"""Characters of text after which the rest is left out."""
SECONDS = 30.0
"""Seconds after which the rest is left out."""
_PROGRAM = Path(__file__).with_name("pdf_pages.py")
_MOST_MEMORY = 2_000_000_000
"""Bytes that the program may use."""
_MOST_BYTES = 100_000_000
"""Bytes that the program may write."""

REMEDY = "pip install 'lazychat[pdf]'"


def is_pdf(data: bytes) -> bool:
    """Return whether the bytes are those of a PDF file."""
    return data.startswith(b"%PDF-")


def as_text(name: str, data: bytes) -> Attachment:
    """Return the text of a PDF, page by page. Raises `AttachmentError`."""
    title = safe(name, newlines=False)
    library = importlib.util.find_spec("pypdf")  # an extra
    if library is None or library.origin is None:
        raise AttachmentError(
            _("{title} is a PDF; to read its text, install pypdf: {remedy}").format(
                title=title, remedy=REMEDY
            )
        )
    count, pages, error = _pages(data, str(Path(library.origin).parents[1]))
    if error == "password":
        raise AttachmentError(
            _("{title} is protected by a password.").format(title=title)
        )
    if error or count < 0:
        raise AttachmentError(
            _("{title} is damaged: it cannot be read.").format(title=title)
        )
    if not pages:
        raise AttachmentError(
            _(
                "{title} takes more than {seconds:g} seconds to read. Attach a "
                "picture of the page that matters instead."
            ).format(title=title, seconds=SECONDS)
        )
    if not any(map(str.strip, pages)):
        raise AttachmentError(
            _(
                "{title} has no text: it is probably scanned. Attach pictures of "
                "its pages instead."
            ).format(title=title)
        )
    text = "\n\n".join(f"[Page {n}]\n{page}" for n, page in enumerate(pages, 1))
    about = ngettext("{count:,} page", "{count:,} pages", count).format(count=count)
    if len(pages) < count:
        text += f"\n\n[The text of pages {len(pages) + 1} to {count} is left out.]"
        about += _(", text of the first {count}").format(count=len(pages))
    return Attachment(name, MEDIA_TYPE, text.encode("utf-8", "replace"), about=about)


def _pages(data: bytes, libraries: str) -> tuple[int, list[str], str]:
    """Return how many pages there are, the text of those read in time, and an error.

    The number is -1 if the program could not read even that.
    """
    count, pages, size = 0, list[str](), 0
    for value in _values(data, libraries):
        match value:
            case int():
                count = max(value, 0)
            case str():
                text = value.replace("\0", "").strip()
                size += len(text)
                if pages and size > MOST_CHARACTERS:
                    break
                pages.append(text[:MOST_CHARACTERS])
            case {"error": str(error)}:
                return count, pages, error
            case _:
                return -1, [], ""
    return count, pages, ""


def _values(data: bytes, libraries: str) -> Generator[object]:
    """Yield what `pdf_pages` writes, until its end or that of the time.

    Yields None if the program has failed.
    """
    limits = str(MOST_PAGES), str(_MOST_MEMORY)
    command = [sys.executable, "-I", str(_PROGRAM), libraries, *limits]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        process = subprocess.Popen(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # pypdf reports each oddity of a file
            start_new_session=True,
        )
    with process:
        try:
            late = yield from _lines(process)
            if not late and process.wait(SECONDS):
                yield None
        finally:
            process.kill()


def _lines(process: "subprocess.Popen[bytes]") -> Generator[object, None, bool]:
    """Yield each line as a value; return whether the time was over before the end."""
    assert process.stdout is not None
    output, end = process.stdout.fileno(), time.monotonic() + SECONDS
    rest, size = b"", 0
    while size <= _MOST_BYTES:
        left = end - time.monotonic()
        if left <= 0 or not readable(output, seconds=left):
            return True
        new = os.read(output, 1 << 20)
        if not new:
            return False
        size += len(new)
        *lines, rest = (rest + new).split(b"\n")
        for line in lines:
            yield bounds.decode(line)
    return True
