"""Reads the tags of HTML that models write inside Markdown where Markdown has no sign.

`<br>` in the cells of tables, subscripts, keys. Other tags, those with attributes and
those that are not closed stay text, as in a sentence about HTML.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_break = re.compile(r"<br\s{0,3}/?>[ \t]*\n?", re.IGNORECASE)
_pair = re.compile(
    r"<(b|strong|i|em|s|del|kbd|sub|sup)>(?=\S)([^\n]{1,500}?)(?<=\S)</\1>",
    re.IGNORECASE,
)
_MARKS = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("i", "em"), "em"),
    **dict.fromkeys(("s", "del"), "s"),
}


def use_html_tags(parser: MarkdownIt) -> MarkdownIt:
    """Add the rule `html_tag` to a parser; return it."""
    parser.inline.ruler.before("autolink", "html_tag", _inline)
    return parser


def _inline(state: StateInline, silent: bool) -> bool:
    if found := _break.match(state.src, state.pos, state.posMax):
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = found.end()
        return True
    found = _pair.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    tag, content = found[1].lower(), found[2]
    if tag in ("sub", "sup"):
        text = _moved(content, raised=tag == "sup")
        if text is None:
            return False
        if not silent:
            state.push("text", "", 0).content = text
    elif tag == "kbd":
        if not silent:
            state.push("code_inline", "code", 0).content = content
    elif not silent:
        mark = _MARKS[tag]
        end, state.pos, state.posMax = state.posMax, found.start(2), found.end(2)
        state.push(f"{mark}_open", mark, 1)
        state.md.inline.tokenize(state)
        state.push(f"{mark}_close", mark, -1)
        state.posMax = end
    state.pos = found.end()
    return True


def _moved(text: str, *, raised: bool) -> str | None:
    """Return `text` as superscript or subscript; None if Unicode lacks a character."""
    # Imported with the first one; most conversations have none.
    from tui.app.markdown.symbols import SUBSCRIPT, SUPERSCRIPT

    table = SUPERSCRIPT if raised else SUBSCRIPT
    moved = [table.get(character) for character in text.replace("-", "−")]
    return None if None in moved else "".join(filter(None, moved))
