"""Parses Gemma's payloads: call:NAME{key:value,...}, strings between markers or
quotation marks."""

import re
from typing import Any

from tui.models.gate.grammar import Reader, Reading, Tools
from tui.models.gate.payloads.literals import (
    Fault,
    after_item,
    skip_space,
)
from tui.models.gate.payloads.literals import (
    value_at as literal_at,
)
from tui.models.gate.payloads.typed_values import parameters_of, schema_of, typed
from tui.models.gate.pieces import Call

_CALL = re.compile(r"\s*(?:call)?:?\s*(?P<name>[^\s{}:]+)\s*(?=\{)")
_KEY = re.compile(r"(?P<key>[^\s:,{}\[\]]+)\s*:")
_NUMBER = re.compile(r"-?\d+(?P<real>(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])")
_WORD = re.compile(r"[A-Za-z]+")
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
}
_DEEPEST = 200


def read_unmarked(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse the call of an offered tool that has lost its markers, of strings too.

    A value then ends where another parameter of the tool begins, or with the call.
    """
    start = _CALL.match(body)
    if start is None or start["name"] not in tools or not body.rstrip().endswith("}"):
        return Reading(whole=False)
    name = start["name"]
    reading = _read_marked(body, tools, closed)
    if reading.whole:
        return reading
    inner = body[start.end() + 1 : body.rindex("}")]
    names = "|".join(map(re.escape, parameters_of(tools, name))) or "(?!)"
    found = [*re.finditer(rf"(?:\A|,)\s*(?P<key>{names})\s*:", inner)]
    if not found or found[0].start():
        return Reading(whole=False)
    ends = [*(each.start() for each in found[1:]), len(inner)]
    given: dict[str, Any] = {}
    for each, end in zip(found, ends, strict=True):
        key, text = each["key"], inner[each.end() : end]
        given[key] = typed(text, schema_of(tools, name, key))
    return Reading([Call(name, given)])


def gemma_reader(mark: str) -> Reader:
    """Return a reader for the dialect that delimits strings by `mark`."""
    string = re.compile(f"{re.escape(mark)}(.*?){re.escape(mark)}", re.DOTALL)

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        start = _CALL.match(body)
        if start is None:
            return Reading(whole=False)
        try:
            given, at = dict_at(body, start.end(), 0)
        except Fault:
            return Reading(whole=False)
        if body[at:].strip(" \t\r\n]})"):
            return Reading(whole=False)
        return Reading([Call(start["name"], given)])

    def dict_at(body: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
        values: dict[str, Any] = {}
        at = skip_space(body, at + 1)
        while not body.startswith("}", at):
            quoted = string.match(body, at)
            if quoted or body[at : at + 1] in ('"', "'"):
                key, at = string_at(body, at)
                at = skip_space(body, at)
                if not body.startswith(":", at):
                    raise Fault("no value")
                at += 1
            elif bare := _KEY.match(body, at):
                key, at = bare["key"], bare.end()
            else:
                raise Fault("no key")
            values[key], at = value_at(body, skip_space(body, at), depth + 1)
            at = after_item(body, at, "}")
        return values, at + 1

    def string_at(body: str, at: int) -> tuple[str, int]:
        if found := string.match(body, at):
            return found[1], found.end()
        # Some write JSON.
        return literal_at(body, at)

    def list_at(body: str, at: int, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        at = skip_space(body, at + 1)
        while not body.startswith("]", at):
            value, at = value_at(body, at, depth + 1)
            values.append(value)
            at = after_item(body, at, "]")
        return values, at + 1

    def value_at(body: str, at: int, depth: int) -> tuple[Any, int]:
        if depth > _DEEPEST:
            raise Fault("too deep")
        if string.match(body, at) or body[at : at + 1] in ('"', "'"):
            return string_at(body, at)
        if body.startswith("{", at):
            return dict_at(body, at, depth)
        if body.startswith("[", at):
            return list_at(body, at, depth)
        if found := _NUMBER.match(body, at):
            try:
                number = float(found[0]) if found["real"] else int(found[0])
            except ValueError as error:
                raise Fault("number too long") from error
            return number, found.end()
        word = _WORD.match(body, at)
        if word is None or word[0] not in _WORDS:
            raise Fault("not a value")
        return _WORDS[word[0]], word.end()

    return read


_read_marked = gemma_reader('<|"|>')
