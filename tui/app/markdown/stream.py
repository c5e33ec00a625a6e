"""Streaming Markdown: finished blocks are kept, the open one is laid out again.

A block is finished when the next one has begun in a line that can have no other
meaning. Only the text after that is parsed again. If that is long (a page of code, a
table, a paragraph, a list), it grows separately: see `growing`. At the end of the text,
the lines equal those of laying out the whole text at once. The file is long because all
steps change the same lines and the same open text.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token

from tui.app.markdown.blocks import Layout, first_line, list_number, parse, top_level
from tui.app.markdown.effort import effort
from tui.app.markdown.growing import (
    Growing,
    GrowingCode,
    GrowingParagraph,
    GrowingTable,
    lay_out_alone,
)
from tui.app.markdown.inline import close_marks
from tui.app.markdown.lines import BLANK, Line, indent

_LONG_LINE = 200  # characters after which the kind of a line is certain
_LONG_PARAGRAPH = 600  # characters
_LONG_TABLE = 8  # rows
_LARGE = 3000  # characters of any other block from which it is approximated
_STEP = 600  # characters of such a block that each frame lays out again
_HUGE = 32_000  # effort above which a block is no longer laid out as a whole
_LOOKED_THROUGH = (
    64_000  # largest effort of a text whose links may be defined at its end
)
_letter = re.compile(r"[^\W\d_]")
_setext = re.compile(r" {0,3}(-+|=+) *$")
_container = re.compile(r" {0,3}(> ?)+|[ >]+")
_LISTS = ("bullet_list_open", "ordered_list_open")


class _List:
    """A list with finished items."""

    def __init__(self, opening: Token, number: int, gap: bool) -> None:
        self._kind = opening.type, opening.markup
        self.number = number
        """The number of the next item."""
        self.gap = gap
        """Whether the source has a blank line above the next item."""

    def continues_in(self, block: Sequence[Token]) -> bool:
        return (block[0].type, block[0].markup) == self._kind


class _Settled:
    """The lines of a large block up to a line end, first exact, later approximate."""

    def __init__(self, length: int, lines: list[Line]) -> None:
        self.exact = self.length = length  # characters
        self.lines = lines


class Stream:
    """Lays out Markdown text that may still grow.

    `lines` is what to draw; `update` and `finish` change it in place and return the
    number of the first line that may have changed.
    """

    def __init__(self, width: int) -> None:
        self.width = max(width, 1)
        """Cells that a line may take."""
        self.lines: list[Line] = []
        self._source: list[str] = []
        self._new: list[str] = []
        self._tail = ""  # the text whose lines may change, unless a block grows
        self._examined = 0  # how much of the tail was searched for an end
        self._firm = 0  # number of lines that will not change
        self._list: _List | None = None
        self._growing: Growing | None = None
        self._base = 0  # where the lines of `_growing` begin
        self._refs: dict[str, Any] = {}
        self._settled: _Settled | None = None
        self._finished = False

    def append(self, text: str) -> None:
        """Add text in pieces of any size; `update` lays it out."""
        if text:
            self._source.append(text)
            self._new.append(text)

    def update(self) -> int:
        """Lay out the added text."""
        if not self._new:
            return len(self.lines)
        firm = self._firm
        ended = self._take()
        if effort(self._tail) > _HUGE:
            # Parsing the block again would block the keys for too long: end it here.
            broken = self._end_open()
            ended = broken if ended is None else min(broken, ended)
        moved = self._advance()
        shown = self._show()
        if ended is not None:
            return min(firm, ended, shown)
        return min(firm, shown) if moved else shown

    def finish(self) -> int:
        """Lay out the rest: no more text will come."""
        if self._finished:
            return len(self.lines)
        self._finished = True
        first = self._firm
        ended = self._take()
        if ended is not None:
            first = min(first, ended)
        return min(first, self._end_open(last=True))

    def _end_open(self, *, last: bool = False) -> int:
        """Lay out all open text as if nothing came after it."""
        first = self._firm
        growing = self._growing
        if isinstance(growing, GrowingParagraph) and not growing.is_huge:
            first = min(first, self._close_growing(growing.source))
        elif growing:
            first = min(first, self._close_growing(""))
        del self.lines[self._firm :]
        refs = self._refs
        blocks = top_level(parse(self._tail, refs))
        if not last:
            self._settled = None
            self._examined = 0
        elif refs and self._firm and self._can_be_looked_through():
            # A link definition may follow its references.
            blocks = top_level(parse("".join(self._source), {}))
            first = self._restart(0)
            self._tail = "".join(self._source)
        self.lines += self._lay_out(blocks, self._tail)
        first = min(first, self._firm)
        self._firm = len(self.lines)
        self._tail = ""
        self._list = None
        return first

    def _can_be_looked_through(self) -> bool:
        left = _LOOKED_THROUGH
        for text in self._source:
            left -= effort(text)
            if left < 0:
                return False
        return True

    def _restart(self, base: int) -> int:
        del self.lines[base:]
        self._firm = base
        self._examined = 0
        self._settled = None
        if not base:
            self._list = None
        return base

    def _take(self) -> int | None:
        """Pass new text to the growing block or the tail.

        Returns the first changed line if that has ended the growing block.
        """
        text = "".join(self._new)
        self._new.clear()
        if self._growing is None:
            self._tail += text
            return None
        rest = self._growing.feed(text)
        return None if rest is None else self._close_growing(rest)

    def _close_growing(self, rest: str) -> int:
        self._tail = rest
        growing = self._growing
        if isinstance(growing, GrowingParagraph):
            if not growing.is_huge:
                self._growing = None
                return self._restart(self._base)
            first = self._show_growing(exact=False)
            self._firm = len(self.lines)
        else:
            first = self._show_growing(exact=True)
        self._end_growing()
        return first

    def _end_growing(self) -> None:
        self._growing = None
        del self.lines[self._firm :]
        self._examined = 0
        self._settled = None
        self._list = None

    def _advance(self) -> bool:
        """Move finished blocks to the firm lines; return whether there were any."""
        moved = False
        while self._growing is None:
            tail = self._tail
            end = tail.rfind("\n") + 1
            partial = tail[end:]
            if (
                len(partial) >= _LONG_LINE
                and _letter.search(partial)
                and partial.lstrip()[0] not in "`~$\\"
            ):
                end = len(tail)
            grown = end - self._examined
            if grown <= 0 or (end > _LARGE and grown < self._examined // 8):
                return moved
            self._examined = end
            if not self._put_aside(tail, end):
                return moved
            moved = True
        return moved

    def _put_aside(self, tail: str, end: int) -> bool:
        """Keep the lines of blocks that have ended; return whether there were any."""
        refs = dict(self._refs)
        blocks = top_level(parse(tail[:end], refs))
        if not blocks:
            return False
        source = tail.split("\n")
        last = blocks[-1]
        kind = last[0].type
        ending = last[0].map[1] if last[0].map else 0
        if kind == "paragraph_open" and ending < tail.count("\n", 0, end):
            # The blank line below it has ended it.
            self._keep(self._lay_out(blocks, tail))
            self._set_tail(source[ending:], refs)
            self._list = None
            return True
        self._keep(self._lay_out(blocks[:-1], tail))
        cut = first_line(last)
        if kind in _LISTS:
            cut = self._put_items_aside(last, tail, first=len(blocks) == 1)
        else:
            if len(blocks) > 1:
                self._list = None
            self._growing = self._begin(last, source[cut:], ending - cut)
        moved = cut > 0 or self._growing is not None
        if not moved:
            return False
        self._set_tail(source[cut:], refs)
        if self._growing is not None:
            self._start_growing(kind)
        return True

    def _set_tail(self, source: list[str], refs: dict[str, Any]) -> None:
        self._tail = "\n".join(source)
        self._refs = refs
        self._examined = 0
        self._settled = None

    def _keep(self, lines: list[Line]) -> None:
        if lines:
            del self.lines[self._firm :]
            self.lines += lines
            self._firm = len(self.lines)

    def _put_items_aside(
        self, block: Sequence[Token], tail: str, *, first: bool
    ) -> int:
        """Keep all items of an open list but the last; return the last one's line."""
        items = top_level(block[1:-1])
        continued = self._list if first else None
        if continued and not continued.continues_in(block):
            continued = None
        layout = Layout(tail.split("\n"))
        if len(items) > 1:
            self._keep(self._list_lines(block, items[:-1], layout, continued))
            number = continued.number if continued else list_number(block)
            gap = layout.gap_before(items[-1])
            self._list = _List(block[0], number + len(items) - 1, gap)
        elif not first:
            self._list = None
        return first_line(items[-1]) if len(items) > 1 else first_line(block)

    def _begin(
        self, block: Sequence[Token], source: list[str], known: int
    ) -> Growing | None:
        """Return a growing block for `block`, if its kind supports that."""
        match block[0].type:
            case "fence":
                return GrowingCode(block[0], source[0], self.width)
            case "table_open" if len(source) > _LONG_TABLE + 2:
                head = "\n".join(source[:2]) + "\n"
                return GrowingTable(head, block, self._refs, self.width)
            case "paragraph_open" if sum(map(len, source)) > _LONG_PARAGRAPH:
                return GrowingParagraph(known, self._refs, self.width)
            case _:
                return None

    def _start_growing(self, kind: str) -> None:
        assert self._growing
        del self.lines[self._firm :]
        self._base = self._firm
        if self.lines:
            self.lines.append(BLANK)
            self._firm += 1
        skipped = {"fence": 1, "table_open": 2}.get(kind, 0)
        rest = self._growing.feed("\n".join(self._tail.split("\n")[skipped:]))
        self._tail = ""
        if rest is not None:
            self._close_growing(rest)

    def _show(self) -> int:
        """Draw the open text; return the first line that may have changed."""
        if self._growing:
            return self._show_growing(exact=False)
        same, lines = self._open_lines()
        first = self._firm + same
        del self.lines[first:]
        self.lines += lines
        return first

    def _show_growing(self, *, exact: bool) -> int:
        """Draw the growing block; return the first line that may have changed."""
        growing = self._growing
        assert growing
        start = self._base + (1 if self._base else 0)
        first = start + growing.update(exact=exact)
        del self.lines[min(first, self._firm) :]
        self.lines += growing.lines[len(self.lines) - start :]
        self._firm = len(self.lines)
        if not exact:
            self.lines += growing.open_lines()
        return first

    def _open_lines(self) -> tuple[int, list[Line]]:
        """Lay out the tail; return the number of unchanged lines, and the others."""
        tail = self._tail
        end = tail.rfind("\n") + 1
        if end and tail[end - 2 : end - 1] != "\n" and _setext.match(tail[end:]):
            tail = tail[
                :end
            ]  # else each "-" of a list would turn the line above into a heading
        if len(tail) <= _LARGE:
            self._settled = None
            tail = close_marks(tail)
            blocks = top_level(parse(tail, dict(self._refs)))
            return 0, self._lay_out(blocks, tail)
        settled = self._settled
        if settled is None or len(tail) > settled.exact * 5 // 4:
            length = end or len(tail)
            blocks = top_level(parse(tail[:length], dict(self._refs)))
            lines = self._lay_out(blocks, tail)
            settled = self._settled = _Settled(length, lines)
            same = 0
        else:
            same = len(settled.lines)
            if end - settled.length > _STEP:
                settled.lines += self._approximate(tail[settled.length : end])
                settled.length = end
        rest = self._approximate(tail[settled.length :])
        return same, settled.lines[same:] + rest

    def _approximate(self, source: str) -> list[Line]:
        """Lay out the text added to a large block as if it were separate."""
        if not source.strip():
            return []
        rows = source.split("\n")
        found = _container.match(next(row for row in rows if row.strip()))
        prefix = found[0] if found else ""
        inner = "\n".join(row.removeprefix(prefix) for row in rows)
        lines = lay_out_alone(inner, max(1, self.width - len(prefix)), self._refs)
        shown = prefix.replace("> ", "▎ ").replace(">", "▎ ")
        left = ((shown, ("quote", "bar")),) if shown else ()
        return indent(lines, left, left)

    def _lay_out(self, blocks: Sequence[Sequence[Token]], source: str) -> list[Line]:
        """Lay out blocks that follow the firm lines."""
        layout = Layout(source.split("\n"))
        lines: list[Line] = []
        for index, block in enumerate(blocks):
            continued = self._list if index == 0 else None
            if continued and continued.continues_in(block):
                items = top_level(block[1:-1])
                lines += self._list_lines(block, items, layout, continued)
                continue
            if self._firm or lines:
                lines.append(BLANK)
            lines += layout.block(block, self.width)
        return lines

    def _list_lines(
        self,
        block: Sequence[Token],
        items: Sequence[Sequence[Token]],
        layout: Layout,
        continued: _List | None,
    ) -> list[Line]:
        lines: list[Line] = []
        number = continued.number if continued else list_number(block)
        for index, item in enumerate(items):
            if index:
                gap = layout.gap_before(item)
            else:
                gap = continued.gap if continued else bool(self._firm)
            if gap:
                lines.append(BLANK)
            lines += layout.item(block[0], item, self.width, number + index)
        return lines
