"""Compiles the rules in force into a few regular expressions.

Prose must be cheap: one search finds the next character at which any rule could
start, and only there are the rules themselves tried, all in one match.

The file is long because rules are grouped, compiled and searched as one set.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from tui.models.gate.grammar import (
    ANSWER_RULES,
    END_TOKENS,
    Channel,
    Dialect,
    Payload,
    Rule,
    Switch,
    Thinking,
    end_rules,
    marker_atoms,
    opening_rules,
    token_rules,
    with_turns,
)
from tui.models.gate.patterns import (
    Atoms,
    Lit,
    Run,
    ToolName,
    part,
    spellings,
    whole,
)
from tui.models.gate.pieces import Piece
from tui.models.gate.starts import (
    BEHIND,
    Scan,
    compiled,
    first_of,
    heads_of,
    scans_of,
    starts_of,
)

_HEAD = 3
"""Characters by which rules are distinguished at first sight."""

_LONGEST_WORD = 8
"""Characters of a piece of a stream that is remembered."""

_MOST_WORDS = 8192

_MAY_QUOTE = re.compile(r"[`~]|\n(?:[ \t>]|\Z)")
"""What may begin or end code, or a line that is not plainly one of prose."""

LONG = 128
"""Characters of a piece from which `RuleSet.starts` is faster than one search."""

_WORD = re.compile(r"\s*(?:call:|:|functions\.)?\s*([A-Za-z_][\w.\-]*)\Z")
_THINK = Switch("reasoning")
_MUTE = Switch("nothing", permanent=True)
_NOTATION = ("function", "call", "invoke")
"""Words that payloads begin with, before the tool's name."""


class Cut(NamedTuple):
    """A piece of a stream that ends in the beginning of an opener."""

    before: str
    piece: Piece | None
    """`before` as it is emitted, None if it is empty."""
    begun: str


class Found(NamedTuple):
    """A match at a position of the text."""

    rule: Rule | None
    """None: more text may complete a rule's opener."""
    end: int
    """The position after the marker."""


class _Group(NamedTuple):
    """Rules that begin with the same literal in the same place."""

    literal: str
    indices: Sequence[int]
    """Where they are among those that name no tool."""
    rules: tuple[Rule, ...]


class RuleSet:
    """The rules in force at one point of a stream.

    Patterns are compiled on first use, since compiling is the costly part, and rules
    that begin with a literal one by one, when the literal has arrived. They do not
    depend on the tools: a word in the place of a name is looked up.
    """

    def __init__(self, rules: Sequence[Rule], names: tuple[str, ...]) -> None:
        self.rules = rules
        self._names = sorted(names)
        self._known = frozenset(names)
        heads = heads_of(names)
        self._named = [
            (r, compiled(first_of([r], heads))) for r in self.rules if _names_tools(r)
        ]
        self._plain = [r for r in self.rules if not _names_tools(r)]
        self.quotable = any(r.quotable for r in self.rules)
        self.in_quotes = not all(r.quotable for r in rules)
        """Whether Markdown's quoting leaves any rule in force."""
        self.first = compiled(first_of(self.rules, heads))
        """Finds where any rule could start."""
        leads = [*starts_of(rules, heads)]
        self.lead = leads[0] if len(leads) == 1 == len(leads[0]) else ""
        """The one character with which all rules start, "" if there are several;
        `in` finds a character faster than a pattern does."""
        self.plain: dict[str, Piece] = {}
        """Short pieces in which no rule could start and that quote nothing, as they
        are emitted. A model writes the same few thousand tokens again and again, and
        looking one up is faster than a search."""
        self.cuts: dict[str, Cut] = {}
        """Short pieces that end in the beginning of an opener, whatever comes before
        them, and that quote nothing."""
        self.quoting: dict[str, Piece] = {}
        """Like `plain`, but they may begin or end what Markdown quotes."""
        self.within: set[str] = set()
        """Short pieces in which a rule could start only if they begin a line."""
        plain = [r for r in rules if not r.unless]
        self.sure = _prefixes(r for r in plain if r.anchor not in BEHIND)
        """Beginnings of openers, up to `_HEAD` characters."""
        self._on_line = _prefixes(r for r in plain if r.anchor == "line")
        self._on_word = _prefixes(r for r in plain if r.anchor == "word")

    def prepare(self) -> None:
        """Compile what would be compiled on first use."""
        for rule in self.rules:
            if _names_tools(rule):
                _alone(rule)
        for groups in self._by_head.values():
            for group in groups:
                _together(group.rules)
        self.at("", 0)

    def keep_plain(self, text: str, piece: Piece) -> None:
        """Remember a piece in which no rule could start, if it is short."""
        if len(text) <= _LONGEST_WORD:
            _keep(self.quoting if may_quote(text) else self.plain, text, piece)

    def keep_within(self, text: str) -> None:
        """Remember a piece in which a rule could start only at the start of a line."""
        if len(text) <= _LONGEST_WORD:
            if len(self.within) >= _MOST_WORDS:
                self.within.clear()
            self.within.add(text)

    def keep_cut(self, text: str, at: int, piece: Piece | None) -> None:
        """Remember where an opener surely begins in a piece, if it is short.

        `piece` is what comes before it.
        """
        if len(text) <= _LONGEST_WORD and not may_quote(text[:at]):
            _keep(self.cuts, text, Cut(text[:at], piece, text[at:]))

    def starts(self, text: str) -> Sequence[int]:
        """Return where rules could start in a long text, in order.

        One search for each literal, few of which occur, is many times faster than
        trying a pattern of all of them wherever a first character of one stands.
        """
        if self.lead not in text:
            return ()
        found = {0} if self.first.match(text) else set[int]()
        for scan in self._scans:
            if scan.may_find(text):
                for match in scan.pattern.finditer(text):
                    found.add(match.start() + scan.offset)
        return sorted(found)

    @cached_property
    def _scans(self) -> Sequence[Scan]:
        return [*scans_of(self.rules, heads_of(tuple(self._names)))]

    @cached_property
    def _headless(self) -> tuple[list[Rule], re.Pattern[str]]:
        rules = [r for r in self._plain if not _head(r)]
        return rules, compiled(_choice(rules))

    @cached_property
    def _by_head(self) -> dict[str, list[_Group]]:
        """Rules that begin with the same literal, by the beginnings of that."""
        groups: dict[tuple[str, str, bool], list[int]] = {}
        for i, rule in enumerate(self._plain):
            if _head(rule):
                kind = (_literal(rule), _place(rule), bool(rule.marker))
                groups.setdefault(kind, []).append(i)
        found: dict[str, list[_Group]] = {}
        for (literal, *_), indices in groups.items():
            group = _Group(literal, indices, tuple(self._plain[i] for i in indices))
            for i in range(1, _HEAD + 1):
                found.setdefault(literal[:i], []).append(group)
        return found

    @cached_property
    def _quoted(self) -> tuple[list[Rule], re.Pattern[str]]:
        rules = [r for r in self._plain if not r.quotable]
        return rules, compiled(_choice(rules))

    def sure_behind(self, before: str, begun: str) -> bool:
        """Whether `begun`, after some text, surely is the beginning of an opener."""
        last = before[-1]
        if last == "\n" and begun in self._on_line:
            return True
        return begun in self._on_word and not (last.isalnum() or last == "_")

    def at(self, text: str, at: int, quoted: bool = False) -> Found | None:
        """Return the rule that opens at a position; `quoted` by Markdown or not."""
        head = text[at : at + _HEAD]
        if len(head) < _HEAD and head in self.sure and not quoted:
            return Found(None, len(text))
        # In most places no marker begins, so few rules are tried.
        rules, pattern = self._quoted if quoted else self._headless
        partly = None
        if found := pattern.match(text, at):
            group = found.lastgroup or "part"
            if group != "part":
                return Found(rules[int(group[1:])], found.end())
            partly = Found(None, found.end())
        best = len(self._plain)
        whole = None
        for literal, indices, group in (
            self._by_head.get(head, ()) if not quoted else ()
        ):
            if text.startswith(literal, at):
                if found := _together(group)[0].match(text, at):
                    name = found.lastgroup or "part"
                    if name == "part":
                        partly = Found(None, found.end())
                    elif (index := indices[int(name[1:])]) < best:
                        best, whole = index, found.end()
            elif (
                literal.startswith(text[at : at + len(literal)])
                and _together(group)[1].match(text, at) is not None
            ):
                partly = Found(None, len(text))
        if whole is not None:
            return Found(self._plain[best], whole)
        for rule, first in self._named:
            if (quoted and rule.quotable) or not first.match(text, at):
                continue
            full, begun = _alone(rule)
            if (found := full.match(text, at)) and self._offered(found):
                return Found(rule, found.end())
            if (found := begun.match(text, at)) and self._offered(found):
                partly = Found(None, found.end())
        return partly

    def _offered(self, found: re.Match[str]) -> bool:
        """Whether each name in a match is that of a tool, or may become one."""
        for group, word in enumerate(found.groups(), 1):
            if word is None or word in self._known:
                continue
            if found.end(group) < len(found.string) or not self._begins(word):
                return False
        return True

    def _begins(self, word: str) -> bool:
        """Whether some tool's name begins with the word."""
        i = bisect_left(self._names, word)
        return i < len(self._names) and self._names[i].startswith(word)

    def cut_off(self, text: str, at: int, quoted: bool) -> bool:
        """Return whether the rest of the text is the start of a call, past its sign."""
        for rule in self.rules:
            if (
                not isinstance(rule.action, Payload)
                or (quoted and rule.quotable)
                or not (length := rule.cut_off(text, at))
                or not (found := _alone(rule)[1].match(text, at))
                or not self._offered(found)
            ):
                continue
            word = _WORD.fullmatch(text, at + length)
            if word is None or word[1] in _NOTATION or self._begins(word[1]):
                return True
        return False


def may_quote(text: str) -> bool:
    """Whether Markdown may quote what comes behind a text of prose.

    Otherwise it does not, if it has not before the text.
    """
    return _MAY_QUOTE.search(text) is not None


def _keep(words: dict[str, Any], text: str, value: Any) -> None:
    if len(words) >= _MOST_WORDS:
        words.clear()
    words[text] = value


@lru_cache(maxsize=256)
def rule_set(
    dialect: Dialect,
    names: tuple[str, ...] | None,
    channel: Channel,
    closes: tuple[str, ...],
    fresh: bool,
    may_think: bool,
    called: bool,
    framed: bool,
    answered: bool,
    mentioned: bool,
) -> RuleSet:
    """Return the rules in force.

    `names` are the offered tools (None: none were offered), `closes` the markers that
    close the open reasoning; `fresh` says that only white space has arrived so far,
    `called` that a call has, `framed` that a frame's header has, `answered` that the
    answer has begun with a tag, and `mentioned` that it is about the tokens of turns.
    """
    rules: list[Rule] = []
    if channel == "reasoning":
        rules += [
            Rule(marker_atoms(close), (), Switch("text"), quotable=False)
            for close in _spelt(closes)
        ]
        for thinking in dialect.thinking:
            if thinking.close in closes:
                rules += thinking.within
    elif channel == "text":
        for thinking in dialect.thinking:
            if thinking.anywhere or (fresh and may_think):
                rules += _thinking_rules(thinking, fresh)
    thought = fresh and not may_think and channel == "text"
    now = {"start": fresh, "called": called, "framed": framed}
    now |= {"thought": thought, "answered": answered}
    rules += [
        r
        for r in dialect.rules
        if now.get(r.anchor, True) and (names is not None or r.structural)
    ]
    for token in dialect.dropped:
        rules += _with_turns(token, token_rules(token), mentioned)
    # No text is held back that would not be without these.
    length = 1 if names is not None else 2
    begun = {_literal(rule)[:length] for rule in rules if rule.anchor not in BEHIND}
    for token in END_TOKENS:
        if token[:length] in begun and token not in dialect.dropped:
            rules += _with_turns(token, end_rules(token), mentioned)
    if any(literal[:1] == "<" for literal in begun):
        rules += ANSWER_RULES
    for token in dialect.endings:
        rules += opening_rules(token, _MUTE) if called else token_rules(token)
    return RuleSet([r for r in rules if now.get(r.anchor, True)], names or ())


def _with_turns(
    token: str, rules: tuple[Rule, ...], mentioned: bool
) -> tuple[Rule, ...]:
    return rules if mentioned else with_turns(token, rules)


@lru_cache(maxsize=64)
def _thinking_rules(thinking: Thinking, fresh: bool) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for mark in spellings(thinking.open.removesuffix("\n")):
        if not fresh:
            rules += opening_rules(mark, _THINK)
        elif thinking.open == mark:
            look = thinking.look
            rules.append(Rule(marker_atoms(mark), look, _THINK, quotable=False))
        elif not thinking.open.endswith("\n"):
            rules.append(Rule((Lit(mark),), (), _THINK, quotable=False))
        else:
            rules.append(Rule((Lit(f"{mark}\n"),), (), _THINK, quotable=False))
            if not thinking.prose:
                # Some leave the newline out.
                other = (Run(r"[^\n]", 1, 1),)
                rules.append(Rule((Lit(mark),), other, _THINK, quotable=False))
    return tuple(rules)


def _spelt(marks: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(each for mark in marks for each in spellings(mark))


@lru_cache(maxsize=64)
def closing(closes: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for any of the markers that close the open reasoning."""
    marks = [whole(marker_atoms(close)) for close in _spelt(closes)]
    return re.compile("|".join(marks) or "(?!)")


@lru_cache(maxsize=64)
def after_set(rules: tuple[Rule, ...], names: tuple[str, ...]) -> RuleSet:
    """Return the rules tried only directly after a payload."""
    return RuleSet(rules, names)


def _literal(rule: Rule) -> str:
    """Return the literal that the rule opens with, "" for none."""
    first = (*rule.marker, *rule.look)[0]
    return first.text if isinstance(first, Lit) else ""


def _head(rule: Rule) -> str:
    """Return the first characters of every text that the rule opens with, or ""."""
    text = _literal(rule)
    return text[:_HEAD] if len(text) >= _HEAD else ""


def _prefixes(rules: Iterable[Rule]) -> frozenset[str]:
    heads = [head for rule in rules if (head := _head(rule))]
    return frozenset(head[:i] for head in heads for i in range(1, _HEAD + 1))


def _names_tools(rule: Rule) -> bool:
    return any(isinstance(atom, ToolName) for atom in (*rule.marker, *rule.look))


@lru_cache(maxsize=2048)
def _alone(rule: Rule) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns for the rule's opener and a part of it at the end."""
    return re.compile(_opener(rule)), re.compile(_begun(rule))


@lru_cache(maxsize=1024)
def _together(rules: tuple[Rule, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return a pattern for the openers of rules of a group, and one for their place.

    Thirty rules that begin alike are tried in one match, and what they begin with is
    compiled once.
    """
    place = re.compile(_place(rules[0]))
    if not rules[0].marker:
        return re.compile(_choice(rules)), place
    choices: list[str] = []
    begun: list[str] = []
    for i, rule in enumerate(rules):
        ahead = f"(?={whole(rule.look)})" if rule.look else ""
        choices.append(f"(?P<r{i}>{whole(rule.marker[1:])}{ahead})")
        begun.append(part((*rule.marker[1:], *rule.look)))
    choices.append(f"(?P<part>{'|'.join(begun)})")
    literal = re.escape(_literal(rules[0]))
    return re.compile(f"{_place(rules[0])}{literal}(?:{'|'.join(choices)})"), place


def _choice(rules: Sequence[Rule]) -> str:
    choices: list[str] = []
    begun: list[str] = []
    for i, rule in enumerate(rules):
        choices.append(f"(?P<r{i}>{_opener(rule)})")
        begun.append(_begun(rule))
    if begun:
        choices.append(f"(?P<part>{'|'.join(begun)})")
    return "|".join(choices) or "(?!)"


def _opener(rule: Rule) -> str:
    ahead = f"(?={whole(rule.look)})" if rule.look else ""
    return _place(rule) + whole(rule.marker) + ahead


def _begun(rule: Rule) -> str:
    atoms: Atoms = (*rule.marker, *rule.look)
    return _place(rule) + part(atoms)


def _place(rule: Rule) -> str:
    before = BEHIND.get(rule.anchor)
    return (f"(?<!{before})" if before else "") + rule.unless
