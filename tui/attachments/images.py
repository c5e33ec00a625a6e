"""Prepares pictures: recognises them, and makes them as small as servers want them.

Size and kind are read from the file's header, so that a picture within the limits needs
no library. Only a larger one is decoded, by Pillow, after its size is known to be one
that memory can hold.
"""

import io
import re
import struct
from typing import Any

from tui.errors import AttachmentError
from tui.i18n import _
from tui.messages import Attachment
from tui.safe import safe

SENT_EDGE = 2048
"""Pixels of the longer edge to which pictures are scaled: services scale what is larger
down to this or less, and count no more tokens for it."""
LARGEST_EDGE = 8000
"""Pixels of an edge above which services refuse a picture."""
LARGEST_BYTES = 3_000_000
"""Bytes above which they do: 4 MB in Base64 is the smallest limit that is known."""
MOST_PIXELS = 80_000_000
"""Pixels above which a picture is not decoded: it would need over 300 MB."""

REMEDY = "pip install 'lazychat[images]'"


def kind_of(data: bytes) -> str:
    """Return the media type of a picture that servers take; "" for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return ""


def size_of(data: bytes, kind: str) -> tuple[int, int]:
    """Return width and height in pixels, as the header says; (0, 0) if it does not."""
    try:
        match kind:
            case "image/png":
                return struct.unpack(">II", data[16:24])
            case "image/gif":
                return struct.unpack("<HH", data[6:10])
            case "image/webp":
                return _webp(data)
            case _:
                return _jpeg(data)
    except (struct.error, IndexError):
        return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    if len(data) < 30:
        return 0, 0
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width = int.from_bytes(data[24:27], "little") + 1
            return width, int.from_bytes(data[27:30], "little") + 1
        case _:
            return 0, 0


_MOST_SEGMENTS = 20_000
"""Segments before the size of a JPEG; more only keep us busy."""
_PADDING = re.compile(rb"\xff{2,}")


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    for __ in range(_MOST_SEGMENTS):
        if at + 9 >= len(data) or data[at] != 0xFF:
            return 0, 0
        marker = data[at + 1]
        if padding := _PADDING.match(data, at):
            at = padding.end() - 1
            continue
        # A start of frame, whichever the process; the others share the numbers.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0, 0


def prepared(name: str, data: bytes, kind: str) -> Attachment:
    """Return a picture as it is sent: unchanged if it is small, else scaled.

    Raises `AttachmentError` for one that is damaged or too large.
    """
    title = safe(name, newlines=False)
    width, height = size_of(data, kind)
    if width < 1 or height < 1:
        raise AttachmentError(
            _("{title} is damaged: its size cannot be read.").format(title=title)
        )
    if width * height > MOST_PIXELS:
        raise AttachmentError(
            _(
                "{title} has {width:,} × {height:,} pixels; at most {most_pixels} "
                "million can be attached. Scale it down."
            ).format(
                title=title,
                width=width,
                height=height,
                most_pixels=MOST_PIXELS // 1000000,
            )
        )
    edge = max(width, height)
    fits = edge <= LARGEST_EDGE and len(data) <= LARGEST_BYTES
    if edge <= SENT_EDGE and fits:
        return Attachment(name, kind, data, about=f"{width}×{height}")
    try:
        import PIL.Image  # an extra, and slow to import
    except ImportError:
        if fits:
            return Attachment(name, kind, data, about=f"{width}×{height}")
        raise AttachmentError(
            _(
                "{title} is larger than servers accept ({width:,}×{height:,}, "
                "{count:.1f} MB): scale it down, or let lazychat do it: {remedy}"
            ).format(
                title=title,
                width=width,
                height=height,
                count=len(data) / 1000000.0,
                remedy=REMEDY,
            )
        ) from None
    return _scaled(PIL.Image, name, data, kind)


def _scaled(library: Any, name: str, data: bytes, kind: str) -> Attachment:
    title = safe(name, newlines=False)
    try:
        with library.open(io.BytesIO(data), formats=[_FORMATS[kind]]) as source:
            width, height = source.size
            if width * height > MOST_PIXELS:  # the header has said something else
                raise AttachmentError(
                    _("{title} is damaged: its size is unclear.").format(title=title)
                )
            # Decodes a JPEG at a fraction of its size.
            source.draft("RGB", (SENT_EDGE, SENT_EDGE))
            # The position of the camera is in what is not copied.
            from PIL import ImageOps

            picture = ImageOps.exif_transpose(source)
            picture.thumbnail((SENT_EDGE, SENT_EDGE))
            small, kind = _encoded(picture, kind)
            about = _("{width}×{height}, scaled from {width2}×{height2}").format(
                width=picture.width, height=picture.height, width2=width, height2=height
            )
    except AttachmentError:
        raise
    except Exception as error:  # a decoder may raise anything for odd bytes
        raise AttachmentError(
            _("{title} is damaged: it cannot be decoded.").format(title=title)
        ) from error
    return Attachment(name, kind, small, about=about)


_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}


def _encoded(picture: Any, kind: str) -> tuple[bytes, str]:
    """Return a picture's bytes and their media type.

    PNG keeps the letters of a screenshot sharp; JPEG where that gets too large.
    """
    if kind != "image/jpeg":
        whole = picture.convert("RGBA" if _has_alpha(picture) else "RGB")
        out = io.BytesIO()
        whole.save(out, "PNG")
        if out.tell() <= LARGEST_BYTES:
            return out.getvalue(), "image/png"
        if whole.mode == "RGBA":
            white = whole.copy()
            white.paste((255, 255, 255, 255), (0, 0, *whole.size))
            white.alpha_composite(whole)
            picture = white
    out = io.BytesIO()
    for quality in (85, 60):
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=quality)
        if out.tell() <= LARGEST_BYTES:
            break
    return out.getvalue(), "image/jpeg"


def _has_alpha(picture: Any) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
