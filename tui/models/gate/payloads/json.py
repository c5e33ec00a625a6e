"""Parses JSON payloads: calls as objects and lists, and a call's arguments.

Models write almost JSON. Tolerated are: raw control characters and unknown escapes in
strings, arguments as JSON inside a string, perhaps twice, "parameters" for "arguments",
"tool" for "name", arguments beside the name, missing arguments, surplus closing
brackets, trailing commas, Python's notation, a Markdown fence around the whole, and
closing brackets that are missing at the end of a block. Anything else is a fault.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from tui import bounds
from tui.models.gate.grammar import Reading, Tools
from tui.models.gate.payloads import literals
from tui.models.gate.payloads.literals import Fault, skip_space
from tui.models.gate.pieces import Call

_SURPLUS = re.compile(r"[\s\]})]*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FENCE = re.compile(r"\s*```[A-Za-z]*\s*|\s*```\s*\Z")
_BRACKET = re.compile(r"""[\[\]{}]|"(?:[^"\\]|\\.)*+"|(?P<open>")""", re.DOTALL)
_PAIRS = {"]": "[", "}": "{"}
_CLOSERS = {"[": "]", "{": "}"}
_MOST_ENCODED = 3
"""Times that arguments may be encoded as a string."""
_DECODER = json.JSONDecoder(strict=False)


def parse(text: str) -> Any:
    """Return the one JSON value in `text`, ignoring surplus brackets; raise `Fault`."""
    value, end = value_at(text, skip_space(text, 0))
    if _SURPLUS.fullmatch(text, end) is None:
        raise Fault("text after the value")
    return value


def value_at(text: str, at: int) -> tuple[Any, int]:
    """Return the JSON value at `at` and its end; raise `Fault`."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        if text[at : at + 1] not in ("{", "["):
            raise Fault(str(error)) from error
        value, end = literals.value_at(text, at)
    if bounds.is_deep(value):
        raise Fault("too deep")
    # A lone surrogate can be neither stored nor sent.
    return (_repair(value) if "\\u" in text else value), end


def arguments(value: Any) -> dict[str, Any]:
    """Return a call's arguments as a dict; raise `Fault`."""
    for _ in range(_MOST_ENCODED):
        if not isinstance(value, str):
            break
        value = parse(value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Fault("arguments are not an object")
    return cast("dict[str, Any]", value)


def arguments_of(text: str, closed: bool = False) -> dict[str, Any]:
    """Return the arguments written in `text`, {} for blank; raise `Fault`.

    If a closer follows it, the last brackets may be missing.
    """
    if not text.strip():
        return {}
    try:
        return arguments(parse(text))
    except Fault:
        whole = completed(text, closed) if closed else None
        if whole is None:
            raise
        return arguments(parse(whole))


def read_calls(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse objects with "name" and "arguments", single or in lists."""
    return _read(body, partial(_named_call, tools), closed)


def read_inline_calls(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse like `read_calls`, but a call on the line of its marker must be whole.

    Templates put a line break there; inside a line, half an object is an example.
    """
    mends = not closed or body.startswith(("\n", "\r\n"))
    return _read(body, partial(_named_call, tools), closed, mends)


def read_keyed_calls(body: str, tools: Tools, closed: bool) -> Reading:
    """Parse a list of objects whose only key is the tool's name."""
    return _read(body, _keyed_call, closed)


def _read(
    body: str, call_of: Callable[[Any], Call], closed: bool, mends: bool = True
) -> Reading:
    if "```" in body:
        body = _FENCE.sub("", body)
    calls: list[Call] = []
    try:
        for value in _values(body):
            calls.append(call_of(value))
    except Fault:
        if mends and (whole := completed(body, closed)):
            return _read(whole, call_of, closed, mends=False)
        # Calls completed before the stream broke off count; a closed block that is
        # malformed is rejected as a whole.
        return Reading(() if closed else calls, whole=False)
    return Reading(calls, whole=bool(calls))


def completed(body: str, closed: bool) -> str | None:
    """Return a body with the brackets that are missing at its end, None if none are.

    Where the stream broke off, more arguments may have been to come; so there only the
    last brace may be missing, after that of the arguments.
    """
    done: list[str] = []
    depth: list[str] = []
    at = 0
    for found in _BRACKET.finditer(body):
        token = found[0]
        if found["open"]:
            return None
        if token in _CLOSERS:
            depth.append(token)
        elif opener := _PAIRS.get(token):
            if opener not in depth:
                break
            # A closing bracket that closes an outer one: the inner one's is missing.
            done.append(body[at : found.start()])
            at = found.start()
            while (inner := depth.pop()) != opener:
                done.append(_CLOSERS[inner])
    bare = body.rstrip()
    if not (closed or (depth == ["{"] and bare.endswith("}"))):
        return None
    missing = "".join(_CLOSERS[opener] for opener in reversed(depth))
    whole = "".join((*done, body[at : len(bare)], missing))
    return None if whole == bare else whole


def _values(body: str) -> Iterator[Any]:
    """Yield the values of a body; raise `Fault` at the first malformed one."""
    at = skip_space(body, 0)
    while at < len(body):
        if body[at] != "[":
            value, at = value_at(body, at)
            yield value
        else:
            at = skip_space(body, at + 1)
            while body[at : at + 1] != "]":
                value, at = value_at(body, at)
                yield value
                at = skip_space(body, at)
                if body[at : at + 1] == ",":
                    at = skip_space(body, at + 1)
                elif body[at : at + 1] != "]":
                    raise Fault("list without end")
            at += 1
        if _SURPLUS.fullmatch(body, at):
            return
        at = skip_space(body, at)
        if body[at : at + 1] in (",", ";"):
            at = skip_space(body, at + 1)


_NAMES = ("name", "toolname", "functionname", "function", "tool", "action")
_ARGUMENTS = ("arguments", "parameters", "args")
_LOOSE = ("params", "input", "toolinput", "actioninput", "kwargs")
"""Names of arguments that a tool may have for one of them as well."""
_OTHERS = frozenset({*_NAMES, "id", "toolcallid", "callid", "type"})


def _plain(key: str) -> str:
    """Return a key in one spelling: models write ToolName, tool-name and tool_name."""
    return re.sub(r"[\s_\-]", "", key).lower()


def is_name_key(key: str) -> bool:
    """Whether a key or tag is that of a tool's name."""
    return _plain(key) in _NAMES


def argument_key(key: str) -> bool:
    """Whether a key or tag is that of all arguments."""
    return _plain(key) in (*_ARGUMENTS, *_LOOSE)


def _named_call(tools: Tools, value: Any) -> Call:
    if not isinstance(value, dict):
        raise Fault("not an object")
    written = cast("dict[str, Any]", value)
    call = {_plain(key): written[key] for key in reversed(written)}
    if "name" not in call and isinstance(call.get("function"), dict):
        # As in a request: {"type": "function", "function": {...}}
        within = cast("dict[str, Any]", call["function"])
        return _named_call(tools, {**written, **within, "function": None})
    name = next((call[key] for key in _NAMES if isinstance(call.get(key), str)), None)
    if name is None and len(written) == 1 and (only := next(iter(written))) in tools:
        # {"get_weather": {...}}
        return Call(only, arguments(written[only]))
    if not name:
        raise Fault("no name")
    id = call.get("id", call.get("toolcallid", call.get("callid")))
    held = next((key for key in _ARGUMENTS if key in call), "")
    given = call.get(held)
    if not held:
        given = _beside(tools, name, written, call)
    return Call(name, arguments(given), id if isinstance(id, str) else "")


def _beside(
    tools: Tools, name: str, written: Mapping[str, Any], call: Mapping[str, Any]
) -> Any:
    """Return arguments under a name of their own, or beside that of the tool."""
    rest = {key: written[key] for key in written if _plain(key) not in _OTHERS}
    known: Any = tools[name].get("properties") or {} if name in tools else {}
    if rest and rest.keys() <= set(known):
        return rest
    loose = next((call[key] for key in _LOOSE if key in call), None)
    if isinstance(loose, dict | str):
        return cast("dict[str, Any] | str", loose)
    return None


def _keyed_call(value: Any) -> Call:
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        raise Fault("not one name")
    [(name, given)] = cast("dict[str, Any]", value).items()
    if not name:
        raise Fault("no name")
    return Call(name, arguments(given))


def _repair(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_repair(v) for v in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {_repair(k): _repair(v) for k, v in items}
    return value
