"""Parses Python literals in the text of a call.

`ast` will not do: strings may contain raw newlines, and models write true, false and
null as often as True, False and None.
"""

import ast
import re
import sys
from typing import Any

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


_SPACE = re.compile(r"\s*")


class Fault(ValueError):
    """The payload does not follow its format."""


def value_at(body: str, at: int) -> tuple[Any, int]:
    """Return the literal at `at` and its end; raise `Fault`."""
    return _value(body, at, 0)


def skip_space(text: str, at: int) -> int:
    """Return the position after the white space at `at`."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def after_item(text: str, at: int, end: str) -> int:
    """Return the position after an item's comma, or that of the list's `end`."""
    at = skip_space(text, at)
    if text.startswith(",", at):
        return skip_space(text, at + 1)
    if not text.startswith(end, at):
        raise Fault(f"no {end}")
    return at


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
    return _LONE_SURROGATE.sub("\ufffd", _ESCAPE.sub(_unescaped, text))


def _unescaped(found: re.Match[str]) -> str:
    """Return what an escape of Python or JSON stands for; an unknown one stays."""
    escape = found[0][1:]
    if escape in _ESCAPES:
        return _ESCAPES[escape]
    if escape[0].isdigit():
        return chr(int(escape, 8))
    if len(escape) > len("\\u12345678"):
        # A character outside the basic plane, as JSON writes it.
        pair = bytes.fromhex(escape[1:5] + escape[7:])
        return pair.decode("utf-16-be")
    if len(escape) > 1:
        code = int(escape[1:], 16)
        return chr(code) if code <= sys.maxunicode else "\ufffd"
    return found[0]


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rf"{_HIGH}{_LOW}|\\x[0-9a-fA-F]{{2}}|\\u[0-9a-fA-F]{{4}}|\\U[0-9a-fA-F]{{8}}"
    r"|\\[0-7]{1,3}|\\.",
    re.DOTALL,
)
_ESCAPES = {
    "\n": "",
    "\\": "\\",
    "/": "/",
    '"': '"',
    "'": "'",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
