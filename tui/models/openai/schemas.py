"""Rewrites tool schemas so that every server accepts them.

One unacceptable schema blocks every request. So schemas are reduced to the keywords
that all servers know just before they are sent. They only guide the model; the tool
itself validates its arguments.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

Json = dict[str, Any]

_MOST = 4000
"""Schemas within a schema. Definitions that name one another twice double with each
level when they are inlined; what is beyond this may be anything."""

_PLAIN = frozenset(
    {
        "type", "description", "enum", "items", "properties", "required", "anyOf",
        "minItems", "maxItems", "minimum", "maximum", "nullable",
    }
)  # fmt: skip
"""What Google's API knows of a schema, and all others do too:
https://ai.google.dev/api/caching#Schema"""

_TYPES = frozenset(
    {"string", "number", "integer", "boolean", "object", "array", "null"}
)


def portable(schema: Mapping[str, Any], plain: bool = False) -> Json:
    """Return a tool's schema in words that all servers take.

    References are inlined, an array says what its items are, a tuple is an array, no
    schema is a mere true or false. `plain`: for servers that refuse a schema for any
    word that they do not know, such as `additionalProperties`.
    """
    written = _Writer(schema, plain).write(schema)
    # Some servers insist on both, also when there are no parameters.
    return {**written, "type": "object", "properties": written.get("properties", {})}


class _Writer:
    def __init__(self, root: Mapping[str, Any], plain: bool) -> None:
        self._root = root
        self._plain = plain
        self._left = _MOST

    def write(self, schema: Any, *inside: str) -> Json:
        """Return one schema; `inside` are the references that led to it."""
        self._left -= 1
        if not isinstance(schema, dict) or self._left < 0:
            return {}
        fields = cast(Json, schema)
        reference = fields.get("$ref")
        if isinstance(reference, str):
            rest = {key: value for key, value in fields.items() if key != "$ref"}
            return self._referred(reference, rest, *inside)
        written: Json = {}
        for key, value in fields.items():
            if not key.startswith("$") and key != "definitions":
                self._field(written, key, value, *inside)
        self._array(written, fields, *inside)
        if self._plain:
            return _plainly(written)
        return written

    def _referred(self, reference: str, rest: Json, *inside: str) -> Json:
        found = self._find(reference)
        if reference in inside or not isinstance(found, dict):
            # A type that contains itself has no end: said once, then left open.
            kind = cast(Json, found).get("type") if isinstance(found, dict) else None
            return self.write({"type": kind or "object", **rest}, *inside)
        return self.write({**cast(Json, found), **rest}, *inside, reference)

    def _find(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return None
        found: Any = self._root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping):
                return None
            found = cast(Mapping[str, Any], found).get(step)
        return found

    def _field(self, written: Json, key: str, value: Any, *inside: str) -> None:
        match key, value:
            case "items" | "prefixItems", _:
                pass  # see `_array`
            case "properties" | "patternProperties", dict():
                entries = cast(Json, value).items()
                written[key] = {name: self.write(s, *inside) for name, s in entries}
            case "anyOf" | "oneOf" | "allOf", list():
                choices = [self.write(s, *inside) for s in cast(list[Any], value)]
                if key == "oneOf":
                    key = "anyOf"
                if key == "allOf" and len(choices) == 1:
                    written |= {**choices[0], **written}
                else:
                    written[key] = [*written.get(key, []), *choices]
            case "not" | "if" | "then" | "else" | "propertyNames" | "contains", dict():
                if not self._plain:
                    written[key] = self.write(value, *inside)
            case "additionalProperties", bool():
                written[key] = value
            case "additionalProperties", dict():
                # {} says no more than true, which more servers know.
                written[key] = self.write(value, *inside) or True
            case "const", _:
                written["enum"] = [value]
            case "type", list():
                self._types(written, cast(list[Any], value))
            case "type", str() if value not in _TYPES:
                pass
            case _:
                written[key] = value

    def _types(self, written: Json, kinds: list[Any]) -> None:
        known = [kind for kind in kinds if kind in _TYPES]
        if len(known) == 1:
            written["type"] = known[0]
        elif known:
            choices = [{"type": kind} for kind in known]
            written["anyOf"] = [self._with_items(choice) for choice in choices]

    def _array(self, written: Json, fields: Json, *inside: str) -> None:
        items, places = fields.get("items"), fields.get("prefixItems")
        if isinstance(items, list):  # how drafts before 2020 wrote a tuple
            items, places = fields.get("additionalItems"), cast(list[Any], items)
        written.pop("additionalItems", None)
        kinds: list[Json] = []
        if isinstance(places, list) and places:
            kinds = [self.write(place, *inside) for place in cast(list[Any], places)]
            if items is False:
                written.setdefault("minItems", len(kinds))
                written.setdefault("maxItems", len(kinds))
        if isinstance(items, dict):
            kinds.append(self.write(cast(Json, items), *inside))
        different = list(
            {json.dumps(kind, sort_keys=True): kind for kind in kinds}.values()
        )
        if len(different) == 1:
            written["items"] = different[0]
        elif different:
            written["items"] = {"anyOf": different}
        self._with_items(written)

    def _with_items(self, written: Json) -> Json:
        if written.get("type") == "array":
            # Google's API wants a type there, OpenAI's only that there is something.
            items = written.setdefault("items", {})
            if self._plain and not items:
                written["items"] = {"type": "string"}
        return written


def _plainly(written: Json) -> Json:
    plain = {key: value for key, value in written.items() if key in _PLAIN}
    choices = plain.get("enum")
    if isinstance(choices, list):
        if all(isinstance(choice, str) for choice in cast(list[Any], choices)):
            plain.setdefault("type", "string")
        else:
            del plain["enum"]
    required = plain.get("required")
    if isinstance(required, list):
        known = cast(Json, plain.get("properties", {}))
        plain["required"] = [
            name for name in cast(list[Any], required) if name in known
        ]
        if not plain["required"]:
            del plain["required"]
    return plain
