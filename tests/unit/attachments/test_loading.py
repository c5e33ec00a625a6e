"""Files as attachments: ranges, encodings, pictures, PDFs, and what is refused."""

import io
import os
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest

from tui.attachments import images, loading, pdf, texts
from tui.attachments.loading import load
from tui.errors import AttachmentError

LINES = "".join(f"line {n}\n" for n in range(1, 31))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Return a grey PNG; with `data`, one whose pixels are these bytes, compressed."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = data or zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text(LINES)
    return tmp_path


def refused(spec: str, folder: Path) -> str:
    with pytest.raises(AttachmentError) as caught:
        load(spec, folder)
    text = str(caught.value)
    assert "\n" not in text
    return text


# -- text


def test_a_text_file_is_attached_whole(notes: Path):
    file = load("notes.txt", notes)

    assert (file.name, file.media_type) == ("notes.txt", "text/plain")
    assert file.data.decode() == LINES
    assert (file.about, file.lines) == ("30 lines", "")


@pytest.mark.parametrize(
    ("spec", "first", "last", "lines"),
    [
        ("notes.txt:3-5", "line 3", "line 5", "3-5"),
        ("notes.txt:7", "line 7", "line 7", "7"),
        ("notes.txt:29-", "line 29", "line 30", "29-30"),
        ("notes.txt:28-400", "line 28", "line 30", "28-30"),
    ],
)
def test_a_range_is_only_these_lines(
    notes: Path, spec: str, first: str, last: str, lines: str
):
    file = load(spec, notes)

    said = file.data.decode().splitlines()
    assert (said[0], said[-1], file.lines) == (first, last, lines)
    assert file.title == f"notes.txt:{lines}"


def test_a_file_whose_name_looks_like_a_range_is_meant_as_a_whole(tmp_path: Path):
    (tmp_path / "log:3-5").write_text("all of it")

    assert load("log:3-5", tmp_path).data == b"all of it"


def test_a_file_is_called_by_its_path_below_the_folder_else_by_its_name(notes: Path):
    deep = notes / "src" / "deep"
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("x")

    assert load("src/deep/a.py:1", notes).title == "src/deep/a.py:1"
    assert load(f"{deep}/a.py", notes).name == "src/deep/a.py"
    assert load("../../notes.txt", deep).name == "notes.txt"


@pytest.mark.parametrize("spec", ["notes.txt:5-3", "notes.txt:0-3", "notes.txt:0"])
def test_a_range_that_is_none_is_refused(notes: Path, spec: str):
    assert "counted from 1" in refused(spec, notes)


def test_a_range_behind_the_end_says_how_many_lines_there_are(notes: Path):
    assert refused("notes.txt:31-40", notes) == "notes.txt has only 30 lines."


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("über".encode(), "über", ""),
        (b"\xef\xbb\xbfA", "A", ""),
        ("über".encode("utf-16"), "über", "UTF-16"),
        ("über".encode("latin-1"), "über", "Latin-1"),
        ("“über”".encode("cp1252"), "“über”", "Windows-1252"),
    ],
)
def test_an_encoding_is_found_and_said(data: bytes, text: str, encoding: str):
    assert texts.decode(data) == (text, encoding)


def test_a_file_in_latin_1_is_sent_as_utf_8_and_says_so(tmp_path: Path):
    (tmp_path / "old.txt").write_bytes("Grüße\r\n".encode("latin-1"))

    file = load("old.txt", tmp_path)

    assert file.data.decode() == "Grüße\n"
    assert file.about == "1 line, Latin-1"


@pytest.mark.parametrize("data", [b"\x7fELF\0\0\1", b"a\0b", os.urandom(4000)])
def test_a_binary_file_is_refused(tmp_path: Path, data: bytes):
    (tmp_path / "program").write_bytes(data)

    assert "is not text, a picture" in refused("program", tmp_path)


def test_what_is_no_file_is_refused_in_a_line(tmp_path: Path):
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    assert refused("nothing.txt", tmp_path) == "There is no file nothing.txt."
    assert refused("empty", tmp_path) == "empty is empty."
    assert "not a regular file" in refused("pipe", tmp_path)
    assert "is a folder" in refused("folder", tmp_path)
    assert "\x1b" not in refused("a\x1b[2J", tmp_path)


def test_a_refused_folder_is_not_left_open(tmp_path: Path):
    def lowest_free() -> int:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    assert "is a folder" in refused(str(tmp_path), tmp_path)
    assert lowest_free() == before


def test_a_file_that_is_too_large_is_refused(
    notes: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loading, "LARGEST", 100)
    assert "Attach a range of its lines" in refused("notes.txt", notes)
    assert load("notes.txt:1-2", notes)

    monkeypatch.setattr(loading, "LARGEST_FILE", 100)
    assert "is larger than" in refused("notes.txt", notes)


# -- pictures


def saved(kind: str, size: tuple[int, int], **options: object) -> bytes:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0"}),
    ],
)
def test_the_size_is_read_from_the_header(kind: str, options: dict[str, object]):
    data = saved(kind, (123, 45), **options)

    media_type = images.kind_of(data)

    assert media_type == f"image/{kind.lower()}"
    assert images.size_of(data, media_type) == (123, 45)


def test_a_small_picture_is_attached_as_it_is(tmp_path: Path):
    data = png(8, 5)
    (tmp_path / "cat.png").write_bytes(data)

    file = load("cat.png", tmp_path)

    assert (file.data, file.media_type, file.about) == (data, "image/png", "8×5")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_large_picture_is_scaled(tmp_path: Path, kind: str):
    (tmp_path / "big").write_bytes(saved(kind, (4000, 1000)))

    file = load("big", tmp_path)

    assert file.about == "2048×512, scaled from 4000×1000"
    assert images.size_of(file.data, file.media_type) == (2048, 512)


def test_a_scaled_picture_stays_below_the_limit_of_servers(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    noise = image.frombytes("RGBA", (2400, 1600), os.urandom(2400 * 1600 * 4))
    noise.save(tmp_path / "noise.png")

    file = load("noise.png", tmp_path)

    assert file.media_type == "image/jpeg"
    assert len(file.data) <= images.LARGEST_BYTES


def test_a_scaled_photo_stands_upright_and_does_not_tell_its_place(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home"
    image.new("RGB", (3000, 1500)).save(tmp_path / "a.jpg", exif=exif)

    file = load("a.jpg", tmp_path)

    assert images.size_of(file.data, "image/jpeg") == (1024, 2048)
    assert b"at home" not in file.data


def test_without_pillow_a_large_picture_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    (tmp_path / "fits.png").write_bytes(png(4000, 20))
    (tmp_path / "large.png").write_bytes(png(9000, 20))

    assert load("fits.png", tmp_path).about == "4000×20"
    assert "pip install 'lazychat[images]'" in refused("large.png", tmp_path)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path):
    bomb = png(60_000, 60_000, zlib.compress(bytes(1000)))
    (tmp_path / "bomb.png").write_bytes(bomb)

    assert "pixels; at most 80 million" in refused("bomb.png", tmp_path)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF1234WEBPVP8X", b"GIF89a"]
)
def test_a_picture_without_a_size_is_damaged(tmp_path: Path, data: bytes):
    (tmp_path / "bad").write_bytes(data)

    assert "is damaged" in refused("bad", tmp_path)


def test_a_truncated_picture_that_must_be_scaled_is_damaged(tmp_path: Path):
    (tmp_path / "bad.jpg").write_bytes(saved("JPEG", (4000, 4000))[:2000])

    assert "is damaged" in refused("bad.jpg", tmp_path)


def test_a_picture_has_no_lines(tmp_path: Path):
    (tmp_path / "cat.png").write_bytes(png(2, 2))

    assert "without a range" in refused("cat.png:1-3", tmp_path)


# -- PDF


def pdf_of(*pages: str) -> bytes:
    """Return a PDF, written by hand, with a line of text on each page."""
    kids = " ".join(f"{n} 0 R" for n in range(4, 4 + 2 * len(pages), 2))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else ""
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents "
            f"{5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    table += "".join(f"{place:010} 00000 n \n" for place in places)
    size = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
    return body + f"{table}{size}startxref\n{len(body)}\n%%EOF\n".encode()


def test_a_pdf_is_attached_as_the_text_of_its_pages(tmp_path: Path):
    pytest.importorskip("pypdf")
    (tmp_path / "report.pdf").write_bytes(pdf_of("Sales rose", "Costs fell"))

    file = load("report.pdf", tmp_path)

    assert (file.media_type, file.about) == ("text/plain", "2 pages")
    assert file.data.decode() == "[Page 1]\nSales rose\n\n[Page 2]\nCosts fell"


def test_the_size_of_a_jpeg_is_found_behind_padding():
    frame = b"\xff\xc0\0\x11\x08\0\x05\0\x08\x03" + bytes(20)

    # Byte by byte, the largest file would take minutes.
    padded = b"\xff\xd8" + b"\xff" * 90_000_000 + frame

    assert images.size_of(padded, "image/jpeg") == (8, 5)


def test_a_jpeg_of_endless_segments_is_damaged():
    few = b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000
    many = b"\xff\xd8" + b"\xff\xe0\0\2" * 100_000
    size = b"\xff\xc0\0\x11\x08\0\2\0\3" + bytes(20)

    assert images.size_of(few + size, "image/jpeg") == (3, 2)
    assert images.size_of(many + size, "image/jpeg") == (0, 0)


def test_a_text_of_line_ends_takes_little_memory():
    data = b"\n" * 1_000_000

    tracemalloc.start()
    try:
        whole = loading.of_bytes(data, "a.txt")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert whole.about == "1,000,000 lines"
    assert whole.data == data
    assert most < 8 * len(data)


def test_a_text_of_a_byte_order_mark_only_has_no_lines():
    with pytest.raises(AttachmentError, match="has only 0 lines"):
        loading.of_bytes(b"\xef\xbb\xbf", "a.txt")


def test_a_long_pdf_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pypdf")
    monkeypatch.setattr(pdf, "MOST_PAGES", 1)
    (tmp_path / "report.pdf").write_bytes(pdf_of("Sales rose", "Costs fell"))

    file = load("report.pdf", tmp_path)

    assert file.about == "2 pages, text of the first 1"
    assert file.data.decode().endswith("[The text of pages 2 to 2 is left out.]")


def test_a_scanned_or_damaged_pdf_is_refused(tmp_path: Path):
    pytest.importorskip("pypdf")
    (tmp_path / "scan.pdf").write_bytes(pdf_of(""))
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4\nnothing")

    assert "probably scanned" in refused("scan.pdf", tmp_path)
    assert "is damaged" in refused("bad.pdf", tmp_path)


def test_without_pypdf_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "pypdf", None)
    (tmp_path / "report.pdf").write_bytes(pdf_of("Sales rose"))

    assert "pip install 'lazychat[pdf]'" in refused("report.pdf", tmp_path)


def endless_pdf(operators: int) -> bytes:
    """Return a PDF whose one page is small as a file, and takes minutes to read."""
    import zlib

    page = zlib.compress(b"BT " + b"/F1 12 Tf (a) Tj " * operators + b"ET", 9)
    whole = pdf_of("X")
    at = whole.index(b"<< /Length")
    end = whole.index(b"endobj", at)
    head = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(page)
    # pypdf rebuilds the table of places, which is wrong now.
    return whole[:at] + head + page + b"\nendstream\n" + whole[end:]


def test_a_pdf_that_takes_too_long_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("pypdf")
    monkeypatch.setattr(pdf, "SECONDS", 3)
    (tmp_path / "slow.pdf").write_bytes(endless_pdf(3_000_000))

    assert refused("slow.pdf", tmp_path) == (
        "slow.pdf takes more than 3 seconds to read. Attach a picture of the page "
        "that matters instead."
    )


def test_a_pdf_that_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("pypdf")
    monkeypatch.setattr(pdf, "_MOST_MEMORY", 150_000_000)
    (tmp_path / "large.pdf").write_bytes(endless_pdf(3_000_000))

    assert "is damaged" in refused("large.pdf", tmp_path)


def test_a_name_that_is_none_does_not_fill_the_screen(tmp_path: Path):
    with pytest.raises(AttachmentError) as told:
        load(f"{'x' * 5_000}/{'y' * 100}", tmp_path)

    assert len(str(told.value)) < 300
    assert f"x/{'y' * 100}" in str(told.value)
