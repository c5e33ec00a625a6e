"""Masks secrets in errors, notices and logs.

Servers quote keys in all the forms in which they have got them, and libraries quote
what servers send. So this module knows the secrets of the process, each from its
first use, and every report of a failure passes through `mask`. There is one set for the
process, not one for each model: a key is secret whichever server quotes it.
"""

import base64
import html
import re
from functools import cache
from urllib.parse import quote, unquote

MASK = "***"

_SHORTEST = 8
"""Characters of a key. What is shorter is no secret: local servers want any word for
one, and it would be cut out of all prose."""
_SHORTEST_PASSWORD = 4
_PLACEHOLDERS = frozenset(
    {
        "lm-studio", "lmstudio", "llama.cpp", "llama-cpp", "llamacpp", "localhost",
        "no-key-needed", "no-key-required", "not-needed", "not-required", "password",
        "placeholder", "sk-no-key-required", "undefined", "your-key", "test-key",
    }
)  # fmt: skip
"""What is customarily given to servers that want no key."""

_secrets: set[str] = set()

# Whatever the secret is: what follows these words is one.
_HEADER = re.compile(
    r"\b(basic|bearer)(\s+|%20)(?=[\w+/.~%-]*[\d=])[\w+/.~%-]{8,}=*", re.IGNORECASE
)
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"'<>]+@", re.IGNORECASE)


def remember_key(key: str) -> None:
    """Have an API key masked from now on, unless it is a placeholder."""
    if len(key) >= _SHORTEST and key.lower() not in _PLACEHOLDERS:
        _add(key, base64.b64encode(key.encode()).decode().rstrip("="))


def remember_login(login: str) -> None:
    """Have `user:password`, as it stands in an address, masked from now on."""
    user, _, password = login.partition(":")
    plain = f"{unquote(user)}:{unquote(password)}"
    if password:
        # A header has both in base64, in which the end of one is no end of the other.
        coded = base64.b64encode(plain.encode()).decode().rstrip("=")
        _add(login, plain, coded, coded.translate({43: "-", 47: "_"}))
    for secret in (password, unquote(password)):
        if len(secret) >= _SHORTEST_PASSWORD:
            _add(secret)
    if not password and len(user) >= _SHORTEST:
        _add(user, unquote(user))  # a token in the place of the name


def mask(text: str) -> str:
    """Return `text` with `***` in the place of secrets and of what looks like one."""
    if _secrets:
        text = _pattern(frozenset(_secrets)).sub(MASK, text)
        for secret in _secrets:
            text = _without_beginning(text, secret)
    return _LOGIN.sub(rf"\1{MASK}@", _HEADER.sub(rf"\1\2{MASK}", text))


def mask_address(text: str) -> str:
    """Return an address, right or not, without what may be a secret in it.

    Where a password ends is not known if it was not written as it should be: at the
    last @. A query may hold a key.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    if "@" in rest:
        rest = f"{MASK}@{rest.rpartition('@')[2]}"
    if "?" in rest:
        rest = f"{rest.partition('?')[0]}?{MASK}"
    return f"{scheme}{mark}{rest}"


def is_variable_name(text: str) -> bool:
    """Whether `text` can be quoted as the name of a variable that holds a key.

    By custom such names are in capitals, as no key is. A key may be written where its
    name belongs, and many a key could be the name of a variable.
    """
    words = re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", text)
    return bool(words) and ("_" in text or len(text) < 20)


def _add(*secrets: str) -> None:
    _secrets.update(filter(None, secrets))


@cache
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    # The longest first: one may begin another.
    return re.compile(
        "|".join(map(_bounded, sorted(forms, key=lambda it: (-len(it), it)))),
        re.IGNORECASE,
    )


def _forms(secret: str) -> set[str]:
    """Return the ways to write a secret: in addresses, JSON, web pages and `repr`."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        secret.replace("/", "\\/"),
        secret.replace("\\", "\\\\"),
        html.escape(secret),
    }


def _bounded(form: str) -> str:
    """Return the pattern of a form: a word of prose is masked as a whole word only."""
    if re.search(r"\d", form) and len(form) >= 12:
        return re.escape(form)
    # After the escapes of `repr` and JSON a word begins too: b"\nsecret".
    begins = r"(?:(?<![^\W_])|(?<=\\[abfnrtv])|(?<=\\x[0-9a-f]{2})|(?<=%[0-9a-f]{2}))"
    return rf"{begins}{re.escape(form)}(?![^\W_])"


def _without_beginning(text: str, secret: str) -> str:
    """Mask a secret that is cut off with the text, as long as it says much."""
    for length in range(len(secret) - 1, _SHORTEST - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + MASK
    return text
