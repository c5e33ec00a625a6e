"""Splits English and Chinese messages into words, and marks those with meaning.

The words themselves stand in lexicon.toml: grammar, everyday phrases and a small
dictionary, no subject matter.
"""

import functools
import re
import tomllib
from collections.abc import Collection, Iterable
from importlib import resources
from typing import Any

LEXICON: dict[str, Any] = tomllib.loads(
    resources.files("tui.models.starter").joinpath("lexicon.toml").read_text("utf-8")
)


def pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern of the lexicon: see there."""
    return re.compile(text.replace("\n", "").replace(" ", r"\s"), re.IGNORECASE)


STOP = frozenset(LEXICON["stop"].split())
FILLER = re.compile("|".join(sorted(LEXICON["filler"].split(), key=len, reverse=True)))
TEMPORAL = pattern(LEXICON["patterns"]["temporal"])
"""When something is: a day or a time of day."""

POINTS: dict[str, float] = LEXICON["points"]

_ARITHMETIC = pattern(LEXICON["patterns"]["arithmetic"])
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_SIGNS = {sign: pattern(words) for sign, words in LEXICON["signs"].items()}
_ANY_SIGN = "|".join(LEXICON["signs"].values())
_UNIT = pattern(
    "|".join(
        f"(?P<{kind}>{text.replace('SIGN', _ANY_SIGN).replace('HAN', _HAN)})"
        for kind, text in LEXICON["units"].items()
    )
)
_SUFFIXES = LEXICON["suffixes"].split()


@functools.lru_cache(256)
def units(text: str) -> tuple[re.Match[str], ...]:
    """Return the words, Chinese characters, numbers, quotations ... of `text`.

    The `lastgroup` of each is its kind, a key of `[units]` in the lexicon.
    """
    return tuple(_UNIT.finditer(text))


def is_sum(text: str) -> bool:
    """Whether `text` has arithmetic: 15% of 80, six times seven, 12乘以8."""
    written = any(unit.lastgroup == "sum" for unit in units(text))
    return written or bool(_ARITHMETIC.search(text))


def in_symbols(text: str) -> str:
    """Return arithmetic with signs for words: "12 times 8" is "12 * 8".

    What is not arithmetic throughout is returned as it is.
    """
    if [unit.lastgroup for unit in units(text)] != ["sum"]:
        return text
    for sign, words in _SIGNS.items():
        text = words.sub(f" {sign} ", text)
    return text


def has_han(text: str) -> bool:
    """Whether `text` has a Chinese character."""
    return re.search(f"[{_HAN}]", text) is not None


@functools.lru_cache(4096)
def stem(word: str) -> str:
    """Return `word` without case and the commonest English endings."""
    word = word.lower()
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            if len(word) > 3 and word[-1] == word[-2]:
                word = word[:-1]  # running, shipped
    return word


def english(text: str) -> list[str]:
    """Return the English words of `text` or of a name in code, in small letters."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_/-]", " ", text)
    return re.findall(rf"[^\W\d_{_HAN}]+(?:'[a-z]+)?", spaced.replace("’", "'").lower())


@functools.lru_cache(1024)
def content(text: str) -> frozenset[str]:
    """Return the stems of the English words in `text` that carry a meaning."""
    return frozenset(stem(w) for w in english(text) if w not in STOP and len(w) > 1)


_TRANSLATIONS: dict[str, list[str]] = {}
for _english, _chinese in LEXICON["translations"].items():
    for _word in _english.split():
        _TRANSLATIONS.setdefault(stem(_word), []).extend(_chinese.split())


def translated(stems: Iterable[str]) -> list[str]:
    """Return how Chinese messages may say the English words of these `stems`."""
    return [word for s in sorted(stems) for word in _TRANSLATIONS.get(s, ())]


def shared(text: str, stems: Collection[str], keywords: Iterable[str]) -> list[str]:
    """Return which of `stems` and `keywords` occur in `text`.

    A Chinese keyword is found inside a sentence; one that is part of another found
    one does not count again.
    """
    here, lower = content(text), text.lower()
    words = re.findall(r"\w+", lower)
    hits: dict[str, None] = {}
    for keyword in sorted(map(str.lower, keywords), key=len, reverse=True):
        if has_han(keyword):
            if keyword in lower and not any(keyword in hit for hit in hits):
                hits[keyword] = None
        elif " " in keyword.strip():
            if keyword.strip() in lower:
                hits.update(dict.fromkeys(content(keyword)))
        elif stem(keyword) in here or keyword in words:
            hits[stem(keyword)] = None
    hits.update(dict.fromkeys(here & set(stems)))
    return list(hits)
