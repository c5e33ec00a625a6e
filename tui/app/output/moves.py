"""The shortest way to move the terminal's cursor."""


def move(from_y: int, from_x: int, y: int, x: int, last_y: int, *, onlcr: bool) -> str:
    """Return what moves the cursor from one cell to another; all count from 0.

    A `from_x` or `from_y` below 0 is not known: after text in the last column it
    depends on the terminal. `last_y` is the last row, where a line feed would scroll.
    `onlcr` says whether the tty writes a line feed as carriage return, line feed.
    """
    if y == from_y and x == from_x:
        return ""
    ways = [_to(y, x)]
    if from_y < 0:
        return ways[0]
    if y == from_y:
        if from_x >= 0:
            ways += _along(from_x, x)
        ways += (f"\r{_right(x)}", f"\x1b[{x + 1}G")
    else:
        if x == from_x:
            ways += (_down(y - from_y), f"\x1b[{y + 1}d")
        if 0 < y - from_y <= 3 and y <= last_y:
            feeds = "\n" * (y - from_y)
            ways.append(f"{feeds if onlcr else chr(13) + feeds}{_right(x)}")
    return min(ways, key=_length)


def _length(way: str) -> int:
    # The tty makes two bytes of a line feed.
    return len(way) + way.count("\n") - way.startswith("\r\n")


def _to(y: int, x: int) -> str:
    if x:
        return f"\x1b[{y + 1};{x + 1}H"
    return f"\x1b[{y + 1}H" if y else "\x1b[H"


def _along(from_x: int, x: int) -> list[str]:
    if x > from_x:
        return [_right(x - from_x)]
    back = from_x - x
    return ["\b" * back, f"\x1b[{back}D"]


def _right(columns: int) -> str:
    if columns <= 1:
        return "\x1b[C" * columns
    return f"\x1b[{columns}C"


def _down(rows: int) -> str:
    letter = "B" if rows > 0 else "A"
    return f"\x1b[{letter}" if abs(rows) == 1 else f"\x1b[{abs(rows)}{letter}"
