"""Finds where any rule could start, which in prose is all the work there is.

In a short piece, one search with a pattern of all first characters is the fastest. In
a long one, it is one search for each literal: few of them occur.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tui.models.gate.grammar import Rule
from tui.models.gate.patterns import Starts

_DEPTH = 4
"""Elements of an opener that the search for it looks at."""

_MOST_HEADS = 60

BEHIND = {"line": r"[^\n]", "word": r"\w"}
"""Where what comes before matters: an opener may not follow such a character."""


class Scan(NamedTuple):
    """Finds openers in a long text by a literal that all of them begin with."""

    literal: str
    """"" for none."""
    pattern: re.Pattern[str]
    """Matches one character."""
    offset: int = 0
    """Where an opener begins, from there."""

    def may_find(self, text: str) -> bool:
        """Whether the literal occurs in the text, or begins at its end."""
        literal = self.literal
        return literal[:1] in text and (
            literal in text or literal[0] in text[1 - len(literal) :]
        )


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of many rules; costly, and re's own cache evicts it soon."""
    return re.compile(pattern)


@lru_cache(maxsize=64)
def heads_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return how the names begin, in as many characters as keep the patterns short."""
    heads: tuple[str, ...] = ()
    for length in range(_DEPTH, 0, -1):
        heads = tuple(sorted({name[:length] for name in names if name}))
        if len(heads) <= _MOST_HEADS:
            break
    return heads


def starts_of(rules: Iterable[Rule], heads: Sequence[str]) -> Starts:
    """Return how the openers of `rules` begin; `heads` as of `heads_of`."""
    found = Starts()
    for rule in rules:
        found.add((*rule.marker, *rule.look), heads, _DEPTH)
    return found


def scans_of(rules: Sequence[Rule], heads: Sequence[str]) -> Iterator[Scan]:
    """Yield scans that together find where any rule could start.

    They do not see what starts a text, where only the start of a line counts.
    """
    for anchor in (*BEHIND, ""):
        begun = starts_of((r for r in rules if _behind(r) == anchor), heads)
        if anchor == "line":
            if choices := "|".join(map("".join, begun.choices())):
                yield Scan("\n", compiled(rf"\n(?={choices})"), offset=1)
            continue
        for first, follow in begun.choices():
            before = f"(?<!{BEHIND[anchor]}{first})" if anchor else ""
            pattern = compiled(f"{first}{before}(?={follow})")
            yield Scan(begun.literal(first), pattern)


def _behind(rule: Rule) -> str:
    """Return the rule's anchor if what comes before it matters, else ""."""
    return rule.anchor if rule.anchor in BEHIND else ""


def first_of(rules: Sequence[Rule], heads: Sequence[str]) -> str:
    """Return a pattern for where any rule could start, by its first characters."""
    anywhere = starts_of((r for r in rules if r.anchor not in BEHIND), heads)
    choices = [first + follow for first, follow in anywhere.choices()]
    # Where each choice begins with a character, the search skips to those characters;
    # so what must be before the first is looked for from behind it.
    for anchor, before in BEHIND.items():
        begun = starts_of((r for r in rules if r.anchor == anchor), heads)
        choices += [
            f"{first}(?<!{before}{first}){follow}" for first, follow in begun.choices()
        ]
    return "|".join(choices) or "(?!)"
