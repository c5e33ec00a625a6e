"""Reads text files: their encoding, and ranges of their lines."""

import codecs
import io
import re
from itertools import islice

from tui.errors import AttachmentError
from tui.i18n import _, ngettext
from tui.messages import Attachment
from tui.safe import safe

MEDIA_TYPE = "text/plain"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
"""Byte order marks. That of UTF-32 begins with that of UTF-16."""
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\x1b\b"})
"""Bytes that no text has in any encoding that is read here."""


def decode(data: bytes) -> tuple[str, str] | None:
    """Return the text of a file and its encoding; None if it is not text.

    The encoding is "" for UTF-8. Bytes that are not UTF-8 are text of one byte for
    each character, if they have no control characters.
    """
    for mark, encoding, name in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), name
            except UnicodeDecodeError:
                return None
    if data.translate(None, _CONTROLS) != data:
        return None
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        pass
    if re.search(rb"[\x80-\x9f]", data):
        try:
            return data.decode("cp1252"), "Windows-1252"
        except UnicodeDecodeError:
            return None
    return data.decode("latin-1"), "Latin-1"


def as_text(
    name: str, data: bytes, first: int, last: int | None, *, ranged: bool
) -> Attachment:
    """Return the lines `first` to `last` (None: the end) of a text file.

    Raises `AttachmentError` if it is not text or has fewer lines.
    """
    read = decode(data)
    if read is None:
        raise AttachmentError(
            _(
                "{name} is not text, a picture (PNG, JPEG, WebP, GIF) or a PDF, so "
                "it cannot be attached."
            ).format(name=safe(name, newlines=False))
        )
    text, encoding = read
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Not a list of all lines: a file of line ends only would take gigabytes.
    total = text.count("\n") + (text[-1:] not in ("", "\n"))
    if first > total:
        have = ngettext("{count} line", "{count} lines", total).format(count=total)
        raise AttachmentError(
            _("{name} has only {have}.").format(
                name=safe(name, newlines=False), have=have
            )
        )
    end = min(last or total, total)
    number = end - first + 1
    if number < total:
        text = "".join(islice(io.StringIO(text, newline="\n"), first - 1, end))
    count = ngettext("{count:,} line", "{count:,} lines", number).format(count=number)
    place = f"{first}-{end}" if end > first else f"{first}"
    return Attachment(
        name,
        MEDIA_TYPE,
        text.encode("utf-8", "replace"),
        about=", ".join(filter(None, [count, encoding])),
        lines=place if ranged else "",
    )
