"""Opener patterns that support partial matching at the end of the text.

Python's `re` has no partial matching, and a stream needs it: "no match yet, but
perhaps with more text". So an opener is a sequence of atoms, from which two regular
expressions are built: one matches it whole, the other every proper prefix of it at
the end of the text. All repetitions are bounded, and with them what a gate holds back
and the work for each chunk.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

LONGEST_RUN = 200
"""Characters; longer white space between two markers separates them."""

LONGEST_NAME = 1024
"""Characters of a tool's name."""

_TOOL_NAME = rf"""([^\s"(]{{1,{LONGEST_NAME}}}+)"""


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
SUFFIX = Run(r"[^\s<>*]", 1, 40)
"""What a model's own vocabulary adds to the markers of its family."""


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


def starts(atoms: Atoms, names: Sequence[str]) -> set[tuple[str, str]]:
    """Return how a match may start: pairs of a character class and the next one.

    `names` are those of the offered tools. Classes are written without their brackets;
    "" as the second means any character.
    """
    found: set[tuple[str, str]] = set()
    for i, atom in enumerate(atoms):
        rest = atoms[i + 1 :]
        match atom:
            case Lit(text):
                if text[1:]:
                    return found | {(re.escape(text[0]), re.escape(text[1]))}
                seconds = {first for first, _ in starts(rest, names)} or {""}
                return found | {(re.escape(text[0]), second) for second in seconds}
            case Run(chars, low, _):
                found.add((chars.strip("[]"), ""))
                if low:
                    return found
            case Opt(inner):
                found |= starts((*inner, *rest), names)
            case Alt(choices):
                return found.union(*(starts((*c, *rest), names) for c in choices))
            case ToolName():
                begun = {name[:2] for name in names}
                return found.union(*(starts((Lit(b), *rest), names) for b in begun))
    return found


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
