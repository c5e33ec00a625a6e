"""Parses calls in the tags of no family: as JSON, as attributes or as elements."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, NamedTuple

from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads.json import (
    argument_key,
    arguments,
    arguments_of,
    is_name_key,
    read_calls,
)
from tui.models.gate.payloads.literals import Fault, skip_space
from tui.models.gate.payloads.typed_values import (
    parameters_of,
    schema_of,
    typed,
)
from tui.models.gate.pieces import Call

_ATTRIBUTE = r"""\s+(?P<{}>[\w:.\-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ATTRIBUTES = re.compile(_ATTRIBUTE.format("key"), re.DOTALL)
_TAG = re.compile(
    rf"<(?P<tag>[\w:.\-]+)(?P<attributes>(?:{_ATTRIBUTE.format('_')})*)\s*(?:>|\Z)",
    re.DOTALL,
)
_NAMED = ("parameter", "param", "argument", "arg")
"""Elements that have the name of an argument as an attribute."""
_PAIR = re.compile(
    r"<(?P<tag>\w+)>(?P<name>[^<>]*)</(?P=tag)>\s*<(?P=tag)_input>(?P<given>.*)",
    re.DOTALL,
)
_LINE = re.compile(r"\A\r?\n|\r?\n[ \t]*\Z")
_MOST = 200
"""Elements of one call."""


class _Element(NamedTuple):
    tag: str
    attributes: Mapping[str, str]
    text: str


def read_other_tags(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse one element, from its start tag up to its end tag, which is left out."""
    body = body.removeprefix("<tool_calls>").lstrip()
    start = _TAG.match(body)
    if start is None:
        return Reading(whole=False)
    inner = body[start.end() :].lstrip()
    named = _attributes(start["attributes"])
    if inner.startswith(("{", "[", "```")) and not any(map(is_name_key, named)):
        return read_calls(inner, tools, closed)
    try:
        name, given = _attributed(named)
        if inner.startswith("{"):
            given |= arguments_of(inner, closed)
        else:
            name, given = _children(inner, name, given, tools)
        if not name:
            raise Fault("no name")
    except Fault:
        return Reading(whole=False)
    return Reading([Call(name, given)])


def read_tag_pair(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse an element with the name of a tool, and the beginning of its input's."""
    found = _PAIR.match(body)
    if found is None:
        return Reading(whole=False)
    name, given = found["name"].strip(), found["given"].strip()
    known = list(parameters_of(tools, name))
    try:
        if given[:1] in ("", "{") or len(known) != 1:
            return Reading([Call(name, arguments_of(given, closed))])
    except Fault:
        return Reading(whole=False)
    # The only argument, without its name.
    value = typed(given, schema_of(tools, name, known[0]))
    return Reading([Call(name, {known[0]: value})], whole=closed)


def read_mcp_tools(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls, each of which is three elements: server, tool and arguments."""
    calls: list[Call] = []
    server = name = ""
    try:
        for element in _elements(body.removeprefix("<use_mcp_tool>")):
            text = element.text.strip()
            match element.tag:
                case "server_name":
                    server = text
                case "tool_name":
                    name = text
                case "arguments" if name:
                    known = name in tools or f"{server}__{name}" not in tools
                    called = name if known else f"{server}__{name}"
                    calls.append(Call(called, arguments_of(text)))
                    name = ""
                case _:
                    raise Fault("another element")
    except Fault:
        return Reading(calls, whole=False)
    return Reading(calls, whole=bool(calls) and not name)


def _attributes(text: str) -> dict[str, str]:
    return {m["key"]: unescape(m[2][1:-1]) for m in _ATTRIBUTES.finditer(text)}


def _attributed(named: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments that attributes tell."""
    name, given = "", dict[str, Any]()
    for key, value in named.items():
        if is_name_key(key):
            name = value.strip()
        elif argument_key(key):
            given |= arguments(value)
    return name, given


def _children(
    inner: str, name: str, given: dict[str, Any], tools: Tools
) -> tuple[str, dict[str, Any]]:
    found = list(_elements(inner))
    if not name and found and is_name_key(found[0].tag):
        name = found.pop(0).text.strip()
    for element in found:
        text = element.text.strip()
        if element.attributes or not argument_key(element.tag):
            key = _key(element)
            given[key] = _value(element, key, name, tools)
        elif text.startswith("{"):
            given |= arguments_of(text)
        else:
            for each in _elements(text):
                key = _key(each)
                given[key] = _value(each, key, name, tools)
    return name, given


def _key(element: _Element) -> str:
    if element.tag in _NAMED and (key := element.attributes.get("name", "").strip()):
        return key
    return element.tag


def _value(element: _Element, key: str, name: str, tools: Tools) -> Any:
    return typed(_LINE.sub("", element.text), schema_of(tools, name, key))


def _elements(text: str) -> Iterator[_Element]:
    """Yield elements that follow one another; raise `Fault` at anything else."""
    at = skip_space(text, 0)
    count = 0
    while at < len(text):
        start = _TAG.match(text, at)
        count += 1
        end = text.find(f"</{start['tag']}>", start.end()) if start else -1
        if start is None or end < 0 or count > _MOST:
            raise Fault("text between elements")
        yield _Element(
            start["tag"], _attributes(start["attributes"]), text[start.end() : end]
        )
        at = skip_space(text, end + len(start["tag"]) + 3)
