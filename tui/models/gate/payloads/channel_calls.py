"""Parses calls of dialects whose messages consist of channels between special tokens.

The formats are those of vLLM's and sglang's parsers of 2026: kimi_k3, plamo3,
solar_open, functionary v2, and of the models' chat templates.
"""

import re
from typing import Any

from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads.json import (
    Fault,
    arguments,
    arguments_of,
)
from tui.models.gate.payloads.named import section_reader
from tui.models.gate.payloads.sections import read_section
from tui.models.gate.payloads.typed_values import from_json, schema_of, typed
from tui.models.gate.pieces import Call

_ATTRIBUTES = r"(?P<attributes>(?:\s+\w+=\"[^\"<]*\")*)\s*<\|sep\|>"
_CALL = re.compile(rf"\s*<\|open\|>call{_ATTRIBUTES}\s*")
_CALL_END = "<|close|>call<|sep|>"
_VALUE = re.compile(
    rf"<\|open\|>(?P<tag>argument|json){_ATTRIBUTES}(?P<value>.*?)"
    r"<\|close\|>(?P=tag)<\|sep\|>\s*",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\w+)=\"([^\"]*)\"")


def read_kimi_k3(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a section of calls; each argument names its type.

    A malformed call does not affect the others.
    """

    def next_call(at: int) -> int:
        found = _CALL.search(body, at)
        return found.start() if found else -1

    return read_section(body, lambda at: _kimi_call(body, at, tools), next_call)


def read_kimi_k3_call(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse one call after the word `call`, without its end."""
    return read_kimi_k3(f"<|open|>call{body}{_CALL_END * closed}", tools, closed)


def _kimi_call(body: str, at: int, tools: Tools) -> tuple[Call, int]:
    start = _CALL.match(body, at)
    name = _attributes(start["attributes"]).get("tool") if start else None
    if start is None or not name:
        raise Fault("no call")
    given: dict[str, Any] = {}
    at = start.end()
    while found := _VALUE.match(body, at):
        marks = _attributes(found["attributes"])
        text = found["value"]
        if found["tag"] == "json":
            given |= arguments_of(text)
        elif not (key := marks.get("key")):
            raise Fault("no key")
        elif "type" not in marks:
            given[key] = typed(text, schema_of(tools, name, key))
        else:
            given[key] = text if marks["type"] == "string" else from_json(text)
        at = found.end()
    if not body.startswith(_CALL_END, at):
        raise Fault("no end")
    return Call(name, given), at + len(_CALL_END)


def _attributes(text: str) -> dict[str, str]:
    return {
        key: value.replace("&quot;", '"').replace("&amp;", "&")
        for key, value in _ATTRIBUTE.findall(text)
    }


def read_inkling(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse an object with "name" and "args"."""
    try:
        value = arguments_of(body)
        name = value.get("name")
        if not isinstance(name, str) or not name:
            raise Fault("no name")
        return Reading([Call(name, arguments(value.get("args")))])
    except Fault:
        return Reading(whole=False)


_SOLAR = re.compile(
    r"\s*(?P<id>[^<\s]*)\s*<\|tool_call:name\|>\s*(?P<name>[^<\s]+)\s*"
    r"<\|tool_call:args\|>"
)


def read_solar_open(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse an id, a name and a JSON object."""
    found = _SOLAR.match(body)
    written = body[found.end() :] if found else ""
    if found is None or not (closed or written.strip()):
        return Reading(whole=False)
    try:
        return Reading([Call(found["name"], arguments_of(written), found["id"])])
    except Fault:
        return Reading(whole=False)


read_plamo3 = section_reader(
    "<|plamo:begin_tool_request:plamo|>",
    "<|plamo:end_tool_arguments:plamo|><|plamo:end_tool_request:plamo|>",
    re.compile(
        r"\s*<\|plamo:begin_tool_name:plamo\|>(?P<name>[^<]+)"
        r"<\|plamo:end_tool_name:plamo\|>\s*<\|plamo:begin_tool_arguments:plamo\|>"
        r"\s*(?:<\|plamo:constrain\|>\s*json)?\s*(?:<\|plamo:msg\|>)?\s*"
    ),
    str.strip,
)
_RECIPIENT = re.compile(r"\s*(?P<name>[^\s<]+)\s*<\|content\|>")


def read_functionary_v2(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a recipient and its arguments as JSON."""
    found = _RECIPIENT.match(body)
    written = body[found.end() :] if found else ""
    if found is None or not written.strip():
        return Reading(whole=False)
    try:
        return Reading([Call(found["name"], arguments_of(written))])
    except Fault:
        return Reading(whole=False)
