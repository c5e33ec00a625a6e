"""Finds the shortest sequence that moves the cursor."""

from typing import NamedTuple

EDGE = -2
"""A column: the last one, after a character was written there. Whether the cursor
stands on it or behind it depends on the terminal; up and down it stays there."""
UNKNOWN = -1
"""A row or a column."""


class Place(NamedTuple):
    """A cell; both count from 0."""

    y: int
    x: int


def move(start: Place, end: Place, last: Place, *, onlcr: bool) -> str:
    """Return what moves the cursor from `start`, which may be unknown, to `end`.

    `last` is the last cell: in its row a line feed would scroll. `onlcr` says whether
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
    # The tty makes two bytes of a line feed.
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
