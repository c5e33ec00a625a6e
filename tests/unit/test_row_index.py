"""Laws of the rows that items take, against a list that has one entry a row."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tui.app.widgets.row_index import RowIndex, selectable

heights = st.lists(st.integers(0, 5), max_size=12)
changes = st.lists(st.tuples(st.integers(0, 12), heights), max_size=6)
places = st.integers(-3, 80)


class Item(NamedTuple):
    selectable: bool


def index_of(heights: list[int]) -> RowIndex:
    rows = RowIndex()
    for height in heights:
        rows.append(height)
    return rows


def naive(heights: list[int]) -> list[tuple[int, int]]:
    """The item and line of each row."""
    return [(i, line) for i, height in enumerate(heights) for line in range(height)]


@given(heights, changes, places)
def test_rows_are_those_of_a_list_with_an_entry_for_each(
    known: list[int], changes: list[tuple[int, list[int]]], row: int
):
    rows = index_of(known)
    for first, new in changes:
        first = min(first, len(known))
        known = known[:first] + new
        rows.replace(first, iter(new))

    every = naive(known)
    assert len(rows) == len(known)
    assert rows.end == len(every)
    for index in range(len(known) + 1):
        assert rows.top(index) == sum(known[:index])
    for number, place in enumerate(every):
        assert rows.locate(number) == place
    nearest = max(0, min(row, len(every) - 1))
    if every:
        assert rows.locate(row) == every[nearest]
    elif not known:
        assert rows.locate(row) == (0, 0)


@given(heights.filter(bool), st.data())
def test_what_is_revealed_is_seen_by_the_shortest_way(known: list[int], data):
    index = data.draw(st.integers(0, len(known) - 1))
    row, height = data.draw(st.integers(0, 60)), data.draw(st.integers(1, 8))
    below = data.draw(st.integers(0, known[index]))

    shown = index_of(known).reveal(index, row, height, below)

    top = sum(known[:index])
    end = top + known[index] - below
    # Each first row from which all of it is seen; if there is none, its beginning.
    fits = [first for first in range(200) if first <= top and end <= first + height]
    assert shown == min(fits or [top], key=lambda first: abs(first - row))


@given(st.lists(st.builds(Item, st.booleans())), st.integers(-2, 12))
def test_the_next_to_stop_at_is_the_nearest_in_that_direction(
    items: list[Item], index: int
):
    stops = [place for place, item in enumerate(items) if item.selectable]
    below = [place for place in stops if place >= index and index >= 0]
    above = [place for place in stops if place <= index and index < len(items)]

    assert selectable(items, index) == (below[0] if below else None)
    assert selectable(items, index, -1) == (above[-1] if above else None)
