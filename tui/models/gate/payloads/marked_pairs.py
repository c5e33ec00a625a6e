"""Parses payloads of a name and pairs of key and value, each between markers.

The notation of `pairs` with other markers; its calls have end markers of their own.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from tui.models.gate.grammar import Payload, Quote, Reader, Reading, Tools
from tui.models.gate.patterns import Lit
from tui.models.gate.payloads.json import Fault, arguments, skip_space, value_at
from tui.models.gate.payloads.sections import read_section
from tui.models.gate.payloads.typed_values import from_json, schema_of, typed
from tui.models.gate.pieces import Call


class Pairs(NamedTuple):
    """The markers of a notation."""

    key: tuple[str, str]
    value: tuple[str, str]
    type: tuple[str, str] = ("", "")
    """What encloses a type between key and value; "" where there is none."""
    call: tuple[str, str] = ("", "")
    """What encloses each call of a section; "" where a payload is one call."""
    after_name: str = ""
    """What may follow the name."""
    json: bool = False
    """A call may also be a JSON object with "name" and "arguments"."""


def pair_reader(pairs: Pairs) -> Reader:
    """Return a reader for a payload that is one call.

    Without its closer it may always be incomplete.
    """
    call_at = _call_at(pairs)

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        if not closed:
            return Reading(whole=False)
        try:
            call, at = call_at(body, 0, tools)
        except Fault:
            return Reading(whole=False)
        return Reading(whole=False) if body[at:].strip() else Reading([call])

    return read


def pair_section_reader(pairs: Pairs) -> Reader:
    """Return a reader for a section; a malformed call does not affect the others."""
    call_at = _call_at(pairs)
    begin, end = pairs.call

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        def one(at: int) -> tuple[Call, int]:
            if not body.startswith(begin, at):
                raise Fault("no begin")
            call, at = call_at(body, at + len(begin), tools)
            at = skip_space(body, at)
            if not body.startswith(end, at):
                raise Fault("no end")
            return call, at + len(end)

        return read_section(body, one, lambda at: body.find(begin, at))

    return read


def suffixed_section_reader(body: str, tools: Tools, closed: bool) -> Reading:
    """Read the suffix that Hunyuan's markers have; the section follows.

    The suffix is in the model's vocabulary and differs by checkpoint.
    """
    return Reading(then=_suffixed(body)) if closed else Reading(whole=False)


@lru_cache(maxsize=8)
def _suffixed(suffix: str) -> Payload:
    def both(name: str) -> tuple[str, str]:
        return f"<{name}:{suffix}>", f"</{name}:{suffix}>"

    pairs = Pairs(
        both("arg_key"),
        both("arg_value"),
        call=both("tool_call"),
        after_name=f"<tool_sep:{suffix}>",
    )
    return Payload(
        pair_section_reader(pairs),
        (Quote(*pairs.key), Quote(*pairs.value)),
        (both("tool_calls")[1],),
        ends=(pairs.call[1],),
        again=((Lit(pairs.call[0]),),),
        before=(both("tool_calls")[0],),
    )


def _call_at(pairs: Pairs) -> Any:
    """Return a function that parses the call at a position of a body."""
    key, key_end, value, value_end, kind, kind_end, after = map(
        re.escape, (*pairs.key, *pairs.value, *pairs.type, pairs.after_name)
    )
    name = re.compile(rf"\s*(?P<name>[^\s<>{{}}]+)\s*(?:{after})?")
    typed_as = rf"(?:{kind}(?P<type>.*?){kind_end}\s*)?" if kind else "(?P<type>(?!))?"
    pair = re.compile(
        rf"\s*{key}(?P<key>.*?){key_end}\s*{typed_as}{value}(?P<value>.*?)"
        rf"(?:{value_end}\s*)+",
        re.DOTALL,
    )

    def call_at(body: str, at: int, tools: Tools) -> tuple[Call, int]:
        at = skip_space(body, at)
        if pairs.json and body.startswith("{", at):
            return _json_call(body, at)
        found = name.match(body, at)
        if found is None:
            raise Fault("no name")
        tool = found["name"]
        at = found.end()
        given: dict[str, Any] = {}
        while one := pair.match(body, at):
            word = one["key"].strip()
            schema = schema_of(tools, tool, word)
            text = one["value"]
            if schema is None and one["type"]:
                bare = one["type"].partition("[")[0].strip().lower()
                given[word] = text if bare in ("string", "any") else from_json(text)
            else:
                given[word] = typed(text, schema)
            at = one.end()
        return Call(tool, given), at

    return call_at


def _json_call(body: str, at: int) -> tuple[Call, int]:
    value, at = value_at(body, at)
    name = value.get("name")
    if not isinstance(name, str) or not name:
        raise Fault("no name")
    return Call(name, arguments(value.get("arguments", value.get("parameters")))), at
