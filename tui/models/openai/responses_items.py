"""Tells which item of an answer of the Responses API an event is about.

OpenAI names an item by its place in the answer and by an id, alike in all of its
events. Other servers leave one of them out, have the same one for all items, or give an
item another id with each event (GitHub Copilot).
"""

from typing import Any, Literal

import msgspec

Kind = Literal["text", "thought", "call"]

KINDS: dict[str, Kind] = {
    "message": "text",
    "reasoning": "thought",
    "function_call": "call",
}
"""The types of items that are read."""

_MOST = 10_000
"""Of one answer; a place beyond it is none, and no more ids are kept."""


class _Item(msgspec.Struct):
    kind: Kind
    place: int | None
    announced: bool = False
    done: bool = False


class Items:
    """The items of one answer, by numbers that count them from 0."""

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._ids: dict[tuple[Kind, str], int] = {}
        self._places: dict[tuple[Kind, int], int] = {}
        """The last item of a kind at each place."""
        self._last: dict[Kind, int] = {}

    @property
    def done(self) -> bool:
        """Whether all are whole, and the last one is a text or a call."""
        items = self._items
        whole = bool(items) and all(item.done for item in items)
        return whole and items[-1].kind != "thought"

    def begin(self, kind: Kind, place: Any, *ids: Any) -> int:
        """Return the item that an event announces."""
        place = _place(place)
        number = self._by_id(kind, place, ids)
        if number is not None and self._items[number].done:
            number = None
        if number is None and place is not None:
            at = self._places.get((kind, place))
            # One that pieces have begun is announced late; another one is new.
            if at is not None and not (self._items[at].announced or self._done(at)):
                number = at
        number = self._new(kind, place) if number is None else number
        self._items[number].announced = True
        return self._name(kind, number, ids)

    def of(self, kind: Kind, place: Any, *ids: Any, piece: bool = False) -> int:
        """Return the item that an event continues or repeats.

        `piece`: it adds something, so that an item which is whole is not meant, unless
        an id says so.
        """
        place = _place(place)
        number = self._by_id(kind, place, ids)
        if number is not None:
            return number
        if place is None:
            number = self._last.get(kind)
        else:
            number = self._places.get((kind, place))
        if number is None or (piece and self._done(number)):
            return self._name(kind, self._new(kind, place), ids)
        return number

    def end(self, kind: Kind, place: Any, *ids: Any) -> int:
        """Return the item that an event tells as a whole."""
        number = self.of(kind, place, *ids, piece=True)
        self._items[number].done = True
        return self._name(kind, number, ids)

    def _done(self, number: int) -> bool:
        return self._items[number].done

    def _by_id(self, kind: Kind, place: int | None, ids: tuple[Any, ...]) -> int | None:
        for id in ids:
            if isinstance(id, str) and (kind, id) in self._ids:
                number = self._ids[kind, id]
                if place is None or self._items[number].place in (None, place):
                    return number
        return None

    def _new(self, kind: Kind, place: int | None) -> int:
        if len(self._items) < _MOST:
            self._items.append(_Item(kind, place))
        number = len(self._items) - 1
        if place is not None:
            self._places[kind, place] = number
        self._last[kind] = number
        return number

    def _name(self, kind: Kind, number: int, ids: tuple[Any, ...]) -> int:
        for id in ids:
            if isinstance(id, str) and id and len(self._ids) < _MOST:
                self._ids[kind, id] = number
        return number


def _place(place: Any) -> int | None:
    """Return an item's place, None if an event does not tell it."""
    if isinstance(place, bool) or not isinstance(place, int):
        return None
    return place if 0 <= place < _MOST else None
