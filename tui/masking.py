"""Masks secrets in errors, notices and logs.

Servers quote keys in any form in which they received them, and libraries quote the
servers. So this module learns each secret of the process at its first use, and every
report of a failure passes through `mask`. The set is shared by all models: a key is
secret whichever server quotes it.
"""

import base64
import html
import re
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

_secrets: set[str] = set()

# The text after these words is a secret, even an unknown one.
_HEADER = re.compile(
    r"\b(basic|bearer)(\s+|%20)(?=[\w+/.~%-]*[\d=])[\w+/.~%-]{8,}=*", re.IGNORECASE
)
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"'<>]+@", re.IGNORECASE)


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
    """Return `text` with `***` in place of secrets and of text that looks like one."""
    if _secrets:
        text = _pattern(frozenset(_secrets)).sub(MASK, text)
        for secret in _secrets:
            text = _mask_cut_off(text, secret)
    return _LOGIN.sub(rf"\1{MASK}@", _HEADER.sub(rf"\1\2{MASK}", text))


def mask_address(text: str) -> str:
    """Return an address, even an invalid one, without parts that may be secret.

    If a password was not escaped, its end is unknown; the last @ is taken. A query may
    hold a key.
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
    """Return whether `text` may be quoted as the name of a variable for a key.

    By convention such names are upper case, as no key is. A user may write a key in
    place of its variable's name, and many keys are valid variable names.
    """
    words = re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", text)
    return bool(words) and ("_" in text or len(text) < 20)


def _add(*secrets: str) -> None:
    _secrets.update(filter(None, secrets))


@cache
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    # Longest first, as one form may be a prefix of another.
    return re.compile(
        "|".join(map(_bounded, sorted(forms, key=lambda it: (-len(it), it)))),
        re.IGNORECASE,
    )


def _forms(secret: str) -> set[str]:
    """Return a secret as written in addresses, JSON, web pages and `repr`."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        secret.replace("/", "\\/"),
        secret.replace("\\", "\\\\"),
        html.escape(secret),
    }


def _bounded(form: str) -> str:
    """Return the pattern of a form; one that looks like prose must be a whole word."""
    if re.search(r"\d", form) and len(form) >= 12:
        return re.escape(form)
    # A word may also begin after an escape of `repr` or JSON: b"\nsecret".
    begins = r"(?:(?<![^\W_])|(?<=\\[abfnrtv])|(?<=\\x[0-9a-f]{2})|(?<=%[0-9a-f]{2}))"
    return rf"{begins}{re.escape(form)}(?![^\W_])"


def _mask_cut_off(text: str, secret: str) -> str:
    """Mask a secret that the end of the text cuts off, if the part is long enough."""
    for length in range(len(secret) - 1, _SHORTEST - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + MASK
    return text
