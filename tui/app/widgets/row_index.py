"""Maps rows of a list to its items, whatever their heights.

The transcript and the lists of the panels use it to draw only the visible rows. Rows
and items count from 0.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Protocol


class RowIndex:
    """Stores heights as prefix sums; finds the item of a row by bisection."""

    def __init__(self) -> None:
        self._tops = [0]
        """The first row of each item, followed by the end of the last item."""

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._tops) - 1

    @property
    def end(self) -> int:
        """Total rows of all items."""
        return self._tops[-1]

    def top(self, index: int) -> int:
        """Return an item's first row; the index after the last item gives the end."""
        return self._tops[index]

    def append(self, height: int) -> None:
        """Add an item at the end."""
        self._tops.append(self._tops[-1] + height)

    def replace(self, first: int, heights: Iterable[int]) -> None:
        """Set the heights of all items from `first` on; may be empty."""
        self._tops[first:] = accumulate(heights, initial=self._tops[first])

    def locate(self, row: int) -> tuple[int, int]:
        """Return the item at a row, and the line within it.

        A row outside of all items maps to the nearest one; (0, 0) if there are none.
        """
        row = max(0, min(row, self._tops[-1] - 1))
        index = min(bisect_right(self._tops, row) - 1, len(self._tops) - 2)
        return (index, row - self._tops[index]) if index >= 0 else (0, 0)

    def reveal(self, index: int, row: int, height: int, below: int = 0) -> int:
        """Return the first row to show so that an item, or its start, is visible.

        The result is as close as possible to `row`, the current first of `height` rows.
        The last `below` rows of the item need not be visible.
        """
        top, end = self._tops[index], self._tops[index + 1] - below
        if top < row or end - top > height:
            return top
        return max(row, end - height)


class Selectable(Protocol):
    """An item that the cursor may stop at."""

    @property
    def selectable(self) -> bool:
        """Whether the cursor stops at this item."""
        ...


def selectable(items: Sequence[Selectable], index: int, step: int = 1) -> int | None:
    """Return the first selectable index from `index` on, in steps of ±1."""
    while 0 <= index < len(items):
        if items[index].selectable:
            return index
        index += step
    return None
