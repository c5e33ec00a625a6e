"""Highlights fenced code in groups of lines, so that a long block can grow.

Pygments keeps no state between calls, so a growing block would have to be coloured
again from its first line. Instead, the block is cut into groups: after a blank line
that is followed by a line at the margin, or at a size limit. The cuts depend on the
text alone, so a block looks the same whether it arrives at once or in pieces.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tui.app.markdown.lines import Line, Span, Style, chop, merge
from tui.safe import safe

_SMALL, _LARGE = 16, 64  # lines after which a group may be cut, must be cut
_LONGEST = 400  # longest line, in characters, that is coloured
_PAD: Span = (" ", ("fence",))
_MARK = "└"  # before the rest of a line that is too long
_HANGING = 16  # columns from which there is room for it
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
"""The style names that highlighting uses, without those of prose."""


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


def preload() -> None:
    """Load the lexer of the most common language."""
    _lexer("python")


@lru_cache(maxsize=512)
def _style(token: Any) -> Style:
    names = str(token).split(".")[1:]
    while names:
        if found := _STYLES.get(".".join(names)):
            return ("fence", found)
        names.pop()
    return ("fence",)


def highlight(lines: list[str], language: str) -> tuple[list[list[Span]], Style | None]:
    """Colour lines of code, which must already be safe, each on its own.

    Also returns the style for the next line if a string or comment is still open at the
    end.
    """
    lexer = _lexer(language.lower()) if language else None
    plain: list[list[Span]] = [[(line, ("fence",))] for line in lines]
    if lexer is None or any(len(line) > _LONGEST for line in lines):
        return plain, None
    result: list[list[Span]] = [[]]
    token = None
    for token, text in lexer.get_tokens("\n".join(lines) + "\n"):
        style = _style(token)
        first, *others = text.split("\n")
        result[-1].append((first, style))
        for other in others:
            result.append([(other, style)])
    result.pop()
    # A lexer may add or drop a line end; the text must be unchanged.
    if ["".join(t for t, _ in spans) for spans in result] != lines:
        return plain, None
    name = str(token)
    open_ended = name.startswith("Token.Literal.String") or name in (
        "Token.Comment",
        "Token.Comment.Multiline",
    )
    return result, _style(token) if open_ended else None


def _pieces(text: str, width: int, hang: int) -> Iterator[str]:
    """Break a line of code: behind a space if one is in the second half of the row."""
    at, room = 0, width
    while at < len(text):
        # More characters than columns only if some have no width.
        piece = chop(text[at : at + 2 * room], room)[0]
        end = at + len(piece)
        if end < len(text) and text[end] != " ":
            space = piece.rfind(" ") + 1
            if space > len(piece) // 2:
                end = at + space
        yield text[at:end]
        at, room = end, max(width - hang, 2)


def _chop(spans: tuple[Span, ...], width: int) -> list[Line]:
    """Break a line of code at the pane's edge; nothing may be lost.

    The rest hangs two columns further in than the line, after a mark.
    """
    text = "".join(t for t, _ in spans)
    width = max(width, 2)
    inner = len(text) - len(text.lstrip(" "))
    hang = min(inner + 2, width // 2) if width >= _HANGING else 0
    mark = f"{_MARK:>{hang - 1}} " if hang else ""
    lines: list[Line] = []
    rest = list(reversed(spans))
    for piece in list(_pieces(text, width, hang)) or [""]:
        row: list[Span] = [_PAD]
        if lines and mark:
            row.append((mark, ("fence", "fence-label")))
        lead = sum(len(part) for part, _ in row)
        # The space of the break would push the rest out of line.
        glue = " " if lines and piece.startswith(" ") and piece.strip() else ""
        skip, room = len(glue), len(piece)
        while room and rest:
            part, style = rest.pop()
            if kept := part[skip:room]:
                row.append((kept, style))
            skip = max(skip - len(part), 0)
            if len(part) > room:
                rest.append((part[room:], style))
            room -= min(room, len(part))
        lines.append(Line(tuple(row), ("fence",), glue if lines else None, lead))
    return lines


class CodeBlock:
    """A block of code that grows line by line."""

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
        # The lines of the group, which is coloured as a whole only from time to time.
        self._shown: list[Line] = []
        self._laid_out = 0  # number of the group's lines in `_shown`
        self._exact = 0  # number of lines that were coloured as a whole
        self._carried: Style | None = None  # style of a string or comment left open

    def feed(self, line: str) -> None:
        """Add a complete line, without its end."""
        line = safe(line.expandtabs(4), newlines=False)
        group = self._group
        margin = line[:1] not in ("", " ")
        if len(group) >= _LARGE or (
            len(group) >= _SMALL and margin and not group[-1].strip()
        ):
            self.close()
        self._group.append(line)

    def close(self) -> None:
        """Move the open group to `lines`, coloured as a whole."""
        if self._group:
            self.lines += self._lay_out(*highlight(self._group, self.language))
        self._group, self._shown = [], []
        self._laid_out = self._exact = 0
        self._carried = None

    def _lay_out(self, rows: list[list[Span]], carried: Style | None) -> list[Line]:
        self._carried = carried
        return [line for spans in rows for line in _chop(merge(spans), self._width)]

    def _alone(self, line: str) -> list[Line]:
        """Lay out a line without those above it: cheap and nearly right."""
        if self._carried:
            return _chop(((line, self._carried),) if line else (), self._width)
        rows, _ = highlight([line], self.language)
        return _chop(merge(rows[0]), self._width)

    def open_lines(self, partial: str = "") -> list[Line]:
        """Return the lines after `lines`, with `partial` as the last if not empty.

        A group is coloured as a whole after growing by a quarter: pygments is too slow
        to colour each line once for every line below it.
        """
        count = len(self._group)
        if count > self._laid_out:
            if count > self._exact + self._exact // 4:
                self._shown = self._lay_out(*highlight(self._group, self.language))
                self._exact = count
            else:
                for line in self._group[self._laid_out :]:
                    self._shown += self._alone(line)
            self._laid_out = count
        if not partial:
            return list(self._shown)
        return self._shown + self._alone(safe(partial.expandtabs(4), newlines=False))


def code_lines(content: str, info: str, width: int) -> list[Line]:
    """Lay out a complete block of code; each line of `content` has a line end."""
    block = CodeBlock(info, width)
    for line in content.removesuffix("\n").split("\n") if content else []:
        block.feed(line)
    block.close()
    return block.lines
