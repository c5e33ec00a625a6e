"""Reads numbers and arithmetic, in digits and words, English and Chinese."""

import re
from functools import lru_cache
from typing import NamedTuple

from tui.models.starter.words import LEXICON, PATTERNS, has_han, pattern, rewritten


def _table(name: str) -> dict[str, int]:
    rows: dict[str, int] = LEXICON["numbers"][name]
    return {word: n for words, n in rows.items() for word in words.split()}


_VALUES, _SECONDS = _table("values"), _table("seconds")
_SCALES, _GREAT = _table("scales"), _table("great_scales")
"""What multiplies the word before it, and all words since the last great scale."""
_TOKENS = sorted({**_VALUES, **_SCALES, **_GREAT}, key=len, reverse=True)
_TOKEN = re.compile("|".join(_TOKENS))
_WORD = "|".join(filter(str.isascii, _TOKENS))
_ENGLISH = pattern(LEXICON["numbers"]["english_run"], WORD=_WORD)
_IN_WORDS = (_ENGLISH, PATTERNS["chinese_run"])
CALCULATION = PATTERNS["calculation"]
"""Arithmetic or a conversion in signs; `lastgroup` says which."""
_MEASURES = {m: f" {n} " for n, row in LEXICON["measures"].items() for m in row.split()}
_MEASURE = pattern("|".join(sorted(_MEASURES, key=len, reverse=True)))


class Number(NamedTuple):
    """A number of the message and where it stands."""

    value: float
    start: int
    end: int
    seconds: int = 0
    """Of the unit of time that follows it; 0 when none does."""


def numbers(text: str) -> list[Number]:
    """Return the numbers in `text` in order: `3`, `2,500`, `twenty-five`, `十五`.

    A length of time without a number counts too (`for a week`, `半小时`).
    """
    digits = PATTERNS["digits"].finditer(text)
    found = [(float(m[0].replace(",", "")), *m.span()) for m in digits]
    for run in _IN_WORDS:
        found += [(_value(m[0]), *m.span()) for m in run.finditer(text)]
    result: list[Number] = []
    for value, start, end in sorted(found, key=lambda n: (n[1], -n[2])):
        if result and start < result[-1].end:
            continue
        if ":" in (text[start - 1 : start], text[end : end + 1]):
            continue  # a time of day, as in 7:30
        if scale := PATTERNS["thousands"].match(text, end):
            value *= 10_000 if scale[1] == "万" else 1000
            end = scale.end()
        unit = PATTERNS["time_unit"].match(text, end)
        seconds = _SECONDS[(unit[1] or unit[2]).lower()] if unit else 0
        result.append(Number(value, start, end, seconds))
    for m in PATTERNS["indefinite"].finditer(text):
        if all(m.end() <= n.start or n.end <= m.start() for n in result):
            value = 0.5 if m[0].lower().startswith(("half", "半")) else 1.0
            seconds = _SECONDS[m[m.lastindex or 0].lower()]
            result.append(Number(value, *m.span(), seconds))
    return sorted(result, key=lambda n: n.start)


def seconds_of(text: str) -> int:
    """Return the seconds of the first unit of time in `text`, 0 for none."""
    words = re.findall(r"[a-z]+", text.lower())
    units = (_SECONDS.get(w) or _SECONDS.get(w.removesuffix("s")) for w in words)
    return next(filter(None, units), 0)


class Arithmetic(NamedTuple):
    """What is to be calculated in a message."""

    text: str
    """The message, in digits and signs where it calculates: 12 * 8, 10 km in miles."""
    kinds: frozenset[str]
    """Which of `sum` and `conversion` stand in it."""
    rest: str
    """The message without them."""


@lru_cache(64)
def arithmetic(text: str) -> Arithmetic:
    """Find what is to be calculated in `text`: 15% of 80, six times 7, 12乘以8."""
    signs = text
    for run in _IN_WORDS:
        signs = run.sub(lambda m: f"{_value(m[0]):.15g}", signs)
    signs = _MEASURE.sub(lambda m: _MEASURES[m[0]], signs)
    signs = rewritten(signs, "arithmetic")
    kinds = frozenset(m.lastgroup or "" for m in CALCULATION.finditer(signs))
    return Arithmetic(signs, kinds, CALCULATION.sub("", signs))


def _value(run: str) -> float:
    """Return the number that `run` names: two hundred and five, 两百零五."""
    total = section = 0.0
    last = 0.5 if run.lower().startswith("half") else 0.0
    for word in _TOKEN.findall(run.lower()):
        if word in _GREAT:
            total += (section + last or 1) * _GREAT[word]
            section = last = 0.0
        elif word in _SCALES:
            section += (last or 1) * _SCALES[word]
            last = 0.0
        else:  # 二五 is 25
            last = _VALUES[word] + last * (10 if has_han(word) else 1)
    return total + section + last
