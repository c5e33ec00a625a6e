"""Long blocks that are still streaming: code, tables, paragraphs.

Each block takes new text, keeps its finished lines, and returns the text that no longer
belongs to it. The cost of a piece of text depends on the piece alone, not on the text
before it.
"""

import re
from collections.abc import Sequence
from typing import Any, Protocol

from markdown_it.token import Token

from tui.app.markdown.blocks import (
    Layout,
    parse,
    parse_inline,
    table_aligns,
    table_cells,
    top_level,
)
from tui.app.markdown.code import CodeBlock
from tui.app.markdown.effort import effort
from tui.app.markdown.formula import formula_open
from tui.app.markdown.inline import close_marks, inline_spans
from tui.app.markdown.lines import BLANK, Flow, Line, to_lines
from tui.app.markdown.table import Table


class Growing(Protocol):
    """A block that accepts text as long as the text belongs to it."""

    @property
    def lines(self) -> list[Line]:
        """The finished lines."""
        ...

    def feed(self, text: str) -> str | None:
        """Add text; return None, or the rest that follows the block's end."""
        ...

    def update(self, *, exact: bool) -> int:
        """Update `lines`; return the first that may have changed."""
        ...

    def open_lines(self) -> list[Line]:
        """Return the lines after `lines`, which may still change."""
        ...


def take_lines(text: str) -> tuple[list[str], str]:
    """Split text into complete lines, without their ends, and the rest."""
    *whole, rest = text.split("\n")
    return whole, rest


class GrowingCode:
    """A fence that is not closed yet."""

    def __init__(self, opening: Token, opening_line: str, width: int) -> None:
        self._block = CodeBlock(opening.info, width)
        self._indent = len(opening_line) - len(opening_line.lstrip(" "))
        mark, count = opening.markup[0], len(opening.markup)
        self._closing = re.compile(rf" {{0,3}}{re.escape(mark)}{{{count},}}[ \t]*$")
        self._maybe_closing = re.compile(rf" {{0,3}}{re.escape(mark)}+$")
        self._partial = ""
        self._reported = 0

    @property
    def lines(self) -> list[Line]:
        """The finished lines."""
        return self._block.lines

    def feed(self, text: str) -> str | None:
        """Add text; return the rest that follows the block's end."""
        whole, self._partial = take_lines(self._partial + text)
        for index, line in enumerate(whole):
            if self._closing.match(line):
                rest = "\n".join([*whole[index + 1 :], self._partial])
                self._partial = ""
                return rest
            self._block.feed(self._unindent(line))
        return None

    def _unindent(self, line: str) -> str:
        """Remove the fence's own indent; a tab may be removed in part."""
        columns = 0
        while columns < self._indent and line[:1] in (" ", "\t"):
            columns += 1 if line[0] == " " else 4 - columns % 4
            line = line[1:]
        return " " * (columns - self._indent) + line

    def update(self, *, exact: bool) -> int:
        """Update `lines`."""
        if exact:
            # markdown-it drops a last line that has only spaces.
            if self._partial.strip() and not self._closing.match(self._partial):
                self._block.feed(self._unindent(self._partial))
            self._block.close()
        first, self._reported = self._reported, len(self.lines)
        return first

    def open_lines(self) -> list[Line]:
        """Return the lines that may still change."""
        # Hide a possible closing fence, which would appear and vanish again.
        hidden = self._maybe_closing.match(self._partial)
        return self._block.open_lines("" if hidden else self._unindent(self._partial))


class GrowingTable:
    """A table that is receiving more rows."""

    def __init__(
        self, head: str, header: Sequence[Token], refs: dict[str, Any], width: int
    ) -> None:
        self._head = head
        self._refs = refs
        self._width = width
        self._table = Table(table_cells(header)[0], table_aligns(header), width)
        self._partial = ""

    @property
    def lines(self) -> list[Line]:
        """The finished lines."""
        return self._table.lines

    def _rows(self, source: str) -> tuple[list[Any], int]:
        """Parse rows; return their cells and the number of lines that are rows."""
        blocks = top_level(parse(self._head + source, self._refs))
        table_lines = blocks[0][0].map
        assert table_lines  # markdown-it always sets it for tables
        return table_cells(blocks[0])[1:], table_lines[1] - 2

    def feed(self, text: str) -> str | None:
        """Add text; return the rest that follows the block's end."""
        whole, self._partial = take_lines(self._partial + text)
        if not whole:
            return None
        rows, count = self._rows("\n".join(whole))
        self._table.add(rows)
        if count == len(whole):
            return None
        rest = "\n".join([*whole[count:], self._partial])
        self._partial = ""
        return rest

    def update(self, *, exact: bool) -> int:
        """Update `lines`."""
        if exact and self._partial:
            self._table.add(self._rows(self._partial)[0])
        return self._table.update(exact=exact)

    def open_lines(self) -> list[Line]:
        """Return the lines that may still change."""
        if not self._partial:
            return []
        rows, _ = self._rows(self._partial)
        if rows:
            return self._table.preview(rows)
        return [BLANK, *lay_out_alone(self._partial, self._width, self._refs)]


def lay_out_alone(source: str, width: int, refs: dict[str, Any]) -> list[Line]:
    """Lay out Markdown without the text above it."""
    layout = Layout(source.split("\n"))
    return layout.children(parse(source, dict(refs)), width, ())


# In a paragraph, a line that begins with a letter cannot begin another block.
_plainly_text = re.compile(r" {0,3}[^\W\d_]")
_letter = re.compile(r"[^\W\d_]")
_underline = re.compile(r"[ \t:|=-]*$")
_unresolved = re.compile(r"[*~`\[\]!<&\\]|\$(?=\S)|(?<!\w)_|_(?!\w)")
_SEAL_AT, _SEAL_STEP, _FORCE_AT = 320, 120, 1000  # characters
_HUGE = 32_000  # effort


class GrowingParagraph:
    """A long paragraph.

    Text is finished up to a point where no mark is open. If a mark stays open for long,
    the text is cut anyway, so the result is only nearly right. When the paragraph ends,
    `feed` returns all of its text to be laid out again.
    """

    def __init__(self, known: int, refs: dict[str, Any], width: int) -> None:
        self._known = known  # number of lines that the parser has assigned to it
        self._refs = refs
        self._width = width
        self._flow = Flow(width)
        self._source: list[str] = []
        self._effort = 0  # of `_source`
        self._pending = ""  # unfinished text
        self._tried = 0  # length of `_pending` when no cut was found
        self._partial = ""
        self._taken = 0  # characters of `_partial` that are in `_pending`
        self._reported = 0
        self.lines: list[Line] = []

    def feed(self, text: str) -> str | None:
        """Add text; return the rest that follows the block's end."""
        whole, self._partial = take_lines(self._partial + text)
        for index, line in enumerate(whole):
            if not self._taken and not self._continues(line):
                source = [] if self.is_huge else self._source
                rest = "\n".join([*source, *whole[index:], self._partial])
                self._partial = ""
                return rest
            self._source.append(line)
            self._effort += effort(line) + 1
            self._pending += line[self._taken :] + "\n"
            self._taken = 0
        partial = self._partial
        if self._taken or (_letter.search(partial) and self._continues(partial)):
            self._pending += partial[self._taken :]
            self._taken = len(partial)
        self._seal()
        return None

    @property
    def is_huge(self) -> bool:
        """Whether it is too long to be laid out again.

        The lines of a huge paragraph stay as they are.
        """
        return self._effort + effort(self._partial) > _HUGE

    @property
    def source(self) -> str:
        """The whole text of the paragraph."""
        return "\n".join([*self._source, self._partial])

    def _continues(self, line: str) -> bool:
        if len(self._source) < self._known or _plainly_text.match(line):
            return True
        if _underline.match(line):
            return False
        blocks = top_level(parse(f"x\n{line}\n", {}))
        return len(blocks) == 1 and blocks[0][0].map == [0, 2]

    def _seal(self) -> None:
        while len(self._pending) > max(_SEAL_AT, self._tried + _SEAL_STEP):
            limit = min(len(self._pending), _FORCE_AT) - 1
            for part in (1.0, 0.66, 0.33):
                cut = self._pending.rfind(" ", 0, int(limit * part)) + 1
                children = parse_inline(self._pending[:cut], self._refs) if cut else []
                if (
                    cut
                    and not formula_open(self._pending[:cut])
                    and not any(
                        token.type == "text" and _unresolved.search(token.content)
                        for token in children
                    )
                ):
                    break
            else:
                if len(self._pending) < _FORCE_AT:
                    self._tried = len(self._pending)
                    return
                cut = self._pending.rfind(" ", 0, _FORCE_AT) + 1 or _FORCE_AT
                children = parse_inline(self._pending[:cut], self._refs)
            self._flow.extend(inline_spans(children))
            self._pending = self._pending[cut:]
            self._tried = 0

    def update(self, *, exact: bool) -> int:
        """Update `lines`."""
        first, self._reported = self._reported, len(self._flow.rows)
        self.lines += to_lines(self._flow.rows[first:])
        return first

    def open_lines(self) -> list[Line]:
        """Return the lines that may still change."""
        partial = "" if self._taken else self._partial
        inside = not partial or self._continues(partial)
        text = self._pending + partial if inside else self._pending
        children = parse_inline(close_marks(text.rstrip()), self._refs)
        lines = to_lines(self._flow.preview(inline_spans(children)))
        if not inside and not _underline.match(partial):
            lines += [BLANK, *lay_out_alone(partial, self._width, self._refs)]
        return lines
