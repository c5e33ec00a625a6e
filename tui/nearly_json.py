"""Reads objects that are nearly JSON, as models write them.

What is repaired is notation alone: single quotes, keys without quotes, commas before a
closing bracket, comments, Python's True and None, line breaks and odd escapes in
strings, a code fence around it all, an object within a string, words or closing
brackets after it. What is cut off, or may be read in two ways, is not repaired: no
tool may run with arguments that nobody wrote.
"""

import json
import re
from typing import Any, cast

from tui import bounds

_LONGEST = 1 << 20
"""Characters: no call that is worth repairing is longer."""
_FENCE = re.compile(r"```\w*\s*\n(.*)\n\s*```", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)"""
    r"""|(?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
    r"""|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"""
    r"""|(?P<word>[A-Za-z_$][\w$-]*)"""
    r"""|(?P<mark>[{}\[\]:,])""",
    re.DOTALL,
)
_WORDS = {
    **dict.fromkeys(("true", "True"), "true"),
    **dict.fromkeys(("false", "False"), "false"),
    **dict.fromkeys(("null", "None"), "null"),
}
_BELONGS = re.compile(r"[{}\[\]\"]")
"""What may belong to an object that seems to have ended before it."""
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)|[\"\x00-\x1f]", re.DOTALL)


def read_object(text: str) -> dict[str, Any] | None:
    """Return the object that `text` is meant to be; None if there is none, or doubt.

    Takes time in proportion to the text. The object is bounded as by `bounds.decode`.
    """
    value = read(text)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _read(value.strip())
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def read(text: str) -> Any:
    """Return the value that `text` is meant to be, as `read_object` does of an object.

    None also for null.
    """
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    if fenced := _FENCE.fullmatch(text):
        text = fenced[1].strip()
    return _read(text)


def _read(text: str) -> Any:
    try:
        return bounds.decode(text)
    except ValueError:
        pass
    tokens = _tokens(_without_rest(text))
    if tokens is None:
        return None
    try:
        return bounds.decode("".join(tokens))
    except ValueError:
        return None


def _without_rest(text: str) -> str:
    """Return the object or list at the beginning of `text`, without what follows it.

    All of `text` if what follows may belong to it: another bracket, a quotation mark.
    """
    if text[:1] not in ("{", "["):
        return text
    depth = at = 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token.lastgroup == "mark":
            depth += (token[0] in "{[") - (token[0] in "}]")
            if not depth:
                break
    rest = text[at:].strip()
    belongs = depth or _BELONGS.search(rest) or rest.startswith(("'", ",", ":"))
    return text if belongs and rest.strip("}] \n") else text[:at]


def _tokens(text: str) -> list[str] | None:
    """Return the tokens of `text` as JSON writes them; None if one is not known."""
    found: list[str] = []
    word = ""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        if token.lastgroup == "space":
            continue
        if word:
            # Before a colon a word is a key, and else a value.
            plain = json.dumps(word) if token[0] == ":" else _WORDS.get(word)
            if plain is None:
                return None
            found.append(plain)
            word = ""
        if token.lastgroup == "word":
            word = token[0]
        elif token.lastgroup == "string":
            found.append(_string(token[0]))
        elif token.lastgroup == "number":
            found.append(_number(token[0]))
        else:
            if token[0] in "}]" and found and found[-1] == ",":
                found.pop()
            found.append(token[0])
    return None if word else found


def _string(literal: str) -> str:
    def plain(found: re.Match[str]) -> str:
        escaped = found[1]
        if escaped is None:
            return json.dumps(found[0])[1:-1]
        if len(escaped) > 1 or escaped in '"\\/bfnrt':
            return found[0]
        if escaped == "'":
            return "'"
        return json.dumps(found[0])[1:-1]  # the backslash of a pattern or a path

    return f'"{_ESCAPE.sub(plain, literal[1:-1])}"'


def _number(literal: str) -> str:
    literal = literal.removeprefix("+")
    whole = literal.removeprefix("-")
    if whole.startswith(".") or re.search(r"\.(?!\d)", whole):
        return repr(float(literal))
    return literal
