"""Relaxes rules of Markdown that would hide words of what models write.

- Containers nested more deeply than the parser goes are text.
- A row of a table keeps its surplus cells, and a "|" within code divides none.
- Marks of emphasis work beside punctuation of Chinese, Japanese and Korean, which have
  no spaces between words (https://github.com/tats-u/markdown-cjk-friendly).
"""

import re
from collections.abc import Callable
from functools import partial
from types import FunctionType

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import escapedSplit, table
from markdown_it.rules_inline import StateInline, emphasis, strikethrough
from markdown_it.rules_inline.state_inline import Scanned

_Rule = Callable[[StateInline, bool], bool]

_DEEPEST = 40  # levels; a list takes two
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fff\u3001-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe30-\ufe4f\uff01-\uffee\U00020000-\U0003ffff]"
)


def use_lenient_rules(parser: MarkdownIt) -> MarkdownIt:
    """Replace rules of a parser; return it."""
    parser.options.maxNesting = _DEEPEST + 4
    parser.block.ruler.before("table", "too_deep", _too_deep)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.at("emphasis", partial(_mark, emphasis.tokenize))
    parser.inline.ruler.at("strikethrough", partial(_mark, strikethrough.tokenize))
    return parser


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.level < _DEEPEST:
        return False
    if not silent:
        token = state.push("paragraph_open", "p", 1)
        token.map = [start, end]
        token = state.push("inline", "", 0)
        token.content = state.getLines(start, end, state.blkIndent, False).strip()
        token.map, token.children = [start, end], []
        state.push("paragraph_close", "p", -1)
    state.line = end
    return True


class _Cells:
    """Splits the rows of one table, its header first."""

    def __init__(self) -> None:
        self._columns = 0

    def __call__(self, row: str) -> list[str]:
        cells = _within(escapedSplit(row))
        if not self._columns:
            self._columns = len(cells)
        if len(cells) <= self._columns:
            return cells
        # "\0" stands in no text: the parser has replaced it.
        hidden = _CODE.sub(lambda code: code[0].replace("|", "\0"), row)
        cells = [each.replace("\0", "|") for each in _within(escapedSplit(hidden))]
        last = self._columns - 1
        return [*cells[:last], " | ".join(each.strip() for each in cells[last:])]


def _within(cells: list[str]) -> list[str]:
    """Return the cells between the bars at both ends of a row."""
    cells = cells[1:] if cells and not cells[0] else cells
    return cells[:-1] if cells and not cells[-1] else cells


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # The rule as it is, with another way to split rows: it has no option for that.
    names = {**table.__globals__, "escapedSplit": _Cells()}
    rule = FunctionType(table.__code__, names)
    return bool(rule(state, start, end, silent))


def _mark(tokenize: _Rule, state: StateInline, silent: bool) -> bool:
    state.scanDelims = partial(_scan, state)  # pyright: ignore[reportAttributeAccessIssue]: called by position
    return tokenize(state, silent)


def _scan(state: StateInline, start: int, inside_words: bool) -> Scanned:
    """Tell whether a run of marks can open and close; see `StateInline.scanDelims`."""
    text, end = state.src, start
    while end < state.posMax and text[end] == text[start]:
        end += 1
    last = text[start - 1] if start > 0 else " "
    following = text[end] if end < state.posMax else " "
    opens = _flanks(following, last)
    closes = _flanks(last, following)
    return Scanned(
        opens and (inside_words or not closes or _is_punctuation(last)),
        closes and (inside_words or not opens or _is_punctuation(following)),
        end - start,
    )


def _flanks(inner: str, outer: str) -> bool:
    """Return whether a mark can stand between what it marks and what is outside."""
    if isWhiteSpace(ord(inner)):
        return False
    if not _is_punctuation(inner) or _CJK.match(inner):
        return True
    outside = isWhiteSpace(ord(outer)) or _is_punctuation(outer)
    return outside or bool(_CJK.match(outer))


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)
