"""Opener patterns that support partial matching at the end of the text.

Python's `re` has no partial matching, and a stream needs it: "no match yet, but
perhaps with more text". So an opener is a sequence of atoms, from which two regular
expressions are built: one matches it whole, the other every proper prefix of it at
the end of the text. All repetitions are bounded, and with them what a gate holds back
and the work for each chunk.
"""

import re
import string
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LONGEST_RUN = 200
"""Characters; longer white space between two markers separates them."""

BLANKS = f"{string.whitespace}\x85\xa0\u2028\u2029\u3000\u200b\u2060\ufeff"
"""What may come before a message without being a part of it: white space, also that of
no width, such as a byte order mark."""

LONGEST_NAME = 1024
"""Characters of a tool's name."""

_TOOL_NAME = rf"""([^\s"'(<]{{1,{LONGEST_NAME}}}+)"""


class Lit(NamedTuple):
    """A literal text."""

    text: str


class Run(NamedTuple):
    """`low` to `high` characters of a class, written as in a regular expression."""

    chars: str
    low: int = 0
    high: int = LONGEST_RUN


class Opt(NamedTuple):
    """A sequence that may be absent."""

    atoms: "Atoms"


class Alt(NamedTuple):
    """One of several sequences."""

    choices: Sequence["Atoms"]


class ToolName(NamedTuple):
    """The name of an offered tool.

    Patterns take any word for it, in a group of its own; `matcher` looks the word up,
    so that they are compiled once, however many tools there are.
    """


Atom = Lit | Run | Opt | Alt | ToolName
Atoms = Sequence[Atom]

SPACE = Run(r"\s")
BLANK = Run(r"[ \t]")
NAME = (Run("[A-Za-z_]", 1, 1), Run(r"[\w.\-]"))
"""A tool's name, in formats whose markers make it unambiguous."""
SUFFIX = Run(r"[\w\-]", 1, 40)
"""What a model's own vocabulary adds to the markers of its family."""


_TAG = re.compile(r"(</?)([a-z]+)>")


def spellings(mark: str) -> tuple[str, ...]:
    """Return how a mark is written: small models write tags with capitals as well.

    DeepSeek at SGLang doubles the slash.
    """
    if not (tag := _TAG.fullmatch(mark)):
        return (mark,)
    begin, word = tag.groups()
    doubled = (f"<//{word}>",) if begin == "</" else ()
    return (mark, f"{begin}{word.capitalize()}>", f"{begin}{word.upper()}>", *doubled)


def whole(atoms: Atoms) -> str:
    """Return the regular expression of the whole sequence; only names are groups."""
    return "".join(_whole(atom) for atom in atoms)


def part(atoms: Atoms) -> str:
    r"""Return a pattern for every proper prefix up to `\Z`, the empty one included."""
    pattern = "(?!)"
    for i in range(len(atoms) - 1, -1, -1):
        atom = atoms[i]
        match atom:
            case Lit(text):
                for char in reversed(text):
                    pattern = rf"(?:\Z|{re.escape(char)}{pattern})"
            case Run(chars, low, high):
                if low:
                    pattern = rf"(?:\Z|{chars}{{1,{high}}}+(?:\Z|{pattern}))"
                else:
                    pattern = rf"{chars}{{0,{high}}}+(?:\Z|{pattern})"
            case Opt(inner):
                pattern = rf"(?:{part(inner)}|(?:{whole(inner)})?{pattern})"
            case Alt(choices):
                begun = "|".join(part(c) for c in choices)
                pattern = rf"(?:{begun}|{_whole(atom)}{pattern})"
            case ToolName():
                pattern = rf"(?:\Z|{_TOOL_NAME}(?:\Z|{pattern}))"
    return pattern


_Tree = dict[str, "_Tree"]


def cut(texts: Iterable[str], low: int = 1) -> str:
    r"""Return a pattern for prefixes of any of the texts, proper ones, up to `\Z`.

    They have at least `low` characters, 0 or 1. Texts that begin alike share a branch:
    the pattern of fifty tokens is compiled several times faster than one of each.
    """
    tree: _Tree = {}
    for text in texts:
        node = tree
        for char in text:
            node = node.setdefault(char, {})
    return _cut(tree, low)


def _cut(tree: "_Tree", low: int = 0) -> str:
    choices = [r"\Z"] * (not low)
    choices += [re.escape(char) + _cut(below) for char, below in tree.items() if below]
    return f"(?:{'|'.join(choices) or '(?!)'})"


class Starts(dict[str, "Starts"]):
    """How openers begin: elements of an expression, each with what may follow it.

    The key "" says that an opener may go on in any way.
    """

    def add(
        self, atoms: Atoms, heads: Sequence[str], depth: int, first: bool = True
    ) -> None:
        """Add the first `depth` elements of all that `atoms` match.

        `heads` are the first characters of the names of the offered tools. `first`: at
        least one character comes before anything may match.
        """
        if not atoms or not depth:
            self[""] = Starts()
            return
        atom, *rest = atoms
        match atom:
            case Lit(text):
                below = self.setdefault(re.escape(text[0]), Starts())
                rest = [Lit(text[1:]), *rest] if text[1:] else rest
                below.add(rest, heads, depth - 1, False)
            case Run(chars, low, high):
                if not first:
                    run = f"{chars}{{{min(low, 1)},{high}}}+"
                    self.setdefault(run, Starts()).add(rest, heads, depth - 1, False)
                    return
                self.setdefault(chars, Starts())[""] = Starts()
                if not low:
                    self.add(rest, heads, depth)
            case Opt(inner):
                self.add((*inner, *rest), heads, depth, first)
                self.add(rest, heads, depth, first)
            case Alt(choices):
                for choice in choices:
                    self.add((*choice, *rest), heads, depth, first)
            case ToolName():
                for head in heads:
                    self.add((Lit(head),), (), depth, first)

    def choices(self) -> list[tuple[str, str]]:
        """Return pairs of a first element and a pattern for what may follow it."""
        return [(element, below._follow()) for element, below in self.items()]

    def literal(self, element: str) -> str:
        """Return the text with which all that begins with `element` begins."""
        char, below = element[-1:], self[element]
        if element != re.escape(char):
            return ""
        return char + (below.literal(next(iter(below))) if len(below) == 1 else "")

    def _follow(self) -> str:
        if "" in self:
            return ""
        found: dict[str, list[str]] = {}
        for element, follow in self.choices():
            found.setdefault(follow, []).append(element)
        choices: list[str] = []
        for follow, elements in found.items():
            chars = [e for e in elements if len(e.lstrip("\\")) == 1]
            one = [f"[{''.join(chars)}]"] if len(chars) > 1 else chars
            others = [e for e in elements if e not in chars]
            choices += [element + follow for element in (*one, *others)]
        return rf"(?:\Z|{'|'.join(choices)})"


def _whole(atom: Atom) -> str:
    match atom:
        case Lit(text):
            return re.escape(text)
        case Run(chars, low, high):
            return rf"{chars}{{{low},{high}}}+"
        case Opt(inner):
            return rf"(?:{whole(inner)})?"
        case Alt(choices):
            return rf"(?:{'|'.join(whole(c) for c in choices)})"
        case ToolName():
            return _TOOL_NAME
