"""Finds the shortest sequence that moves the cursor."""

from typing import NamedTuple

EDGE = -2
"""The column of a cursor after a character was written to the last column. Whether it
is on or past that column depends on the terminal; moves up and down keep it."""
UNKNOWN = -1
"""An unknown row or column."""


class Place(NamedTuple):
    """The position of a cell; row and column count from 0."""

    y: int
    x: int


def move(start: Place, end: Place, last: Place, *, onlcr: bool) -> str:
    """Return the shortest text that moves the cursor from `start` to `end`.

    `start` may be unknown. `last` is the last cell of the screen. `onlcr` means that
    the tty writes a line feed as carriage return and line feed.
    """
    if start == end:
        return ""
    ways = [_to(*end)]
    if start.y < 0:
        return ways[0]
    down = end.y - start.y
    if start.x >= 0:
        ways += [_down(down) + along for along in _along(start.x, end.x)]
    elif start.x == EDGE and end.x == last.x and down:
        ways.append(_down(down))
    if down == 0:
        ways += (f"\r{_right(end.x)}", f"\x1b[{end.x + 1}G")
    elif 0 < down <= 3:
        feeds = "\n" * down
        ways.append(f"{feeds if onlcr else chr(13) + feeds}{_right(end.x)}")
    return min(ways, key=_length)


def _length(way: str) -> int:
    # A line feed counts twice, because the tty may write two bytes for it.
    return len(way) + way.count("\n")


def _to(y: int, x: int) -> str:
    if x:
        return f"\x1b[{y + 1};{x + 1}H"
    return f"\x1b[{y + 1}H" if y else "\x1b[H"


def _along(start: int, end: int) -> list[str]:
    if end >= start:
        return [_right(end - start)]
    back = start - end
    return [f"\x1b[{back}D" if back > 1 else "\x1b[D"]


def _right(columns: int) -> str:
    if columns <= 1:
        return "\x1b[C" * columns
    return f"\x1b[{columns}C"


def _down(rows: int) -> str:
    if rows == 0:
        return ""
    letter = "B" if rows > 0 else "A"
    return f"\x1b[{letter}" if abs(rows) == 1 else f"\x1b[{abs(rows)}{letter}"
