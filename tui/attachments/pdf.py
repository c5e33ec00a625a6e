"""Extracts the text of a PDF, with pypdf if it is installed."""

import io
import logging
import time
from typing import TYPE_CHECKING

from tui.attachments.texts import MEDIA_TYPE
from tui.errors import AttachmentError
from tui.i18n import _, ngettext
from tui.messages import Attachment
from tui.safe import safe

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES = 500
MOST_CHARACTERS = 4_000_000
"""Characters of text after which the rest is left out."""
SECONDS = 30.0
"""Seconds after which the rest is left out: looked at after each page."""

REMEDY = "pip install 'lazychat[pdf]'"


def is_pdf(data: bytes) -> bool:
    """Return whether the bytes are those of a PDF file."""
    return data.startswith(b"%PDF-")


def as_text(name: str, data: bytes) -> Attachment:
    """Return the text of a PDF, page by page. Raises `AttachmentError`."""
    title = safe(name, newlines=False)
    try:
        import pypdf  # an extra, and slow to import
    except ImportError:
        raise AttachmentError(
            _("{title} is a PDF; to read its text, install pypdf: {remedy}").format(
                title=title, remedy=REMEDY
            )
        ) from None
    # It reports each oddity of a file; without a handler that goes to the terminal.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise AttachmentError(
                _("{title} is protected by a password.").format(title=title)
            )
        count = len(reader.pages)
        pages = _pages(reader, count)
    except AttachmentError:
        raise
    except Exception as error:  # pypdf raises anything for a damaged file
        raise AttachmentError(
            _("{title} is damaged: it cannot be read.").format(title=title)
        ) from error
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


def _pages(reader: "PdfReader", count: int) -> list[str]:
    end = time.monotonic() + SECONDS
    pages: list[str] = []
    size = 0
    for number in range(min(count, MOST_PAGES)):
        text = reader.pages[number].extract_text().replace("\0", "").strip()
        size += len(text)
        if pages and (size > MOST_CHARACTERS or time.monotonic() > end):
            break
        pages.append(text[:MOST_CHARACTERS])
    return pages
