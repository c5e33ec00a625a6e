"""Finds a text in all items of a pane, and steps through its places.

What is searched is what is displayed, so items far off the screen have to be laid out
first. That is done in slices between which the app handles keys, the items nearest to
the reader first. A message that still grows is searched a few times a second, not for
each piece of text.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple, Protocol

import msgspec

from tui.app.transcript import matches
from tui.app.transcript.find import Found
from tui.app.transcript.item import Item
from tui.app.transcript.matches import RowMatch

MOST = 10_000
"""Most places that are counted."""
_SLICE = 0.01  # seconds
_PAUSE = 0.002  # seconds between two slices
_GROWN = 0.4
"""Seconds between two searches of a message that grows."""
_SHARE = 20
"""A search of such a message that took long is repeated after this many times that."""


class _Pane(Protocol):
    @property
    def items(self) -> Sequence[Item]: ...
    def lay_out_items(self, items: Sequence[Item]) -> object: ...
    def reveal(self, item: Item, line: int) -> object: ...
    def show_matches(self) -> object: ...


class _Result(msgspec.Struct, frozen=True):
    revision: int
    places: list[Found]
    rows: dict[int, list[RowMatch]]
    texts: dict[int, str]
    """The text of the rows that have a match, while the item grows."""


class State(NamedTuple):
    """How far a search is."""

    number: int
    """The number of the current place, from 1; 0 for none."""
    total: int
    """The number of places so far; above `MOST` there may be more."""
    complete: bool
    """Whether everything was searched but the newest text of what still grows."""
    growing: bool
    """Whether a message still grows, and may get more places."""


class Finder:
    """Searches one pane. Call it in the UI thread."""

    def __init__(self, pane: _Pane) -> None:
        self._pane = pane
        self.report: Callable[[], object] = lambda: None
        """Called when `state` may have changed."""
        self._wanted: re.Pattern[str] | None = None
        self._found: dict[Item, _Result] = {}
        self._count = 0  # of the places
        self._todo: deque[Item] = deque()
        self._below = 0  # how many of `_todo` are not above the origin
        self._origin: tuple[Item | None, int] = None, 0
        self._current: tuple[Item, int] | None = None
        self._choosing = False  # whether the first place is still to be chosen
        self._ordered: list[tuple[Item, int]] | None = None
        self._due = False
        self._grown: set[Item] = set()
        """Growing items with text that was not searched."""
        self._look_due = False
        self._cost = 0.0  # seconds of the last search of a growing item

    @property
    def active(self) -> bool:
        """Whether a text is searched for."""
        return self._wanted is not None

    @property
    def state(self) -> State:
        """How far the search is."""
        places = self._places()
        number = places.index(self._current) + 1 if self._current in places else 0
        late = any(item.behind and item.done for item in self._pane.items)
        growing = any(not item.done for item in self._pane.items)
        return State(number, len(places), not self._todo and not late, growing)

    def search(self, text: str, origin: tuple[Item | None, int]) -> None:
        """Search for `text` from now on, "" for nothing.

        The first place at or below `origin`, an item and a line, becomes the current
        one, or else the nearest above it.
        """
        wanted = matches.pattern(text)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._found.clear()
        self._todo.clear()
        self._grown.clear()
        self._count = 0
        self._ordered = self._current = None
        self._origin = origin
        if wanted is not None:
            items = list(self._pane.items)
            first = items.index(origin[0]) if origin[0] in items else 0
            self._todo.extend([*items[first:], *reversed(items[:first])])
            self._below = len(items) - first
            self._choosing = True
            self._work()
        self._pane.show_matches()
        self.report()

    def changed(self, item: Item) -> None:
        """Search an item again, whose lines have changed; cheap if nothing did."""
        if self._wanted is None or item in self._todo:
            return
        if not item.done:
            self._grown.add(item)
            self._look_soon()
            return
        self._grown.discard(item)
        result = self._found.get(item)
        if result is None or result.revision != item.revision:
            self._todo.append(item)
            self._continue()

    def items_changed(self) -> None:
        """Forget items that were removed, and search those that were added."""
        kept = set(self._pane.items)
        self._found = {it: found for it, found in self._found.items() if it in kept}
        self._count = sum(len(found.places) for found in self._found.values())
        self._todo = deque(it for it in self._todo if it in kept)
        self._ordered = None
        if self._current and self._current[0] not in kept:
            self._current = None
        for item in self._pane.items:
            self.changed(item)

    def marks(self, item: Item, number: int) -> Sequence[tuple[int, int, bool]]:
        """Return start, end and whether it is current of each match in a row."""
        result = self._found.get(item)
        if result is None:
            return ()
        if result.revision != item.revision:
            self.changed(item)
            if result.texts.get(number) != item.line(number).text:
                return ()  # it was laid out in another way
        here = self._current[1] if self._current and self._current[0] is item else -1
        return [(m.start, m.end, m.number == here) for m in result.rows.get(number, ())]

    def step(self, step: int) -> bool:
        """Go to the next (1) or previous (-1) place, round the ends if needed."""
        places = self._places()
        if not places:
            return False
        if self._current in places:
            at = (places.index(self._current) + step) % len(places)
        else:
            at = 0 if step > 0 else len(places) - 1
        self._go(places[at])
        self.report()
        return True

    # -- searching

    def _continue(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._due = False
        if self._wanted is not None:
            self._work()
            self._pane.show_matches()
            self.report()

    def _look_soon(self) -> None:
        """Search what grows, but not for each piece of text."""
        if not self._look_due:
            self._look_due = True
            wait = max(_GROWN, _SHARE * self._cost)
            asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        self._look_due = False
        if self._wanted is None:
            return
        shown = set(self._pane.items)
        before = self._count
        grown, self._grown = self._grown, set()
        start = monotonic()
        for item in grown & shown:
            if item not in self._todo:
                self._search(item)
        self._cost = monotonic() - start
        self._ordered = None
        if self._count != before:
            self._choose()
            self._pane.show_matches()
            self.report()

    def _work(self) -> None:
        """Search items for the length of a slice."""
        until = monotonic() + _SLICE
        while self._todo and monotonic() < until:
            item = self._todo.popleft()
            self._below -= 1
            self._search(item)
        self._ordered = None
        self._choose()
        if self._todo:
            self._continue()

    def _search(self, item: Item) -> None:
        if self._wanted is None:
            return
        if not item.exact:
            self._pane.lay_out_items([item])
        if item.behind and item.done:
            return  # the pane lays out the rest, and tells when it has
        if item in self._found:
            self._count -= len(self._found[item].places)
        lines = ((number, item.line(number)) for number in item.text_rows)
        room = max(0, MOST + 1 - self._count)
        places = matches.find_all(lines, self._wanted, room)
        rows = matches.by_row(places)
        texts = {} if item.done else {row: item.line(row).text for row in rows}
        self._found[item] = _Result(item.revision, places, rows, texts)
        self._count += len(places)
        if self._current and self._current[0] is item:
            last = len(places) - 1
            self._current = (item, min(self._current[1], last)) if places else None

    def _choose(self) -> None:
        """Go to the first match as soon as it is certain."""
        if self._current is not None and not self._choosing:
            return
        order = {item: number for number, item in enumerate(self._pane.items)}
        item, line = self._origin
        origin = (order.get(item, 0) if item else 0, line)
        places = self._places()
        for where in places:
            at = self._found[where[0]].places[where[1]].line
            if (order[where[0]], at) >= origin:
                break
        else:
            if self._below > 0 or (self._todo and not places):
                return
            where = places[-1] if places else None
        self._choosing = False
        if where:
            self._go(where)

    def _places(self) -> list[tuple[Item, int]]:
        if self._ordered is None:
            self._ordered = [
                (item, number)
                for item in self._pane.items
                if item in self._found
                for number in range(len(self._found[item].places))
            ]
        return self._ordered

    def _go(self, place: tuple[Item, int]) -> None:
        item, number = place
        if not item.exact:
            self._pane.lay_out_items([item])
        if self._found[item].revision != item.revision and not item.behind:
            self._search(item)  # its rows have moved
            self._ordered = None
        places = self._found[item].places
        if not places:
            self._current = None
            return
        number = min(number, len(places) - 1)
        self._current = item, number
        self._pane.reveal(item, places[number].line)
        self._pane.show_matches()
