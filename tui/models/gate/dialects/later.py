"""What later models of a family write besides the form in the family's row.

A name or a template tells the family better than the release, so each form is read
under the family's row too; at line starts only, where its marker begins like words
that the row holds back nowhere else. Sources are those of `marked`, Granite's vLLM's.
"""

from dataclasses import replace
from typing import NamedTuple

from tui.models.gate.dialects.builders import (
    LIST,
    PYTHON_ALONE,
    block,
    eat,
    list_payload,
)
from tui.models.gate.dialects.marked import (
    CODE_CALLS,
    FINAL_RESPONSE,
    FUNCTION_ELEMENT,
    NAME_AND_JSON,
    SPACED_DSML,
    SUFFIXED_CALLS,
    SUFFIXED_END,
    SUFFIXED_THINKING,
)
from tui.models.gate.grammar import Dialect, Payload, Rule, Thinking
from tui.models.gate.patterns import NAME, SPACE, Lit
from tui.models.gate.payloads.gemma import read_unmarked


class Later(NamedTuple):
    """What is added to the fields of a row."""

    rules: tuple[Rule, ...] = ()
    thinking: tuple[Thinking, ...] = ()
    dropped: tuple[str, ...] = ()
    names: str = ""
    signs: tuple[str, ...] = ()


_GRANITE_THINKING = tuple(
    Thinking(f"{begin} my thought process:", f"{end} my response:", prose=True)
    for begin in ("Here is", "Here's")
    for end in ("Here is", "Here's")
)
_GRANITE_31 = replace(
    block("<tool_call>", (LIST,), list_payload()),
    anchor="line",
    after=eat((SPACE, Lit("</tool_call>"))),
)
_GEMMA_UNMARKED = Rule(
    (),
    (Lit("call:"), *NAME, Lit("{")),
    Payload(read_unmarked, balanced=True),
    anchor="line",
    bare=True,
    strict=True,
    sign="",
)
LATER = {
    # Granite 3.1; Granite 3.2, if it is to think.
    "granite3": Later(rules=(_GRANITE_31, PYTHON_ALONE), thinking=_GRANITE_THINKING),
    # Granite 4. Copies of these families, and small models, leave their marker out.
    **dict.fromkeys(
        ("hermes", "gemma3", "llama_pythonic", "olmo3"), Later(rules=(PYTHON_ALONE,))
    ),
    # Where the server leaves Gemma's special tokens out of the text.
    "gemma4": Later(rules=(_GEMMA_UNMARKED,)),
    # Apriel 1.6 under the name of the family whose calls it writes.
    "jamba": Later(thinking=(FINAL_RESPONSE,)),
    "smollm": Later(rules=(CODE_CALLS,)),
    # GLM-5.3-Flash; Ling 3's end of a turn.
    "glm45": Later(rules=(NAME_AND_JSON,), dropped=("<|role_end|>",)),
    "deepseek_v4": Later(rules=(SPACED_DSML,)),
    # The markers of both releases may have a suffix. What MiniCPM5's template shares
    # with theirs is all that a copy without its tools has.
    "hunyuan_v3": Later(
        rules=(SUFFIXED_CALLS, SUFFIXED_END, replace(FUNCTION_ELEMENT, anchor="line")),
        thinking=(SUFFIXED_THINKING,),
        signs=("<tool_sep{}>",),
    ),
    # Kimi-VL, which marks reasoning only.
    "kimi_k2": Later(
        thinking=(Thinking("◁think▷", "◁/think▷"),),
        names="|kimi-?vl",
        signs=("◁think▷",),
    ),
}


def with_later(row: Dialect) -> Dialect:
    """Return the row with what later models of its family write."""
    more = LATER.get(row.id)
    if more is None:
        return row
    return replace(
        row,
        rules=(*row.rules, *more.rules),
        thinking=(*row.thinking, *more.thinking),
        dropped=(*row.dropped, *more.dropped),
        names=row.names + more.names,
        signs=(*row.signs, *more.signs),
    )
