"""Turns inline Markdown into styled spans.

Most HTML stays text, see `html_tags`. The address of a link is shown, since a terminal
has no status bar for it, and a model may name one site and link another.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from markdown_it.token import Token

from tui.app.markdown.footnotes import raised
from tui.app.markdown.formula import hold_back
from tui.app.markdown.lines import Span, Style
from tui.safe import safe

_MARKS = {"strong_open": "strong", "em_open": "em", "s_open": "strike"}
_CLOSERS = {"strong_close", "em_close", "s_close"}
_bare_url = re.compile(r"https?://[^\s<>()\[\]{}\"'`，。；：！？、）」』】]+[\w/#=&-]")


_code_span = re.compile(r"(?<!`)(`+)(?!`)(?s:.+?)(?<!`)\1(?!`)")
_loose_end = re.compile(r"(?:^|(?<=\s))[*_~`]+$")
_bold_start = re.compile(r"(?<![\w*])\*\*(?=[^\s*])")


def close_marks(source: str) -> str:
    """Close bold and code that are open at the end of a streaming text.

    Otherwise its marks would be shown until their other half arrives. A mark without
    following text is removed.
    """
    source = hold_back(_loose_end.sub("", source))
    paragraph = source[source.rfind("\n\n") + 1 :]
    if "`" not in paragraph and "**" not in paragraph:
        return source
    rest = _code_span.sub("", paragraph)
    if "`" in rest:
        ticks = rest[rest.index("`") :]
        return source + ticks[: len(ticks) - len(ticks.lstrip("`"))]
    if rest.count("**") % 2 and _bold_start.search(rest, rest.rindex("**") - 1):
        return source.rstrip(" *") + "**"
    return source


def _text(text: str, style: Style) -> list[Span]:
    text = safe(text)
    if "://" not in text:
        return [(text, style)]
    spans: list[Span] = []
    position = 0
    for match in _bare_url.finditer(text):
        spans.append((text[position : match.start()], style))
        spans.append((match[0], (*style, "link")))
        position = match.end()
    spans.append((text[position:], style))
    return spans


def _address(href: str, shown: str, style: Style) -> list[Span]:
    """Return the address of a link, unless `shown` already contains it."""
    address = safe(href, newlines=False)
    readable = safe(unquote(href), newlines=False)
    known = {address, readable, address.removeprefix("mailto:")}
    known |= {re.sub(r"^https?://|/$", "", each) for each in known}
    if not address or shown.strip() in known:
        return []
    if " " in readable or len(readable) > len(address):
        readable = address
    return [(f" ({readable})", (*style, "url"))]


def formula_spans(token: Token, style: Style) -> list[Span]:
    """Return a formula as Unicode if that is exact, else its source."""
    # Imported with the first formula; most conversations have none.
    from tui.app.markdown.latex import to_unicode

    formula, mark, end = token.content, token.markup, token.info
    text = to_unicode(formula) if end else None
    if text is not None and ("\n" not in text or token.block):
        return [(safe(text + end.lstrip("$\\])").rstrip()), style)]
    return [(safe(mark + formula + end, newlines=token.block), (*style, "code"))]


def inline_spans(tokens: Sequence[Token], style: Style = ()) -> list[Span]:
    """Turn the children of an inline token into spans; breaks become line ends."""
    spans: list[Span] = []
    styles = [style]
    links: list[tuple[str, int]] = []
    for token in tokens:
        kind = token.type
        if kind in ("text", "text_special", "html_inline", "entity"):
            inside_link = bool(links)
            if inside_link:
                spans.append((safe(token.content), styles[-1]))
            else:
                spans += _text(token.content, styles[-1])
        elif kind in _MARKS:
            styles.append((*styles[-1], _MARKS[kind]))
        elif kind in _CLOSERS:
            styles.pop()
        elif kind == "code_inline":
            spans.append((safe(token.content), (*styles[-1], "code")))
        elif kind == "math_inline":
            spans += formula_spans(token, styles[-1])
        elif kind == "footnote_mark":
            mark = raised(token.content)
            spans.append((mark, (*styles[-1], "marker")))
        elif kind in ("softbreak", "hardbreak"):
            # Models break lines on purpose: in verses, addresses, short lists.
            spans.append(("\n", styles[-1]))
        elif kind == "link_open":
            links.append((str(token.attrs.get("href", "")), len(spans)))
            styles.append((*styles[-1], "link"))
        elif kind == "link_close":
            styles.pop()
            href, start = links.pop()
            shown = "".join(text for text, _ in spans[start:])
            spans += _address(href, shown, styles[-1])
        elif kind == "image":
            described = safe(token.content, newlines=False) or "image"
            spans.append((f"◙ {described}", (*styles[-1], "link")))
            spans += _address(str(token.attrs.get("src", "")), "", styles[-1])
        elif token.content:
            spans.append((safe(token.content), styles[-1]))
    return [span for span in spans if span[0]]
