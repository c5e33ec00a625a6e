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

_DEEPEST = 100


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
    """The name of an offered tool."""


class Names(NamedTuple):
    """One of these names; `with_names` puts it in place of `ToolName`."""

    names: tuple[str, ...]


Atom = Lit | Run | Opt | Alt | ToolName | Names
Atoms = Sequence[Atom]

SPACE = Run(r"\s")
BLANK = Run(r"[ \t]")
NAME = (Run("[A-Za-z_]", 1, 1), Run(r"[\w.\-]"))
"""A tool's name, in formats whose markers make it unambiguous."""
SUFFIX = Run(r"[^\s<>*]", 1, 40)
"""What a model's own vocabulary adds to the markers of its family."""


def with_names(atoms: Atoms, names: Sequence[str]) -> Atoms:
    """Replace each `ToolName` by the offered names."""
    put: list[Atom] = []
    for atom in atoms:
        match atom:
            case ToolName():
                # The longest first: one name may be a prefix of another.
                put.append(Names(tuple(sorted(names, key=lambda n: (-len(n), n)))))
            case Opt(inner):
                put.append(Opt(with_names(inner, names)))
            case Alt(choices):
                put.append(Alt(tuple(with_names(c, names) for c in choices)))
            case _:
                put.append(atom)
    return tuple(put)


def whole(atoms: Atoms) -> str:
    """Return the regular expression of the whole sequence, without groups."""
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
            case Names(names):
                pattern = rf"(?:{_begun(names)}|{_whole(atom)}{pattern})"
            case ToolName():
                raise TypeError("with_names comes first")
    return pattern


def starts(atoms: Atoms) -> set[tuple[str, str]]:
    """Return how a match may start: pairs of a character class and the next one.

    Classes are written without their brackets; "" as the second means any character.
    """
    found: set[tuple[str, str]] = set()
    for i, atom in enumerate(atoms):
        rest = atoms[i + 1 :]
        match atom:
            case Lit(text):
                if text[1:]:
                    return found | {(re.escape(text[0]), re.escape(text[1]))}
                seconds = {first for first, _ in starts(rest)} or {""}
                return found | {(re.escape(text[0]), second) for second in seconds}
            case Run(chars, low, _):
                found.add((chars.strip("[]"), ""))
                if low:
                    return found
            case Opt(inner):
                found |= starts((*inner, *rest))
            case Alt(choices):
                return found.union(*(starts((*c, *rest)) for c in choices))
            case Names(names):
                return found.union(*(starts((Lit(n), *rest)) for n in names))
            case ToolName():
                raise TypeError("with_names comes first")
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
        case Names(names):
            # No tool was offered: nothing matches.
            return rf"(?:{'|'.join(map(re.escape, names)) or '(?!)'})"
        case ToolName():
            raise TypeError("with_names comes first")


def _begun(names: Sequence[str], depth: int = 0) -> str:
    """Return a pattern for every proper prefix of a name; shared prefixes once."""
    follow: dict[str, list[str]] = {}
    for name in names:
        if name:
            follow.setdefault(name[0], []).append(name[1:])
    if not follow:
        return "(?!)"
    if depth == _DEEPEST:
        # `re` limits the nesting of groups, so match the rest of such a name loosely.
        return rf"[^\s\"(]{{0,{max(map(len, names))}}}+\Z"
    further = "|".join(
        re.escape(char) + _begun(rest, depth + 1) for char, rest in follow.items()
    )
    return rf"(?:\Z|{further})"
