"""Lays out tables: columns fit their cells, or share the width of the pane.

A table stores the widths of its cells, so that adding a row does not lay out earlier
rows again, as long as no column changes its width.
"""

from collections.abc import Sequence

from tui.app.markdown.lines import (
    Line,
    Row,
    Span,
    merge,
    spans_text,
    spans_width,
    trim,
    wrap,
)

_RULE = ("rule",)
_LEAST = 4  # cells that a column keeps while others are made narrower


def fit(natural: Sequence[int], room: int) -> list[int]:
    """Give each column the width it needs, or an even share of the remaining room."""
    widths = [max(1, width) for width in natural]
    if sum(widths) <= room:
        return widths
    order = sorted(range(len(widths)), key=widths.__getitem__)
    left, columns = room, len(widths)
    for index in order:
        share = max(1, left // columns)
        widths[index] = min(widths[index], share)
        left -= widths[index]
        columns -= 1
    return widths


class Table:
    """A table that can grow by rows; cells are spans."""

    def __init__(self, header: list[list[Span]], aligns: list[str], width: int) -> None:
        self._header = [[(t, (*s, "th")) for t, s in cell] for cell in header]
        self._aligns = aligns
        self._rows: list[list[list[Span]]] = []
        self._width = max(width, 1)
        self._natural = [0] * len(header)
        self._measure([self._header])
        self._laid_out: list[int] = []  # the widths that `lines` have
        self._next = 0  # index of the first row that is not in `lines`
        self._relaid = 0  # number of rows at the last complete layout
        self.lines: list[Line] = []

    def _measure(self, rows: Sequence[Sequence[Sequence[Span]]]) -> None:
        natural = self._natural
        for row in rows:
            for column, cell in enumerate(row):
                text = spans_text(cell)
                if "\n" in text:
                    size = max(spans_width([(t, ())]) for t in text.split("\n"))
                else:
                    size = spans_width(cell)
                if size > natural[column]:
                    natural[column] = min(size, self._width)

    def add(self, rows: list[list[list[Span]]]) -> None:
        """Add rows, each as long as the header."""
        self._rows += rows
        self._measure(rows)

    def _widths(self) -> list[int]:
        # "cell │ cell │ cell", one space before and after
        return fit(self._natural, self._width - 3 * len(self._natural) + 1)

    def update(self, *, exact: bool) -> int:
        """Update `lines`; return the first line that may have changed.

        Unless `exact`, new widths are applied only after the table has grown by half,
        so that a long table is not laid out again for each row.
        """
        widths = self._widths()
        due = exact or len(self._rows) < 20 or len(self._rows) > self._relaid * 1.5
        changed = len(self.lines)
        if not self._laid_out or (widths != self._laid_out and due):
            self._laid_out = widths
            self._relaid = len(self._rows)
            self._next = changed = 0
            self.lines = [*self._row(self._header), self._rule()]
        for row in self._rows[self._next :]:
            self.lines += self._row(row)
        self._next = len(self._rows)
        return changed

    def preview(self, rows: list[list[list[Span]]]) -> list[Line]:
        """Return lines for rows that may still change."""
        return [line for row in rows for line in self._row(row)]

    def _rule(self) -> Line:
        text = "┼".join("─" * (width + 2) for width in self._laid_out)
        return Line(((_clip(text, self._width), _RULE),))

    def _row(self, row: list[list[Span]]) -> list[Line]:
        if sum(self._laid_out) + 3 * len(self._laid_out) - 1 > self._width:
            return self._stacked(row)
        cells = [
            wrap(cell, width) for cell, width in zip(row, self._laid_out, strict=True)
        ]
        lines: list[Line] = []
        for index in range(max(map(len, cells))):
            spans: list[Span] = []
            for column, cell in enumerate(cells):
                spans.append((" │ " if column else " ", _RULE))
                spans += self._place(cell, index, column)
            lines.append(Line(trim(merge(spans))))
        return lines

    def _place(self, cell: list[Row], index: int, column: int) -> list[Span]:
        spans = trim(cell[index].spans) if index < len(cell) else ()
        spare = self._laid_out[column] - spans_width(spans)
        align = self._aligns[column]
        left = {"right": spare, "center": spare // 2}.get(align, 0)
        return [(" " * left, ()), *spans, (" " * (spare - left), ())]

    def _stacked(self, row: list[list[Span]]) -> list[Line]:
        """Lay out a row cell by cell, if the pane has no room for the columns."""
        lines: list[Line] = []
        for number, (name, cell) in enumerate(zip(self._header, row, strict=True)):
            title = [] if row is self._header else [*name, (": ", ("th",))]
            for part in wrap([*title, *cell], max(1, self._width - 2)):
                mark = "▪ " if not number and part.glue is None else "  "
                lines.append(Line(((mark, _RULE), *trim(part.spans)), (), part.glue))
        return lines


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width]
