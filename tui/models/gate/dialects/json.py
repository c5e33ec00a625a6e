"""Rows of formats that write calls as JSON objects or lists."""

from tui.models.gate.dialects.builders import (
    BARE_CALL,
    CHATML,
    EITHER,
    LETTER,
    LIST,
    OBJECT,
    STRINGS,
    THINK,
    block,
    eat,
    json_block,
    list_payload,
    row,
    special_row,
)
from tui.models.gate.grammar import Drop, Payload, Rule, Thinking
from tui.models.gate.patterns import NAME, SPACE, Lit, Run
from tui.models.gate.payloads.json import read_calls, read_keyed_calls
from tui.models.gate.payloads.python import PYTHON_STRINGS, read_builtin

_LLAMA_JSON = list_payload()
_LLAMA_AFTER = (
    *eat((SPACE, Lit(";"))),
    Rule((Run(r"\s", 1),), BARE_CALL, Drop()),
)

MISTRAL_LIST = block("[TOOL_CALLS]", (LIST, SPACE, OBJECT), list_payload())
ROWS = (
    # JSON in a block
    row(
        "hermes",
        json_block("<tool_call>", (EITHER,), "</tool_call>"),
        thinking=THINK,
        dropped=CHATML,
    ),
    row("smollm", json_block("<tool_call>", (EITHER,), "</tool_call>"), thinking=THINK),
    row(
        "granite20b",
        block("<function_call>", (OBJECT,), list_payload()),
    ),
    row("jamba", json_block("<tool_calls>", (LIST,), "</tool_calls>"), thinking=THINK),
    row(
        "hunyuan_a13b",
        json_block("<tool_calls>", (LIST,), "</tool_calls>"),
        thinking=THINK,
        dropped=("<answer>", "</answer>"),
    ),
    row(
        "minimax_m1",
        json_block("<tool_calls>", (OBJECT,), "</tool_calls>"),
        thinking=THINK,
    ),
    row(
        "nemotron_v2", json_block("<TOOLCALL>", (LIST,), "</TOOLCALL>"), thinking=THINK
    ),
    row(
        "ernie45",
        json_block("<tool_call>", (OBJECT,), "</tool_call>"),
        thinking=THINK,
        dropped=("<response>", "</response>"),
    ),
    row(
        "longcat",
        json_block("<longcat_tool_call>", (OBJECT,), "</longcat_tool_call>"),
        thinking=(Thinking("<longcat_think>", "</longcat_think>"),),
    ),
    special_row(
        "internlm2",
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|plugin|>")),
            (SPACE, OBJECT),
            Payload(read_calls, STRINGS, ("<|action_end|>",)),
        ),
        thinking=THINK,
        dropped=CHATML,
    ),
    special_row(
        "command",
        json_block("<|START_ACTION|>", (LIST,), "<|END_ACTION|>"),
        thinking=(Thinking("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),),
        dropped=(
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_TEXT|>",
            "<|END_TEXT|>",
            "<|END_OF_TURN_TOKEN|>",
        ),
    ),
    special_row(
        "apertus",
        block(
            "<|tools_prefix|>",
            (LIST,),
            Payload(read_keyed_calls, STRINGS, ("<|tools_suffix|>",)),
        ),
        thinking=(Thinking("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True),),
        dropped=("<|assistant_end|>",),
    ),
    # JSON that ends by itself
    special_row(
        "granite3",
        block("<|tool_call|>", (LIST,), list_payload()),
        thinking=THINK,
        dropped=("<|end_of_text|>",),
    ),
    special_row("mistral_list", MISTRAL_LIST, dropped=("</s>",)),
    row(
        "phi4mini",
        Rule(
            (Lit("functools"),),
            (LIST, SPACE, OBJECT),
            list_payload(),
            sign="functools[",
        ),
        Rule(
            (Lit("<|tool_call|>"),),
            (SPACE, LIST),
            list_payload(closers=("<|/tool_call|>",)),
            after=eat((SPACE, Lit("<|/tool_call|>"))),
        ),
        dropped=("<|end|>",),
    ),
    row(
        "llama3_json",
        Rule((), BARE_CALL, _LLAMA_JSON, anchor="line", after=_LLAMA_AFTER),
        Rule(
            (Lit("<|python_tag|>"),), (SPACE, OBJECT), _LLAMA_JSON, after=_LLAMA_AFTER
        ),
        Rule(
            (Lit("<|python_tag|>"),),
            (SPACE, LETTER),
            Payload(
                read_builtin,
                PYTHON_STRINGS,
                balanced=True,
                header=(SPACE, *NAME, SPACE),
                look=(Lit("("),),
            ),
        ),
        dropped=("<|eot_id|>", "<|eom_id|>"),
    ),
    row(
        "xlam",
        Rule((), (LIST, SPACE, *BARE_CALL), list_payload(), anchor="line"),
        Rule(
            (Lit("```json\n"), SPACE),
            (LIST, SPACE, *BARE_CALL),
            list_payload(),
            anchor="start",
            quotable=False,
            sign="",
            after=eat((SPACE, Lit("```"))),
        ),
    ),
)
