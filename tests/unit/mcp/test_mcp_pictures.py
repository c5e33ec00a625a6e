"""Pictures in results of servers: attached for models that see, else named."""

import base64
import struct
import zlib

from support.mcp import call, connected, fake


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    row = zlib.compress(b"\0\0")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", row)
        + chunk(b"IEND", b"")
    )


def test_pictures_are_attached_and_what_is_none_is_named():
    dot = png(1, 1)

    with connected(fake=fake()) as servers:
        result = call(servers, "fake__picture", text=base64.b64encode(dot).decode())

    assert result.error is None
    assert result.output == (
        "a dot\n[image, image/tiff, 6 bytes: not of a kind that models see]\n"
        "[image, image/png, 0 bytes: not of a kind that models see]"
    )
    assert [(a.name, a.media_type, a.data) for a in result.attachments] == [
        ("picture-1.png", "image/png", dot),
        ("picture-2.png", "image/png", dot),
    ]


def test_a_picture_bomb_is_named_and_the_rest_is_kept():
    bomb = base64.b64encode(png(100_000, 100_000)).decode()

    with connected(fake=fake()) as servers:
        result = call(servers, "fake__picture", text=bomb)

    assert result.error is None
    assert result.attachments == ()
    assert result.output.startswith("a dot\n[image, image/png, 69 bytes: picture-1.png")
    assert "100,000 × 100,000 pixels" in result.output
