"""Keeps the wanted screen up to date from the compositor's updates.

Textual's compositor returns a `LayoutUpdate` (the whole screen) or a `ChopsUpdate`
(pieces of rows), ours returns `Pieces`. The first two are private classes of Textual.
Only the attributes read here are used, and a test checks that they exist.
"""

from collections.abc import Iterable, Sequence
from typing import cast

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from tui.app.terminal.cells import CellMaker, Row, is_fragile
from tui.app.terminal.compositor import Pieces

Update = LayoutUpdate | ChopsUpdate | Pieces


class Surface:
    """A screen of `width` x `height` cells, blank at first."""

    def __init__(self, width: int, height: int, maker: CellMaker) -> None:
        self.width = width
        self.height = height
        blank = Row([" "] * width, [maker.pens.default] * width, False)
        self.rows: list[Row] = [blank] * height
        self._maker = maker

    def take(self, update: Update) -> None:
        """Apply an update to the rows."""
        if isinstance(update, Pieces):
            for x, first, strips in update.pieces:
                for y, strip in enumerate(strips, first):
                    self._put(x, y, strip)
        elif isinstance(update, LayoutUpdate):
            region = update.region
            lines = cast("Sequence[Iterable[Strip]]", update.strips)
            for y, line in enumerate(lines, region.y):
                x = region.x
                for strip in line:
                    x = self._put(x, y, strip)
        else:
            self._take_chops(update)

    def _take_chops(self, update: ChopsUpdate) -> None:
        # Do the same as ChopsUpdate.render_segments: write each piece that overlaps a
        # span from its own start, and cut it where the span ends.
        for y, x1, x2 in update.spans:
            for end, (x, strip) in zip(
                update.chop_ends[y], update.chops[y].items(), strict=False
            ):
                if strip is None or x > x2 or end <= x1:
                    continue
                if x < x1 or end > x2:
                    strip = strip.crop(0, min(end, x2) - x)
                self._put(x, y, strip)

    def _put(self, x: int, y: int, strip: Strip) -> int:
        """Write a strip at column `x` of row `y`; return the column after it."""
        part = self._maker.row(strip)
        text, pens, fragile = part
        end = x + len(text)
        if y >= self.height or end == x:
            return end
        row = self.rows[y]
        if end > self.width:
            text, pens = text[: self.width - x], pens[: self.width - x]
            end = self.width
        if row.text[x:end] == text and row.pens[x:end] == pens:
            return end
        text = [*row.text[:x], *text, *row.text[end:]]
        pens = [*row.pens[:x], *pens, *row.pens[end:]]
        fragile = fragile or (row.fragile and is_fragile(text))
        self.rows[y] = Row(text, pens, fragile)
        return end
