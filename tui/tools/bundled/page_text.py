"""Extracts the text of a page, for a model to read.

A page may be hostile, so this is one pass over it whose time is in proportion to its
length. The parser of the standard library is not: of "<a<a<a…" it needs minutes.
"""

import codecs
import re
from contextlib import suppress
from html import unescape

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
_RAW = frozenset(("script", "style"))
"""Elements that only their own end tag ends: a < in them begins no tag."""
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,20})")
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset=["']?([\w-]{1,40})""", re.IGNORECASE
)


_NO_CHARSETS = frozenset(("idna", "punycode", "raw_unicode_escape", "unicode_escape"))
"""Encodings of Python that no page is written in; punycode's time is quadratic."""


def decode(data: bytes, charset: str) -> str:
    """Return the text of a page in its character set.

    One that names none is UTF-8, else Windows-1252, as browsers read it.
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16")):
        if data.startswith(mark):
            return data.decode(f"{name}-sig" if name == "utf-8" else name, "replace")
    if not charset and (found := _CHARSET.search(data[:4096])):
        charset = found[1].decode("ascii")
    if not charset:
        try:
            # The last character may be cut in two.
            return codecs.getincrementaldecoder("utf-8")().decode(data)
        except UnicodeDecodeError:
            charset = "utf-8" if b"\0" in data else "cp1252"
    try:
        name = codecs.lookup(charset).name.replace("-", "_")
        if name not in _NO_CHARSETS:
            return data.decode(name, "replace")
    except (LookupError, ValueError):  # an unknown one, or no character set at all
        pass
    return data.decode("utf-8", "replace")


def text_of(html: str) -> str:
    """Return the readable text of HTML: the title, and a line for each block."""
    reader = _Reader(html)
    reader.read()
    return reader.text()


class _Reader:
    """Collects text, without what browsers do not show."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._parts: list[str] = []
        self._title: list[str] = []
        self._in_title = False
        self._hidden = ""
        """The element whose text is left out, "" outside of one."""
        self._depth = 0
        """How often that element is open."""

    def read(self) -> None:
        """Read the whole page."""
        html, at = self._html, 0
        while (start := html.find("<", at)) >= 0:
            self._add(html[at:start])
            if html.startswith("<!--", start):
                at = self._behind("-->", start + 4)
            elif html.startswith(("<!", "<?"), start):
                at = self._behind(">", start)
            elif tag := _TAG.match(html, start):
                at = self._tag(tag[1].lower(), start)
            else:
                self._add("<")
                at = start + 1
        self._add(html[at:])

    def text(self) -> str:
        """Return what was collected, with single spaces and without blank lines."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        body = "\n".join(line for line in lines if line not in ("", "-"))
        title = " ".join("".join(self._title).split())
        return f"{title}\n\n{body}".strip() if title else body

    def _behind(self, text: str, start: int) -> int:
        """Return the place after the next `text`, else the end of the page."""
        found = self._html.find(text, start)
        return len(self._html) if found < 0 else found + len(text)

    def _tag(self, name: str, start: int) -> int:
        """Take the tag at `start`; return the place behind it."""
        html = self._html
        end = self._behind(">", start)
        # A > within a quotation does not end the tag; only one such is looked for.
        if html.count('"', start, end) % 2 and (close := html.find('"', end)) >= 0:
            end = self._behind(">", close)
        if html.startswith("</", start):
            self._end(name)
        elif name in _RAW and not self._hidden:
            closing = re.compile(f"</{name}", re.IGNORECASE).search(html, end)
            return self._behind(">", closing.end()) if closing else len(html)
        elif html[end - 2 : end] != "/>" or name not in _LEFT_OUT:
            self._begin(name)
        return end

    def _begin(self, name: str) -> None:
        if self._hidden:
            self._depth += name == self._hidden
        elif name in _LEFT_OUT:
            self._hidden, self._depth = name, 1
        elif name == "title" and not self._title:
            self._in_title = True
        elif name in _BLOCKS:
            self._parts.append("\n- " if name == "li" else "\n")

    def _end(self, name: str) -> None:
        if self._hidden:
            self._depth -= name == self._hidden
            if self._depth == 0:
                self._hidden = ""
        elif name == "title":
            self._in_title = False
        elif name in _BLOCKS:
            self._parts.append("\n")

    def _add(self, text: str) -> None:
        if text and not self._hidden:
            with suppress(ValueError):  # &#…; with more digits than Python reads
                text = unescape(text)
            (self._title if self._in_title else self._parts).append(text)
