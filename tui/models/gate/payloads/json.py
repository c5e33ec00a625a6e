"""Parses JSON payloads: calls as objects and lists, and a call's arguments.

Models write almost JSON. Tolerated are: raw control characters in strings, arguments
as JSON inside a string, "parameters" for "arguments", missing arguments, surplus
closing brackets, and an object in Python's notation. Anything else is a fault.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from tui import bounds
from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads import literals
from tui.models.gate.payloads.literals import Fault, skip_space
from tui.models.gate.pieces import Call

_SURPLUS = re.compile(r"[\s\]})]*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_PYTHON = re.compile(r"\{\s*'")
_DECODER = json.JSONDecoder(strict=False)


def parse(text: str) -> Any:
    """Return the one JSON value in `text`, ignoring surplus brackets; raise `Fault`."""
    value, end = value_at(text, skip_space(text, 0))
    if _SURPLUS.fullmatch(text, end) is None:
        raise Fault("text after the value")
    return value


def value_at(text: str, at: int) -> tuple[Any, int]:
    """Return the JSON value at `at` and its end; raise `Fault`."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        if text[at : at + 1] != "{" or not _PYTHON.match(text, at):
            raise Fault(str(error)) from error
        value, end = literals.value_at(text, at)
    if bounds.is_deep(value):
        raise Fault("too deep")
    # A lone surrogate can be neither stored nor sent.
    return (_repair(value) if "\\u" in text else value), end


def arguments(value: Any) -> dict[str, Any]:
    """Return a call's arguments as a dict; raise `Fault`."""
    if isinstance(value, str):
        value = parse(value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Fault("arguments are not an object")
    return cast("dict[str, Any]", value)


def arguments_of(text: str) -> dict[str, Any]:
    """Return the arguments written in `text`, {} for blank; raise `Fault`."""
    return arguments(parse(text)) if text.strip() else {}


def read_calls(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse objects with "name" and "arguments", single or in lists."""
    return _read(body, _named_call, closed)


def read_keyed_calls(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a list of objects whose only key is the tool's name."""
    return _read(body, _keyed_call, closed)


def _read(body: str, call_of: Callable[[Any], Call], closed: bool) -> Reading:
    calls: list[Call] = []
    try:
        for value in _values(body):
            calls.append(call_of(value))
    except Fault:
        # Calls completed before the stream broke off count; a closed block that is
        # malformed is rejected as a whole.
        return Reading(() if closed else calls, whole=False)
    return Reading(calls, whole=bool(calls))


def _values(body: str) -> Iterator[Any]:
    """Yield the values of a body; raise `Fault` at the first malformed one."""
    at = skip_space(body, 0)
    while at < len(body):
        if body[at] != "[":
            value, at = value_at(body, at)
            yield value
        else:
            at = skip_space(body, at + 1)
            while body[at : at + 1] != "]":
                value, at = value_at(body, at)
                yield value
                at = skip_space(body, at)
                if body[at : at + 1] == ",":
                    at = skip_space(body, at + 1)
                elif body[at : at + 1] != "]":
                    raise Fault("list without end")
            at += 1
        if _SURPLUS.fullmatch(body, at):
            return
        at = skip_space(body, at)
        if body[at : at + 1] in (",", ";"):
            at = skip_space(body, at + 1)


def _named_call(value: Any) -> Call:
    if not isinstance(value, dict):
        raise Fault("not an object")
    call = cast("Mapping[str, Any]", value)
    if "name" not in call and isinstance(call.get("function"), dict):
        # As in a request: {"type": "function", "function": {...}}
        call = {**call, **call["function"]}
    name = call.get("name", call.get("tool_name"))
    if not isinstance(name, str) or not name:
        raise Fault("no name")
    id = call.get("id", call.get("tool_call_id"))
    given = call.get("arguments", call.get("parameters"))
    return Call(name, arguments(given), id if isinstance(id, str) else "")


def _keyed_call(value: Any) -> Call:
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        raise Fault("not one name")
    [(name, given)] = cast("dict[str, Any]", value).items()
    if not name:
        raise Fault("no name")
    return Call(name, arguments(given))


def _repair(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_repair(v) for v in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {_repair(k): _repair(v) for k, v in items}
    return value
