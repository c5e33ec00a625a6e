"""Dialects that put a known notation between markers of their own.

The formats are those of vLLM's parsers as of November 2026 (telechat4, iquest_coder_v2,
openpangu_v2, rwkv, minicpm), of LM Studio's documentation, and of the prompting guide
of Meta's Code World Model.
"""

from tui.models.gate.dialects.builders import (
    CHATML,
    END_OF_FENCE,
    LIST,
    OBJECT,
    PYTHON_CALL,
    QUOTE,
    STRINGS,
    THINK,
    block,
    eat,
    json_block,
    list_payload,
    row,
)
from tui.models.gate.dialects.tool_call import ARGUMENTS, JSON_CALLS, pair_block
from tui.models.gate.grammar import Drop, Payload, Rule, Thinking
from tui.models.gate.patterns import BLANK, NAME, SPACE, Atoms, Lit, Opt, Run
from tui.models.gate.payloads.fenced import read_fenced_code, read_named
from tui.models.gate.payloads.lines import read_lines
from tui.models.gate.payloads.marked_pairs import Pairs
from tui.models.gate.payloads.python import PYTHON_STRINGS

_PARAMETERS = Pairs(
    ("<param_key>", "</param_key>"), ("<param_value>", "</param_value>")
)
_FENCE = Opt((Lit("```python"), BLANK, Lit("\n"), SPACE))
_NAME: Atoms = (SPACE, *NAME, SPACE)

ROWS = (
    row(
        "telechat4",
        *JSON_CALLS,
        pair_block("tool_call", _PARAMETERS),
        block(
            "<tool_call>",
            (*NAME, SPACE, OBJECT),
            Payload(
                read_named,
                STRINGS,
                ("</tool_call>",),
                balanced=True,
                header=_NAME,
                look=(OBJECT,),
            ),
        ),
        thinking=THINK,
        names=r"telechat-?4|xing-?(?:chen-?)?4",
        signs=("<param_key>",),
        priority=1,
    ),
    row(
        "iquest_coder",
        pair_block("iquestcoder_tool_call", ARGUMENTS),
        thinking=THINK,
        dropped=CHATML,
        names="iquest-?coder",
        signs=("<iquestcoder_tool_call>",),
        priority=1,
    ),
    row(
        "openpangu_v2",
        json_block("<|tool_call_start|>", (LIST, SPACE, OBJECT), "<|tool_call_end|>"),
        thinking=THINK,
        special=True,
        names=r"pangu-?(?:v?2\b|v?2\.)",
        priority=1,
        # The row of LFM2 reads JSON between the same markers.
        in_auto=False,
    ),
    row(
        "lmstudio",
        json_block("[TOOL_REQUEST]", (OBJECT, SPACE, QUOTE), "[END_TOOL_REQUEST]"),
        signs=("[TOOL_REQUEST]",),
        priority=-1,
    ),
    row(
        "rwkv",
        Rule(
            (Lit("**Tool Call:**"), SPACE, Lit("```json"), BLANK, Lit("\n")),
            (OBJECT, SPACE, QUOTE),
            list_payload(),
            anchor="line",
            sign="",
            after=(END_OF_FENCE,),
        ),
        *JSON_CALLS,
        thinking=THINK,
        names=r"\brwkv",
        signs=(("**Tool Call:**",),),
        # "**" begins many a line of an answer.
        in_auto=False,
    ),
    row(
        "minicpm4",
        block(
            "<|tool_call_start|>",
            (_FENCE, *PYTHON_CALL),
            Payload(
                read_fenced_code,
                PYTHON_STRINGS,
                ("<|tool_call_end|>",),
                balanced=True,
                ends=("```",),
                again=(PYTHON_CALL, (Lit("```"), Run(r"[^\w`]", 1, 1))),
                header=(SPACE, _FENCE),
                look=PYTHON_CALL,
            ),
        ),
        thinking=(Thinking("<|thought_start|>", "<|thought_end|>"), *THINK),
        dropped=CHATML,
        names=r"minicpm-?[34]",
        signs=(
            "<|tool_call_start|> ```python",
            "<|thought_start|> <|tool_call_start|>",
        ),
        priority=1,
    ),
    row(
        "cwm",
        # An argument may hold the closer too, but not at the start of a line.
        Rule(
            (Lit("<tool:"),),
            (BLANK, *NAME, BLANK, Lit(">"), BLANK, Run(r"[\r\n]", 1, 1)),
            Payload(read_lines, closers=("\n</tool>",), before=("<tool: ",)),
            anchor="line",
            after=eat((SPACE, Lit("</tool>"))),
        ),
        Rule((Lit("</tool>"),), (BLANK, Run(r"[\r\n]", 1, 1)), Drop(), "called"),
        thinking=THINK,
        dropped=("<|eot_id|>",),
        names=r"^cwm\b",
        signs=(("<tool: ", "</tool>"),),
    ),
)
