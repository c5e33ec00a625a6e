"""Dialects that write a tool's name and then its arguments as JSON."""

from collections.abc import Sequence

from tui.models.gate.dialects.builders import (
    CHATML,
    DEEPSEEK_END,
    LETTER,
    OBJECT,
    STRINGS,
    THINK,
    block,
    row,
)
from tui.models.gate.dialects.json import MISTRAL_LIST, OLD_MISTRAL
from tui.models.gate.grammar import Dialect, Payload, Rule, Switch, Thinking
from tui.models.gate.patterns import BLANK, NAME, SPACE, Lit, Opt, Run, ToolName
from tui.models.gate.payloads.named import (
    read_deepseek,
    read_function_tag,
    read_kimi,
    read_lazyllm_glm,
    read_lazyllm_internlm,
    read_mistral,
    read_name_line,
)


def _deepseek(
    id: str, names: str, signs: Sequence[str], in_auto: bool = True
) -> Dialect:
    return row(
        id,
        block(
            "<｜tool▁calls▁begin｜>",
            (Lit("<｜tool▁call▁begin｜>"),),
            Payload(read_deepseek, STRINGS, ("<｜tool▁calls▁end｜>",)),
        ),
        thinking=THINK,
        dropped=DEEPSEEK_END,
        special=True,
        names=names,
        signs=signs,
        in_auto=in_auto,
    )


ROWS = (
    # A name, then JSON
    row(
        "lazyllm_internlm",
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|function|>")),
            (SPACE, LETTER),
            Payload(read_lazyllm_internlm, STRINGS, ("<|action_end|>",)),
        ),
        dropped=CHATML,
        special=True,
        signs=("<|action_start|> <|function|>",),
    ),
    row(
        "lazyllm_glm",
        block(
            "✿FUNCTION✿:",
            (LETTER,),
            Payload(
                read_lazyllm_glm,
                STRINGS,
                balanced=True,
                header=(SPACE, *NAME, SPACE, Lit("✿ARGS✿:"), SPACE),
                look=(OBJECT,),
                resume="\n",
            ),
        ),
        Rule(
            (Lit("✿RESULT✿"),), (), Switch("nothing", permanent=True), anchor="called"
        ),
        signs=("✿FUNCTION✿",),
    ),
    row(
        "glm4",
        Rule(
            (),
            (ToolName(), BLANK, Lit("\n{")),
            Payload(
                read_name_line,
                STRINGS,
                balanced=True,
                header=(Run(r"[^\n]", 1), Lit("\n")),
                look=(OBJECT,),
            ),
            anchor="line",
        ),
        names="glm-?4|chatglm3",
        signs=("[gMASK] <|observation|>",),
        priority=-4,
    ),
    row(
        "mistral_args",
        MISTRAL_LIST,
        block(
            "[TOOL_CALLS]",
            (LETTER,),
            Payload(
                read_mistral,
                STRINGS,
                balanced=True,
                header=(
                    SPACE,
                    *NAME,
                    SPACE,
                    Opt((Lit("[CALL_ID]"), Run(r"[^\[\s{]"), SPACE)),
                    Opt((Lit("[ARGS]"), SPACE)),
                ),
                look=(OBJECT,),
                before=("[TOOL_CALLS]",),
            ),
        ),
        thinking=(Thinking("[THINK]", "[/THINK]", anywhere=True),),
        dropped=("</s>",),
        special=True,
        names=rf"^(?!.*(?:{OLD_MISTRAL})).*(?:(?:mi|magi|mini)stral|devstral)",
        signs=("[TOOL_CALLS] [ARGS]", "[TOOL_CALLS] [THINK]"),
        priority=-3,
    ),
    _deepseek(
        "deepseek_v3",
        names=r"deepseek-?(?:v3(?!\.[12])|r1)",
        signs=("<｜tool▁calls▁begin｜> ```json",),
    ),
    _deepseek(
        "deepseek_v31",
        names=r"deepseek-?v3\.(?:1|2-exp)",
        signs=("<｜tool▁calls▁begin｜>",),
        in_auto=False,
    ),
    row(
        "kimi_k2",
        block(
            "<|tool_calls_section_begin|>",
            (Lit("<|tool_call_begin|>"),),
            Payload(read_kimi, STRINGS, ("<|tool_calls_section_end|>",)),
        ),
        thinking=THINK,
        dropped=CHATML,
        special=True,
        names="kimi-?k2",
        signs=("<|tool_calls_section_begin|>",),
    ),
    row(
        "functionary_v31",
        Rule(
            (Lit("<function="),),
            (*NAME, Lit(">"), SPACE, OBJECT),
            Payload(read_function_tag, STRINGS, ("</function>",)),
        ),
        dropped=("<|eot_id|>", "<|eom_id|>"),
        names=r"functionary.*v3\.1",
        priority=-1,
        signs=("<function=",),
    ),
)
