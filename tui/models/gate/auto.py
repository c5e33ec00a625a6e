"""Builds `auto`, the dialect for unknown models: it looks for all common markers.

So calls that a server leaves in the text are neither shown nor lost. Formats that
frame the whole message by plain words (react, functionary_v32) stay out.
"""

from collections.abc import Iterable
from dataclasses import replace

from tui.models.gate.dialects.marked import CODE_CALLS
from tui.models.gate.dialects.other_tags import OTHER_TAGS
from tui.models.gate.grammar import (
    Dialect,
    Drop,
    Payload,
    Rule,
    Switch,
    Thinking,
    is_call,
)
from tui.models.gate.orphan import CLOSERS, MARKS
from tui.models.gate.patterns import SPACE, Lit

_NOT_IN_A_BLOCK = "".join(
    rf"(?<!{end}>)(?<!{end}>\n)" for end in ("_call", "_calls", r"\|")
)
"""Directly after a block's marker, a bare call is text: the marker was quoted."""


_MORE_ENDS = (
    *("</longcat_s>", "<|plamo:eot|>", "<|separator|>", "<eos>", "<SPECIAL_12>"),
    *("<｜hy_eos｜>", "<｜hy_place▁holder▁no▁2｜>"),
)
"""What ends an answer in families whose own servers never leave it in the text."""


def auto_dialect(dialects: Iterable[Dialect], eager: bool = False) -> Dialect:
    """Return the union of those `dialects` whose row says `in_auto`, in any order.

    `eager`: also the calls of the other rows, and calls that no marker announces
    whatever follows them.
    """
    dialects = list(dialects)
    rows = [row for row in dialects if row.in_auto]
    rules = [_careful(rule) for row in rows for rule in row.rules if not rule.own]
    if eager:
        others = [rule for row in dialects if not row.in_auto for rule in row.rules]
        rules = [replace(rule, strict=False) for rule in rules]
        rules += [
            replace(rule, structural=False)
            for rule in others
            if isinstance(rule.action, Payload)
        ]
    rules += OTHER_TAGS
    # <code> is HTML to other models: a call only if nothing follows it.
    rules.append(_careful(replace(CODE_CALLS, bare=True, sign="")))
    # </s> is HTML to other models, and `orphan` looks for the ends of thoughts.
    kept = {"</s>", *CLOSERS}
    return Dialect(
        "auto",
        tuple(
            {
                (repr(r.marker), repr(r.look), r.anchor, r.unless): r for r in rules
            }.values()
        ),
        tuple(_thinking(rows)),
        tuple(
            dict.fromkeys(
                token
                for tokens in (*(row.dropped for row in rows), _MORE_ENDS)
                for token in tokens
                if token not in kept
            )
        ),
        tuple(t for row in rows for t in row.endings),
    )


def _thinking(rows: Iterable[Dialect]) -> Iterable[Thinking]:
    """Return what marks reasoning; unless it is a token, only before any text."""
    found = {
        # [THINK] is plain text to other models.
        (t.open, t.close): t._replace(anywhere=t.anywhere and t.open.startswith("<|"))
        for row in rows
        for t in row.thinking
        if not (t.prose or t.look)
    }
    # Gemini's endpoint writes <thought>, which no row has.
    return ({mark: Thinking(*mark) for mark in MARKS} | found).values()


def _careful(rule: Rule) -> Rule:
    """Return the rule, narrowed where its own family needs no such care."""
    if rule.marker == (Lit("[TOOL_CALLS]"),) and is_call(rule):
        end = Rule((SPACE, Lit("</s>")), (), Drop(), quotable=False)
        return replace(rule, after=(*rule.after, end))
    if rule.bare or rule.unless:
        return replace(rule, unless=_NOT_IN_A_BLOCK + rule.unless, strict=rule.bare)
    if rule.anchor == "start" and Lit("all\n<|content|>") in rule.marker:
        # "a" may begin Functionary's `all`. Without tools, it is shown at once.
        return replace(rule, structural=False)
    if rule.structural and isinstance(rule.action, Switch):
        return replace(rule, anchor="framed")
    return rule
