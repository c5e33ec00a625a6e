"""Collects the calls of an answer of the Responses API, by the numbers of its items.

The id, the name and the arguments of a call may each be told in another event: where it
is announced, piece by piece, where it is whole, or with the end of the answer.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from tui.errors import TooMuch
from tui.i18n import _
from tui.models.openai.calls import read_arguments
from tui.models.reply import CALL_CHARACTERS, MOST_CALLS

_NAME_CHARACTERS = 1000


class _Call:
    """A call that is being written."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.announced = ""
        """Arguments that stand in the event which announces the call."""
        self.whole = False
        """Whether its item has been told as a whole."""

    @property
    def is_known(self) -> bool:
        """Whether it has a name, and more arguments than an object of nothing."""
        return bool(self.name) and self.arguments != {}

    @property
    def arguments(self) -> Any:
        """What the pieces write, {} for nothing."""
        return read_arguments("".join(self.pieces))


class ResponsesCalls:
    """The calls of one answer.

    Raises `TooMuch` where there are more, or longer ones, than a message may have.
    """

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._room = CALL_CHARACTERS

    def __bool__(self) -> bool:
        return bool(self._calls)

    def begin(self, number: int) -> None:
        """Take note of a call, unless it is known."""
        if number not in self._calls and len(self._calls) >= MOST_CALLS:
            raise TooMuch(
                _("more than {most_calls} tool calls at once").format(
                    most_calls=MOST_CALLS
                )
            )
        self._calls.setdefault(number, _Call())

    def name(self, number: int, id: Any, name: Any) -> bool:
        """Take the id and the name of a call; return whether it has had no name."""
        call = self._calls[number]
        if isinstance(id, str):
            call.id = call.id or id
        if not isinstance(name, str) or not name:
            return False
        if max(len(call.id), len(name)) > _NAME_CHARACTERS:
            raise TooMuch(
                _("a tool's name of more than {name_characters} characters").format(
                    name_characters=_NAME_CHARACTERS
                )
            )
        is_new, call.name = not call.name, name
        return is_new

    def announce(self, number: int, arguments: Any) -> None:
        """Take the arguments that count if no others are told."""
        self._calls[number].announced = _written(arguments)[:CALL_CHARACTERS]

    def add(self, number: int, arguments: Any) -> None:
        """Take a piece of a call's arguments."""
        text = _written(arguments)
        self._room -= len(text)
        if self._room < 0:
            raise TooMuch(
                _("tool arguments of more than {call_characters} MB").format(
                    call_characters=CALL_CHARACTERS >> 20
                )
            )
        if text:
            self._calls[number].pieces.append(text)

    def replace(self, number: int, arguments: Any) -> None:
        """Take all of a call's arguments in place of the pieces."""
        call = self._calls[number]
        text = _written(arguments)
        if not text or (read_arguments(text) == {} != call.arguments):
            return  # some servers have none where they should be repeated
        self._room += sum(map(len, call.pieces))
        call.pieces.clear()
        self.add(number, text)

    def end(self, number: int, item: dict[str, Any]) -> bool:
        """Take an item that is whole; return whether its call has had no name."""
        self.begin(number)
        self._calls[number].whole = True
        is_new = self.name(number, id_of(item), item.get("name"))
        self.replace(number, item.get("arguments"))
        return is_new

    def is_another(self, number: int, item: dict[str, Any]) -> bool:
        """Whether an item is another call than the whole one of the same number."""
        call = self._calls.get(number)
        given = read_arguments(_written(item.get("arguments")))
        return call is not None and call.whole and given not in ({}, call.arguments)

    def lacking(self, item: dict[str, Any]) -> int:
        """Return the call that lacks what an item of the last event tells; -1 if none.

        Some servers give a call another id there.
        """
        id, name = id_of(item), item.get("name")
        for number, call in self._calls.items():
            if call.id == id:
                return -1 if call.is_known else number
        for number, call in self._calls.items():
            if call.name in ("", name) and not (call.name and call.pieces):
                return number
        return -1

    def pieces(self) -> Iterator[dict[str, Any]]:
        """Yield the calls as a delta of chat completions has them."""
        for number, call in self._calls.items():
            if call.name:
                arguments = "".join(call.pieces) or call.announced
                function = {"name": call.name, "arguments": arguments}
                yield {"index": number, "id": call.id, "function": function}


def id_of(item: dict[str, Any]) -> str:
    """Return the id of an item's call, "" for none."""
    id: Any = item.get("call_id") or item.get("id")
    return id if isinstance(id, str) else ""


def _written(arguments: Any) -> str:
    """Return arguments as they are written, "" for none."""
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments if isinstance(arguments, str) else ""
