"""Parses calls that have their arguments as bare lines, without names.

The format is that of the prompting guide of Meta's Code World Model: each line is one
parameter in the order of the schema, and the last parameter has all lines that remain.
"""

import re
from typing import Any

from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads.json import Fault, arguments_of
from tui.models.gate.payloads.typed_values import schema_of, typed
from tui.models.gate.pieces import Call

_HEADER = re.compile(r"\s*(?P<name>[A-Za-z_][\w.\-]*)[ \t]*>[ \t]*(?:\r?\n)?")
_LAST_NEWLINE = re.compile(r"\r?\n\Z")
_UNKNOWN = "input"
"""The parameter of a tool that was not offered; it cannot run anyway."""


def read_lines(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse the name of a tool, a `>` and the values; complete only if closed."""
    found = _HEADER.match(body)
    if found is None or not closed:
        return Reading(whole=False)
    name = found["name"]
    written = _LAST_NEWLINE.sub("", body[found.end() :])
    if not written.strip():
        return Reading([Call(name, {})])
    parameters: list[str] = [_UNKNOWN]
    if name in tools:
        parameters = list(map(str, tools[name].get("properties") or ()))
    given = _object(written, parameters)
    if given is None:
        values = written.split("\n", max(len(parameters) - 1, 0))
        given = {
            parameter: typed(value, schema_of(tools, name, parameter))
            for parameter, value in zip(parameters, values, strict=False)
        }
    # A tool without parameters takes no text.
    return Reading([Call(name, given)]) if given else Reading(whole=False)


def _object(written: str, parameters: list[str]) -> dict[str, Any] | None:
    """Return the arguments, if they are a JSON object that names parameters."""
    if not written.lstrip().startswith("{"):
        return None
    try:
        given = arguments_of(written)
    except Fault:
        return None
    return given if given.keys() <= set(parameters) else None
