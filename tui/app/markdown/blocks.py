"""Lays out blocks of Markdown as lines of one width.

markdown-it parses; this module only styles and wraps. A container lays out its children
in a narrower pane and puts its mark to their left, so nesting needs no special case.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tui.app.markdown.code import code_lines
from tui.app.markdown.footnotes import use_footnotes
from tui.app.markdown.formula import use_formulas
from tui.app.markdown.html_tags import use_html_tags
from tui.app.markdown.inline import formula_spans, inline_spans
from tui.app.markdown.lenient import use_lenient_rules
from tui.app.markdown.lines import (
    BLANK,
    Line,
    Span,
    Style,
    indent,
    to_lines,
    wrap,
)
from tui.app.markdown.table import Table
from tui.safe import safe

BULLETS = "•◦▪"
_NARROWEST = 8  # nesting does not make a pane narrower than this


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    return use_html_tags(use_footnotes(use_formulas(use_lenient_rules(parser))))


def parse(source: str, references: dict[str, Any] | None = None) -> list[Token]:
    """Parse Markdown; link definitions are read from and added to `references`."""
    return _parser().parse(
        source, {"references": {} if references is None else references}
    )


def parse_inline(source: str, references: dict[str, Any]) -> list[Token]:
    """Parse the content of a paragraph."""
    return _parser().parseInline(source, {"references": references})[0].children or []


def top_level(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split tokens into the outermost blocks."""
    blocks: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            blocks.append([])
        blocks[-1].append(token)
        depth += token.nesting
    return blocks


def first_line(block: Sequence[Token]) -> int:
    """Return the number of a block's first source line."""
    return block[0].map[0] if block[0].map else 0


def list_number(block: Sequence[Token]) -> int:
    """Return the number an ordered list starts with."""
    return int(block[0].attrs.get("start", 1))


def table_cells(block: Sequence[Token], style: Style = ()) -> list[list[list[Span]]]:
    """Return the cells of a table's rows, the header first."""
    rows: list[list[list[Span]]] = []
    for token in block:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(inline_spans(token.children or [], style))
    return rows


def table_aligns(block: Sequence[Token]) -> list[str]:
    """Return `left`, `center`, `right` or nothing for each column."""
    return [
        str(token.attrs.get("style", "")).removeprefix("text-align:")
        for token in block
        if token.type == "th_open"
    ]


class Layout:
    """Lays out blocks; uses the source lines to find blank lines between them."""

    def __init__(self, source_lines: Sequence[str]) -> None:
        self._source = source_lines

    def gap_before(self, block: Sequence[Token]) -> bool:
        """Return whether the source has a blank line above a block."""
        above = first_line(block) - 1
        return 0 <= above < len(self._source) and not self._source[above].strip(" >\t")

    def block(
        self, block: Sequence[Token], width: int, style: Style = ()
    ) -> list[Line]:
        """Lay out one block with its content."""
        token = block[0]
        match token.type:
            case "heading_open":
                look = (*style, f"h{token.tag[1:]}")
                return to_lines(
                    wrap(inline_spans(block[1].children or [], look), width)
                )
            case "paragraph_open":
                return to_lines(
                    wrap(inline_spans(block[1].children or [], style), width)
                )
            case "fence":
                return code_lines(token.content, token.info, width)
            case "code_block":
                return code_lines(token.content, "", width)
            case "math_block":
                shown = formula_spans(token, style)
                edge: Span = ("  ", style)
                return indent(
                    to_lines(wrap(shown, max(width - 2, 1))), (edge,), (edge,)
                )
            case "hr":
                return [Line((("─" * width, (*style, "rule")),))]
            case "bullet_list_open" | "ordered_list_open":
                return self.items(block, width, list_number(block), style)
            case "blockquote_open":
                room = width - 2
                if room < _NARROWEST:  # deep inside others: the bar would be too much
                    return self.children(block[1:-1], width, (*style, "quote"))
                inner = self.children(block[1:-1], room, (*style, "quote"))
                bar: tuple[Span, ...] = (("▎ ", (*style, "quote", "bar")),)
                return indent(inner, bar, bar, copied=False)
            case "table_open":
                header, *rows = table_cells(block, style)
                table = Table(header, table_aligns(block), width)
                table.add(rows)
                table.update(exact=True)
                return table.lines
            case _:
                return to_lines(wrap([(safe(token.content), style)], width))

    def children(self, tokens: Sequence[Token], width: int, style: Style) -> list[Line]:
        """Lay out the blocks in a container, with blank lines as in the source."""
        lines: list[Line] = []
        for block in top_level(tokens):
            if lines and self.gap_before(block):
                lines.append(BLANK)
            lines += self.block(block, width, style)
        return lines

    def items(
        self, block: Sequence[Token], width: int, number: int, style: Style
    ) -> list[Line]:
        """Lay out the items of a list; an ordered one starts at `number`."""
        lines: list[Line] = []
        for item in top_level(block[1:-1]):
            if lines and self.gap_before(item):
                lines.append(BLANK)
            lines += self.item(block[0], item, width, number, style)
            number += 1
        return lines

    def item(
        self,
        opening: Token,
        item: Sequence[Token],
        width: int,
        number: int,
        style: Style = (),
    ) -> list[Line]:
        """Lay out one item of the list that `opening` opens."""
        look = (*style, "marker")
        if opening.type == "ordered_list_open":
            marker = f"{number}{opening.markup} "
        else:
            marker = BULLETS[min(opening.level // 2, len(BULLETS) - 1)] + " "
        content = item[1:-1]
        done = _task(content)
        if done is not None:
            marker = ("[x] " if done else "[ ] ") + (
                marker if opening.type == "ordered_list_open" else ""
            )
            look = (*style, "done" if done else "marker")
        room = width - len(marker)
        if room < _NARROWEST:  # deep inside others: indented no further
            return [Line(((marker, look),)), *self.children(content, width, style)]
        inner = self.children(content, room, style)
        return indent(
            inner or [BLANK], ((marker, look),), ((" " * len(marker), style),)
        )


def _task(content: Sequence[Token]) -> bool | None:
    """Strip the box off a task; return whether it is ticked, None if there is none."""
    if len(content) < 2 or content[1].type != "inline" or not content[1].children:
        return None
    text = content[1].children[0]
    if text.type != "text" or text.content[:4].lower() not in ("[ ] ", "[x] "):
        return None
    ticked = text.content[1] != " "
    text.content = text.content[4:]
    return ticked


def join(above: list[Line], below: list[Line]) -> list[Line]:
    """Put one blank line between two outermost blocks."""
    return [*above, BLANK, *below] if above and below else above + below
