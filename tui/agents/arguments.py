"""Reads the arguments of a tool call that a model has written into its text.

Text protocols leave more to a model than JSON for a server does: it may write a list or
a bare word where an object is meant.
"""

import ast
import json
import re
from collections.abc import Collection
from typing import Any, cast

from tui import bounds
from tui.messages import ToolSchema
from tui.nearly_json import read_object

_FENCE = re.compile(r"\A\s*```\w*\s*\n(.*?)(?:\n\s*```.*)?\Z", re.DOTALL)
_TICKED = re.compile(r"\A`([{\[].*[}\]])`\Z", re.DOTALL)
_NAMED = re.compile(r"\A(\w+)\s*=")
_ON_LINE = re.compile(r"[ \t*-]*[\"'`]?(\w+)[\"'`]?[ \t]*:[ \t]+(.*\S)[ \t,]*")
_BARE = re.compile(r"(?<==)(\s*)(#E\d+)\b")
"""A reference of `ReWOOAgent` that is a value by itself."""
_LONGEST_NAMED = 10_000
"""Characters that are read as Python's arguments by name."""


def read_arguments(text: str, tool: ToolSchema | None) -> dict[str, Any] | str:
    """Return the arguments in `text`, by name where `tool` tells the names.

    `text` may be an object in JSON or nearly so, a list of arguments in their order,
    arguments by name as in Python or on lines of their own, or the only argument as it
    is. What cannot be read is returned unchanged, so that the model can be told.
    """
    text = text.strip()
    if fenced := _FENCE.match(text):
        text = fenced[1].strip()
    elif ticked := _TICKED.match(text):
        text = ticked[1]
    if not text:
        return {}
    if text.startswith("{") and (read := _object(text)) is not None:
        return read
    if tool is None or text.startswith("{"):
        return text
    properties = cast(dict[str, Any], tool.parameters.get("properties") or {})
    required = cast(list[str], tool.parameters.get("required") or [])
    if (named := _by_name(text, properties)) is not None:
        return named
    if (listed := _by_line(text, properties)) is not None:
        return listed
    value, listed = json_value(text), json_value(f"[{text}]")
    only = _only(list(properties), required)
    wanted = kinds(properties.get(only)) if only is not None else set[str]()
    for given in () if "array" in wanted else (value, listed):
        if isinstance(given, list):
            values = cast(list[Any], given)
            if 1 < len(values) <= len(properties) and len(values) >= len(required):
                return dict(zip(properties, values, strict=False))
    if only is None:
        return text
    return {only: _as(wanted, value, listed, text)}


def _object(text: str) -> dict[str, Any] | None:
    if (read := read_object(text)) is not None:
        return read
    try:  # an object with something behind it
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or bounds.is_deep(value):
        return None
    return cast(dict[str, Any], value)


def _by_name(text: str, names: Collection[str]) -> dict[str, Any] | None:
    """Return what Python's `name=value, ...` says; None if it is anything else."""
    first = _NAMED.match(text)
    if not first or first[1] not in names or len(text) > _LONGEST_NAMED:
        return None
    try:
        quoted = _BARE.sub(r'\1"\2"', text)
        called = ast.parse(f"f({quoted})", mode="eval").body
        if not isinstance(called, ast.Call) or called.args:
            return None
        read = {word.arg: ast.literal_eval(word.value) for word in called.keywords}
        values = json.loads(json.dumps(read))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    given = cast(dict[str, Any], values)
    return given if set(given) <= set(names) and not bounds.is_deep(given) else None


def _by_line(text: str, properties: dict[str, Any]) -> dict[str, Any] | None:
    """Return what lines of `name: value` say; None if any line is anything else."""
    given: dict[str, Any] = {}
    for line in filter(str.strip, text[:_LONGEST_NAMED].splitlines()):
        found = _ON_LINE.fullmatch(line)
        if not found or found[1] not in properties or found[1] in given:
            return None
        written = found[2]
        value = json_value(written)
        given[found[1]] = _as(kinds(properties[found[1]]), value, None, written)
    return given or None


def json_value(text: str) -> Any:
    """Return the JSON value in `text`; None for anything else, and for null."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if bounds.is_deep(value) else value


def _only(names: list[str], required: list[str]) -> str | None:
    """Return the parameter that a single argument is meant for."""
    if len(names) == 1:
        return names[0]
    return required[0] if len(required) == 1 else None


def kinds(schema: object) -> set[str]:
    """Return the types that a JSON Schema allows, as far as it names them."""
    if not isinstance(schema, dict):
        return set()
    about = cast(dict[str, Any], schema)
    kind = about.get("type")
    found = set(
        cast(list[str], kind) if isinstance(kind, list) else filter(None, [kind])
    )
    for choice in cast(list[Any], about.get("anyOf") or about.get("oneOf") or []):
        found |= kinds(choice)
    return found


def _as(wanted: set[str], value: Any, listed: Any, text: str) -> Any:
    """Return the value of one parameter of one of the types `wanted`."""
    if "array" in wanted:
        if isinstance(value, list):
            return cast(list[Any], value)
        return cast(list[Any], listed) if isinstance(listed, list) else [text]
    if "string" in wanted and not isinstance(value, str):
        return text
    return text if value is None else value
