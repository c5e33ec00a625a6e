"""Classifies a message by its grammar: request, remark, small talk.

Each purpose that needs no tool has a pattern of everyday phrases. A phrase is evidence
only, weighed against a tool's own.
"""

import re
from collections.abc import Collection, Sequence

from tui.messages import ToolSchema
from tui.models.starter.words import LEXICON, has_han, pattern

_PURPOSES = {
    name: (pattern(phrases), re.sub(r"\\\w", " ", phrases))
    for name, phrases in LEXICON["purposes"].items()
}
"""What is weighed against every tool: phrases, and the words in them."""
_PATTERNS = {name: pattern(text) for name, text in LEXICON["patterns"].items()}
_ITSELF = LEXICON["itself"]
_LONGEST_ABOUT_ITSELF = 120
"""Characters of a question about the assistant; a longer text says more than that."""
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
    negated = [speaks_of("nothing", c) for c in clauses]
    return any(negated) and all(
        no or (_remarks(c) and not _asks(c))
        for no, c in zip(negated, clauses, strict=True)
    )


def speaks_of(purpose: str, text: str) -> bool:
    """Whether a phrase of `purpose`, by its name in the lexicon, stands in `text`."""
    return _PURPOSES[purpose][0].search(spelled_out(text)) is not None


def against(text: str, words: Collection[str]) -> float:
    """Return the points of the phrases and the grammar in `text` that want no tool.

    A phrase that is made of one of `words`, those of a tool, is none: "What does
    ephemeral mean?" is general knowledge, unless a tool is about meanings.
    """
    spelled, lower = spelled_out(text), text.lower()
    hints = {
        name
        for name, (phrases, typical) in _PURPOSES.items()
        if phrases.search(spelled)
        and not any(_speaks(w, typical, lower) for w in words)
    }
    clauses = _clauses(text)
    if not any(map(_asks, clauses)) and any(map(_remarks, clauses)):
        hints.add("past")
    return _PHRASE + _SECOND_PHRASE * (len(hints) - 1) if hints else 0.0


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
