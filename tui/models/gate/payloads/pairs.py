"""Parses payloads of a name and <arg_key>/<arg_value> pairs.

A call has no end tag of its own inside the block, so an unclosed block may always be
incomplete.
"""

import re
from typing import Any

from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads.literals import Fault
from tui.models.gate.payloads.typed_values import schema_of, typed
from tui.models.gate.pieces import Call

_PAIR = re.compile(
    r"\s*<arg_key>(?P<key>[^<]*)</arg_key>\s*<arg_value>(?P<value>.*?)"
    r"(?:</arg_value>\s*)+",
    re.DOTALL,
)
_NAME = re.compile(r"\s*(?P<name>[\w.\-]+)\s*(?:<tool_sep>)?")


def read_pairs(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a block of one call."""
    if not closed:
        return Reading(whole=False)
    try:
        call, at = pairs_at(body, 0, tools)
    except Fault:
        return Reading(whole=False)
    return Reading([call]) if not body[at:].strip() else Reading(whole=False)


def pairs_at(body: str, at: int, tools: Tools) -> tuple[Call, int]:
    """Return the call at a position and where it ends; raise `Fault`."""
    found = _NAME.match(body, at)
    if found is None:
        raise Fault("no name")
    name = found["name"]
    at = found.end()
    given: dict[str, Any] = {}
    while pair := _PAIR.match(body, at):
        key = pair["key"].strip()
        given[key] = typed(pair["value"], schema_of(tools, name, key))
        at = pair.end()
    return Call(name, given), at
