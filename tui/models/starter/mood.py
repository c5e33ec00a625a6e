"""Classifies a message by its grammar: request, remark, small talk.

Each purpose that needs no tool has a wish, for the model's likelihood, and a pattern of
everyday phrases. A phrase is evidence only, weighed against a tool's own.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

from tui.models.starter.words import LEXICON, has_han, pattern


class Purpose(NamedTuple):
    """Something that people say which asks for no tool."""

    wish: str
    """Continues "The user wants to"."""
    phrases: re.Pattern[str]
    typical: str
    """The words of its phrases."""


PURPOSES = [
    Purpose(p["wish"], pattern(p["phrases"]), re.sub(r"\\\w", " ", p["phrases"]))
    for p in LEXICON["purposes"]
]
"""What is weighed against every tool."""
ABOUT, NOTHING = (
    next(p for p in PURPOSES if word in p.wish)
    for word in ("the assistant is", "nothing")
)
_PATTERNS = {name: pattern(text) for name, text in LEXICON["patterns"].items()}
_PHRASE, _SECOND_PHRASE = 7.0, 2.0
"""Points for a typical phrase of a purpose; for each purpose beside the first."""


def spelled_out(text: str) -> str:
    """Return `text` with "what's" as "what is", "I'm" as "I am" and the like."""
    text = re.sub(
        r"\b(what|who|where|how|when|that|it|there)['’]s\b", r"\1 is", text, flags=re.I
    )
    return re.sub(r"\bi['’]m\b", "I am", text, flags=re.I).replace("’", "'")


def requests(text: str) -> list[str]:
    """Return the parts of `text` that may each be a request of its own, at most 4."""
    parts = _PATTERNS["joints"].split(text)
    return [c.strip() for c in parts if re.search(r"\w", c)][:4]


def goes_on(text: str) -> bool:
    """Whether `text` is a short question that goes on with the last one."""
    return len(text) <= 60 and _PATTERNS["goes_on"].search(text) is not None


def declines(text: str) -> bool:
    """Whether `text` says not to do something, and asks for nothing else."""
    clauses = _clauses(text)
    negated = [NOTHING.phrases.search(c) is not None for c in clauses]
    return any(negated) and all(
        no or (_remarks(c) and not _asks(c))
        for no, c in zip(negated, clauses, strict=True)
    )


def against(text: str, words: Collection[str]) -> list[float]:
    """Return for each of `PURPOSES` the points of its phrases and grammar in `text`.

    A phrase that is made of one of `words`, those of a tool, is none: "What does
    ephemeral mean?" is general knowledge, unless a tool is about meanings.
    """
    spelled = spelled_out(text)
    hints = [
        purpose.phrases.search(spelled) is not None
        and not any(_speaks(w, purpose.typical, text.lower()) for w in words)
        for purpose in PURPOSES
    ]
    clauses = _clauses(text)
    if not any(map(_asks, clauses)) and any(map(_remarks, clauses)):
        hints[-1] = True
    more = _SECOND_PHRASE * (sum(hints) - 1)
    return [_PHRASE + more if hint else 0.0 for hint in hints]


def _speaks(word: str, *places: str) -> bool:
    """Whether `word` begins a word of each of `places`; a Chinese one stands in it."""
    if has_han(word):
        return all(word in place for place in places)
    begun = re.compile(rf"\b{re.escape(word)}")
    return len(word) > 2 and all(map(begun.search, places))


def _asks(clause: str) -> bool:
    return _PATTERNS["asks"].search(clause) is not None


def _remarks(clause: str) -> bool:
    return _PATTERNS["remarks"].search(clause) is not None


def _clauses(text: str) -> list[str]:
    parts = _PATTERNS["clauses"].split(spelled_out(text))
    return [c for c in parts if re.search(r"\w", c)]
