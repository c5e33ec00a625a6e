"""Parses Python calls whose keyword arguments are literals; see `literals`."""

import re
from typing import Any

from tui.models.gate.grammar import Quote, Reading, Tools
from tui.models.gate.payloads.json import read_calls
from tui.models.gate.payloads.literals import Fault, after_item, skip_space, value_at
from tui.models.gate.pieces import Call

PYTHON_STRINGS = (
    Quote('"""', '"""', escapes=True),
    Quote("'''", "'''", escapes=True),
    Quote('"', '"', escapes=True),
    Quote("'", "'", escapes=True),
)
_CALL = re.compile(r"(?P<name>[A-Za-z_][\w.\-]*)\s*\(")
_KEY = re.compile(r"(?P<key>[^\W\d]\w*)\s*=")


def read_python_list(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a list of calls, or a list of JSON calls."""
    if re.match(r"\s*\[\s*\{", body):
        return read_calls(body, tools, closed)
    at = skip_space(body, 0)
    if not body.startswith("[", at):
        return Reading(whole=False)
    return _read(body, skip_space(body, at + 1), closed, end="]")


def read_python_lines(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls separated by white space."""
    return _read(body, skip_space(body, 0), closed, end="")


def read_builtin(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse Llama's NAME.call(...), or NAME(...)."""
    reading = read_python_lines(body, tools, closed)
    return reading._replace(
        calls=[Call(c.name.removesuffix(".call"), c.arguments) for c in reading.calls]
    )


def _read(body: str, at: int, closed: bool, end: str) -> Reading:
    """Parse calls up to the bracket `end`, or to the body's end if it is ""."""
    calls: list[Call] = []
    try:
        while at < len(body) and not (end and body[at] == end):
            call, at = _call(body, at)
            calls.append(call)
            at = skip_space(body, at)
            if body.startswith(",", at):
                at = skip_space(body, at + 1)
            elif end and body[at : at + 1] != end:
                raise Fault("list without end")
        # The list's closing bracket and surplus ones.
        if end and (at >= len(body) or body[at:].strip(" \t\r\n])}")):
            raise Fault("text after the list")
    except Fault:
        # As with JSON, a closed block counts as a whole or not at all.
        return Reading(() if closed else calls, whole=False)
    return Reading(calls, whole=bool(calls))


def _call(body: str, at: int) -> tuple[Call, int]:
    start = _CALL.match(body, at)
    if start is None:
        raise Fault("no call")
    given: dict[str, Any] = {}
    at = skip_space(body, start.end())
    while not body.startswith(")", at):
        key = _KEY.match(body, at)
        if key is None:
            raise Fault("no keyword")
        value, at = value_at(body, skip_space(body, key.end()))
        given[key["key"]] = value
        at = after_item(body, at, ")")
    return Call(start["name"], given), at + 1
