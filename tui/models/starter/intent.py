"""Classifies a message by its grammar: request, remark, small talk.

Each purpose that needs no tool has a pattern of everyday phrases. A phrase is evidence
only, weighed against a tool's own.
"""

import re
from collections.abc import Collection, Sequence

from tui.messages import ToolSchema
from tui.models.starter.words import (
    LEXICON,
    PATTERNS,
    POINTS,
    has_han,
    pattern,
    rewritten,
)

_PURPOSES = {
    name: (pattern(phrases), re.sub(r"\\\w", " ", phrases))
    for name, phrases in LEXICON["purposes"].items()
}
"""What is weighed against every tool: phrases, and the words in them."""
_ITSELF = LEXICON["itself"]
_LONGEST_ABOUT_ITSELF = 120
"""Characters of a question about the assistant; a longer text says more than that."""


def requests(text: str) -> list[str]:
    """Return the parts of `text` that may each be a request of its own, at most 4."""
    return _parts("joints", text)[:4]


def goes_on(text: str) -> bool:
    """Whether `text` is a short question that continues the last one."""
    return len(text) <= 60 and PATTERNS["goes_on"].search(text) is not None


def declines(text: str) -> bool:
    """Whether `text` says not to do something, and asks for nothing else."""
    clauses = _parts("clauses", rewritten(text, "contractions"))
    rest = [c for c in clauses if not speaks_of("nothing", c)]
    return len(rest) < len(clauses) and all(_remarks([c]) for c in rest)


def speaks_of(purpose: str, text: str) -> bool:
    """Whether a phrase of `purpose`, by its name in the lexicon, stands in `text`."""
    return _PURPOSES[purpose][0].search(rewritten(text, "contractions")) is not None


def against(text: str, words: Collection[str]) -> float:
    """Return the points of the phrases and the grammar in `text` that want no tool.

    A phrase that is made of one of `words`, those of a tool, is none: "What does
    ephemeral mean?" is general knowledge, unless a tool is about meanings.
    """
    spelled, lower = rewritten(text, "contractions"), text.lower()
    hints = {
        name
        for name, (phrases, typical) in _PURPOSES.items()
        if phrases.search(spelled)
        and not any(_speaks(w, typical, lower) for w in words)
    }
    if _remarks(_parts("clauses", spelled)):
        hints.add("past")
    more = POINTS["second_phrase"] * (len(hints) - 1)
    return POINTS["phrase"] + more if hints else 0.0


def _speaks(word: str, *places: str) -> bool:
    """Whether `word` begins a word of each of `places`; a Chinese one stands in it."""
    if has_han(word):
        return all(word in place for place in places)
    begun = re.compile(rf"\b{re.escape(word)}")
    return len(word) > 2 and all(map(begun.search, places))


def _remarks(clauses: Sequence[str]) -> bool:
    """Whether one of `clauses` is a remark, and none asks for something."""
    asks, remarks = PATTERNS["asks"].search, PATTERNS["remarks"].search
    return any(map(remarks, clauses)) and not any(map(asks, clauses))


def _parts(split: str, text: str) -> list[str]:
    parts = PATTERNS[split].split(text)
    return [part.strip() for part in parts if re.search(r"\w", part)]


def asks_who(text: str) -> bool:
    """Whether `text` asks what the assistant is or what it can do."""
    return len(text) < _LONGEST_ABOUT_ITSELF and speaks_of("itself", text)


def introduction(text: str, tools: Sequence[ToolSchema]) -> str:
    """Return what the starter is, in the language of `text`, and its tools.

    The model does not know: asked, it makes up a name and a maker.
    """
    language = "chinese" if has_han(text) else "english"
    names = ", ".join(tool.name for tool in tools)
    listed = _ITSELF[f"{language}_tools"].format(names=names) if names else ""
    return _ITSELF[language] + listed
