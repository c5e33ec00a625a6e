"""Writes the smallest difference between the shown and the wanted screen.

The painter tracks the terminal's state: the cells, the pen and the cursor. It considers
two ways to draw a frame and compares their cost in bytes: write the changed cells in
place, or first scroll the rows that have moved and then write the rest. Scrolling moves
whole rows, so widgets beside a transcript must then be drawn again; the cost decides
whether that is worth it.

This module is long because it weighs the ways to change a line against each other.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tui.app.terminal.cells import Row, is_fragile
from tui.app.terminal.cursor_moves import EDGE, UNKNOWN, Place, move
from tui.app.terminal.scroll import Shift, find_shift
from tui.app.terminal.sgr import Pen, PenBook

_SHORT_GAP = 3  # cells: rewriting so many is no longer than moving over them
_ERASED = 4  # cells at the end of a row: erasing takes no more bytes than writing them
_ERASED_AMID = 9  # cells within a row: erasing these needs a cursor move too
_MOVED = 4  # changed rows from which on a scroll is considered


class Abilities(NamedTuple):
    """Abilities that only some terminals have."""

    back_colour_erase: bool = False
    """Erasing leaves the pen's background, not the terminal's own."""
    erase_characters: bool = False
    """The terminal has ECH."""
    line_feed_returns: bool = False
    """The tty writes a line feed as carriage return and line feed."""
    moves_lines: bool = True
    """The terminal has IL and DL, as all but a few old ones do."""


_BLANK, _TEXT, _ERASE, _REST = range(4)
_LONG = 80  # characters: a longer frame may get shorter in another order


class _Piece(NamedTuple):
    """Cells of one row that are written with one pen."""

    kind: int
    pen: Pen
    y: int
    begin: int
    end: int


class _State(NamedTuple):
    pen: Pen
    y: int
    x: int


class Painter:
    """Draws one screen of `width` x `height` cells; its content is unknown at first."""

    def __init__(
        self, width: int, height: int, pens: PenBook, abilities: Abilities
    ) -> None:
        self.width = width
        self.height = height
        self._last = Place(height - 1, width - 1)
        self._pens = pens
        self._can = abilities
        nothing: list[str] = ["\0"] * width
        self._unknown = Row(nothing, [pens.default] * width, False)
        self.forget()

    def forget(self) -> None:
        """Treat the screen as unknown, after a resize or output of another program."""
        self._shown: list[Row] = [self._unknown] * self.height
        self._known = False
        self._saved: tuple[int, int, Pen] | None = None
        self._set(_State(self._pens.default, UNKNOWN, UNKNOWN))

    def paint(self, wanted: Sequence[Row], cursor: tuple[int, int]) -> str:
        """Return the text that makes the terminal show `wanted`, with `cursor` (x, y).

        The painter assumes that the caller writes it. Returns "" if nothing has
        changed.
        """
        self._out: list[str] = []
        if not self._known:
            self._clear(wanted)
        changed = [
            y
            for y, (old, new) in enumerate(zip(self._shown, wanted, strict=True))
            if old is not new and (old.text != new.text or old.pens != new.pens)
        ]
        if changed and not self._scrolled(wanted, changed):
            self._draw(self._shown, wanted, changed)
        self._shown = list(wanted)
        self._place(*cursor)
        return "".join(self._out)

    # The whole screen

    def _clear(self, wanted: Sequence[Row]) -> None:
        """Erase the screen, in the background colour that most cells will have."""
        self._known = True
        # Another program may have left its margins and pen.
        self._out.append("\x1b[r\x1b[m")
        self._set(_State(self._pens.default, UNKNOWN, UNKNOWN))
        back = _background(wanted) if self._can.back_colour_erase else ""
        self._ground(back)
        self._out.append("\x1b[H\x1b[J")
        self._y = self._x = 0
        self._shown = [self._blank_row(back)] * self.height

    def _blank_row(self, back: str) -> Row:
        pen = self._pens.pen(0, "", back, "")
        return Row([" "] * self.width, [pen] * self.width, False)

    def _scrolled(self, wanted: Sequence[Row], changed: list[int]) -> bool:
        """Scroll and draw the rest, if that is shorter; return whether it was done."""
        if len(changed) < _MOVED or not self._can.moves_lines:
            return False
        shift = find_shift(self._shown, wanted, changed)
        if shift is None:
            return False
        back = self._uncovered(wanted, shift)
        shown = self._shifted(shift, back)
        rest = [
            y
            for y in range(self.height)
            if shown[y] is not wanted[y]
            and (shown[y].text != wanted[y].text or shown[y].pens != wanted[y].pens)
        ]
        if len(rest) > len(changed):
            return False
        before = _State(self._pen, self._y, self._x)
        out, self._out = self._out, []
        self._scroll(shift, back)
        self._draw(shown, wanted, rest)
        scrolled = sum(map(len, self._out))
        # Without scrolling each row costs a move and the cells that differ.
        plain = 0
        for y in changed:
            differing = _differing(self._shown[y], wanted[y])
            plain += 8 + len(differing)
            if plain > scrolled:
                self._out[:0] = out
                return True
        self._out = out
        self._set(before)
        return False

    def _uncovered(self, wanted: Sequence[Row], shift: Shift) -> str | None:
        """Return the best background for uncovered rows, None if it is unknown."""
        if not self._can.back_colour_erase:
            return None
        top, bottom, rows = shift
        fresh = wanted[bottom - rows : bottom] if rows > 0 else wanted[top : top - rows]
        return _background(fresh)

    def _shifted(self, shift: Shift, back: str | None) -> list[Row]:
        top, bottom, rows = shift
        shown = list(self._shown)
        row = self._unknown if back is None else self._blank_row(back)
        fresh = [row] * abs(rows)
        if rows > 0:
            shown[top:bottom] = [*shown[top + rows : bottom], *fresh]
        else:
            shown[top:bottom] = [*fresh, *shown[top : bottom + rows]]
        return shown

    def _scroll(self, shift: Shift, back: str | None) -> None:
        if back is not None:
            self._ground(back)
        # Delete and insert lines rather than scroll, as the Linux console has no SU.
        top, bottom, rows = shift
        margins = bottom < self.height
        if margins:
            self._out.append(f"\x1b[{top + 1 if top else ''};{bottom}r")
            self._y = self._x = 0
        self._move(top, 0)
        count = abs(rows) if abs(rows) > 1 else ""
        self._out.append(f"\x1b[{count}{'M' if rows > 0 else 'L'}")
        # The cursor's column after this depends on the terminal.
        self._x = UNKNOWN
        if margins:
            self._out.append("\x1b[r")
            self._y = self._x = 0

    # Rows

    def _draw(
        self, shown: Sequence[Row], wanted: Sequence[Row], rows: Sequence[int]
    ) -> None:
        pieces: list[_Piece] = []
        for y in rows:
            old, new = shown[y], wanted[y]
            if old.fragile or new.fragile:
                self._draw_whole(y, new)
            else:
                self._add_pieces(y, old, new, pieces)
        if not pieces:
            return
        out, before = self._out, _State(self._pen, self._y, self._x)
        self._out = []
        for piece in pieces:
            self._write(piece, wanted)
        best, after = self._out, _State(self._pen, self._y, self._x)
        if len(pieces) > 2 and sum(map(len, best)) > _LONG:
            # Changing the colour costs more bytes than moving: also try to write all
            # pieces of one pen before those of the next.
            order = {before.pen: 0}
            for piece in pieces:
                order.setdefault(piece.pen, len(order))
            self._out = []
            self._set(before)
            for piece in sorted(pieces, key=lambda piece: order[piece.pen]):
                self._write(piece, wanted)
            if sum(map(len, self._out)) < sum(map(len, best)):
                best, after = self._out, _State(self._pen, self._y, self._x)
        self._out = [*out, *best]
        self._set(after)

    def _add_pieces(self, y: int, old: Row, new: Row, pieces: list[_Piece]) -> None:
        """Add the pieces of a row that differ to `pieces`."""
        differing = _differing(old, new)
        tail = self._tail(new)
        erased = [x for x in differing if x >= tail]
        if len(erased) >= _ERASED:
            del differing[-len(erased) :]
        else:
            erased = []
        begin = end = -1
        for x in differing:
            if end < 0:
                begin = x
            elif x > end and not self._fills(new, end, x):
                self._split(y, begin, end, new, pieces)
                begin = x
            end = max(end, x + 1)
        if end >= 0:
            self._split(y, begin, end, new, pieces)
        if erased:
            pieces.append(_Piece(_REST, new.pens[-1], y, erased[0], self.width))

    def _fills(self, row: Row, begin: int, end: int) -> bool:
        """Return whether rewriting unchanged cells is shorter than skipping them."""
        if end - begin > _SHORT_GAP:
            return False
        before = row.pens[begin - 1]
        return all(
            row.text[x].isascii()
            and row.text[x]
            and (row.pens[x] is before or (row.text[x] == " " and row.pens[x].plain))
            for x in range(begin, end)
        ) and (row.pens[begin].back == before.back)

    def _tail(self, row: Row) -> int:
        """Return the start of the erasable blanks at the end of a row."""
        text, pens = row.text, row.pens
        last = pens[-1]
        tail = len(text)
        if text[-1] == " " and self._erasable(last):
            while tail and text[tail - 1] == " " and pens[tail - 1] is last:
                tail -= 1
        return tail

    def _erasable(self, pen: Pen) -> bool:
        return pen.plain and (not pen.back or self._can.back_colour_erase)

    def _split(
        self, y: int, begin: int, end: int, row: Row, pieces: list[_Piece]
    ) -> None:
        """Split cells into pieces by their pens; blanks join the neighbouring text."""
        text, pens = row.text, row.pens
        while not text[begin]:
            begin -= 1
        while end < self.width and not text[end]:
            end += 1
        kind, pen, start = _BLANK, pens[begin], begin
        x = begin
        while x < end:
            if text[x] == " " and pens[x].plain:
                this, first = pens[x], x
                while x < end and text[x] == " " and pens[x] is this:
                    x += 1
                long = x - first >= _ERASED_AMID and self._can.erase_characters
                if long and self._erasable(this):
                    if first > start:
                        pieces.append(_Piece(kind, pen, y, start, first))
                    pieces.append(_Piece(_ERASE, this, y, first, x))
                    kind, pen, start = _BLANK, this, x
                elif pen.back != this.back or not pen.plain:
                    if first > start:
                        pieces.append(_Piece(kind, pen, y, start, first))
                    kind, pen, start = _BLANK, this, first
                continue
            this = pens[x]
            joins = kind == _BLANK and this.plain and this.back == pen.back
            if joins:
                kind, pen = _TEXT, this
            elif this is not pen or kind == _BLANK:
                if x > start:
                    pieces.append(_Piece(kind, pen, y, start, x))
                kind, pen, start = _TEXT, this, x
            x += 1
            while x < end and not text[x]:
                x += 1
        if end > start:
            pieces.append(_Piece(kind, pen, y, start, end))

    def _draw_whole(self, y: int, row: Row) -> None:
        """Write a fragile row; set the column again after each disputed width."""
        begin = x = 0
        text = row.text
        while x < len(text):
            end = x + 1
            while end < len(text) and not text[end]:
                end += 1
            if text[x] and is_fragile(text[x]):
                self._write_cells(y, begin, x, row)
                self._move(y, x)
                self._pen_to(row.pens[x])
                # Clear the cells first, in case the terminal draws the text narrower.
                self._out.append(" " * (end - x))
                self._x = end if end < self.width else EDGE
                self._move(y, x)
                self._out.append(text[x])
                self._x = UNKNOWN
                begin = end
            x = end
        self._write_cells(y, begin, len(text), row)

    def _write_cells(self, y: int, begin: int, end: int, row: Row) -> None:
        if begin < end:
            pieces: list[_Piece] = []
            self._split(y, begin, end, row, pieces)
            for piece in pieces:
                self._write_piece(piece, row)

    def _write(self, piece: _Piece, wanted: Sequence[Row]) -> None:
        self._write_piece(piece, wanted[piece.y])

    def _write_piece(self, piece: _Piece, row: Row) -> None:
        kind, pen, y, begin, end = piece
        self._move(y, begin)
        if kind == _TEXT:
            self._pen_to(pen)
            self._out.append("".join(row.text[begin:end]))
        else:
            self._ground(pen.back)
            if kind == _REST:
                self._out.append("\x1b[K")
                return
            if kind == _ERASE:
                self._out.append(f"\x1b[{end - begin}X")
                return
            self._out.append(" " * (end - begin))
        # After a wide character at the edge, terminals disagree on the column.
        edge = EDGE if row.text[-1] else UNKNOWN
        self._x = end if end < self.width else edge

    # The pen and the cursor

    def _pen_to(self, pen: Pen) -> None:
        if pen is not self._pen:
            self._out.append(self._pen.to(pen))
            self._pen = pen

    def _ground(self, back: str) -> None:
        """Switch to a pen for blanks on the background `back`."""
        if self._pen.back != back or not self._pen.plain:
            self._pen_to(self._pens.over(self._pen, back))

    def _move(self, y: int, x: int) -> None:
        if y != self._y or x != self._x:
            start, end = Place(self._y, self._x), Place(y, x)
            onlcr = self._can.line_feed_returns
            self._out.append(move(start, end, self._last, onlcr=onlcr))
            self._y, self._x = y, x

    def _place(self, x: int, y: int) -> None:
        """Leave the cursor in its place, where input methods open their window."""
        if (x, y) == (self._x, self._y):
            return
        saved = self._saved
        if saved is not None and saved == (x, y, self._pen):
            self._out.append("\x1b8")
        else:
            self._move(y, x)
            self._out.append("\x1b7")
            self._saved = x, y, self._pen
        self._y, self._x = y, x

    def _set(self, state: _State) -> None:
        self._pen: Pen = state.pen
        self._y: int = state.y
        self._x: int = state.x


def _differing(old: Row, new: Row) -> list[int]:
    return [
        x
        for x, (a, b, c, d) in enumerate(
            zip(old.text, new.text, old.pens, new.pens, strict=True)
        )
        if a != b or c is not d
    ]


def _background(rows: Sequence[Row]) -> str:
    """Return the most frequent background of blank cells."""
    backs = Counter(
        pen.back
        for row in rows
        for text, pen in zip(row.text, row.pens, strict=True)
        if text == " " and pen.plain
    )
    return backs.most_common(1)[0][0] if backs else ""
