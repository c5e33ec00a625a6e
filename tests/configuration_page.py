"""Writes the tables of docs/configuration.md anew from the configuration's classes.

python tests/configuration_page.py
"""

import ast
import inspect
import json
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from support import ROOT

from tui import config

PAGE = ROOT / "docs" / "configuration.md"

SECTIONS = {
    "main": config.Config,
    "tools": config.ToolsConfig,
    "mcp": config.McpServerConfig,
    "openai": config.OpenAIModelConfig,
    "price": config.Price,
    "llama": config.LlamaModelConfig,
    "scripted": config.ScriptedModelConfig,
}
"""The classes by the name of the table's place: `<!-- main -->` to `<!-- end -->`."""


def page() -> str:
    """Return docs/configuration.md as the configuration's classes have it."""
    text = PAGE.read_text("utf-8")
    for place, section in SECTIONS.items():
        marks = rf"(<!-- {place} -->\n).*?(<!-- end -->)"
        new = "\n".join(_rows(section))
        text, count = re.subn(
            marks, lambda it, new=new: f"{it[1]}\n{new}\n\n{it[2]}", text, flags=re.S
        )
        assert count == 1, f"docs/configuration.md has no place for {place}"
    return text


def _rows(section: type[config.Section]) -> list[str]:
    docs, hints = _docstrings(section), get_type_hints(section)
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(section):
        default = "required" if field.required else _default(field)
        value = _kind(hints[field.name])
        assert docs.get(field.name), f"{section.__name__}.{field.name} says nothing"
        rows.append(f"| `{field.name}` | {value} | {default} | {docs[field.name]} |")
    return rows


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory() if callable(field.default_factory) else ""
    if isinstance(value, msgspec.Struct) or value == {}:
        return ""
    return f"`{json.dumps(value)}`"


def _kind(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(hint))
    names = {
        str: "text",
        bool: "`true` or `false`",
        float: "number",
        int: "whole number",
        tuple[str, ...]: "list of texts",
    }
    if get_args(hint)[1:] == (type(None),):
        hint = get_args(hint)[0]
    return names.get(hint, "table")


def _docstrings(section: type) -> dict[str, str]:
    """Return the docstring below each field, as one line."""
    (found,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(found, ast.ClassDef)
    docs: dict[str, str] = {}
    name = ""
    for node in found.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id)):
                name = id
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                docs[name] = " ".join(text.split()).rstrip(".")
            case _:
                name = ""
    return docs


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
