"""Simplifies a JSON Schema: no references, no titles, every type stated.

Servers and small models support different parts of JSON Schema; all of them read a
plain one.
"""

from collections.abc import Mapping
from typing import Any, cast

Json = dict[str, Any]

_NAMED = ("properties", "patternProperties")
_VERBATIM = ("default", "enum", "const", "examples", "required")


def inline(
    schema: Any, components: Mapping[str, Json], kept: dict[str, Json], *inside: str
) -> Any:
    """Return `schema` with definitions in place of references, without titles.

    A recursive definition cannot be inlined (`inside` names those being inlined): it is
    added to `kept`, and the reference stays.
    """
    if isinstance(schema, list):
        items = cast(list[Any], schema)
        return [inline(item, components, kept, *inside) for item in items]
    if not isinstance(schema, dict):
        return schema
    schema = cast(Json, schema)
    components = {**components, **schema.get("$defs", {})}
    result: Json = {}
    for key, value in schema.items():
        if key == "$ref":
            name = value.rpartition("/")[2]
            if name in inside:
                if name not in kept:
                    kept[name] = {}
                    kept[name] = inline(components[name], components, kept, name)
                result[key] = f"#/$defs/{name}"
            else:
                found = inline(components[name], components, kept, *inside, name)
                result = {**found, **result}
        elif key in _NAMED:
            result[key] = {
                n: inline(s, components, kept, *inside) for n, s in value.items()
            }
        elif key in _VERBATIM:
            result[key] = value
        elif key not in ("title", "$defs", "discriminator"):
            result[key] = inline(value, components, kept, *inside)
    return _typed(result)


def _typed(schema: Json) -> Json:
    """State the type of an enumeration: small models and grammars rely on it."""
    if "type" not in schema and (values := schema.get("enum")):
        for name, cls in (("string", str), ("integer", int)):
            if all(type(v) is cls for v in values):
                return {"type": name, **schema}
    return schema
