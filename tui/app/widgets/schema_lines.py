"""Shows a tool's parameters, from their JSON Schema, as lines of the sidebar."""

from typing import Any, cast

from rich.cells import cell_len

from tui.app.markdown.lines import Line, Span, beside
from tui.app.widgets.entry_list import wrap
from tui.i18n import _
from tui.safe import safe

_INDENT = 2
"""Columns before a parameter."""


def parameters(schema: dict[str, Any], width: int) -> list[Line]:
    """Return lines on each parameter in an object's JSON Schema."""
    properties = cast(dict[str, Any], schema.get("properties") or {})
    required = cast(list[str], schema.get("required") or [])
    if not properties:
        return [Line((("  " + _("No parameters."), ("muted",)),))]
    lines: list[Line] = []
    for name, about in properties.items():
        about = cast(dict[str, Any], about) if isinstance(about, dict) else {}
        name = safe(name, newlines=False)
        fact = _("required") if name in required else _("optional")
        head: tuple[Span, ...] = (("  " + name, ("label",)),)
        details: list[str] = []
        if cell_len(name + _type(about) + fact) + 3 <= width - _INDENT:
            head += (("  " + _type(about), ()),)
        else:
            details.append(_type(about).capitalize())
        lines.append(beside(head, ((fact, ("muted",)),), width))
        if about.get("description"):
            details.append(safe(_(str(about["description"]))).strip())
        if values := _values(about):
            details.append(_("One of: ") + ", ".join(map(_plain, values)))
        if "default" in about:
            details.append(_("Default: ") + _plain(about["default"]))
        for detail in details:
            rows = wrap(detail, width - _INDENT - 2)
            lines += [Line((("    " + row, ("muted",)),)) for row in rows]
    return lines


def _type(schema: dict[str, Any]) -> str:
    """Return a JSON Schema's type in words: `string`, `list of integer or null`."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(choices, list):
        types = [_type(each) for each in cast(list[dict[str, Any]], choices)]
        return _(" or ").join(dict.fromkeys(types))
    kind = schema.get("type")
    if isinstance(kind, list):
        return _(" or ").join(map(str, cast(list[object], kind)))
    if kind == "array":
        items = schema.get("items")
        inner = _type(cast(dict[str, Any], items)) if isinstance(items, dict) else ""
        return (
            _("list of {inner}").format(inner=inner)
            if inner not in ("", "any")
            else "list"
        )
    return safe(str(kind), newlines=False) if kind else "any"


def _values(schema: dict[str, Any]) -> list[object]:
    if "const" in schema:
        return [schema["const"]]
    values: list[object] = list(cast(list[object], schema.get("enum") or []))
    for choice in cast(list[Any], schema.get("anyOf") or []):
        if isinstance(choice, dict):
            values += _values(cast(dict[str, Any], choice))
    return values


def _plain(value: object) -> str:
    """Return a value as JSON, but a word without quotes."""
    import json  # imported with the first unfolded tool

    word = isinstance(value, str) and value.strip() == value != ""
    text = value if word else json.dumps(value, ensure_ascii=False)
    return safe(str(text), newlines=False)
