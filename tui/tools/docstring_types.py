"""Reads the types that docstrings name, for parameters without a type hint.

A docstring is text: nothing of it is looked up or run. Names and forms that are not
known here mean any value.
"""

import ast
import importlib
import re
from typing import Any, Literal, Optional, Union, cast

_LONGEST = 200
_NAMES: dict[str, Any] = {
    **dict.fromkeys(("str", "string", "text"), str),
    **dict.fromkeys(("int", "integer"), int),
    **dict.fromkeys(("float", "number", "double"), float),
    **dict.fromkeys(("bool", "boolean"), bool),
    **dict.fromkeys(("list", "List", "array", "Sequence", "Iterable"), list),
    **dict.fromkeys(("dict", "Dict", "object", "Mapping"), dict),
    **dict.fromkeys(("tuple", "Tuple"), tuple),
    **dict.fromkeys(("set", "Set"), set),
    "bytes": bytes,
    "None": None,
}
_LIBRARY = {
    **dict.fromkeys(("date", "datetime", "time", "timedelta"), "datetime"),
    **dict.fromkeys(("Path", "PurePath"), "pathlib"),
    "Decimal": "decimal",
    "UUID": "uuid",
}
"""Types of the standard library, and the modules that have them."""
_OPTIONAL = re.compile(r"[,;]?\s*\(?\b(optional|defaults?\b.*)\)?\s*$", re.IGNORECASE)
_LIST_OF = re.compile(r"\b(?:list|array)s? of (\w+?)s?\b", re.IGNORECASE)
_SET_OF = re.compile(r"\bsets? of (\w+?)s?\b", re.IGNORECASE)


def hint_of(text: str) -> Any:
    """Return the type hint that `text` names, such as `List[int]` or `str or None`.

    `Any` if it names none that is known.
    """
    if len(text) > _LONGEST:
        return Any
    text = _OPTIONAL.sub("", text.strip())
    text = re.sub(r"\s+or\s+", " | ", _of_items(text))
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Any
    hint = _hint(node)
    return Any if hint is None else hint


def _of_items(text: str) -> str:
    return _SET_OF.sub(r"set[\1]", _LIST_OF.sub(r"list[\1]", text))


def _named(name: str) -> Any:
    if module := _LIBRARY.get(name):
        return getattr(importlib.import_module(module), name)  # few tools need one
    return _NAMES.get(name, Any)


def _hint(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _named(name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union([_hint(left), _hint(right)])
        case ast.Set(elts=choices):
            return _literal(choices)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            inner = node.slice
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _subscript(name, items)
        case _:
            return Any


def _subscript(name: str, items: list[ast.expr]) -> Any:
    match name:
        case "Literal":
            return _literal(items)
        case "Optional" if len(items) == 1:
            inner = _hint(items[0])
            return Any if inner is Any else Optional[inner]  # noqa: UP045
        case "Union":
            return _union([_hint(item) for item in items])
        case "list" | "List" | "Sequence" | "Iterable" if len(items) == 1:
            return list[_hint(items[0])]
        case "set" | "Set" if len(items) == 1:
            return set[_hint(items[0])]
        case "dict" | "Dict" | "Mapping" if len(items) == 2:
            return dict[str, _hint(items[1])]
        case "tuple" | "Tuple":
            match items:
                case [item, ast.Constant(value=value)] if value is ...:
                    return tuple[_hint(item), ...]
                case _:
                    return tuple[tuple(_hint(item) for item in items)]
        case _:
            return _NAMES.get(name, Any)


def _union(hints: list[Any]) -> Any:
    return Any if Any in hints else Union[tuple(hints)]  # noqa: UP007


def _literal(choices: list[ast.expr]) -> Any:
    values = [c.value for c in choices if isinstance(c, ast.Constant)]
    known = [v for v in values if isinstance(v, str) or type(v) is int]
    if len(known) < len(choices):
        return Any
    return cast(Any, Literal)[tuple(known)]
