"""Compiles the rules in force into a few regular expressions.

Prose must be cheap: one search finds the next character at which any rule could
start, and only there are the rules themselves tried, all in one match.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from tui.models.gate.grammar import (
    Channel,
    Dialect,
    Drop,
    Payload,
    Rule,
    Switch,
    marker_atoms,
)
from tui.models.gate.patterns import (
    Atoms,
    Lit,
    Names,
    part,
    starts,
    whole,
    with_names,
)

_ANCHORS = {"any": "", "line": "(?m:^)", "start": "", "called": ""}


class Found(NamedTuple):
    """A match at a position of the text."""

    rule: Rule | None
    """None: more text may complete a rule's opener."""
    end: int
    """The position after the marker."""


class _Near(NamedTuple):
    """The rules that could start with some characters."""

    rules: list[Rule]
    """Those without tool names, in the pattern's order."""
    pattern: re.Pattern[str]
    named: list[Rule]
    """Those with tool names, each a pattern of its own."""


_MOST_NEARS = 256


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of many rules; costly, and re's own cache evicts it soon."""
    return re.compile(pattern)


class RuleSet:
    """The rules in force at one point of a stream.

    Patterns are compiled on first use, since compiling is the costly part; rules with
    tool names are compiled one by one, since each grows with the number of tools.
    """

    def __init__(self, rules: Sequence[Rule], names: Sequence[str]) -> None:
        self.rules = [_with_tools(r, tuple(names)) for r in rules]
        self._nears: dict[tuple[str, bool], _Near] = {}
        anywhere = all(r.anchor == "any" for r in self.rules)
        self.simple = anywhere and len({r.quotable for r in self.rules}) < 2
        """A last character that may start a rule can be held without further checks."""
        self.quotable = any(r.quotable for r in self.rules)
        self.far = any(r.unless for r in self.rules)
        """Some rule looks behind, past the start of the current chunk."""
        self.first = re.compile(_first(self.rules))
        """Finds where any rule could start."""
        leads = {first for r in self.rules for first, _ in starts((*r.marker, *r.look))}
        self.lead = leads.pop() if len(leads) == 1 else ""
        """The one character with which all rules start, "" if there are several;
        `in` finds a character faster than a pattern does."""
        if len(self.lead) != 1:
            self.lead = ""

    def _near(self, begun: str, quoted: bool) -> _Near:
        """Return what could start with up to two characters, compiled once for each.

        `auto` has a hundred rules, of which two characters leave a few.
        """
        near = self._nears.get((begun, quoted))
        if near is None:
            if len(self._nears) >= _MOST_NEARS:
                self._nears.clear()
            fit = [
                r
                for r in self.rules
                if not (quoted and r.quotable) and (not begun or _start(r).match(begun))
            ]
            plain = [r for r in fit if not _names_tools(r)]
            named = [r for r in fit if _names_tools(r)]
            near = _Near(plain, _compiled(_choice(plain, begun)), named)
            self._nears[begun, quoted] = near
        return near

    def at(self, text: str, at: int, quoted: bool = False) -> Found | None:
        """Return the rule that opens at a position; `quoted` by Markdown or not."""
        rules, pattern, named = self._near(text[at : at + 2], quoted)
        partly = None
        if found := pattern.match(text, at):
            group = found.lastgroup or "part"
            if group != "part":
                return Found(rules[int(group[1:])], found.end())
            partly = Found(None, found.end())
        for rule in named:
            if found := _alone(rule).match(text, at):
                if found.lastgroup != "part":
                    return Found(rule, found.end())
                partly = Found(None, found.end())
        return partly

    def cut_off(self, text: str, at: int, quoted: bool) -> bool:
        """Return whether the rest of the text is the start of a call, past its sign."""
        return any(
            isinstance(rule.action, Payload)
            and not (quoted and rule.quotable)
            and rule.cut_off(text, at)
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
    """Return the rules in force.

    `names` are the offered tools (None: none were offered), `closes` the markers that
    close the open reasoning; `fresh` says that only white space has come so far, and
    `called` that a call has.
    """
    rules: list[Rule] = []
    if channel == "reasoning":
        rules += [
            Rule(marker_atoms(close), (), Switch("text"), quotable=False)
            for close in closes
        ]
    elif channel == "text":
        for thinking in dialect.thinking:
            if thinking.anywhere or (fresh and may_think):
                marker = marker_atoms(thinking.open)
                rules.append(Rule(marker, (), Switch("reasoning"), quotable=False))
    rules += [
        r
        for r in dialect.rules
        if (fresh or r.anchor != "start")
        and (called or r.anchor != "called")
        and (names is not None or dialect.structural or r.structural)
    ]
    quotable = not dialect.special
    rules += [Rule((Lit(t),), (), Drop(), quotable=quotable) for t in dialect.dropped]
    mute = Switch("nothing", permanent=True)
    rules += [Rule((Lit(t),), (), mute, quotable=False) for t in dialect.endings]
    return RuleSet(rules, names or ())


@lru_cache(maxsize=64)
def after_set(rules: tuple[Rule, ...], names: tuple[str, ...]) -> RuleSet:
    """Return the rules tried only directly after a payload."""
    return RuleSet(rules, names)


@lru_cache(maxsize=256)
def _with_tools(rule: Rule, names: tuple[str, ...]) -> Rule:
    look = with_names(rule.look, names)
    # The same rule for the same tools, so that it is compiled once for all moments.
    return rule if look == rule.look else replace(rule, look=look)


def _names_tools(rule: Rule) -> bool:
    return any(isinstance(atom, Names) for atom in rule.look)


@lru_cache(maxsize=256)
def _alone(rule: Rule) -> re.Pattern[str]:
    return re.compile(_choice([rule]))


@lru_cache(maxsize=512)
def _start(rule: Rule) -> re.Pattern[str]:
    """Return a pattern for where a rule could start."""
    return re.compile(_first([rule]))


def _choice(rules: Sequence[Rule], text: str = "") -> str:
    """Return a pattern for the rules; a `text` of one character is all there is."""
    choices: list[str] = []
    begun: list[str] = []
    for i, rule in enumerate(rules):
        ahead = f"(?={whole(rule.look)})" if rule.look else ""
        opener = f"{_place(rule)}{whole(rule.marker)}{ahead}"
        begun.append(_begun(rule))
        if len(text) != 1 or re.match(opener, text):
            choices.append(f"(?P<r{i}>{opener})")
    if begun:
        choices.append(f"(?P<part>{'|'.join(begun)})")
    return "|".join(choices) or "(?!)"


def _begun(rule: Rule) -> str:
    atoms: Atoms = (*rule.marker, *rule.look)
    return _place(rule) + part(atoms)


def _place(rule: Rule) -> str:
    return _ANCHORS[rule.anchor] + rule.unless


def _first(rules: Sequence[Rule]) -> str:
    """Return a pattern for where any rule could start, by its first two characters."""
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
