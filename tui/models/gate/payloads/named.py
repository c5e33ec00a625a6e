"""Parses payloads that give the tool's name first and then its arguments as JSON."""

import re
from collections.abc import Callable
from typing import Any

from tui.models.gate.grammar import Reader, Reading, Tools
from tui.models.gate.patterns import Lit, part
from tui.models.gate.payloads.json import (
    arguments,
    arguments_of,
    completed,
    parse,
    value_at,
)
from tui.models.gate.payloads.literals import Fault, skip_space
from tui.models.gate.payloads.sections import read_section
from tui.models.gate.pieces import Call

_SURPLUS = re.compile(r"[\s\]})]*")

_PLAIN = re.compile(r"\s*(?P<name>[^\s{]+?)[ \t]*(?:\n\s*|(?=\{)|\Z)", re.DOTALL)
_FUNCTION_TAG = re.compile(r"(?P<name>[\w.\-]+)(?:>|[ \t]*(?=\{))")
_MISTRAL = re.compile(
    r"\s*(?P<name>[\w.\-]+)\s*(?:\[CALL_ID\](?P<id>[^\[\s{]*))?\s*(?:\[ARGS\])?\s*"
)
_LAZYLLM_GLM = re.compile(r"\s*(?P<name>[\w.\-]+)\s*(?:✿ARGS✿:\s*)?")
_LAZYLLM_INTERNLM = re.compile(r"\s*(?P<name>[\w.\-]+)\s*(?:<\|args\|>\s*)?")


def _named(header: re.Pattern[str]) -> Reader:
    def read(body: str, tools: Tools, closed: bool) -> Reading:
        found = header.match(body)
        written = body[found.end() :] if found else ""
        # In an unclosed body, missing arguments may be yet to come.
        if found is None or not (closed or written.strip()):
            return Reading(whole=False)
        id = found.groupdict().get("id") or ""
        try:
            return Reading([Call(found["name"], arguments_of(written, closed), id)])
        except Fault:
            return Reading(whole=False)

    return read


read_name_line = _named(_PLAIN)
read_function_tag = _named(_FUNCTION_TAG)
read_mistral = _named(_MISTRAL)
read_lazyllm_glm = _named(_LAZYLLM_GLM)
read_lazyllm_internlm = _named(_LAZYLLM_INTERNLM)


def read_nothing(body: str, tools: Tools, closed: bool) -> Reading:
    """Leave out what a model makes up as a tool's output."""
    return Reading()


def arguments_reader(name: str) -> Reader:
    """Return a reader for a payload that holds only the arguments of tool `name`."""

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        if not (closed or body.strip()):
            return Reading(whole=False)
        try:
            return Reading([Call(name, arguments_of(body, closed))])
        except Fault:
            return Reading(whole=False)

    return read


def section_reader(
    begin: str, end: str, header: re.Pattern[str], split_id: Callable[[str], str]
) -> Reader:
    """Return a reader for a section of calls, each between `begin` and `end`.

    `header` finds "name" before the JSON; `split_id` extracts the tool's name from it.
    A malformed call does not affect the others.
    """

    begun = re.compile(f"`{{1,2}}|{part((Lit(end),))}")

    def one(body: str, at: int, closed: bool) -> tuple[Call, int]:
        found = header.match(body, at)
        if found is None:
            raise Fault("no header")
        given = None
        at = found.end()
        if not body.startswith(end, at):
            try:
                given, at = value_at(body, at)
            except Fault:
                given, at = mended(body, at)
        surplus = _SURPLUS.match(body, at)
        at = surplus.end() if surplus else at
        if body.startswith("```", at):
            at = skip_space(body, at + 3)
        if body.startswith(end, at):
            at += len(end)
        elif not closed and body[at:] and begun.fullmatch(body, at):
            # The stream broke off in the call's closer.
            at = len(body)
        elif at < len(body) and not body.startswith(begin, at):
            raise Fault("text after the arguments")
        name = split_id(found["name"])
        if not name:
            raise Fault("no name")
        # The whole header is the id if it says more than the name.
        id = found["name"].strip() if found["name"].strip() != name else ""
        return Call(name, arguments(given), id), at

    def mended(body: str, at: int) -> tuple[Any, int]:
        """Return arguments whose last brackets are missing before the end marker."""
        until = body.find(end, at)
        whole = completed(body[at:until], closed=True) if until >= 0 else None
        if whole is None:
            raise Fault("not JSON")
        return parse(whole), until

    def read(body: str, tools: Tools, closed: bool) -> Reading:
        def call_at(at: int) -> tuple[Call, int]:
            if not body.startswith(begin, at):
                raise Fault("no begin")
            return one(body, at + len(begin), closed)

        return read_section(body, call_at, lambda at: body.find(begin, at))

    return read


def _kimi_name(header: str) -> str:
    name = re.sub(r":\d+\s*$", "", header.strip())
    return name.removeprefix("functions.")


def deepseek_reader(bar: str, blank: str) -> Reader:
    """Return a reader for DeepSeek's section, whose tokens have this bar and blank."""
    begin, sep, end = (
        f"<{bar}tool{blank}{word}{bar}>"
        for word in (f"call{blank}begin", "sep", f"call{blank}end")
    )
    split = re.escape(sep)
    return section_reader(
        begin,
        end,
        # V3 writes function<sep>NAME and a fence, V3.1 NAME<sep> and the bare JSON.
        re.compile(
            rf"(?!\s*function\s*{split}\s*```)"
            rf"\s*(?:function\s*{split}\s*(?=[^\s{{`])(?!\Z))?(?P<name>[^\s<`{{]+)\s*"
            rf"(?:{split})?\s*(?:```(?:json)?\s*)?"
        ),
        str.strip,
    )


_read_kimi = section_reader(
    "<|tool_call_begin|>",
    "<|tool_call_end|>",
    re.compile(r"(?P<name>[^<]+)<\|tool_call_argument_begin\|>\s*"),
    _kimi_name,
)
_KIMI_HEADER = re.compile(
    r"(?:<\|tool_call_begin\|>\s*|(?=functions\.[\w.\-]+:\d))"
    r"(?P<name>[\w.\-]+(?::\d+)?)\s*(?:<\|tool_call_argument_begin\|>\s*)?(?=\{)"
)


def read_kimi(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse calls with an id, in whose headers a marker may be missing."""
    reading = _read_kimi(body, tools, closed)
    if reading.whole:
        return reading
    header = r"<|tool_call_begin|>\g<name><|tool_call_argument_begin|>"
    mended = _read_kimi(_KIMI_HEADER.sub(header, body), tools, closed)
    return mended if mended.whole else reading
