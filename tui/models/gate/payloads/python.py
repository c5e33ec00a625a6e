"""Parses Python calls whose keyword arguments are literals.

`ast` will not do: tool names may contain dashes and strings raw newlines, and models
write true, false and null as often as True, False and None.
"""

import ast
import re
from typing import Any

from tui.models.gate.grammar import Quote, Reading, Tools
from tui.models.gate.payloads.json import Fault, after_item, read_calls, skip_space
from tui.models.gate.pieces import Call

PYTHON_STRINGS = (
    Quote('"""', '"""', escapes=True),
    Quote("'''", "'''", escapes=True),
    Quote('"', '"', escapes=True),
    Quote("'", "'", escapes=True),
)
_CALL = re.compile(r"(?P<name>[A-Za-z_][\w.\-]*)\s*\(")
_KEY = re.compile(r"(?P<key>[^\W\d]\w*)\s*=")
_STRING = re.compile(
    r"""(?P<raw>[rR]?)(?:"{3}(?P<a>(?:[^"\\]|\\.|"(?!""))*+)"{3}"""
    r"""|'{3}(?P<b>(?:[^'\\]|\\.|'(?!''))*+)'{3}"""
    r"""|"(?P<c>(?:[^"\\]|\\.)*+)"|'(?P<d>(?:[^'\\]|\\.)*+)')""",
    re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_]\w*")
_WORDS = {
    "True": True,
    "true": True,
    "False": False,
    "false": False,
    "None": None,
    "null": None,
}
_DEEPEST = 200
_ENDS = {"[": "]", "(": ")", "{": "}"}


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
        value, at = _value(body, skip_space(body, key.end()), 0)
        given[key["key"]] = value
        at = after_item(body, at, ")")
    return Call(start["name"], given), at + 1


def _value(body: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise Fault("too deep")
    char = body[at : at + 1]
    if char in ("[", "(") and char:
        return _list(body, at, depth)
    if char == "{":
        return _dict(body, at, depth)
    if found := _STRING.match(body, at):
        return _string(found), found.end()
    if found := _NUMBER.match(body, at):
        try:
            return ast.literal_eval(found[0]), found.end()
        except (ValueError, SyntaxError) as error:
            raise Fault(str(error)) from error
    word = _WORD.match(body, at)
    if word is None or word[0] not in _WORDS:
        raise Fault("not a literal")
    return _WORDS[word[0]], word.end()


def _list(body: str, at: int, depth: int) -> tuple[list[Any], int]:
    end = _ENDS[body[at]]
    values: list[Any] = []
    at = skip_space(body, at + 1)
    while not body.startswith(end, at):
        value, at = _value(body, at, depth + 1)
        values.append(value)
        at = after_item(body, at, end)
    return values, at + 1


def _dict(body: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    values: dict[str, Any] = {}
    at = skip_space(body, at + 1)
    while not body.startswith("}", at):
        key, at = _value(body, at, depth + 1)
        at = skip_space(body, at)
        if not isinstance(key, str) or not body.startswith(":", at):
            raise Fault("no key")
        values[key], at = _value(body, skip_space(body, at + 1), depth + 1)
        at = after_item(body, at, "}")
    return values, at + 1


def _string(found: re.Match[str]) -> str:
    text = next(
        t for t in (found["a"], found["b"], found["c"], found["d"], "") if t is not None
    )
    if found["raw"] or "\\" not in text:
        return text
    # Escape quotes and raw newlines, so that one quoted literal holds any of them.
    safe = re.sub(
        r'\\.|["\r\n\0]', lambda m: _ESCAPES.get(m[0], m[0]), text, flags=re.DOTALL
    )
    try:
        value: str = ast.literal_eval(f'"{safe}"')
    except (ValueError, SyntaxError) as error:
        raise Fault(str(error)) from error
    return re.sub("[\ud800-\udfff]", "\ufffd", value)


_ESCAPES = {'"': '\\"', "\r": "\\r", "\n": "\\n", "\0": "\\0"}
