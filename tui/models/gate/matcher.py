"""Compiles the rules that hold at one moment into a few regular expressions.

Prose must be cheap: one search finds the next character at which any rule could
begin, and only there the rules themselves are tried, in C and all at once.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from tui.models.gate.patterns import (
    Atoms,
    Lit,
    part,
    starts,
    whole,
    with_names,
)
from tui.models.gate.rules import Channel, Dialect, Drop, Payload, Rule, Switch

_ANCHORS = {"any": "", "line": "(?m:^)", "start": "", "called": ""}


class RuleSet:
    """The rules of one moment; `quoted` is what holds inside Markdown quoting."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str]) -> None:
        self.rules = [
            replace(
                r, marker=with_names(r.marker, names), look=with_names(r.look, names)
            )
            for r in rules
        ]
        self.simple = all(r.anchor == "any" and r.quotable for r in self.rules)
        """One letter at the end may begin a rule, unless Markdown quotes it."""
        self.quotable = any(r.quotable for r in self.rules)
        self.far = any(r.unless for r in self.rules)
        """One looks back behind the last piece."""
        self.first = re.compile(_first(self.rules))
        self.open = re.compile(_choice(self.rules))
        self.quoted = re.compile(_choice(self.rules, quoted=True))

    def rule(self, found: re.Match[str]) -> Rule | None:
        """Return the rule that matched whole, None when one only may yet."""
        group = found.lastgroup or "part"
        return None if group == "part" else self.rules[int(group[1:])]

    def cut_off(self, text: str, at: int, quoted: bool) -> bool:
        """Say whether the rest of the text is a call that ends after its marker."""
        return any(
            bool(rule.sign)
            and isinstance(rule.action, Payload)
            and not (quoted and rule.quotable)
            and text.startswith(rule.sign, at)
            and re.compile(_begun(rule)).match(text, at) is not None
            for rule in self.rules
        )


@lru_cache(maxsize=256)
def rule_set(
    dialect: Dialect,
    names: tuple[str, ...] | None,
    channel: Channel,
    closes: tuple[str, ...],
    fresh: bool,
    may_think: bool,
    called: bool,
) -> RuleSet:
    """Return the rules that hold now.

    `names` are the offered tools (None: none were offered), `closes` are what ends the
    reasoning that is open, `fresh` says that only white space has come so far, and
    `called` that a call has.
    """
    rules: list[Rule] = []
    if channel == "reasoning":
        rules += [
            Rule((Lit(close),), (), Switch("text"), quotable=False) for close in closes
        ]
    elif channel == "text":
        for thinking in dialect.thinking:
            if thinking.anywhere or (fresh and may_think):
                marker = (Lit(thinking.open),)
                rules.append(Rule(marker, (), Switch("reasoning"), quotable=False))
    if names is not None or dialect.structural:
        rules += [
            r
            for r in dialect.rules
            if (fresh or r.anchor != "start") and (called or r.anchor != "called")
        ]
    quotable = not dialect.special
    rules += [Rule((Lit(t),), (), Drop(), quotable=quotable) for t in dialect.dropped]
    mute = Switch("nothing", for_ever=True)
    rules += [Rule((Lit(t),), (), mute, quotable=False) for t in dialect.endings]
    return RuleSet(rules, names or ())


@lru_cache(maxsize=64)
def after_set(rules: tuple[Rule, ...], names: tuple[str, ...]) -> RuleSet:
    """Return what is looked for directly behind a payload only."""
    return RuleSet(rules, names)


def _choice(rules: Sequence[Rule], quoted: bool = False) -> str:
    choices: list[str] = []
    begun: list[str] = []
    for i, rule in enumerate(rules):
        if quoted and rule.quotable:
            continue
        ahead = f"(?={whole(rule.look)})" if rule.look else ""
        choices.append(f"(?P<r{i}>{_place(rule)}{whole(rule.marker)}{ahead})")
        begun.append(_begun(rule))
    if begun:
        choices.append(f"(?P<part>{'|'.join(begun)})")
    return "|".join(choices) or "(?!)"


def _begun(rule: Rule) -> str:
    atoms: Atoms = (*rule.marker, *rule.look)
    return _place(rule) + part(atoms)


def _place(rule: Rule) -> str:
    return _ANCHORS[rule.anchor] + rule.unless


def _first(rules: Sequence[Rule]) -> str:
    """Return an expression for where any rule could begin, by its first two letters."""
    begun: dict[tuple[bool, str], set[str]] = {}
    for rule in rules:
        for first, second in starts((*rule.marker, *rule.look)):
            begun.setdefault((rule.anchor == "line", first), set()).add(second)
    choices: list[str] = []
    for (line, first), seconds in sorted(begun.items()):
        char = f"[{first}]" if len(first.lstrip("\\")) > 1 else first
        ahead = "" if "" in seconds else rf"(?=[{''.join(sorted(seconds))}]|\Z)"
        choices.append(("(?m:^)" if line else "") + char + ahead)
    return "|".join(choices) or "(?!)"
