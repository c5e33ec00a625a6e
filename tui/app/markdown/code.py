"""Fenced code: coloured in groups of lines, so that a long block can grow.

Pygments keeps no state between calls, so a block that grows would be coloured anew
from its first line. It is cut into groups instead, where a line that starts at the
margin follows a blank one, or at a limit. The cuts depend on the text alone: whether
a block came whole or in pieces, it looks the same.
"""

from functools import lru_cache
from typing import Any

from rich.cells import chop_cells

from tui.app.markdown.lines import Line, Span, Style, merge
from tui.safe import safe

_SMALL, _LARGE = 16, 64  # lines of a group: may be cut, must be cut
_LONGEST = 400  # characters of a line that is worth colouring
_PAD: Span = (" ", ("fence",))
_STYLES = {
    "Comment": "comment",
    "Keyword": "keyword",
    "Keyword.Constant": "constant",
    "Keyword.Type": "type",
    "Literal.Number": "number",
    "Literal.String": "string",
    "Literal.String.Interpol": "interpolation",
    "Literal.String.Escape": "interpolation",
    "Name.Attribute": "attribute",
    "Name.Builtin": "builtin",
    "Name.Builtin.Pseudo": "constant",
    "Name.Class": "type",
    "Name.Constant": "constant",
    "Name.Decorator": "decorator",
    "Name.Exception": "type",
    "Name.Function": "function",
    "Name.Namespace": "type",
    "Name.Tag": "keyword",
    "Name.Variable": "variable",
    "Operator.Word": "keyword",
    "Generic.Deleted": "deleted",
    "Generic.Inserted": "inserted",
    "Generic.Heading": "keyword",
    "Generic.Subheading": "type",
    "Generic.Prompt": "comment",
    "Generic.Strong": "strong",
    "Generic.Emph": "em",
}
CODE_STYLES = frozenset(_STYLES.values()) - {"strong", "em"}
"""The names of styles that highlighting uses, without those of prose."""


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any:
    # Imported on the first block of code, not when the screen opens.
    from pygments.lexers import (
        get_lexer_by_name,  # pyright: ignore[reportUnknownVariableType]: its options
    )
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _style(token: Any) -> Style:
    names = str(token).split(".")[1:]
    while names:
        if found := _STYLES.get(".".join(names)):
            return ("fence", found)
        names.pop()
    return ("fence",)


def highlight(lines: list[str], language: str) -> list[list[Span]]:
    """Colour lines of code, which are safe already, each on its own."""
    lexer = _lexer(language.lower()) if language else None
    if lexer is None or any(len(line) > _LONGEST for line in lines):
        return [[(line, ("fence",))] for line in lines]
    result: list[list[Span]] = [[]]
    for token, text in lexer.get_tokens("\n".join(lines)):
        style = _style(token)
        first, *others = text.split("\n")
        result[-1].append((first, style))
        for other in others:
            result.append([(other, style)])
    # A lexer may add or drop a line end; the text itself must be whole.
    if ["".join(t for t, _ in spans) for spans in result] != lines:
        return [[(line, ("fence",))] for line in lines]
    return result


def _chop(spans: tuple[Span, ...], width: int) -> list[Line]:
    """Break a line of code at the edge, wherever that is: nothing may be lost."""
    text = "".join(t for t, _ in spans)
    lines: list[Line] = []
    pieces = chop_cells(text, max(width, 2)) or [""]
    rest = list(reversed(spans))
    for index, piece in enumerate(pieces):
        row: list[Span] = [_PAD]
        room = len(piece)
        while room and rest:
            part, style = rest.pop()
            row.append((part[:room], style))
            if len(part) > room:
                rest.append((part[room:], style))
            room -= min(room, len(part))
        lines.append(Line(tuple(row), ("fence",), "" if index else None, 1))
    return lines


class CodeBlock:
    """A block of code that gets its lines one after the other."""

    def __init__(self, info: str, width: int) -> None:
        words = info.split()
        self.language = safe(words[0], newlines=False).strip("{}.") if words else ""
        self._width = max(width - 2, 1)
        label = self.language[: self._width]
        self.lines: list[Line] = []
        """Lines that will not change any more."""
        if label:
            title: tuple[Span, ...] = (_PAD, (label, ("fence", "label")))
            self.lines.append(Line(title, ("fence",), None, 1 + len(label)))
        self._group: list[str] = []

    def feed(self, line: str) -> None:
        """Add a whole line, without its end."""
        line = safe(line.expandtabs(4), newlines=False)
        group = self._group
        margin = line[:1] not in ("", " ")
        if len(group) >= _LARGE or (
            len(group) >= _SMALL and margin and not group[-1].strip()
        ):
            self.lines += self._lay_out(group)
            self._group = group = []
        group.append(line)

    def _lay_out(self, group: list[str]) -> list[Line]:
        lines: list[Line] = []
        for spans in highlight(group, self.language):
            lines += _chop(merge(spans), self._width)
        return lines

    def open_lines(self, partial: str = "") -> list[Line]:
        """Return the lines after `lines`, with `partial` as the last if not empty."""
        group = self._group
        if partial:
            group = [*group, safe(partial.expandtabs(4), newlines=False)]
        return self._lay_out(group) if group else []


def code_lines(content: str, info: str, width: int) -> list[Line]:
    """Lay out a whole block of code; `content` ends each line with a line end."""
    block = CodeBlock(info, width)
    for line in content.removesuffix("\n").split("\n") if content else []:
        block.feed(line)
    return block.lines + block.open_lines()
