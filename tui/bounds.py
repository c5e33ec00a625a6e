"""Limits for data from outside: servers, tools, imports, the store.

A value is bounded once, where it enters, so that code which shows, counts or sends it
need not check its depth or size. Data beyond a limit is reported; the rest is used.
"""

import codecs
import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

import msgspec

from tui.i18n import N_, _

DEEPEST = 64
"""Most levels of nested lists and objects.

Python's limit of 1,000 calls counts the whole stack, so data near it can be read by one
caller and not by another. No tool's API nests more than a dozen levels.
"""

LARGEST = 2**53 - 1
"""The largest count that all JSON readers support (RFC 8259, section 6)."""

LARGEST_RECORD = 16 << 20
"""Most bytes of an event as JSON: more than the text that fits any model's window."""

LONGEST_OUTPUT = 1 << 20
"""Most characters of a tool's output that the log keeps."""

T = TypeVar("T")

_LAST = 253_370_764_800.0
"""9999-01-01 in seconds since the epoch: the last year that a calendar supports."""


def is_deep(value: Any, limit: int = DEEPEST) -> bool:
    """Return whether lists and objects are nested more than `limit` levels deep.

    The function is iterative, so it works at any depth.
    """
    level: list[Any] = [value]
    for __ in range(limit):
        level = [part for each in level for part in _parts(each)]
        if not level:
            return False
    return any(isinstance(each, Mapping | list | tuple) for each in level)


def may_be_deep(data: bytes) -> bool:
    """Return whether JSON has enough brackets that its depth must be checked."""
    return data.count(b"[") + data.count(b"{") > DEEPEST


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return cast(Mapping[Any, Any], value).values()
    return cast(list[Any], value) if isinstance(value, list | tuple) else ()


def shallow(value: Any, limit: int = DEEPEST) -> Any:
    """Return `value` with "…" in place of values more than `limit` levels deep."""
    match value:
        case dict():
            if limit <= 0:
                return "…"
            entries = cast(dict[Any, Any], value).items()
            return {key: shallow(each, limit - 1) for key, each in entries}
        case list() | tuple():
            if limit <= 0:
                return "…"
            return [shallow(each, limit - 1) for each in cast(list[Any], value)]
        case _:
            return value


def decode(data: bytes | str) -> Any:
    """Return the value of JSON from outside; raises ValueError if it is invalid.

    JSON that is too deep, numbers that are too large and bytes that are not UTF-8 are
    invalid.
    """
    try:
        value = msgspec.json.decode(data)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    if is_deep(value):
        raise ValueError(TOO_DEEP)
    return value


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8; of many no copy is made."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(data)
    try:
        for at in range(0, len(data), 1 << 20):
            decoder.decode(view[at : at + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def decode_as(data: bytes | str, type: type[T]) -> T:
    """Return the `type` that JSON in a file describes; raises ValueError if not.

    It must be valid as for `decode`. A byte order mark is not part of it.
    """
    try:
        encoded = data.encode() if isinstance(data, str) else data
        encoded = encoded.removeprefix(b"\xef\xbb\xbf")
        value = msgspec.json.decode(encoded, type=type)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    if without_deep(encoded, DEEPEST) != encoded:
        raise ValueError(TOO_DEEP)
    return value


def decode_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML file; raises ValueError if it is invalid.

    It is also invalid if it is too deep or has too large a number. The subclass
    `tomllib.TOMLDecodeError` says where.
    """
    import tomllib  # not every process reads such a file

    if _LONG_KEY.search(text):  # tomllib's time is quadratic in it
        raise ValueError(TOO_DEEP)
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except ValueError as error:  # Python reads 4,300 digits at most
        raise ValueError(_("a number has too many digits")) from error
    if is_deep(table):
        raise ValueError(TOO_DEEP)
    if not _has_fair_numbers(table):
        raise ValueError(_("a number is larger than 64 bits can hold"))
    return table


_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){1000}"""
)
"""A key of so many parts, or what looks like one in a text, which nobody writes."""


def _has_fair_numbers(value: Any) -> bool:
    """Return whether all integers in what is not deep are as large as TOML's may be."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return all(map(_has_fair_numbers, _parts(value)))


_DEEP_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def without_deep(data: bytes, limit: int = 2 * DEEPEST) -> bytes:
    """Return JSON with null in place of values nested more than `limit` levels deep.

    Use it for JSON that is too deep for any reader. With the default limit, `is_deep`
    still recognises the result as too deep. JSON that is cut off within the depth stays
    invalid.
    """
    kept: list[bytes] = []
    depth = start = 0
    for token in _DEEP_TOKEN.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            if depth == limit:
                kept += data[start : token.start()], b"null"
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth == limit:
                start = token.end()
    return b"".join([*kept, data[start:] if depth <= limit else b""])


TOO_DEEP = f"lists or objects are nested more than {DEEPEST} levels deep"


def count(value: Any) -> int:
    """Return a count from a server or file; 0 if it makes no sense."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), LARGEST)


def duration(value: Any) -> float:
    """Return a duration in seconds; 0.0 if it makes no sense."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value <= _LAST and math.isfinite(value) else 0.0


def money(value: Any) -> float | None:
    """Return a sum of money; None if it makes no sense."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST_MONEY else None


_MOST_MONEY = 1e9


def moment(value: Any) -> float:
    """Return a time in seconds since the epoch; 0.0 (unknown) if it is invalid."""
    return duration(value)


UNKNOWN_TIME = N_("unknown time")


def spell_time(seconds: float, form: str) -> str:
    """Return a `moment` in local time, formatted by `time.strftime` with `form`.

    An unknown time is `UNKNOWN_TIME`, padded to the same width.
    """
    try:
        if known := moment(seconds):
            return time.strftime(form, time.localtime(known))
    except (ValueError, OverflowError, OSError):  # a time zone may support fewer years
        pass
    return _(UNKNOWN_TIME).ljust(len(time.strftime(form, time.localtime(0))))
