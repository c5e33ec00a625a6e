"""The dialect for a model that nobody knows: all common markers guarded at once.

A server that forgot to take its model's calls out of the text neither leaks nor loses
them. Left out are the formats that frame the whole message (react, functionary_v32,
harmony), since their frames begin with plain words or turn every text into a header.
"""

from collections.abc import Iterable
from dataclasses import replace

from tui.models.gate.grammar import Dialect, Drop, Rule
from tui.models.gate.patterns import NAME, SPACE, Lit

_NOT_IN_A_BLOCK = "".join(rf"(?<!{end}>)(?<!{end}>\n)" for end in ("_call", "_calls"))
"""Behind a block's own marker a bare call is text only if the marker was quoted."""


def auto_dialect(dialects: Iterable[Dialect]) -> Dialect:
    """Return the dialect that looks for all of `dialects` that it may."""
    rows = [row for row in dialects if row.in_auto]
    rules = [_careful(rule) for row in rows for rule in row.rules]
    return Dialect(
        "auto",
        tuple({(repr(r.marker), repr(r.look), r.anchor): r for r in rules}.values()),
        # [THINK] is plain text to other models, so it must open the message.
        tuple(
            dict.fromkeys(
                t._replace(anywhere=t.anywhere and t.open.startswith("<|"))
                for row in rows
                for t in row.thinking
            )
        ),
        # </s> is HTML to other models.
        tuple(dict.fromkeys(t for row in rows for t in row.dropped if t != "</s>")),
        tuple(t for row in rows for t in row.endings),
    )


def _careful(rule: Rule) -> Rule:
    """Return the rule with what its own family may take for granted."""
    if rule.marker == (Lit("<function_calls>"),):
        return replace(rule, look=(SPACE, *NAME, Lit("(")))
    if rule.marker == (Lit("[TOOL_CALLS]"),):
        end = Rule((SPACE, Lit("</s>")), (), Drop(), quotable=False)
        return replace(rule, after=(end,))
    if not rule.marker and (rule.anchor == "line" or rule.unless):
        return replace(rule, unless=_NOT_IN_A_BLOCK)
    return rule
