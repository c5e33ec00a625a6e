r"""Finds footnotes in Markdown: `[^1]` in a text, `[^1]: …` at the start of a line.

One inline rule for markdown-it finds both. A note stays where the model wrote it, so
that streaming text never moves a finished line. Only numbers are footnotes: `[^ab]`
is as often a part of a regular expression, and stays as it is.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline

_mark = re.compile(r"\[\^([0-9]{1,3})\](?!\()(:(?=\s|\Z))?")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def use_footnotes(parser: MarkdownIt) -> MarkdownIt:
    """Add the rule `footnote_mark` to a parser; return it."""
    parser.inline.ruler.before("link", "footnote_mark", _inline)
    parser.block.ruler.at("reference", _reference)
    return parser


def raised(number: str) -> str:
    """Return the digits of a footnote as superscript."""
    return number.translate(_RAISED)


def _reference(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    # `[^1]: word` would be the definition of a link, which is not drawn.
    if state.src.startswith("[^", state.bMarks[line] + state.tShift[line]):
        return False
    return reference(state, line, end, silent)


def _inline(state: StateInline, silent: bool) -> bool:
    found = _mark.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    begins_line = not state.src[: state.pos].rpartition("\n")[2].strip()
    if not silent:
        state.push("footnote_mark", "", 0).content = found[1]
    state.pos = found.end() if begins_line else found.end(1) + 1
    return True
