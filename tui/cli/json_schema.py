"""Validates a value against a JSON Schema, with the keywords in common use.

A full validator would be a larger dependency than any other of this program. A keyword
that is not supported asserts nothing: `unknown` names it, so that nobody believes it
was checked.

Run as a program, it reads `[schema, value]` from standard input and writes what is
wrong: a regular expression may take for ever, and only a process can be killed then. So
it needs nothing but the standard library, and the file is long because a program is one
file.
"""

import ipaddress
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, cast
from urllib.parse import unquote, urlsplit

Json = Mapping[str, Any]

_DESCRIBES = frozenset(
    (
        *("$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title"),
        *("description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
        *("contentEncoding", "contentMediaType", "discriminator"),
    )
)
_SCHEMAS = ("items", "additionalProperties", "not", "contains", "propertyNames")
"""Keywords whose value is a schema."""
_OTHERS = "additionalItems"
"""A schema, which counts beside a list of `items`, as before the revision of 2020."""
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords whose value is a list of schemas."""
_NAMED = ("properties", "patternProperties", "$defs", "definitions")
"""Keywords whose value names schemas."""
_EXAMPLES: tuple[Any, ...] = ("", 0, [], {})
"""Values of the kinds to which keywords apply, to try what a schema says."""
_DEEPEST = 100
"""References and combinations that are followed for one value."""


class Schema:
    """A JSON Schema that was read once."""

    def __init__(self, schema: Any) -> None:
        """Take a schema: an object, or true or false. Raises ValueError for another."""
        self._root = schema
        self.unknown = sorted(set(_unknown(schema)))
        """The keywords that are not checked."""
        for _ in self._faults({}, schema, "$", 0):
            pass  # raises ValueError for a schema that cannot be applied

    def fault(self, value: Any) -> str:
        """Return the first thing that is wrong with `value`, "" for none."""
        return next(self._faults(value, self._root, "$", 0), "")

    def _faults(self, value: Any, schema: Any, at: str, depth: int) -> Iterator[str]:
        if isinstance(schema, bool):
            if not schema:
                yield f"{at} must not be there"
            return
        if not isinstance(schema, dict):
            raise ValueError(f"{schema!r:.60} is no schema")
        if depth > _DEEPEST:
            raise ValueError("$ref goes in a circle")
        rules = cast(dict[str, Any], schema)
        if "$ref" in rules:
            found = self._resolved(rules["$ref"])
            yield from self._faults(value, found, at, depth + 1)
        for keyword, rule in rules.items():
            if (check := _CHECKS.get(keyword)) is not None and (
                fault := _applied(check, keyword, value, rule)
            ):
                yield f"{at} {fault}"
        yield from self._combined(value, rules, at, depth)
        if isinstance(value, dict):
            yield from self._object(cast(Json, value), rules, at)
        elif isinstance(value, list):
            yield from self._array(cast(list[Any], value), rules, at)

    def _fits(self, value: Any, schema: Any, depth: int) -> bool:
        return next(self._faults(value, schema, "", depth), None) is None

    def _combined(self, value: Any, rules: Json, at: str, depth: int) -> Iterator[str]:
        for part in rules.get("allOf", ()):
            yield from self._faults(value, part, at, depth + 1)
        if (parts := rules.get("anyOf")) is not None:
            faults = [next(self._faults(value, p, at, depth + 1), "") for p in parts]
            if all(faults):
                yield faults[0] if len(faults) == 1 else f"{at} fits none of anyOf"
        if (parts := rules.get("oneOf")) is not None:
            fitting = sum(self._fits(value, part, depth + 1) for part in parts)
            if fitting != 1:
                yield f"{at} must fit one of oneOf, but fits {fitting or 'none'}"
        if "not" in rules and self._fits(value, rules["not"], depth + 1):
            yield f"{at} must not fit {rules['not']!r:.60}"

    def _object(self, value: Json, rules: Json, at: str) -> Iterator[str]:
        properties: Json = rules.get("properties", {})
        patterns: Json = rules.get("patternProperties", {})
        for name in rules.get("required", ()):
            if name not in value:
                yield f"{at}.{name} is missing"
        for name, part in value.items():
            here = f"{at}.{name}"
            known = [properties[name]] if name in properties else []
            known += [s for p, s in patterns.items() if re.search(p, name)]
            if not known and "additionalProperties" in rules:
                if rules["additionalProperties"] is False:
                    yield f"{here} is not allowed"
                    continue
                known = [rules["additionalProperties"]]
            for schema in known:
                yield from self._faults(part, schema, here, 0)
            if "propertyNames" in rules:
                yield from self._faults(name, rules["propertyNames"], here, 0)

    def _array(self, value: Sequence[Any], rules: Json, at: str) -> Iterator[str]:
        first: Sequence[Any] = rules.get("prefixItems", ())
        others = rules.get("items", True)
        if isinstance(others, list):  # a tuple, before the revision of 2020
            first = cast(list[Any], others)
            others = rules.get(_OTHERS, True)
        for number, item in enumerate(value):
            rule = first[number] if number < len(first) else others
            yield from self._faults(item, rule, f"{at}[{number}]", 0)
        if "contains" in rules and not any(
            self._fits(item, rules["contains"], 0) for item in value
        ):
            yield f"{at} has no item that fits contains"

    def _resolved(self, reference: Any) -> Any:
        """Return what a reference within the schema points to."""
        path = str(reference)
        if not path.startswith("#"):
            raise ValueError(f"$ref {path}: only references within the file are known")
        found: Any = self._root
        if path[1:2] not in ("", "/"):
            found = next(
                (s for s in _parts(found) if s.get("$anchor") == path[1:]), None
            )
        for step in path[2:].split("/") if path[1:2] == "/" else ():
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = cast(Json, found).get(name)
            elif isinstance(found, list) and name.isdecimal():
                found = dict(enumerate(cast(list[Any], found))).get(int(name))
            else:
                found = None
        if found is None:
            raise ValueError(f"$ref {path} points to nothing")
        return found


def _parts(value: Any) -> Iterator[Json]:
    """Yield all objects in a value, itself among them."""
    if isinstance(value, dict):
        yield cast(Json, value)
        value = list(cast(Json, value).values())
    if isinstance(value, list):
        for part in cast(list[Any], value):
            yield from _parts(part)


def _unknown(schema: Any) -> Iterator[str]:
    """Yield the keywords of a schema, and of those in it, that are not known.

    Raises ValueError for what is not a schema, wherever it stands.
    """
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise ValueError(f"{schema!r:.60} is no schema")
    for keyword, rule in cast(dict[str, Any], schema).items():
        for part in _inner(keyword, rule):
            yield from _unknown(part)
        if keyword == "required" or keyword == "enum":
            _expect(keyword, rule, list)
        elif keyword == "format":
            if rule not in _FORMATS:
                yield f"format {rule!s:.40}"
        elif (check := _CHECKS.get(keyword)) is not None:
            for example in _EXAMPLES:
                _applied(check, keyword, example, rule)
        elif keyword not in (*_SCHEMAS, *_LISTS, *_NAMED, *_DESCRIBES, "$ref", _OTHERS):
            yield keyword


def _inner(keyword: str, rule: Any) -> list[Any]:
    """Return the schemas that a keyword has."""
    if keyword == "items" and isinstance(rule, list):
        return cast(list[Any], rule)
    if keyword in (*_SCHEMAS, _OTHERS):
        return [rule]
    if keyword in _LISTS:
        return list(_expect(keyword, rule, list))
    if keyword in _NAMED:
        return list(_expect(keyword, rule, dict).values())
    return []


def _expect(keyword: str, rule: Any, kind: type) -> Any:
    if not isinstance(rule, kind):
        name = "an object" if kind is dict else "a list"
        raise ValueError(f"{keyword} must be {name}, not {rule!r:.60}")
    return rule


def _applied(
    check: Callable[[Any, Any], str], keyword: str, value: Any, rule: Any
) -> str:
    try:
        return check(value, rule)
    except (TypeError, re.error, ValueError, ArithmeticError) as error:
        raise ValueError(f"{keyword} {rule!r:.60}: {error}") from error


def _is(value: Any, name: str) -> bool:
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return _is_number(value) and float(value).is_integer()
        case "number":
            return _is_number(value)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            raise ValueError("no such type")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(value: Any, rule: Any) -> str:
    names = [rule] if isinstance(rule, str) else list(rule)
    if any(_is(value, name) for name in names):
        return ""
    return f"must be {' or '.join(names)}"


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same in JSON, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast(list[Any], one), cast(list[Any], other)
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = cast(Json, one), cast(Json, other)
        return mine.keys() == yours.keys() and all(
            _same(mine[key], yours[key]) for key in mine
        )
    return one == other


def _enum(value: Any, rule: Any) -> str:
    if any(_same(value, choice) for choice in rule):
        return ""
    return f"must be one of {', '.join(map(_shown, rule))}"


def _shown(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _const(value: Any, rule: Any) -> str:
    return "" if _same(value, rule) else f"must be {_shown(rule)}"


def _limit(
    applies: Callable[[Any], bool],
    size: Callable[[Any], Any],
    fits: Callable[[Any, Any], bool],
    words: str,
) -> Callable[[Any, Any], str]:
    def check(value: Any, rule: Any) -> str:
        if not _is_number(rule):
            raise ValueError("no number")
        if not applies(value) or fits(size(value), rule):
            return ""
        return f"must {words.format(rule)}"

    return check


def _same_value(value: Any) -> Any:
    return value


def _is_kind(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_multiple(value: Any, rule: Any) -> bool:
    if isinstance(value, int) and isinstance(rule, int):
        return value % rule == 0
    parts = value / rule
    return math.isclose(parts, round(parts), rel_tol=1e-12, abs_tol=1e-9)


def _pattern(value: Any, rule: Any) -> str:
    found = re.search(rule, value if isinstance(value, str) else "")
    return f"must match {rule}" if isinstance(value, str) and not found else ""


def _date(text: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError
    date.fromisoformat(text)


def _time(text: str) -> None:
    """Check a time, which may lack its offset: models know none in most cases."""
    if not re.fullmatch(
        r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", text.upper(), re.ASCII
    ):
        raise ValueError
    time.fromisoformat(re.sub(r":60(?=\D|$)", ":59", text.upper()))


def _date_time(text: str) -> None:
    day, between, clock = text[:10], text[10:11], text[11:]
    if between not in ("T", "t", " "):
        raise ValueError
    _date(day)
    _time(clock)


def _uuid(text: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ValueError


def _email(text: str) -> None:
    if not re.fullmatch(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)*", text):
        raise ValueError


def _uri(text: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", text):
        raise ValueError
    urlsplit(text)


_FORMATS: Mapping[str, Callable[[str], object]] = {
    "date": _date,
    "time": _time,
    "date-time": _date_time,
    "uuid": _uuid,
    "email": _email,
    "uri": _uri,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
}
"""What raises ValueError for a text that has not the format."""


def _format(value: Any, rule: Any) -> str:
    check = _FORMATS.get(rule) if isinstance(rule, str) else None
    if check is not None and isinstance(value, str):
        try:
            check(value)
        except ValueError:
            return f"must be a valid {rule}"
    return ""


def _unique(value: Any, rule: Any) -> str:
    if not rule or not isinstance(value, list):
        return ""
    items = cast(list[Any], value)
    twice = any(
        _same(item, other) for at, item in enumerate(items) for other in items[:at]
    )
    return "must not have an item twice" if twice else ""


_TEXT, _ARRAY, _OBJECT = map(_is_kind, (str, list, dict))
_AT_LEAST: Callable[[Any, Any], bool] = lambda size, rule: size >= rule  # noqa: E731
_AT_MOST: Callable[[Any, Any], bool] = lambda size, rule: size <= rule  # noqa: E731

_CHECKS: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "format": _format,
    "uniqueItems": _unique,
    "minimum": _limit(_is_number, _same_value, _AT_LEAST, "be at least {}"),
    "maximum": _limit(_is_number, _same_value, _AT_MOST, "be at most {}"),
    "exclusiveMinimum": _limit(
        _is_number, _same_value, lambda size, rule: size > rule, "be above {}"
    ),
    "exclusiveMaximum": _limit(
        _is_number, _same_value, lambda size, rule: size < rule, "be below {}"
    ),
    "multipleOf": _limit(_is_number, _same_value, _is_multiple, "be a multiple of {}"),
    "minLength": _limit(_TEXT, len, _AT_LEAST, "have at least {} characters"),
    "maxLength": _limit(_TEXT, len, _AT_MOST, "have at most {} characters"),
    "minItems": _limit(_ARRAY, len, _AT_LEAST, "have at least {} items"),
    "maxItems": _limit(_ARRAY, len, _AT_MOST, "have at most {} items"),
    "minProperties": _limit(_OBJECT, len, _AT_LEAST, "have at least {} properties"),
    "maxProperties": _limit(_OBJECT, len, _AT_MOST, "have at most {} properties"),
}
"""What a keyword asserts: returns what is wrong with a value, "" for nothing."""


def main() -> None:
    """Check the value on standard input; see the module's docstring."""
    schema, value = json.load(sys.stdin)
    try:
        fault = Schema(schema).fault(value)
    except (ValueError, RecursionError) as error:
        fault = str(error)
    json.dump(fault[:2000], sys.stdout)


if __name__ == "__main__":
    main()
