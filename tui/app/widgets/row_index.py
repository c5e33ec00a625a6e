"""Which rows of a list belong to which of its items, whatever their heights.

Both lists that draw no more than what is on the screen stand on it: the transcript,
and the lists of the panels. Rows and items count from 0.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Protocol


class RowIndex:
    """Heights of items as prefix sums: a row is looked up, an item bisected."""

    def __init__(self) -> None:
        self._tops = [0]
        """The first row of each item, and the end of the last one."""

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._tops) - 1

    @property
    def end(self) -> int:
        """Rows of all items together."""
        return self._tops[-1]

    def top(self, index: int) -> int:
        """Return an item's first row; that after the last item is the end."""
        return self._tops[index]

    def append(self, height: int) -> None:
        """Add an item below all others."""
        self._tops.append(self._tops[-1] + height)

    def replace(self, first: int, heights: Iterable[int]) -> None:
        """Take these heights for all items from `first` on; there may be none."""
        self._tops[first:] = accumulate(heights, initial=self._tops[first])

    def locate(self, row: int) -> tuple[int, int]:
        """Return the item at a row, and the line in it.

        A row outside of all is taken for the nearest one; (0, 0) if there is none.
        """
        row = max(0, min(row, self._tops[-1] - 1))
        index = min(bisect_right(self._tops, row) - 1, len(self._tops) - 2)
        return (index, row - self._tops[index]) if index >= 0 else (0, 0)

    def reveal(self, index: int, row: int, height: int, below: int = 0) -> int:
        """Return the first row to show so that an item is seen, or its beginning.

        That is as near as can be to `row`, the first one now, of `height` rows. The
        last `below` rows of the item need not be seen.
        """
        top, end = self._tops[index], self._tops[index + 1] - below
        if top < row or end - top > height:
            return top
        return max(row, end - height)


class Selectable(Protocol):
    """An item that a cursor may stop at."""

    @property
    def selectable(self) -> bool:
        """Whether it does."""
        ...


def selectable(items: Sequence[Selectable], index: int, step: int = 1) -> int | None:
    """Return the first place from `index` on, in steps of ±1, at which to stop."""
    while 0 <= index < len(items):
        if items[index].selectable:
            return index
        index += step
    return None
