"""Assembles tool calls from the pieces that servers stream.

OpenAI sends an index with each piece, the id and the name with the first and the
arguments as text over many. Others leave out the index or the id, send the same index
for every call, repeat the name in each piece or send it in parts, or send
the arguments whole, as text, object or null. The rule where a piece is ambiguous:
better one call too many, which is refused, than two merged into one.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any, cast

import msgspec

from tui import bounds
from tui.errors import TooMuch
from tui.i18n import _
from tui.messages import ToolCall
from tui.models.openai.opaque import OpaqueFields
from tui.models.reply import CALL_CHARACTERS, MOST_CALLS

_ARGUMENTS = ("arguments", "parameters", "args", "input")
"""Where the arguments are, by server; the first one that is there."""
_KNOWN = frozenset({"index", "id", "type", "function", "custom", "name", *_ARGUMENTS})
_CLOSING = 20
"""Characters with which arguments may end a second time."""
_NAME_CHARACTERS = 1000
"""Of a tool's name, for which servers allow 64, or the id of a call."""


_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


class _Open:
    """A call that is being written."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.text: list[str] = []
        self.length = 0
        """Characters of `text`."""
        self.object: dict[str, Any] | None = None
        self.opaque = OpaqueFields()

    @property
    def begun(self) -> bool:
        """Whether any arguments have arrived."""
        return bool(self.text) or self.object is not None

    @property
    def empty(self) -> bool:
        """Whether the arguments are an object of nothing so far."""
        return self.object == {} or (self.length == 2 and "".join(self.text) == "{}")

    @property
    def whole(self) -> bool:
        """Whether the arguments are a JSON object by now."""
        if self.object is not None:
            return True
        # To join what is not at its end would make each piece cost all before it.
        end = next(
            (text for piece in reversed(self.text) if (text := piece.rstrip())), ""
        )
        if not end.endswith("}"):
            return False
        return isinstance(read_arguments("".join(self.text)), dict)

    def add(self, id: str, name: str, arguments: Any) -> None:
        if name and not (self.name and self.begun):
            # A longer form of what is there is the name so far, or all of it again.
            self.name = name if name.startswith(self.name) else self.name + name
        if isinstance(arguments, dict):
            self.object = (self.object or {}) | cast(dict[str, Any], arguments)
        elif isinstance(arguments, str):
            if self.empty and arguments.strip():
                # Some relays begin with an empty object, and say all of it then.
                self.text, self.length, self.object = [], 0, None
            # A server that repeats the whole call at its end has said it already.
            again = id and id == self.id and len(arguments) == self.length
            again = again and arguments == "".join(self.text)
            if arguments and not (again and self.whole):
                self._write(arguments)
        elif arguments is not None:
            self._write(json.dumps(bounds.shallow(arguments)))
        self.id = self.id or id

    def _write(self, text: str) -> None:
        self.text.append(text)
        self.length += len(text)

    def calls(self, most: int) -> Iterator[ToolCall]:
        """Yield the call, or up to `most` of one tool that a server has run together.

        What is more is one call that cannot be read.
        """
        arguments = self.object
        if arguments is None:
            arguments = read_arguments("".join(self.text))
        if isinstance(arguments, str):
            arguments = _said_again(self.text, arguments)
        each = _run_together(arguments) if isinstance(arguments, str) else []
        given = each[0] if 0 < len(each) <= most else arguments
        yield ToolCall(self.id, self.name, given, self.opaque.finish())
        if given is not arguments:
            yield from (ToolCall("", self.name, given) for given in each[1:])


class CallAssembler:
    """Collects the pieces of all calls of one message.

    Raises `TooMuch` where there are more, or longer ones, than a message may have.
    """

    def __init__(self) -> None:
        self._calls: list[_Open] = []
        self._room = CALL_CHARACTERS
        """Characters that all calls may still have."""

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: Any) -> None:
        """Take the `tool_calls` of a delta, whatever they look like."""
        if isinstance(pieces, str) and len(pieces) <= CALL_CHARACTERS:
            with suppress(ValueError):
                pieces = bounds.decode(pieces)
        if isinstance(pieces, dict):
            pieces = [pieces]
        if not isinstance(pieces, list):
            return
        known = [
            cast(dict[str, Any], piece)
            for piece in cast(list[Any], pieces)
            if isinstance(piece, dict)
        ]
        begun: list[_Open] = []
        for place, piece in enumerate(known):
            function: Any = piece.get("function") or piece.get("custom")
            # Some servers leave the level of `function` out.
            fields = cast(
                dict[str, Any], function if isinstance(function, dict) else piece
            )
            piece_id, name = _text(piece.get("id")), _text(fields.get("name"))
            name = name or _text(function)
            held = next((key for key in _ARGUMENTS if key in fields), "")
            arguments: Any = fields.get(held)
            self._take_room(piece_id, name, arguments)
            index = _integer(piece.get("index"))
            if index is None and len(known) > 1 and not name and not piece_id:
                call = self._calls[place] if place < len(self._calls) else None
            else:
                call = self._find(index, piece_id)
            if call is None or _is_another(
                call, piece_id, name, arguments, call in begun
            ):
                if len(self._calls) >= MOST_CALLS:
                    raise TooMuch(
                        _("more than {most_calls} tool calls at once").format(
                            most_calls=MOST_CALLS
                        )
                    )
                call = _Open(index)
                self._calls.append(call)
            begun.append(call)
            call.add(piece_id, name, arguments)
            for key in piece.keys() - _KNOWN:
                if piece[key] is not None:
                    call.opaque.take(key, piece[key])
            within = {k: fields[k] for k in fields.keys() - _KNOWN if fields[k]}
            if within and fields is not piece:
                call.opaque.take("function", within)

    def _take_room(self, id: str, name: str, arguments: Any) -> None:
        if len(id) > _NAME_CHARACTERS or len(name) > _NAME_CHARACTERS:
            raise TooMuch(
                _("a tool's name of more than {name_characters} characters").format(
                    name_characters=_NAME_CHARACTERS
                )
            )
        if isinstance(arguments, str):
            self._room -= len(arguments)
        elif arguments is not None:
            self._room -= len(msgspec.json.encode(arguments))
        if self._room < 0:
            raise TooMuch(
                _("tool arguments of more than {call_characters} MB").format(
                    call_characters=CALL_CHARACTERS >> 20
                )
            )

    def add_function(self, function: Any) -> None:
        """Take the `function_call` of a delta, the older form."""
        if isinstance(function, dict):
            self.add([{"index": 0, "function": function}])

    def finish(self) -> list[ToolCall]:
        """Return the calls, in the order in which they began."""
        calls = [call for call in self._calls if call.begun or call.name]
        most = MOST_CALLS // max(1, len(calls))
        return [each for call in calls for each in call.calls(most)]

    def _find(self, index: int | None, id: str) -> _Open | None:
        """Return the call that a piece most likely continues."""
        calls = self._calls
        if index is not None:
            calls = [call for call in calls if call.index == index]
        # An id tells which, when a server gives all calls one index or none.
        same_id = [call for call in calls if id and call.id == id]
        return (same_id or calls or [None])[-1]


def _is_another(
    call: _Open, id: str, name: str, arguments: Any, same_delta: bool
) -> bool:
    """Whether a piece begins a call, although `call` would fit it."""
    if not name:
        return False
    if same_delta and call.index is None:
        return True
    new_id = bool(id and call.id and id != call.id)
    if not call.begun:
        return new_id
    if call.name and not name.startswith(call.name):
        return True
    if not call.whole:
        # A name, or even an id, that is repeated with each piece.
        return new_id and call.index is None
    if new_id or (bool(arguments) and (call.index is None or not id)):
        return True
    # A server that has one id for all of them begins another object.
    begins = isinstance(arguments, str) and arguments.lstrip().startswith("{")
    return begins and not call.empty and arguments != "".join(call.text)


def _said_again(pieces: list[str], text: str) -> dict[str, Any] | str:
    """Return arguments that each piece says from the start, or that come twice.

    Some servers repeat only their end. `text`, which is all pieces, if they are not so.
    """
    half = len(text) // 2
    again = [text[:half]] if text[:half] == text[half:] else []
    if text.startswith("{}"):
        again.append(text[2:])
    if all(b.startswith(a) for a, b in pairwise(pieces)):
        again += pieces[-1:]
    if whole := _repeated_end(text):
        again.append(whole)
    for said in again:
        if isinstance(arguments := read_arguments(said), dict) and said.strip():
            return arguments
    return text


def _run_together(text: str) -> list[dict[str, Any]]:
    """Return the objects of which a text consists, one behind the other; [] for none.

    Some relays give all calls of an answer one place, and join their arguments.
    """
    found: list[dict[str, Any]] = []
    at = 0
    while at < len(text) and len(found) <= MOST_CALLS:
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict) or not value or bounds.is_deep(value):
            return []
        given = cast(dict[str, Any], value)
        if found and _goes_on(found[-1], given):
            return []
        found.append(given)
        at = space.end() if (space := _SPACE.match(text, at)) else at
    return found if len(found) > 1 else []


def _goes_on(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether an object may be an earlier one once more, as far as it has come."""
    return all(
        key in after and (value == after[key] or str(after[key]).startswith(str(value)))
        for key, value in before.items()
    )


def _repeated_end(text: str) -> str:
    """Return the object before closing marks that repeat its end; "" for none."""
    at = text.rfind("}") if text[:1] == "{" else -1
    while at > 0 and len(text) - at < _CLOSING:
        at = text.rfind("}", 0, at)
        whole, rest = text[: at + 1], text[at + 1 :].strip()
        if rest.strip('"}] \n'):
            break
        if rest and whole.endswith(rest) and isinstance(read_arguments(whole), dict):
            return whole
    return ""


def read_arguments(text: str) -> dict[str, Any] | str:
    """Return the arguments that `text` writes, or `text` when it is not an object.

    Nothing, white space, null and Python's None are not arguments. An object written
    as a JSON string of JSON is read as well. One that is too deep is none.
    """
    if text.strip() in ("", "None"):
        return {}
    value: Any = text
    for __ in range(2):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return text
        if value is None:
            return {}
        if isinstance(value, dict):
            if bounds.is_deep(value):
                return text
            return cast(dict[str, Any], value)
        if not isinstance(value, str):
            return text
    return text


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
