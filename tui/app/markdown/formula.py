r"""Finds mathematics in Markdown: `$…$`, `\(…\)`, `$$…$$` and `\[…\]`.

Two rules for markdown-it; `latex` formats the formulas. One line is enough to decide
whether a block of mathematics begins. The block ends at its closing mark, a blank line
or the end of its container. So streaming text never turns a finished line into
mathematics. A dollar usually means money, hence the many checks.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_LONGEST = 2000  # characters of a formula within a line
_CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}
_word = re.compile(r"[A-Za-z0-9]")
_escape = re.compile(r"\\.", re.DOTALL)
_command = re.compile(r"\\[a-zA-Z]+\s*(?:\{[^{}]*\})?|\\.")
_tex = re.compile(r"[\\^_={}+<>]")
_prose = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]|[^\W\d_]\s+[^\W\d_]{2,}")
_one_word = re.compile(r"\s\(?[^\W\d_]{2,}|[^\W\d_]{2,}\s")
_reference = re.compile(r"[\d\s,–-]+")
_last = re.compile(r"(?<!\\)\$+\Z")


def use_formulas(parser: MarkdownIt) -> MarkdownIt:
    """Add the rules `math_inline` and `math_block` to a parser; return it."""
    parser.inline.ruler.before("escape", "math_inline", _inline)
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "math_block", _block, {"alt": interrupts})
    return parser


def hold_back(source: str) -> str:
    """Remove dollars at the end of a text that is still being written.

    The text that follows decides whether they close a formula or mean money.
    """
    return _last.sub("", source) if source.endswith("$") else source


def formula_open(source: str) -> bool:
    """Return whether `source` may end within a formula."""
    return any(
        source.rfind(mark) > source.rfind(_CLOSING[mark]) for mark in (r"\(", r"\[")
    )


def _reads_as_prose(formula: str) -> bool:
    r"""Return whether a formula is words in brackets (``\[not a link\]``) or money."""
    if not _tex.search(formula):
        return bool(_one_word.search(formula))
    return bool(_prose.search(_command.sub(" 1 ", formula)))


def _find_closing(source: str, closing: str, start: int, end: int) -> int:
    """Return the index of the closing mark that is not escaped, or -1."""
    end = min(end, start + _LONGEST)
    while (at := source.find(closing, start, end)) >= 0:
        before = source[start:at]
        slashes = len(before) - len(before.rstrip("\\"))
        if slashes % 2 == 0:
            return at
        start = at + 1
    return -1


def _inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] not in "$\\":
        return False
    mark = source[start : start + 2]
    if mark not in _CLOSING:
        if source[start] == "\\":
            return False
        mark = "$"
    inside = start + len(mark)
    at = _find_closing(source, _CLOSING[mark], inside, state.posMax)
    formula = source[inside:at]
    if at < 0 or not formula.strip() or "`" in formula or "](" in formula:
        return False
    after = source[at + len(mark) : at + len(mark) + 1]
    if mark == "$" and not _is_no_money(formula, source[start - 1 : start], after):
        return False
    if mark == r"\[" and not _tex.search(formula):
        return False  # plain brackets
    if "$" in _escape.sub("", formula) or _reads_as_prose(formula):
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = formula
        token.markup = mark
        token.info = _CLOSING[mark]
    state.pos = at + len(mark)
    return True


def _is_no_money(formula: str, before: str, after: str) -> bool:
    if formula[0].isspace() or formula[-1].isspace() or _word.match(before):
        return False
    if not _word.match(after):
        return True
    # "the $n$th", but neither "$5/$6" nor "$HOME/$USER"
    return not after.isdigit() and (len(formula) == 1 or "\\" in formula)


def _begins(line: str) -> str | None:
    """Return the mark of the block that a line begins, None without one."""
    mark = line[:2]
    if mark not in ("$$", r"\["):
        return None
    inside = line[2:].strip()
    at = inside.find(_CLOSING[mark])
    if not inside:
        return mark
    if at < 0:
        return mark if _tex.search(inside) and not _reads_as_prose(inside) else None
    formula = inside[:at]
    if not at or inside[at + 2 :].strip(" .,;") or "`" in line:
        return None
    if mark == r"\[" and _reference.fullmatch(formula):
        return None  # "[1]"
    return None if _reads_as_prose(formula) else mark


def _block(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    start = state.bMarks[first] + state.tShift[first]
    if state.src[start : start + 1] not in ("$", "\\"):
        return False
    line = state.src[start : state.eMarks[first]]
    mark = _begins(line)
    if mark is None:
        return False
    if silent:
        return True
    closing = _CLOSING[mark]
    lines = [line[2:].rstrip()]
    number = first
    ending = _closed(lines[0], closing)
    while ending is None:
        number += 1
        if number >= end or state.isEmpty(number):
            break
        if state.sCount[number] < state.blkIndent:
            break
        start = state.bMarks[number] + state.tShift[number]
        lines.append(state.src[start : state.eMarks[number]].rstrip())
        ending = _closed(lines[-1], closing)
    else:
        lines[-1] = lines[-1][:ending]
        number += 1
    state.line = number
    token = state.push("math_block", "math", 0)
    token.block = True
    # `info` holds the closing mark and a full stop or comma; empty while open.
    token.info = "" if ending is None else _rest(state, number - 1, closing)
    token.content = "\n".join(lines)
    token.markup = mark
    token.map = [first, number]
    return True


def _closed(line: str, closing: str) -> int | None:
    """Return the index of the closing mark at the end of a line, None without one."""
    at = line.rfind(closing)
    return at if at >= 0 and not line[at + 2 :].strip(" .,;") else None


def _rest(state: StateBlock, number: int, closing: str) -> str:
    line = state.src[state.bMarks[number] : state.eMarks[number]].rstrip()
    return line[line.rfind(closing) :]
