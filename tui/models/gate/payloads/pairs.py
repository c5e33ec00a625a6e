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
    r"\s*<arg_key>(?P<key>[^<]*)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>",
    re.DOTALL,
)
_NAME = re.compile(r"\s*(?P<name>[\w.\-]+)\s*(?:<tool_sep>)?")
_SPACE = re.compile(r"\s*")
_UNIT = re.compile(r"\s*<tool_call>")
_UNIT_END = re.compile(r"\s*</tool_call>\s*")


def read_pairs(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a block of one call."""
    if not closed:
        return Reading(whole=False)
    try:
        call, at = _call(body, 0, tools)
    except Fault:
        return Reading(whole=False)
    return Reading([call]) if not body[at:].strip() else Reading(whole=False)


def read_pair_section(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls, each in its own element."""
    calls: list[Call] = []
    whole = True
    at = 0
    while body[at:].strip():
        try:
            begin = _UNIT.match(body, at)
            if begin is None:
                raise Fault("no start tag")
            at = begin.end()
            call, at = _call(body, at, tools)
            end = _UNIT_END.match(body, at)
            if end is None:
                raise Fault("text outside pairs")
            at = end.end()
            calls.append(call)
        except Fault:
            whole = False
            again = _UNIT.search(body, at)
            if again is None:
                break
            at = again.start()
    return Reading(calls, whole and bool(calls))


def _call(body: str, at: int, tools: Tools) -> tuple[Call, int]:
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
