"""Builds `auto`, the dialect for unknown models: it looks for all common markers.

So calls that a server leaves in the text are neither shown nor lost. Formats that
frame the whole message (react, functionary_v32, harmony) stay out: their frames begin
with plain words, or turn every text into a header.
"""

from collections.abc import Iterable
from dataclasses import replace

from tui.models.gate.grammar import Dialect, Drop, Rule
from tui.models.gate.patterns import NAME, SPACE, Lit

_NOT_IN_A_BLOCK = "".join(rf"(?<!{end}>)(?<!{end}>\n)" for end in ("_call", "_calls"))
"""Directly after a block's marker, a bare call is text: the marker was quoted."""


def auto_dialect(dialects: Iterable[Dialect]) -> Dialect:
    """Return the union of those `dialects` whose row says `in_auto`, in any order."""
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
                if not t.prose
            )
        ),
        # </s> is HTML to other models.
        tuple(dict.fromkeys(t for row in rows for t in row.dropped if t != "</s>")),
        tuple(t for row in rows for t in row.endings),
    )


def _careful(rule: Rule) -> Rule:
    """Return the rule, narrowed where its own family needs no such care."""
    if rule.marker == (Lit("<function_calls>"),):
        return replace(rule, look=(SPACE, *NAME, Lit("(")))
    if rule.marker == (Lit("[TOOL_CALLS]"),):
        end = Rule((SPACE, Lit("</s>")), (), Drop(), quotable=False)
        return replace(rule, after=(end,))
    if not rule.marker and (rule.anchor == "line" or rule.unless):
        return replace(rule, unless=_NOT_IN_A_BLOCK)
    return rule
