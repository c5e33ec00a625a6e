"""Converts the bare text of an XML-like parameter to its schema's type."""

import json
from collections.abc import Mapping
from typing import Any, cast

from tui import bounds
from tui.models.gate.grammar import Tools

_PYTHON = {"True": True, "False": False, "None": None}
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_STRUCTURED = ("$ref", "anyOf", "oneOf", "allOf")


def typed(text: str, schema: Mapping[str, Any] | None) -> Any:
    """Return `text` unchanged for strings, else its JSON value if it is JSON.

    Where a string is only one of the types, the value of another of them goes first.
    """
    types = types_of(schema)
    if not types or types == {"string"}:
        return text
    value = from_json(text)
    if "string" not in types:
        return value
    # In Python, true is an integer too.
    fits = isinstance(value, _classes(types)) and (
        "boolean" in types or not isinstance(value, bool)
    )
    return value if fits else text


def _classes(types: set[str]) -> tuple[type, ...]:
    """Return the Python classes of the JSON types but strings."""
    found = [c for t, classes in _CLASSES.items() if t in types for c in classes]
    return tuple(found)


def from_json(text: str) -> Any:
    """Return the JSON value of `text`, or `text` itself if it is not JSON."""
    bare = text.strip()
    if bare in _PYTHON:
        return _PYTHON[bare]
    try:
        value = json.loads(bare, strict=False, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    return text if bounds.is_deep(value) else value


def parameters_of(tools: Tools, tool: str) -> Mapping[str, Any]:
    """Return the schemas of a tool's parameters by name; {} if it has none."""
    properties = tools.get(tool, {}).get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return cast("Mapping[str, Any]", properties)


def schema_of(tools: Tools, tool: str, parameter: str) -> Mapping[str, Any] | None:
    """Return the schema of one parameter, None if it has none."""
    schema = parameters_of(tools, tool).get(parameter)
    return cast("Mapping[str, Any]", schema) if isinstance(schema, Mapping) else None


def types_of(schema: Mapping[str, Any] | None) -> set[str]:
    """Return the type names that a schema allows; empty if it does not say."""
    if schema is None:
        return set()
    kind: Any = schema.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return {str(k) for k in cast("list[Any]", kind)}
    for key in ("anyOf", "oneOf", "allOf"):
        choices: Any = schema.get(key)
        if isinstance(choices, list):
            found: set[str] = set()
            for choice in cast("list[Any]", choices):
                if isinstance(choice, Mapping):
                    found |= types_of(cast("Mapping[str, Any]", choice)) or {"object"}
            return found
    values: Any = schema.get("enum")
    if isinstance(values, list):
        strings = all(isinstance(v, str) for v in cast("list[Any]", values))
        return {"string"} if strings else {"number"}
    return {"object"} if any(key in schema for key in _STRUCTURED) else set()


def _no_number(name: str) -> Any:
    raise ValueError(name)
