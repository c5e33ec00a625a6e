"""Parses payloads in which an argument is an element of its own.

MiniMax M3 names the elements after the parameters, and nests them where a value is a
list or an object; MiniCPM5 may write a value as CDATA. The formats are those of the
models' chat templates and of sglang's detectors.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads.json import Fault, skip_space
from tui.models.gate.payloads.tags import ATEM, tag_reader
from tui.models.gate.payloads.typed_values import schema_of, typed
from tui.models.gate.pieces import Call

MINIMAX = "]<]minimax[>["
"""What stands before each tag of MiniMax M3."""
_NS = rf"{re.escape(MINIMAX)}\s*"
_INVOKE = re.compile(rf"\s*{_NS}<invoke\s+name\s*=\s*[\"'](?P<name>[^\"'>]+)[\"']\s*>")
_INVOKE_END = re.compile(rf"\s*{_NS}</invoke>\s*")
_OPEN = re.compile(rf"\s*{_NS}<(?P<tag>[^\s<>/]+)>")
_DEEPEST = 100
Schema = Mapping[str, Any] | None


def read_minimax_m3(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls; a malformed one does not affect the others."""
    calls: list[Call] = []
    whole = True
    at = skip_space(body, 0)
    while at < len(body):
        try:
            start = _INVOKE.match(body, at)
            if start is None:
                raise Fault("no start tag")
            name = start["name"].strip()
            given, at = _children(body, start.end(), tools.get(name), 0)
            end = _INVOKE_END.match(body, at)
            if end is None:
                raise Fault("text outside elements")
            at = end.end()
            calls.append(Call(name, dict(given)))
        except Fault:
            whole = False
            again = _INVOKE.search(body, at + 1)
            if again is None:
                break
            at = again.start()
    return Reading(calls, whole and bool(calls))


def _children(
    body: str, at: int, schema: Schema, depth: int
) -> tuple[list[tuple[str, Any]], int]:
    """Parse elements up to what is none; return their names and values in order.

    `schema` is that of what holds them.
    """
    if depth > _DEEPEST:
        raise Fault("too deep")
    found: list[tuple[str, Any]] = []
    while start := _OPEN.match(body, at):
        tag = start["tag"]
        value, at = _value(body, start.end(), tag, _child(schema, tag), depth)
        found.append((tag, value))
    return found, at


def _value(body: str, at: int, tag: str, schema: Schema, depth: int) -> tuple[Any, int]:
    """Parse what an element holds; return it and the position after the end tag."""
    close = re.compile(rf"{_NS}</{re.escape(tag)}>")
    if not _is(schema, "string") and _OPEN.match(body, at):
        inner, at = _children(body, at, schema, depth + 1)
        at = skip_space(body, at)
        end = close.match(body, at)
        if end is None:
            raise Fault("text between elements")
        if _is(schema, "array") or all(key == "item" for key, _ in inner):
            return [value for _, value in inner], end.end()
        return dict(inner), end.end()
    end = close.search(body, at)
    if end is None:
        raise Fault("element without end")
    text = body[at : end.start()]
    if not text.strip() and (_is(schema, "array") or _is(schema, "object")):
        return ([] if _is(schema, "array") else {}), end.end()
    return typed(text, schema), end.end()


def _child(schema: Schema, key: str) -> Schema:
    """Return the schema of what is nested in a value, None if it has none."""
    if schema is None:
        return None
    found: Any = None
    if _is(schema, "array"):
        found = schema.get("items")
    elif isinstance(properties := schema.get("properties"), Mapping):
        found = cast("Mapping[str, Any]", properties).get(key)
    found = schema.get("additionalProperties") if found is None else found
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None


def _is(schema: Schema, kind: str) -> bool:
    written: Any = schema.get("type") if schema is not None else None
    return kind == written or (isinstance(written, list) and kind in written)


_FUNCTION = re.compile(
    r"\s*<function\s+name\s*=\s*[\"'](?P<name>[^\"'>]+)[\"'][^>]*>\s*"
)
_PARAM = re.compile(
    r"<param\s+name\s*=\s*[\"'](?P<name>[^\"'>]+)[\"']\s*>"
    r"(?:\s*<!\[CDATA\[(?P<raw>.*?)\]\]>\s*</param>|(?P<text>.*?)</param>)"
    r"\s*(?:</param>\s*)*",
    re.DOTALL,
)


def read_minicpm5(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse one function element, without its end tag."""
    start = _FUNCTION.match(body)
    if start is None or not closed:
        return Reading(whole=False)
    name = start["name"].strip()
    given: dict[str, Any] = {}
    at = start.end()
    while found := _PARAM.match(body, at):
        key = found["name"].strip()
        raw: str | None = found["raw"]
        text: str = found["text"] if raw is None else raw
        given[key] = typed(text, schema_of(tools, name, key))
        at = found.end()
    return Reading(whole=False) if body[at:].strip() else Reading([Call(name, given)])


_read_atem = tag_reader(ATEM)


def read_muse(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse invoke elements; a tool may be named with its namespace before it."""
    reading = _read_atem(body, tools, closed)
    return reading._replace(calls=[_plain_name(call, tools) for call in reading.calls])


def _plain_name(call: Call, tools: Tools) -> Call:
    name = call.name.rpartition(".")[2]
    if call.name in tools or name not in tools:
        return call
    # The parameters of an unknown tool are still text.
    given = call.arguments.items()
    return Call(name, {k: typed(v, schema_of(tools, name, k)) for k, v in given})
