"""Repairs arguments of the wrong type whose meaning is clear.

A number in place of a text, one value in place of a list of it, an object written as a
text, a choice in other letters, a time without seconds. What may be read in two ways is
not repaired: a text with a comma may be one item or two, 3.0 "3" or "3.0".
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Any, NamedTuple, cast

import msgspec

from tui import nearly_json
from tui.tools.locating import Keys, replaced, value_at
from tui.tools.wording import words

_MOST = 100
"""Places that are repaired in one argument."""
_WRONG = re.compile(r"Expected `([^`]+)`, got `[^`]+`(?: - at `\$([^`]*)`)?")
_NO_TIME = re.compile(
    r"Invalid RFC3339 encoded (datetime|time)(?: - at `\$([^`]*)`)?", re.IGNORECASE
)
_NO_CHOICE = re.compile(r"Invalid enum value .*", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_SEPARATORS = re.compile(r"[\s,;|]")
"""In a text that may be one item or several."""


class _Fault(NamedTuple):
    wanted: str
    """A type in msgspec's words, or `choice`."""
    keys: Keys
    """Where."""


def repaired(
    value: Any, convert: Callable[[Any], Any], choices: Iterable[Any] = ()
) -> Any:
    """Return what `convert` makes of `value` once its type is repaired.

    `convert` raises msgspec's errors, which tell the place and the type. `choices` are
    what the whole value may be, if it is one of a few. Raises the first error if there
    is nothing to repair, or doubt.
    """
    first: Exception | None = None
    for _ in range(_MOST):
        try:
            return convert(value)
        except Exception as error:  # foreign types may raise anything
            first = first or error
            fault = _fault(words(error))
            wrong = value_at(value, fault.keys) if fault else None
            right = _right(wrong, fault, choices) if fault else None
            if fault is None or right is None:
                raise first from None
            value = replaced(value, fault.keys, right)
    assert first is not None
    raise first


def _fault(said: str) -> _Fault | None:
    if _NO_CHOICE.fullmatch(said) and " - at " not in said:
        return _Fault("choice", ())
    found = _WRONG.fullmatch(said) or _NO_TIME.fullmatch(said)
    if found is None:
        return None
    kinds = set(found[1].lower().split(" | ")) - {"null"}
    keys = _keys(found[2] or "")
    if len(kinds) != 1 or keys is None:
        return None
    return _Fault(kinds.pop(), keys)


def _keys(path: str) -> Keys | None:
    """Return the keys of a path; None if one of them is not told."""
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return None
        keys.append(step[1] or int(step[2]))
        at = step.end()
    return tuple(keys)


def _right(value: Any, fault: _Fault, choices: Iterable[Any]) -> Any:
    """Return what is meant by a value of the wrong type; None if that is not plain."""
    match fault.wanted:
        case "str":
            return _text(value)
        case "array":
            is_item = bool(fault.keys) and isinstance(fault.keys[-1], int)
            return _list(value, is_item)
        case "object" if isinstance(value, str):
            read = nearly_json.read(value)
            return cast(Any, read) if isinstance(read, dict) else None
        case "int" | "float" if isinstance(value, str):
            return value.strip() if value != value.strip() else None
        case "choice":
            return _choice(value, choices)
        case "time" | "datetime":
            return _iso(value, fault.wanted)
        case _:
            return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return None  # "true" or "True"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else None
    if not isinstance(value, float):
        return None
    text = repr(value)
    plain = re.fullmatch(r"-?\d+\.\d+", text) and not text.endswith(".0")
    return text if plain else None


def _list(value: Any, is_item: bool) -> list[Any] | None:
    """Return the list that is meant; `is_item`: the value is in a list already."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("[", "{"):
            value = nearly_json.read(value)
            if isinstance(value, list):
                return cast(list[Any], value)
        elif not value or _SEPARATORS.search(value):
            return None
    # Within a list, it may be the outer list that is meant to be an item.
    return None if value is None or is_item else [value]


def _choice(value: Any, choices: Iterable[Any]) -> Any:
    if not isinstance(value, str):
        return None
    like = value.strip().casefold()
    found = [c for c in choices if isinstance(c, str) and c.casefold() == like]
    return found[0] if len(found) == 1 and found[0] != value else None


def _iso(value: Any, wanted: str) -> str | None:
    """Return a time as RFC 3339 writes it; what has no time of day is none."""
    if not isinstance(value, str):
        return None
    try:
        if wanted == "time":
            read: time | datetime = time.fromisoformat(value.strip())
        elif re.match(r"[^T ]+[T ]\d", value.strip()):
            read = datetime.fromisoformat(value.strip())
        else:
            return None
    except ValueError:
        return None
    text = msgspec.to_builtins(read)
    return text if text != value else None
