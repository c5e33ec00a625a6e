"""The dialect for a model that nobody knows: all common markers guarded at once.

A server that forgot to take its model's calls out of the text neither leaks nor loses
them. Left out are the formats that frame the whole message (react, functionary_v32,
harmony), since their frames begin with plain words or turn every text into a header.
"""

from dataclasses import replace

from tui.models.gate.dialects.registry import DIALECTS
from tui.models.gate.grammar import Dialect, Drop, Rule
from tui.models.gate.patterns import NAME, SPACE, Lit

_FAMILIES = (
    "hermes",
    "qwen3_coder",
    "seed_oss",
    "glm45",
    "jamba",
    "minimax_m1",
    "hunyuan_v3",
    "minimax_m2",
    "nemotron_v2",
    "longcat",
    "dots",
    "granite20b",
    "granite3",
    "phi4mini",
    "internlm2",
    "lazyllm_internlm",
    "lazyllm_glm",
    "mistral_args",
    "deepseek_v3",
    "deepseek_v32",
    "deepseek_v4",
    "kimi_k2",
    "step3",
    "command",
    "apertus",
    "llama3_json",
    "llama_pythonic",
    "xlam",
    "olmo3",
    "lfm2",
    "gemma4",
    "functiongemma",
    "functionary_v31",
    "glm4",
)
_PLAIN_TAGS = ("</s>", "<answer>", "</answer>", "<response>", "</response>")
"""Ends and wrappers that are HTML, or words, to every other model."""

_NOT_IN_A_BLOCK = "".join(rf"(?<!{end}>)(?<!{end}>\n)" for end in ("_call", "_calls"))
"""Behind a block's own marker a bare call is text only if the marker was quoted."""


def auto_dialect() -> Dialect:
    """Return the dialect made of all those above."""
    rows = [DIALECTS[family] for family in _FAMILIES]
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
        tuple(
            dict.fromkeys(
                t for row in rows for t in row.dropped if t not in _PLAIN_TAGS
            )
        ),
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
