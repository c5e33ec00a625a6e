"""Builders for the rows: the combinations of `grammar` that most dialects need."""

import re
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
    Reader,
    Rule,
    Thinking,
    is_call,
    token_rules,
)
from tui.models.gate.patterns import (
    BLANK,
    NAME,
    SPACE,
    Alt,
    Atom,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.json import read_calls
from tui.models.gate.payloads.named import read_nothing
from tui.models.gate.payloads.python import PYTHON_STRINGS, read_python_lines


def _spaced(*atoms: Atom) -> tuple[Atom, ...]:
    return tuple(a for atom in atoms for a in (atom, SPACE))[:-1]


LETTER = Run("[A-Za-z_]", 1, 1)
OBJECT = Lit("{")
LIST = Lit("[")
QUOTE = Run("[\"']", 1, 1)
EITHER = Run(r"[{\[]", 1, 1)
STRINGS = (Quote('"', '"', escapes=True),)
MORE_JSON: Sequence[Atoms] = (
    (
        Opt((Run("[,;]", 1, 1), SPACE)),
        Alt(((OBJECT, SPACE, QUOTE), (LIST, SPACE, OBJECT))),
    ),
)
"""What begins a further call in a payload of JSON."""

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
        # Some models write the object as a text.
        Alt(((Lit("{"),), (Lit('"{'),))),
    ),
)

THINK = (Thinking("<think>", "</think>"),)
CHATML = ("<|im_end|>",)
DEEPSEEK = "deepseek[.-]?(?:chat-)?"
"""How names of the family begin."""
DEEPSEEK_END = ("<｜end▁of▁sentence｜>",)

CONTENT: Atoms = (Run(r"[\w{\[\"'\n]", 1, 1),)
"""How an output begins; prose about its marker continues with a blank or a comma."""

list_payload = partial(Payload, read_calls, STRINGS, balanced=True)
PYTHON_CALL: Atoms = (*NAME, SPACE, Lit("("))
PYTHON_ALONE = Rule(
    (),
    (ToolName(), BLANK, Lit("(")),
    Payload(read_python_lines, PYTHON_STRINGS, balanced=True),
    anchor="start",
    bare=True,
    strict=True,
    sign="",
)
"""An answer that is nothing but calls in Python."""


_FENCE = Opt((Lit("```"), Run("[A-Za-z]", 0, 20), SPACE))


def block(marker: str, look: Atoms, action: Action) -> Rule:
    """Return a rule for a marker, then white space, then `look`.

    The marker itself ends a payload whose closer the model left out.
    """
    if isinstance(action, Payload) and action.closers:
        action = action._replace(before=(*action.before, marker))
    return Rule((Lit(marker),), (SPACE, *look), action)


def json_payload(*closers: str, read: Reader = read_calls) -> Payload:
    """Return a payload of JSON objects and lists up to any of `closers`."""
    return Payload(read, STRINGS, closers, balanced=True, again=MORE_JSON)


def json_block(
    marker: str, look: Atoms, closer: str, read: Reader = read_calls
) -> Rule:
    """Return a rule for JSON calls between a marker and a closer, perhaps in a fence.

    A fence that closes there is followed by the closer; any other opens code.
    """
    rule = block(marker, (_FENCE, *look), json_payload(closer, read=read))
    return replace(rule, after=eat((SPACE, Lit("```"), SPACE, Lit(closer))))


def made_up(closer: str) -> Payload:
    """Return what a model makes up as a tool's output; it is left out."""
    return Payload(read_nothing, closers=(closer,), call=False)


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
    """Return a dialect.

    An opener may come twice or three times. Closers that come too often are removed
    after a call; special tokens that close something, wherever they end a line.
    """
    closers = list(
        dict.fromkeys(
            closer
            for rule in rules
            if isinstance(rule.action, Payload) and rule.action.call
            for closer in rule.action.closers
            # A fence that comes again opens other code.
            if closer[0] not in "`/"
        )
    )
    doubled = eat(*((SPACE, Lit(closer)) for closer in closers))
    structural = traits.get("structural", False)
    rules = tuple(
        replace(
            rule,
            structural=structural or rule.structural,
            bare=rule.bare or (not rule.marker and rule.anchor == "line"),
            after=(*rule.after, *doubled)
            if isinstance(rule.action, Payload)
            else rule.after,
        )
        for rule in rules
    )
    rules += tuple(
        replace(rule, marker=(*twice, SPACE, Opt((*twice, SPACE)), *rule.marker))
        for rule in rules
        if is_call(rule) and _is_tag(rule.marker)
        for twice in dict.fromkeys((rule.marker, rule.marker[:1]))
    )
    line_end = (BLANK, Run(r"[\r\n]", 1, 1))
    for closer in closers:
        # No sentence holds a special token by chance.
        if traits.get("special") and ("|" in closer or "｜" in closer):
            rules += token_rules(closer)
        else:
            rules += (Rule((Lit(closer),), line_end, Drop(), anchor="called"),)
    if traits.get("special"):
        ends = [t.close for t in traits.get("thinking", ()) if t.anywhere]
        traits["dropped"] = (*traits.get("dropped", ()), *ends)
    return Dialect(id, rules, **traits)


def eat(*atoms: Atoms) -> tuple[Rule, ...]:
    """Return rules that remove each of `atoms` directly after a call."""
    return tuple(Rule(a, (), Drop(), quotable=False) for a in atoms)


# A fence that is repeated, or with a language, opens other code.
END_OF_FENCE = Rule(
    (SPACE, Lit("```")),
    (Run(r"[^\w`]", 1, 1),),
    Drop(),
    quotable=False,
    once=True,
)
"""Removes the fence that closes after a call."""


def not_behind(*markers: str) -> str:
    """Return look-behinds for a call without its block.

    Directly after a block's marker it is text: the marker was quoted.
    """
    return "".join(
        rf"(?<!{re.escape(marker)}{end})"
        for marker in markers
        for end in ("", r"\n", r"\r\n")
    )


def _is_tag(marker: Atoms) -> bool:
    """Whether a marker begins with a tag, and so with no word of a sentence."""
    first = marker[0] if marker else None
    return isinstance(first, Lit) and first.text[0] in "<[]"
