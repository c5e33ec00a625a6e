"""Dialects that write calls as JSON objects or lists."""

from dataclasses import replace

from tui.models.gate.dialects.builders import (
    BARE_CALL,
    CHATML,
    EITHER,
    END_OF_FENCE,
    LIST,
    MORE_JSON,
    OBJECT,
    PYTHON_CALL,
    QUOTE,
    THINK,
    block,
    eat,
    json_block,
    json_payload,
    list_payload,
    row,
)
from tui.models.gate.dialects.tool_call import (
    ARGUMENTS,
    JSON_CALLS,
    TOOL_CALL,
    TOOLS_BLOCK,
    function_block,
    pair_block,
)
from tui.models.gate.grammar import Drop, Payload, Rule, Thinking
from tui.models.gate.patterns import SPACE, Alt, Lit, Run
from tui.models.gate.payloads.json import read_keyed_calls
from tui.models.gate.payloads.marked_pairs import Pairs
from tui.models.gate.payloads.python import (
    PYTHON_STRINGS,
    read_builtin,
)

_LLAMA_JSON = list_payload()
_LLAMA_AFTER = (
    *eat((SPACE, Lit(";"))),
    Rule((Run(r"\s", 1),), BARE_CALL, Drop()),
)

OLD_MISTRAL = r"mistral-7b|mistral:7b|nemo\b|mixtral|mistral-large-2407"
"""Names of the Mistral models that predate [ARGS]."""
_MISTRAL = list_payload(again=MORE_JSON, before=("[TOOL_CALLS]",))
_MISTRAL_END = eat((SPACE, Lit("[/TOOL_CALLS]")))
MISTRAL = (
    Rule(
        (Lit("[TOOL_CALLS]"),),
        (SPACE, Alt(((LIST, SPACE, OBJECT), (OBJECT, SPACE, QUOTE)))),
        _MISTRAL,
        after=_MISTRAL_END,
    ),
)
"""Mistral's list of calls, or objects without one."""

_ALSO_TOOL_CALL = tuple(replace(rule, anchor="line") for rule in JSON_CALLS)
_ALSO_MISTRAL = tuple(replace(rule, anchor="line") for rule in MISTRAL)

ROWS = (
    # JSON in a block
    row(
        "hermes",
        *TOOL_CALL,
        TOOLS_BLOCK,
        thinking=THINK,
        dropped=CHATML,
        names=r"hermes|qwen-?2\.5|qwen-?3|qwq|mimo-vl|reka-edge|bielik|granite-?4|kolibri",
        signs=("<tool_call>",),
        priority=-2,
    ),
    row(
        "smollm",
        *TOOL_CALL,
        thinking=THINK,
        names="smollm",
        in_auto=False,
    ),
    row(
        "granite20b",
        replace(
            block("<function_call>", (OBJECT,), list_payload()),
            # Other models than Granite close it.
            after=eat((SPACE, Lit("</function_call>"))),
        ),
        names="granite-20b-function",
        priority=-1,
        signs=("<function_call>",),
    ),
    row(
        "jamba",
        json_block("<tool_calls>", (EITHER,), "</tool_calls>"),
        thinking=THINK,
        names="jamba|apriel",
        priority=-1,
        signs=("<tool_calls>",),
    ),
    row(
        "hunyuan_a13b",
        json_block("<tool_calls>", (EITHER,), "</tool_calls>"),
        thinking=THINK,
        dropped=("<answer>", "</answer>"),
        names="hunyuan-a13b",
        signs=("<tool_calls> <answer>",),
        in_auto=False,
    ),
    row(
        "minimax_m1",
        json_block("<tool_calls>", (EITHER,), "</tool_calls>"),
        thinking=THINK,
        names="minimax-?m1",
        signs=("<tool_calls> <beginning_of_sentence>",),
    ),
    row(
        "nemotron_v2",
        json_block("<TOOLCALL>", (EITHER,), "</TOOLCALL>"),
        thinking=THINK,
        names=r"nemotron.*(?:-v2|-h\b|-h-)",
        signs=("<TOOLCALL>",),
    ),
    row(
        "ernie45",
        *TOOL_CALL,
        thinking=THINK,
        dropped=("<response>", "</response>"),
        names=r"ernie-?4\.5",
        signs=("<tool_call> <response>",),
        in_auto=False,
    ),
    row(
        "longcat",
        json_block("<longcat_tool_call>", (EITHER,), "</longcat_tool_call>"),
        # LongCat-Flash-Lite and its successors.
        pair_block(
            "longcat_tool_call",
            Pairs(
                ("<longcat_arg_key>", "</longcat_arg_key>"),
                ("<longcat_arg_value>", "</longcat_arg_value>"),
            ),
        ),
        pair_block("longcat_tool_call", ARGUMENTS),
        function_block("<longcat_tool_call>", "</longcat_tool_call>"),
        thinking=(Thinking("<longcat_think>", "</longcat_think>"),),
        names="longcat",
        signs=("<longcat_tool_call>",),
    ),
    row(
        "internlm2",
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|plugin|>")),
            (SPACE, OBJECT),
            json_payload("<|action_end|>"),
        ),
        thinking=THINK,
        dropped=CHATML,
        special=True,
        names="internlm-?[23]|intern-s1",
        signs=("<|action_start|>",),
    ),
    row(
        "command",
        json_block("<|START_ACTION|>", (EITHER,), "<|END_ACTION|>"),
        thinking=(Thinking("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),),
        dropped=(
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_TEXT|>",
            "<|END_TEXT|>",
            "<|END_OF_TURN_TOKEN|>",
        ),
        special=True,
        names=r"command-?(?:r7b|a\b)",
        signs=("<|START_ACTION|>",),
    ),
    row(
        "apertus",
        block(
            "<|tools_prefix|>",
            (LIST,),
            json_payload("<|tools_suffix|>", read=read_keyed_calls),
        ),
        thinking=(Thinking("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True),),
        dropped=("<|assistant_end|>",),
        special=True,
        names="apertus",
        signs=("<|tools_prefix|>",),
    ),
    # JSON that ends by itself
    row(
        "granite3",
        block("<|tool_call|>", (LIST,), list_payload()),
        # Granite 3.1 in vLLM.
        *_ALSO_TOOL_CALL,
        thinking=THINK,
        dropped=("<|end_of_text|>",),
        special=True,
        names="granite-?3",
        priority=-1,
        signs=("<|tool_call|>",),
    ),
    row(
        "mistral_list",
        *MISTRAL,
        dropped=("</s>",),
        special=True,
        names=OLD_MISTRAL,
        signs=("[TOOL_CALLS]",),
        priority=-3,
        in_auto=False,
    ),
    row(
        "phi4mini",
        Rule(
            (Lit("functools"),),
            (LIST, SPACE, OBJECT),
            list_payload(),
            # "of" at the end of a chunk is none of it.
            anchor="word",
            sign="functools[",
        ),
        Rule(
            (Lit("<|tool_call|>"),),
            (SPACE, LIST),
            list_payload(closers=("<|/tool_call|>",)),
            after=eat((SPACE, Lit("<|/tool_call|>"))),
        ),
        dropped=("<|end|>",),
        names="firefunction|phi-?4-mini",
        signs=("functools[", "<|/tool_call|>"),
        priority=1,
    ),
    row(
        "llama3_json",
        Rule((), BARE_CALL, _LLAMA_JSON, anchor="line", after=_LLAMA_AFTER),
        Rule(
            (Lit("<|python_tag|>"),),
            (SPACE, Alt(((OBJECT,), (LIST, SPACE, OBJECT)))),
            _LLAMA_JSON,
            after=_LLAMA_AFTER,
        ),
        Rule(
            (Lit("<|python_tag|>"),),
            (SPACE, *PYTHON_CALL),
            Payload(read_builtin, PYTHON_STRINGS, balanced=True),
        ),
        dropped=("<|eot_id|>", "<|eom_id|>"),
        names="llama-?v?3[.-][1-3]",
        signs=("<|python_tag|>", '<|start_header_id|> "parameters"'),
        priority=-4,
    ),
    row(
        "xlam",
        Rule((), (LIST, SPACE, *BARE_CALL), list_payload(), anchor="line"),
        *_ALSO_MISTRAL,
        *_ALSO_TOOL_CALL,
        Rule(
            (Lit("```json\n"), SPACE),
            (LIST, SPACE, *BARE_CALL),
            list_payload(),
            anchor="start",
            quotable=False,
            sign="",
            after=(END_OF_FENCE,),
        ),
        names="xlam",
    ),
)
