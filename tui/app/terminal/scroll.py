"""Detects rows that have moved up or down, so that the terminal can scroll."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tui.app.terminal.cells import Row

_WITNESSES = 3  # the least rows that must have moved by the same distance


class Shift(NamedTuple):
    """Rows from `top` to before `bottom` move up by `rows` (down if negative)."""

    top: int
    bottom: int
    rows: int


def find_shift(
    shown: Sequence[Row], wanted: Sequence[Row], changed: Sequence[int]
) -> Shift | None:
    """Return the shift that most of the `changed` rows have made, if any.

    Rows are recognised by their text in the columns where changes begin, because
    widgets beside them may not move. Blank rows and duplicates do not count.
    """
    begin = min(_first_difference(shown[y], wanted[y]) for y in changed)
    end = begin + max(8, (len(wanted[0].text) - begin) // 3)
    places: dict[str, int] = {}
    for y, row in enumerate(shown):
        key = "".join(row.text[begin:end])
        places[key] = -1 if key in places else y
    votes: Counter[int] = Counter()
    moved: dict[int, list[int]] = {}
    for y in changed:
        key = "".join(wanted[y].text[begin:end])
        place = places.get(key, -1)
        if place >= 0 and place != y and not key.isspace():
            votes[place - y] += 1
            moved.setdefault(place - y, []).append(y)
    if not votes:
        return None
    rows, count = votes.most_common(1)[0]
    if count < _WITNESSES:
        return None
    first, last = moved[rows][0], moved[rows][-1]
    if rows > 0:
        return Shift(first, last + rows + 1, rows)
    return Shift(first + rows, last + 1, rows)


def _first_difference(old: Row, new: Row) -> int:
    for x, (a, b, c, d) in enumerate(
        zip(old.text, new.text, old.pens, new.pens, strict=True)
    ):
        if a != b or c is not d:
            return x
    return 0
