"""Parses XML-like payloads: a call with one element for each parameter."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from tui.models.gate.grammar import Reader, Reading, Tools
from tui.models.gate.patterns import Lit, part, whole
from tui.models.gate.payloads.json import arguments_of, read_calls
from tui.models.gate.payloads.literals import Fault
from tui.models.gate.payloads.typed_values import (
    from_json,
    parameters_of,
    schema_of,
    typed,
)
from tui.models.gate.pieces import Call

_SPACE = re.compile(r"\s*")
_BLOCK_ENDS = re.compile(r"(?:</?[^\s<>=/]+>\s*)*")
_LAST_NEWLINE = re.compile(r"\r?\n\Z")


class Tags(NamedTuple):
    """The syntax of a dialect's elements."""

    call: re.Pattern[str]
    """The start tag of a call; group "name"."""
    call_end: str
    parameter: re.Pattern[str]
    """The start tag of a parameter; groups "name" and, in some, "string" (a bool)."""
    parameter_end: str
    strips: bool = False
    """Strip one newline on each side of a value that begins with one."""
    json: bool = False
    """A JSON object may replace the parameters."""
    between: re.Pattern[str] = _SPACE
    """The text allowed around calls."""


def _names(tag: str, before: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    name = r"""\s+name\s*=\s*["'](?P<name>[^"'>]*)["']"""
    string = r"""(?:\s+string\s*=\s*["'](?P<string>true|false)["'])?"""
    call = re.compile(rf"{before}<{tag}invoke{name}\s*>")
    return call, re.compile(rf"<{tag}parameter{name}{string}\s*>")


def _invoke(tag: str, before: str = "", **more: Any) -> Tags:
    call, parameter = _names(re.escape(tag), before)
    return Tags(call, f"</{tag}invoke>", parameter, f"</{tag}parameter>", **more)


FUNCTION = Tags(
    re.compile(r"<function=(?P<name>[^>\n]*)>"),
    "</function>",
    re.compile(r"<parameter=(?P<name>[^>\n]*)>"),
    "</parameter>",
    strips=True,
)
INVOKE = _invoke("", json=True)
DSML = _invoke("｜DSML｜", json=True)
DSML_ASCII = _invoke(r"|DSML|", json=True)
DSML_SPACED = _invoke("｜DSML｜ ", json=True)
"""DeepSeek V4.1 writes a blank in each tag."""
ANTML = _invoke("antml:", json=True)
"""Claude's, and that of models which learned from it."""
GCML = _invoke("｜GCML｜")
ATEM = _invoke("atem:")
_STEP_END = Lit("<｜tool_call_end｜>")
STEPTML = _invoke(
    "steptml:",
    before=r"(?:<｜tool_call_begin｜>\s*)?(?:function\s*<｜tool_sep｜>\s*)?",
    # A stream may break off in the call's closer.
    between=re.compile(rf"(?:\s|{whole((_STEP_END,))})*(?:{part((_STEP_END,))})?"),
)


def tag_reader(tags: Tags) -> Reader:
    """Return a reader for calls in the elements of `tags`.

    A call is complete once its end tag has arrived. A malformed call does not affect
    the others.
    """

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        calls: list[Call] = []
        whole = True
        at = _after(tags.between, body, 0)
        while at < len(body):
            try:
                call, at = _call(tags, body, at, tools, closed)
                calls.append(call)
            except Fault:
                whole = False
                again = tags.call.search(body, at + 1)
                if again is None:
                    break
                at = again.start()
            at = _after(tags.between, body, at)
            begun = _after(_BLOCK_ENDS, body, at)
            if begun > at and tags.call.match(body, begun):
                # A value without its end tag held the block's end, and another block.
                at = begun
        return Reading(calls, whole and bool(calls))

    return read


def bare_reader(tags: Tags) -> Reader:
    """Return a reader for one call whose end tag closed the payload."""
    reader = tag_reader(tags)

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        return reader(body + tags.call_end if closed else body, tools, closed)

    return read


def read_dots(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse invoke elements or JSON objects."""
    reader = read_calls if body.lstrip().startswith(("{", "[")) else _read_invoke
    return reader(body, tools, closed)


def _call(
    tags: Tags, body: str, at: int, tools: Tools, closed: bool
) -> tuple[Call, int]:
    start = tags.call.match(body, at)
    if start is None:
        raise Fault("no start tag")
    name = start["name"].strip()
    if not name:
        raise Fault("no name")
    given: dict[str, Any] = {}
    at = _after(_SPACE, body, start.end())
    if tags.json and body.startswith("{", at):
        end = _json_end(body, at, tags.call_end)
        return Call(name, arguments_of(body[at:end])), end + len(tags.call_end)
    while not body.startswith(tags.call_end, at):
        if closed and at == len(body):
            # The call's end tag is missing before the closer.
            return Call(name, given), at
        parameter = tags.parameter.match(body, at)
        if parameter is None:
            raise Fault("text outside parameters")
        key = parameter["name"].strip()
        known = parameters_of(tools, name)
        end, after = _value_end(tags, body, parameter.end(), known, closed)
        text = body[parameter.end() : end]
        if after == end:
            # What precedes the next tag only breaks the line.
            text = text.rstrip("\r\n")
        if tags.strips and text.startswith(("\n", "\r\n")):
            # A value on the tag's own line is meant as it stands.
            text = _LAST_NEWLINE.sub("", text[text.index("\n") + 1 :])
        string = parameter.groupdict().get("string")
        if string == "true":
            given[key] = text
        elif string == "false":
            given[key] = from_json(text)
        else:
            given[key] = typed(text, schema_of(tools, name, key))
        at = _after(_SPACE, body, after)
        while body.startswith(tags.parameter_end, at):  # once more
            at = _after(_SPACE, body, at + len(tags.parameter_end))
    return Call(name, given), at + len(tags.call_end)


def _value_end(
    tags: Tags, body: str, at: int, known: Collection[str], closed: bool
) -> tuple[int, int]:
    """Return where a parameter's value ends, and where its end tag does.

    Without an end tag, a value ends where another parameter that the tool has begins
    on a line of its own, or with the call.
    """
    end = body.find(tags.parameter_end, at)
    stop = len(body) if end < 0 else end
    for begun in tags.parameter.finditer(body, at, stop):
        if begun["name"].strip() in known and body[begun.start() - 1] == "\n":
            # Perhaps it belongs to the next call.
            end = body.find(tags.call_end, at, begun.start())
            end = begun.start() if end < 0 else end
            return end, end
    if end >= 0:
        return end, end + len(tags.parameter_end)
    if (end := body.find(tags.call_end, at)) >= 0:
        return end, end
    if not closed:
        raise Fault("parameter without end")
    return len(body), len(body)


def _json_end(body: str, at: int, close: str) -> int:
    """Return the position of the end tag after the JSON at `at`, outside strings."""
    for found in re.compile(
        rf'"(?:[^"\\]|\\.)*+"|(?P<close>{re.escape(close)})', re.DOTALL
    ).finditer(body, at):
        if found["close"]:
            return found.start()
    raise Fault("no end tag")


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


_read_invoke = tag_reader(INVOKE)
