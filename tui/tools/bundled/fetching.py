"""Fetches a page of the internet as text."""

import re

from tui.errors import ToolError
from tui.tools.bundled import addresses
from tui.tools.policy import Preview
from tui.tools.running import report

_MOST_CHARACTERS = 18_000
_TEXT = re.compile(
    r"text/.*|application/(?:.*\+)?(?:json|xml|javascript|yaml|toml|x-ndjson)"
)


class Fetching:
    """The tool that fetches; `private` allows this machine and private networks."""

    def __init__(self, private: bool) -> None:
        self._private = private

    def fetch_url(self, url: str, start: int = 0) -> str:
        """Fetch a web page, and return its text.

        Args:
            url: The address, http or https.
            start: The first character of the text to return; the end of a result says
                where the next part begins.
        """
        from tui.tools.bundled import http_get, page_text  # import ssl

        page = http_get.get(
            url, self._private, lambda to: report(f"redirected to {to}")
        )
        if page.status >= 400:
            raise ToolError(f"{page.url} answered with status {page.status}")
        if page.kind and not _TEXT.fullmatch(page.kind):
            raise ToolError(
                f"{page.url} is {page.kind[:60]} ({len(page.data)} bytes), not text"
            )
        text = page_text.decode(page.data, page.charset)
        if "\0" in text[:8192]:
            raise ToolError(f"{page.url} is not text")
        if page.kind in ("text/html", "application/xhtml+xml") or (
            not page.kind and text.lstrip()[:1] == "<"
        ):
            text = page_text.text_of(text)
        return _part(page.url, text, max(0, start), page.cut)

    def preview(self, url: str, start: int = 0) -> Preview:
        """Return the address that is fetched, without user name and password."""
        target = addresses.parse(url)
        addresses.check_literal(target, self._private)
        return Preview("address", target.url, target.url)


def _part(url: str, text: str, start: int, cut: bool) -> str:
    part = text[start : start + _MOST_CHARACTERS]
    end = start + len(part)
    if not part.strip():
        return f"{url}\n\n[no text{' from here on' if start else ''}]"
    if end < len(text):
        part += (
            f"\n[characters {start} to {end} of {len(text)}; go on with start={end}]"
        )
    elif cut:
        part += "\n[the page is longer than what is read of it]"
    return f"{url}\n\n{part}"
