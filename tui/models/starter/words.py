"""Splits English and Chinese messages into words, and marks those with meaning.

The words themselves stand in lexicon.toml: grammar, everyday phrases and a small
dictionary, no subject matter.
"""

import functools
import re
import tomllib
from importlib import resources
from typing import Any

from tui.messages import Message

LEXICON: dict[str, Any] = tomllib.loads(
    resources.files("tui.models.starter").joinpath("lexicon.toml").read_text("utf-8")
)


def pattern(text: str, **parts: str) -> re.Pattern[str]:
    """Compile a pattern of the lexicon, with its `parts`: see there."""
    for name, part in {**LEXICON["parts"], **parts}.items():
        text = text.replace(name, part)
    return re.compile(text.replace("\n", "").replace(" ", r"\s"), re.IGNORECASE)


PATTERNS = {name: pattern(text) for name, text in LEXICON["patterns"].items()}
_REWRITTEN = {
    table: [(pattern(said), meant) for said, meant in LEXICON[table].items()]
    for table in ("contractions", "arithmetic")
}
STOP = frozenset(LEXICON["stop"].split())
FILLER = re.compile("|".join(sorted(LEXICON["filler"].split(), key=len, reverse=True)))
POINTS: dict[str, float] = LEXICON["points"]

_UNIT = pattern("|".join(f"(?P<{k}>{text})" for k, text in LEXICON["units"].items()))
_SUFFIXES = LEXICON["suffixes"].split()


def rewritten(text: str, table: str) -> str:
    """Return `text` with each phrase of a table of the lexicon replaced."""
    for said, meant in _REWRITTEN[table]:
        text = said.sub(meant, text)
    return text


def examples(table: str) -> list[Message]:
    """Return what the model reads before a message, from a table of the lexicon.

    It stays when older messages are left out.
    """
    turns = [Message("system", LEXICON[table]["system"])]
    for asked, answer in LEXICON[table]["examples"]:
        turns.append(Message("user", asked, pinned=True))
        turns.append(Message("assistant", answer, pinned=True))
    return turns


@functools.lru_cache(256)
def units(text: str) -> tuple[re.Match[str], ...]:
    """Return the words, Chinese characters, numbers, quotations ... of `text`.

    The `lastgroup` of each is its kind, a key of `[units]` in the lexicon.
    """
    return tuple(_UNIT.finditer(text))


def has_han(text: str) -> bool:
    """Whether `text` has a Chinese character."""
    return PATTERNS["han"].search(text) is not None


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
    return PATTERNS["english_word"].findall(spaced.replace("’", "'").lower())


@functools.lru_cache(1024)
def content(text: str) -> frozenset[str]:
    """Return the stems of the English words in `text` that carry a meaning."""
    return frozenset(stem(w) for w in english(text) if w not in STOP and len(w) > 1)
