"""Resources of servers as text: HTML, bytes, and what only claims to be text."""

import base64

import pytest
from mcp_types import BlobResourceContents, TextResourceContents

from tui.mcp import reading
from tui.mcp.reading import resource_text

PAGE = (
    "<!DOCTYPE html><html><head><title>Report</title><style>p{}</style></head><body>"
    "<script>alert(1)</script><p>First \x1b[31mred&#27;[2J\u202e</p><p>Second</body>"
)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))


def text(content: str, kind: str | None = None) -> TextResourceContents:
    return TextResourceContents(uri="x://1", text=content, mime_type=kind)


def blob(data: bytes, kind: str | None = None) -> BlobResourceContents:
    coded = base64.b64encode(data).decode()
    return BlobResourceContents(uri="x://1", blob=coded, mime_type=kind)


@pytest.mark.parametrize(
    "found",
    [
        text(PAGE, "text/html"),
        text(PAGE, "text/html;profile=mcp-app"),
        text(PAGE, "application/xhtml+xml"),
        text(f"\n  {PAGE}"),
        text(PAGE, "text/plain"),
        blob(PAGE.encode(), "text/html"),
        blob(PAGE.encode()),
    ],
)
def test_of_html_only_what_a_browser_shows_is_kept(
    found: TextResourceContents | BlobResourceContents,
):
    read = resource_text(found)

    assert read.text == "Report\n\nFirst ␛[31mred[2J\nSecond"
    assert read.is_text


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (blob("naïve".encode("latin-1"), "text/plain; charset=latin-1"), "naïve"),
        (blob("天气".encode(), "text/markdown"), "天气"),
        (blob(b'{"a": 1}', "application/json"), '{"a": 1}'),
        (blob(b"no kind"), "no kind"),
        (blob(b"octets", "application/octet-stream"), "octets"),
        (text("a < b, <b>not a page</b>"), "a < b, <b>not a page</b>"),
        (text("\x1b[1mbold\x1b[0m", "text/plain"), "␛[1mbold␛[0m"),
    ],
)
def test_text_is_decoded_and_cleaned(
    found: TextResourceContents | BlobResourceContents, shown: str
):
    assert resource_text(found).text == shown


@pytest.mark.parametrize(
    "found",
    [
        blob(PNG, "image/png"),
        blob(PNG, "text/plain"),
        blob(PNG, "text/html"),
        blob(PNG),
        blob(b"\xff\xfe\xfd" * 30, "application/octet-stream"),
        text(PNG.decode("latin-1"), "text/plain"),
        text("\ufffd" * 100),
        BlobResourceContents(uri="x://1", blob="!", mime_type="image/png"),
    ],
)
def test_what_is_not_text_is_named_and_never_shown(
    found: TextResourceContents | BlobResourceContents,
):
    read = resource_text(found)

    assert not read.is_text
    assert read.text.startswith("[resource x://1, ")
    assert read.text.endswith(": not text]")
    assert "PNG" not in read.text


@pytest.mark.parametrize(
    "found", [text("<p>word " * 400_000, "text/html"), blob(b"x" * 2_000_000, "text/x")]
)
def test_it_is_bounded(found: TextResourceContents | BlobResourceContents):
    read = resource_text(found)

    assert len(read.text) < reading.LONGEST_RESULT + 100
    assert read.text.endswith(" more characters omitted]")
