"""Extracts the text of a page, for a model to read."""

import codecs
import re
from html.parser import HTMLParser

_LEFT_OUT = frozenset(("script", "style", "noscript", "template", "svg", "iframe"))
_BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "dd",
            "details",
        ),
        *("div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3"),
        *("h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"),
        *("section", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    )
)
_PIECE = 1 << 16
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset=["']?([\w-]{1,40})""", re.IGNORECASE
)


def decode(data: bytes, charset: str) -> str:
    """Return the text of a page in its character set, UTF-8 if that is unknown."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16")):
        if data.startswith(mark):
            return data.decode(f"{name}-sig" if name == "utf-8" else name, "replace")
    if not charset and (found := _CHARSET.search(data[:4096])):
        charset = found[1].decode("ascii")
    try:
        return data.decode(charset or "utf-8", "replace")
    except (LookupError, UnicodeError):  # an unknown one, or no character set at all
        return data.decode("utf-8", "replace")


def text_of(html: str) -> str:
    """Return the readable text of HTML: the title, and a line for each block."""
    reader = _Reader()
    for start in range(0, len(html), _PIECE):
        reader.feed(html[start : start + _PIECE])
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects text, without what browsers do not show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._title = ""
        self._in_title = False
        self._hidden = ""
        """The element whose text is left out, "" outside of one."""
        self._depth = 0
        """How often that element is open."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if self._hidden:
            self._depth += tag == self._hidden
        elif tag in _LEFT_OUT:
            self._hidden, self._depth = tag, 1
        elif tag == "title" and not self._title:
            self._in_title = True
        elif tag in _BLOCKS:
            self._parts.append("\n- " if tag == "li" else "\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that ends itself, which in HTML means nothing but for SVG."""
        if tag not in _LEFT_OUT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._hidden:
            self._depth -= tag == self._hidden
            if self._depth == 0:
                self._hidden = ""
        elif tag == "title":
            self._in_title = False
        elif tag in _BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._in_title:
            self._title += data
        elif not self._hidden:
            self._parts.append(data)

    def text(self) -> str:
        """Return what was collected, with single spaces and blank lines."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        body = "\n".join(line for line in lines if line not in ("", "-"))
        title = " ".join(self._title.split())
        return f"{title}\n\n{body}".strip() if title else body
