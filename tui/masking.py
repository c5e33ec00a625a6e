"""Masks secrets in errors, notices and logs.

Servers quote keys in any form in which they received them, and libraries quote the
servers. So this module learns each secret of the process at its first use, and every
report of a failure passes through `mask`. The set is shared by all models: a key is
secret whichever server quotes it.

Outside text may be megabytes long and hostile: searches for plain words decide whether
it can hold a secret at all, and each expression here takes time in proportion to the
text (`tests/unit/test_masking.py` checks both).
"""

import base64
import os
import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote, unquote

MASK = "***"

_SHORTEST = 8
"""Fewest characters of a key. A shorter word is not a secret: local servers accept
any word, and masking it would damage ordinary text."""
_SHORTEST_PASSWORD = 4
_PLACEHOLDERS = frozenset(
    {
        "lm-studio", "lmstudio", "llama.cpp", "llama-cpp", "llamacpp", "localhost",
        "no-key-needed", "no-key-required", "not-needed", "not-required", "password",
        "placeholder", "sk-no-key-required", "undefined", "your-key", "test-key",
    }
)  # fmt: skip
"""Words that users commonly give to servers that need no key."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOGINS = (*_PROXIES, *map(str.upper, _PROXIES), "HF_ENDPOINT")
"""Variables with an address that may have a password in it."""
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

_secrets: set[str] = set()

# Whatever the secret is: what follows these words is one. No case is ignored, as that
# would be slow to search; a literal or a set comes first, which is fast.
_HEADER = re.compile(
    r"([bB](?<!\w[bB])(?:[aA][sS][iI][cC]|[eE][aA][rR][eE][rR]))(\s+|%20)"
    r"(?=[\w+/.~%-]*[\d=])[\w+/.~%-]{8,}=*"
)
# The scheme is not looked for: each letter of a long word would be the first of one.
_LOGIN = re.compile(r"(:\\{0,4}/\\{0,4}/)[^/\s@\"'<>]+@")

# What may stand within a secret that was wrapped or quoted, without its backslashes.
_BREAKS = b"\r\n\t \\"
_ESCAPED_ENDS = (b"\\n", b"\\r")
# Letters and digits too are escaped by who escapes all.
_ALL_ESCAPED = (
    re.compile(rb"%[2-7][\da-f]%[2-7][\da-f]%[2-7]"),
    re.compile(rb"u00[2-7][\da-f]u00"),
    re.compile(rb"&#[x\d]"),
)
# A line may be broken at any place, in a quotation too, and be indented then.
_BREAK = r"(?:(?:\r\n?|\n|(?:\\{1,2}r)?\\{1,2}n)[ \t]{0,40})?"

_REST = re.compile(r"[\w+/.~%\\-]*=*")
_LONGEST = 64
"""Characters of a secret that are compared; of a longer one, all that follows them."""
_WINDOW, _WIDEST = 1 << 15, 1 << 12
"""Characters that are searched at once, and those that a secret takes at most."""


def remember_key(key: str) -> None:
    """Mask an API key from now on, unless it is a placeholder."""
    if len(key) >= _SHORTEST and key.lower() not in _PLACEHOLDERS:
        _add(key, base64.b64encode(key.encode()).decode().rstrip("="))


def remember_login(login: str) -> None:
    """Mask `user:password`, as written in an address, from now on."""
    user, _, password = login.partition(":")
    plain = f"{unquote(user)}:{unquote(password)}"
    if password:
        # A header has both in one base64 text, where they cannot be told apart.
        coded = base64.b64encode(plain.encode()).decode().rstrip("=")
        _add(login, plain, coded, coded.translate({43: "-", 47: "_"}))
    for secret in (password, unquote(password)):
        if len(secret) >= _SHORTEST_PASSWORD:
            _add(secret)
    if not password and len(user) >= _SHORTEST:
        _add(user, unquote(user))  # a token in place of the name


def mask(text: str) -> str:
    """Return `text` with `***` in place of secrets and of what looks like one."""
    _learn_environment(*map(os.environ.get, (*_LOGINS, *_TOKENS)))
    bare = _bare(text)
    if _secrets:
        text = _without_secrets(text, bare, frozenset(_secrets))
    if b"@" in bare:
        text = _LOGIN.sub(rf"\1{MASK}@", text)
    if b"basic" in bare or b"bearer" in bare:
        text = _HEADER.sub(rf"\1\2{MASK}", text)
    return text


def mask_address(text: str) -> str:
    """Return an address, even an invalid one, without parts that may be secret.

    If a password was not escaped, its end is unknown; the last @ is taken. A query or a
    fragment may hold a key.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    if "@" in rest:
        rest = f"{MASK}@{rest.rpartition('@')[2]}"
    if found := re.search("[?#]", rest):
        rest = f"{rest[: found.end()]}{MASK}"
    return f"{scheme}{mark}{rest}"


def is_variable_name(text: str) -> bool:
    """Return whether `text` may be quoted as the name of a variable for a key.

    By convention such names are upper case, as no key is. A user may write a key in
    place of its variable's name, and many keys are valid variable names.
    """
    words = re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", text)
    return bool(words) and ("_" in text or len(text) < 20)


@cache
def _learn_environment(*values: str | None) -> None:
    """Remember the secrets that libraries take from the environment by themselves."""
    clean = [(it or "").encode("utf-8", "replace").decode() for it in values]
    for address in clean[: len(_LOGINS)]:
        # Even if the password was not escaped: the last @ ends it.
        login, at, _ = address.rpartition("@")
        if at:
            remember_login(login.rpartition("://")[2])
    for token in clean[len(_LOGINS) :]:
        remember_key(token)


def _add(*secrets: str) -> None:
    _secrets.update(filter(None, secrets))


def _without_secrets(text: str, bare: bytes, secrets: frozenset[str]) -> str:
    if _may_hold(bare, secrets):
        parts: list[str] = []
        done = 0
        for start in range(0, len(text), _WINDOW):
            # A secret may begin before its window, and end behind it.
            end = start + _WINDOW
            if _may_hold(_bare(text[start : end + _WIDEST]), secrets):
                pattern = _pattern(secrets)
                for found in pattern.finditer(text, max(start, done), end + _WIDEST):
                    if found.start() >= end:
                        break
                    parts += text[done : found.start()], MASK
                    done = found.end()
                    if done == end + _WIDEST and (rest := _REST.match(text, done)):
                        done = rest.end()
        text = "".join([*parts, text[done:]])
    for secret in secrets:
        text = _without_beginning(text, secret)
    return text


def _bare(text: str) -> bytes:
    """Return what is ASCII, without line ends, blanks, backslashes and capitals."""
    data = text.encode("ascii", "ignore").lower()
    if b"\\" in data:
        for end in _ESCAPED_ENDS:
            data = data.replace(end, b"")
    return data.translate(None, _BREAKS)


def _may_hold(bare: bytes, secrets: frozenset[str]) -> bool:
    """Whether a secret may be in a text, of which `_bare` is given."""
    if any(all(word in bare for word in words) for words in _words(secrets)):
        return True
    return any(code.search(bare) for code in _ALL_ESCAPED)


@cache
def _words(secrets: frozenset[str]) -> list[list[bytes]]:
    """Return what must be in a text that holds a secret, for each of `secrets`.

    The longest first, which is the least likely to be there. An N or R that begins a
    secret may be taken for the end of an escape.
    """
    starts = (re.sub("^[nNrR]", "", secret[:_LONGEST]) for secret in secrets)
    words = (re.findall(rb"[a-z\d]+", _bare(start)) for start in starts)
    return [sorted(each, key=len, reverse=True) for each in words]


@cache
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    # The longest first: one may begin another.
    longest_first = sorted(secrets, key=lambda it: (-len(it), it))
    return re.compile("|".join(map(_bounded, longest_first)))


def _bounded(secret: str) -> str:
    """Return the pattern of a secret; a word of prose is masked as a whole only."""
    pattern = _BREAK.join(map(_escapes, secret[:_LONGEST]))
    if len(secret) > _LONGEST:
        return pattern + _REST.pattern
    if re.search(r"\d", secret) and len(secret) >= 12:
        return pattern
    # After the escapes of `repr` and JSON a word begins too: b"\nsecret".
    begins = (
        r"(?:(?<![^\W_])|(?<=\\[abfnrtv])|(?<=\\x[0-9a-f]{2})|(?<=%[0-9a-fA-F]{2}))"
    )
    return rf"{begins}{pattern}(?![^\W_])"


def _escapes(character: str) -> str:
    """Return a pattern of the ways to write a character.

    In either case, behind backslashes, in an address (escaped once or more often), and
    as JSON, `repr` and web pages have it.
    """
    cases = {character, character.lower(), character.upper()}
    cases = sorted(each for each in cases if len(each) == 1)
    plain = "[" + "".join(map(re.escape, cases)) + "]"
    in_address = _any(
        "".join(rf"%(?:25){{0,2}}{_digits(f'{byte:02x}')}" for byte in case.encode())
        for case in cases
    )
    units = (case.encode("utf-16-be").hex(" ", 2).split() for case in cases)
    in_json = _any(r"\\{1,4}u".join(["", *map(_digits, unit)]) for unit in units)
    in_repr = _any(rf"\\{{1,4}}x{_digits(f'{ord(case):02x}')}" for case in cases)
    from html import escape  # its table of all names is large

    in_page = _any(
        f"&(?:#0{{0,4}}{ord(case)}|#[xX]0{{0,4}}{_digits(f'{ord(case):x}')}"
        f"{'|' + named.strip('&;') if (named := escape(case)) != case else ''});"
        for case in cases
    )
    if not character.isalnum():
        plain = rf"\\{{0,4}}{plain}"
    return _any([plain, in_address, in_json, in_repr, in_page])


def _any(ways: Iterable[str]) -> str:
    return f"(?:{'|'.join(ways)})"


def _digits(number: str) -> str:
    """Return the pattern of a hexadecimal number, in either case."""
    return re.sub("[a-f]", lambda it: f"[{it[0]}{it[0].upper()}]", number)


def _without_beginning(text: str, secret: str) -> str:
    """Mask a secret that is cut off with the text, as long as it says much."""
    for form in (secret, quote(secret, safe=""), secret.replace("/", "\\/")):
        if form[:_SHORTEST] not in text[-len(form) :]:
            continue
        for length in range(len(form) - 1, _SHORTEST - 1, -1):
            if text.endswith(form[:length]):
                return text[:-length] + MASK
    return text
