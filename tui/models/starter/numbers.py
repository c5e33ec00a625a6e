"""Reads numbers in digits and words, English and Chinese."""

import re
from typing import NamedTuple

from tui.models.starter.words import LEXICON, pattern

_WORDS = LEXICON["numbers"]
_ENGLISH: dict[str, int] = {
    **{word: n for n, word in enumerate(_WORDS["small"].split())},
    **{word: 10 * n for n, word in enumerate(_WORDS["tens"].split(), 2)},
    "dozen": 12,
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = "|".join([*_ENGLISH, *_SCALES])
_ENGLISH_RUN = re.compile(
    rf"\b(?:(?:a|half a)\s+(?=dozen|hundred|thousand|million))?(?:{_WORD})"
    rf"(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*\b",
    re.IGNORECASE,
)
_DIGIT = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000}
_CHINESE_RUN = pattern(_WORDS["chinese_run"])
_DIGITS, _TIME_UNIT, _INDEFINITE = (
    pattern(_WORDS[name]) for name in ("digits", "time_unit", "indefinite")
)
_SECONDS: dict[str, int] = {
    word: n for words, n in _WORDS["seconds"].items() for word in words.split()
}


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
    found: list[Number] = []
    for m in _DIGITS.finditer(text):
        raw = m[0].rstrip(",")
        value = float(raw.replace(",", ""))
        found.append(Number(value, m.start(), m.start() + len(raw)))
    for m in _ENGLISH_RUN.finditer(text):
        if m[0].lower() != "one" or _TIME_UNIT.match(text, m.end()):
            found.append(Number(_english(m[0]), m.start(), m.end()))
    for m in _CHINESE_RUN.finditer(text):
        if m[0]:
            value = _chinese(m[0])
            if value is not None:
                found.append(Number(value, m.start(), m.end()))
    result: list[Number] = []
    for n in sorted(found, key=lambda n: (n.start, -n.end)):
        if result and n.start < result[-1].end:
            continue
        if ":" in (text[n.start - 1 : n.start], text[n.end : n.end + 1]):
            continue  # a time of day, as in 7:30
        value, end, seconds = n.value, n.end, 0
        if scale := re.match(r"\s*([kK]\b|万)", text[end:]):
            value *= 10_000 if scale[1] == "万" else 1000
            end += scale.end()
        if unit := _TIME_UNIT.match(text, end):
            seconds = _SECONDS[(unit[1] or unit[2]).lower()]
        result.append(Number(value, n.start, end, seconds))
    for m in _INDEFINITE.finditer(text):
        if any(m.start() < n.end and n.start < m.end() for n in result):
            continue
        unit_text = m["unit"] or m["unit2"] or m["unit3"] or "周"
        half = m["half"] or m["half2"] or m["unit2"]
        result.append(
            Number(
                0.5 if half else 1.0, m.start(), m.end(), _SECONDS[unit_text.lower()]
            )
        )
    if len(result) > 1:  # an article beside a real number: 订一张三人的桌子
        articles = {n for n in result if re.match(r"一[只张条次个]", text[n.start :])}
        result = [n for n in result if n not in articles or n.seconds]
    return sorted(result, key=lambda n: n.start)


def seconds_of(text: str) -> int:
    """Return the unit of time that a parameter's name or description speaks of.

    In seconds; 0 when it speaks of none.
    """
    for word in re.findall(r"[a-z]+", text.lower()):
        unit = _SECONDS.get(word) or _SECONDS.get(word.removesuffix("s"))
        if unit:
            return unit
    return 0


def _english(run: str) -> float:
    total = current = 0
    for word in re.findall(r"[a-z]+", run.lower()):
        if word in ("a", "and"):
            continue
        if word == "half":
            return 6.0
        if word == "dozen":
            current = (current or 1) * 12
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _SCALES:
            total += (current or 1) * _SCALES[word]
            current = 0
        else:
            current += _ENGLISH[word]
    return float(total + current)


def _chinese(run: str) -> float | None:
    if not any(c in _CHINESE_SCALES or c == "万" for c in run):
        if any(c not in _DIGIT for c in run):
            return None
        return float("".join(str(_DIGIT[c]) for c in run))
    total = section = digit = 0
    for c in run:
        if c in _DIGIT:
            digit = _DIGIT[c]
        elif c == "万":
            total += (section + digit) * 10_000
            section = digit = 0
        else:
            section += (digit or 1) * _CHINESE_SCALES[c]
            digit = 0
    return float(total + section + digit)
