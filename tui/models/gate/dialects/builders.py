"""Builders for the rows: the combinations of `grammar` that most dialects need."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypedDict, Unpack

from tui.models.gate.grammar import (
    Action,
    Dialect,
    Drop,
    Payload,
    Quote,
    Rule,
    Thinking,
)
from tui.models.gate.patterns import SPACE, Alt, Atom, Atoms, Lit, Opt, Run, ToolName
from tui.models.gate.payloads.json import read_calls


def _spaced(*atoms: Atom) -> tuple[Atom, ...]:
    return tuple(a for atom in atoms for a in (atom, SPACE))[:-1]


LETTER = Run("[A-Za-z_]", 1, 1)
OBJECT = Lit("{")
LIST = Lit("[")
EITHER = Run(r"[{\[]", 1, 1)
STRINGS = (Quote('"', '"', escapes=True),)

# A bare JSON call: it must name an offered tool and reach the start of its arguments.
BARE_CALL: Atoms = (
    Lit("{"),
    SPACE,
    Opt(
        (
            *_spaced(Lit('"type"'), Lit(":"), Lit('"function"'), Lit(",")),
            SPACE,
        )
    ),
    *_spaced(Lit('"name"'), Lit(":"), Lit('"')),
    ToolName(),
    *_spaced(
        Lit('"'),
        Lit(","),
        Alt(((Lit('"parameters"'),), (Lit('"arguments"'),))),
        Lit(":"),
        Lit("{"),
    ),
)

THINK = (Thinking("<think>", "</think>"),)
CHATML = ("<|im_end|>",)
DEEPSEEK_END = ("<｜end▁of▁sentence｜>",)

list_payload = partial(Payload, read_calls, STRINGS, balanced=True)


def block(marker: str, look: Atoms, action: Action) -> Rule:
    """Return a rule for a marker, then white space, then `look`."""
    return Rule((Lit(marker),), (SPACE, *look), action)


def json_block(marker: str, look: Atoms, closer: str) -> Rule:
    """Return a rule for JSON calls between a marker and a closer."""
    return block(marker, look, Payload(read_calls, STRINGS, (closer,)))


class Traits(TypedDict, total=False):
    """The fields of `Dialect` that a row may set besides its id and rules."""

    thinking: Sequence[Thinking]
    dropped: Sequence[str]
    endings: Sequence[str]
    special: bool
    structural: bool
    names: str
    signs: Sequence[str | tuple[str, ...]]
    priority: int
    in_auto: bool
    opener: str


def row(id: str, *rules: Rule, **traits: Unpack[Traits]) -> Dialect:
    """Return a dialect; if it is `special`, no rule of it is quotable."""
    if traits.get("special"):
        rules = tuple(replace(rule, quotable=False) for rule in rules)
    return Dialect(id, rules, **traits)


def eat(*atoms: Atoms) -> tuple[Rule, ...]:
    """Return rules that remove each of `atoms` directly after a call."""
    return tuple(Rule(a, (), Drop(), quotable=False) for a in atoms)
