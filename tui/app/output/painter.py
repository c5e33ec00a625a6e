"""Writes the smallest difference between what is shown and what is wanted.

It knows the terminal's state as it leaves it: the cells, the pen, the cursor. A frame
is found in two ways, each with its cost in bytes: changed cells written where they
stand, or rows that have moved scrolled first, and the rest written. Scrolling moves
whole rows, so what stands beside a transcript has to be put back; whether that is
worth it the cost decides.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tui.app.output.cells import Row, is_fragile
from tui.app.output.moves import move
from tui.app.output.pen import Pen, PenBook
from tui.app.output.scroll import Shift, find_shift

_SHORT_GAP = 3  # cells: to write them again is no longer than to pass over them
_ERASED = 4  # cells at the end of a row: as many bytes as erasing them
_ERASED_AMID = 9  # cells amid a row: erasing them does not move the cursor
_MOVED = 4  # rows that have changed, before a scroll is thought of


class Abilities(NamedTuple):
    """What the terminal can do beyond what all can."""

    back_colour_erase: bool = False
    """Erasing leaves the pen's background, not the terminal's own."""
    erase_characters: bool = False
    """It has ECH."""
    line_feed_returns: bool = False
    """The tty writes a line feed as carriage return and line feed."""


class _State(NamedTuple):
    pen: Pen
    y: int
    x: int


class Painter:
    """One screen of `width` x `height` cells; at first nothing is known of it."""

    def __init__(
        self, width: int, height: int, pens: PenBook, abilities: Abilities
    ) -> None:
        self.width = width
        self.height = height
        self._pens = pens
        self._can = abilities
        nothing: list[str] = ["\0"] * width
        self._unknown = Row(nothing, [pens.default] * width, False)
        self.forget()

    def forget(self) -> None:
        """Know nothing of the screen any more: it was resized, or another's."""
        self._shown: list[Row] = [self._unknown] * self.height
        self._known = False
        self._saved: tuple[int, int, Pen] | None = None
        self._set(_State(self._pens.default, -1, -1))

    def paint(self, wanted: Sequence[Row], cursor: tuple[int, int]) -> str:
        """Return what makes the terminal show `wanted`, with its cursor at (x, y).

        From then on it is taken to be shown. "" when nothing has changed.
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
        """Erase all, in the colour that most of it will have."""
        self._known = True
        # The saved cursor, the margins and the pen may be another program's.
        self._out.append("\x1b[r\x1b[m")
        self._set(_State(self._pens.default, -1, -1))
        backs: Counter[str] = Counter()
        for row in wanted:
            backs.update(
                pen.back
                for text, pen in zip(row.text, row.pens, strict=True)
                if text == " " and pen.plain
            )
        back = ""
        if self._can.back_colour_erase and backs:
            back = backs.most_common(1)[0][0]
        self._ground(back)
        self._out.append("\x1b[2J")
        blank = [self._pens.pen(0, "", back, "")] * self.width
        self._shown = [Row([" "] * self.width, blank, False)] * self.height

    def _scrolled(self, wanted: Sequence[Row], changed: list[int]) -> bool:
        """Scroll and draw the rest, if that is shorter."""
        if len(changed) < _MOVED:
            return False
        shift = find_shift(self._shown, wanted, changed)
        if shift is None:
            return False
        shown = self._shifted(shift)
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
        self._scroll(shift)
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

    def _shifted(self, shift: Shift) -> list[Row]:
        top, bottom, rows = shift
        shown = list(self._shown)
        fresh = [self._unknown] * abs(rows)
        if rows > 0:
            shown[top:bottom] = [*shown[top + rows : bottom], *fresh]
        else:
            shown[top:bottom] = [*fresh, *shown[top : bottom + rows]]
        return shown

    def _scroll(self, shift: Shift) -> None:
        # Lines are deleted and inserted, not scrolled: the Linux console has no SU.
        top, bottom, rows = shift
        margins = bottom < self.height
        if margins:
            self._out.append(f"\x1b[{top + 1 if top else ''};{bottom}r")
            self._y = self._x = 0
        self._move(top, 0)
        count = abs(rows) if abs(rows) > 1 else ""
        self._out.append(f"\x1b[{count}{'M' if rows > 0 else 'L'}")
        # Where the cursor's column is now depends on the terminal.
        self._x = -1
        if margins:
            self._out.append("\x1b[r")
            self._y = self._x = 0

    # Rows

    def _draw(
        self, shown: Sequence[Row], wanted: Sequence[Row], rows: Sequence[int]
    ) -> None:
        for y in rows:
            old, new = shown[y], wanted[y]
            if old.fragile or new.fragile:
                self._draw_whole(y, new)
            else:
                self._draw_row(y, old, new)

    def _draw_row(self, y: int, old: Row, new: Row) -> None:
        """Write the cells that differ."""
        differing = _differing(old, new)
        tail = self._tail(new)
        erased = [x for x in differing if x >= tail]
        if len(erased) >= _ERASED:
            del differing[-len(erased) :]
        else:
            erased = []
        text, pens = new.text, new.pens
        begin = end = -1
        for x in differing:
            if end < 0:
                begin = x
            elif x > end and not self._fills(new, end, x):
                self._write(y, begin, end, new)
                begin = x
            end = max(end, x + 1)
        if end >= 0:
            while not text[begin]:
                begin -= 1
            self._write(y, begin, end, new)
        if erased:
            self._move(y, erased[0])
            self._ground(pens[-1].back)
            self._out.append("\x1b[K")

    def _fills(self, row: Row, begin: int, end: int) -> bool:
        """Return whether cells that are right already are best written again."""
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
        """Return where the blanks at the end of a row begin that can be erased."""
        text, pens = row.text, row.pens
        last = pens[-1]
        tail = len(text)
        if text[-1] == " " and self._erasable(last):
            while tail and text[tail - 1] == " " and pens[tail - 1] is last:
                tail -= 1
        return tail

    def _erasable(self, pen: Pen) -> bool:
        return pen.plain and (not pen.back or self._can.back_colour_erase)

    def _draw_whole(self, y: int, row: Row) -> None:
        """Write a row of disputed widths: find the column again after each dispute."""
        begin = x = 0
        text = row.text
        while x < len(text):
            end = x + 1
            while end < len(text) and not text[end]:
                end += 1
            if text[x] and is_fragile(text[x]):
                if x > begin:
                    self._write(y, begin, x, row)
                self._move(y, x)
                self._pen_to(row.pens[x])
                # What a narrower character would leave behind has to go first.
                self._out.append(" " * (end - x))
                self._x = end if end < self.width else -1
                self._move(y, x)
                self._out.append(text[x])
                self._x = -1
                begin = end
            x = end
        if begin < len(text):
            self._write(y, begin, len(text), row)

    def _write(self, y: int, begin: int, end: int, row: Row) -> None:
        """Write cells from `begin` to before `end`."""
        text, pens = row.text, row.pens
        while not text[begin]:
            begin -= 1
        self._move(y, begin)
        out = self._out
        x = begin
        while x < end:
            pen = pens[x]
            start = x
            x += 1
            if text[start] == " " and pen.plain:
                while x < end and text[x] == " " and pens[x] is pen:
                    x += 1
                self._ground(pen.back, pens[x] if x < end else None)
                count = x - start
                if (
                    count >= _ERASED_AMID
                    and self._can.erase_characters
                    and self._erasable(pen)
                ):
                    out.append(f"\x1b[{count}X")
                    if x >= end:
                        self._x = start
                        return
                    out.append(f"\x1b[{count}C")
                else:
                    out.append(" " * count)
            else:
                while x < end and pens[x] is pen and text[x] != " ":
                    x += 1
                self._pen_to(pen)
                out.append("".join(text[start:x]))
        while end < self.width and not text[end]:
            end += 1
        self._x = end if end < self.width else -1

    # The pen and the cursor

    def _pen_to(self, pen: Pen) -> None:
        if pen is not self._pen:
            self._out.append(self._pen.to(pen))
            self._pen = pen

    def _ground(self, back: str, following: Pen | None = None) -> None:
        """Take a pen for blanks on `back`; best the one that is used after them."""
        pen = self._pen
        if pen.back == back and pen.plain:
            return
        if following is None or following.back != back or not following.plain:
            following = self._pens.over(pen, back)
        self._pen_to(following)

    def _move(self, y: int, x: int) -> None:
        if y != self._y or x != self._x:
            onlcr = self._can.line_feed_returns
            self._out.append(move(self._y, self._x, y, x, self.height - 1, onlcr=onlcr))
            self._y, self._x = y, x

    def _place(self, x: int, y: int) -> None:
        """Leave the cursor where a candidate window of an input method belongs."""
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
