"""Dialects of elements, pairs and fences that came in 2025 and 2026.

The formats are those of the models' chat templates and of the parsers of vLLM, sglang
and llama.cpp, as of November 2026; Gemma 3's is that of its prompt guide.
"""

from dataclasses import replace

from tui.models.gate.dialects.builders import (
    CHATML,
    DEEPSEEK,
    DEEPSEEK_END,
    END_OF_FENCE,
    LIST,
    OBJECT,
    PYTHON_CALL,
    STRINGS,
    THINK,
    block,
    eat,
    json_block,
    list_payload,
    row,
)
from tui.models.gate.dialects.other_tags import MCP_TOOL
from tui.models.gate.dialects.tool_call import (
    ARGUMENTS,
    CALL_SECTION,
    TOOL_CALL,
    pair_block,
)
from tui.models.gate.grammar import (
    DROP,
    Drop,
    Element,
    Payload,
    Quote,
    Rule,
    Thinking,
    opening_rules,
)
from tui.models.gate.patterns import (
    BLANK,
    NAME,
    SPACE,
    SUFFIX,
    Alt,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.elements import (
    MINIMAX,
    read_minicpm5,
    read_minimax_m3,
)
from tui.models.gate.payloads.fenced import (
    read_code,
    read_command_r,
    read_glm53,
    read_step_audio,
)
from tui.models.gate.payloads.marked_pairs import (
    Pairs,
    pair_reader,
    pair_section_reader,
    suffixed_section_reader,
)
from tui.models.gate.payloads.python import PYTHON_STRINGS
from tui.models.gate.payloads.tags import DSML_SPACED, GCML, tag_reader


def _tags(word: str, closer: str = "") -> tuple[str, str]:
    return f"<{word}>", closer or f"</{word}>"


_QUOTE = Run("[\"']", 1, 1)
_IFM = Pairs(
    _tags("ifm|arg_key"),
    _tags("ifm|arg_value"),
    type=_tags("ifm|arg_type"),
    call=_tags("ifm|tool_call"),
    json=True,
)
_SOLAR = Pairs(("<|tool_arg:start|>", "<|tool_arg:value|>"), ("", "<|tool_arg:end|>"))
SUFFIXED_THINKING = Thinking("<think:*>", "</think:*>")
FINAL_RESPONSE = Thinking(
    "Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]", prose=True
)
"""How Apriel marks reasoning; the prompt opens it."""
_CODE: Atoms = (
    SPACE,
    Opt((Lit("print("),)),
    Opt((Lit("default_api."),)),
    ToolName(),
    Lit("("),
)


def _code(closer: str) -> Payload:
    return Payload(
        read_code, PYTHON_STRINGS, (closer,), balanced=True, again=(PYTHON_CALL,)
    )


_GLM_NAME: Atoms = (
    SPACE,
    Run(r"\w", 1, 1),
    Run(r"[\w./\-]", 0, 100),
    Run(r"[>\n]", 1, 1),
    SPACE,
)

_SUFFIXED_END: Atoms = (Lit("</tool_calls:"), SUFFIX, Lit(">"))
SUFFIXED_CALLS = Rule(
    (Lit("<tool_calls:"),),
    (SUFFIX, Lit(">"), SPACE, Lit("<tool_call:")),
    Payload(suffixed_section_reader, closers=(">",), call=False),
    after=eat((SPACE, *_SUFFIXED_END)),
)
"""Hunyuan's section of calls, if its markers have a suffix."""
SUFFIXED_END = Rule(
    _SUFFIXED_END, (BLANK, Run(r"[\r\n]", 1, 1)), Drop(), anchor="called"
)
NAME_AND_JSON = Rule(
    (Lit("<tool_call>"),),
    (*_GLM_NAME, OBJECT),
    list_payload(header=_GLM_NAME, look=(OBJECT,))._replace(read=read_glm53),
    after=eat((SPACE, Lit("</tool_call>"))),
)
"""A call of GLM-5.3-Flash."""
CODE_CALLS = Rule(
    (Lit("<code>"),),
    _CODE,
    _code("</code>"),
    anchor="line",
)
"""A call of SmolLM3, if its tools are described as Python functions."""
_PARAM_BEGIN = Lit("<param name=")
_PARAM = (_PARAM_BEGIN, Run(r"[^<>]", 1))
_FUNCTION_TAG: Atoms = (
    *(Lit("<function"), Run(r"\s", 1), Lit("name="), _QUOTE, *NAME, _QUOTE),
    Lit(">"),
)
FUNCTION_ELEMENT = Rule(
    (),
    (
        *_FUNCTION_TAG,
        *(SPACE, Alt(((Lit("<param"),), (Lit("</function>"),)))),
    ),
    Payload(
        read_minicpm5,
        closers=("</function>",),
        elements=(
            Element((*_PARAM, Lit("><![CDATA[")), "]]>"),
            Element((*_PARAM, Lit(">")), "</param>"),
        ),
        ends=("</param>",),
        again=((_PARAM_BEGIN,),),
        header=_FUNCTION_TAG,
        before=("<function name=",),
    ),
    sign='<function name="',
)
"""A call of MiniCPM5."""
_MINIMAX_CALL: Atoms = (Lit(MINIMAX), SPACE, Lit("<invoke"))
SPACED_DSML = block(
    "<｜DSML｜ calls>",
    (Lit("<｜DSML｜ invoke"),),
    Payload(
        tag_reader(DSML_SPACED),
        (Quote("<｜DSML｜ parameter", "</｜DSML｜ parameter>"), *STRINGS),
        ("</｜DSML｜ calls>",),
        ends=("</｜DSML｜ invoke>",),
        again=((Lit("<｜DSML｜ invoke"),),),
    ),
)
"""The calls of DeepSeek V4.1."""

ROWS = (
    row(
        "deepseek_v41",
        SPACED_DSML,
        thinking=THINK,
        dropped=DEEPSEEK_END,
        special=True,
        names=rf"{DEEPSEEK}v4\.1",
        signs=(("｜DSML｜", " calls>"),),
        priority=1,
    ),
    row(
        "gigachat35",
        block(
            "<｜GCML｜tool_calls>",
            (Lit("<｜GCML｜invoke"),),
            Payload(
                tag_reader(GCML),
                (Quote("<｜GCML｜parameter", "</｜GCML｜parameter>"),),
                ("</｜GCML｜tool_calls>",),
                ends=("</｜GCML｜invoke>",),
                again=((Lit("<｜GCML｜invoke"),),),
            ),
        ),
        thinking=THINK,
        dropped=("<|message_sep|>",),
        special=True,
        names=r"gigachat-?3\.5",
        signs=("｜GCML｜",),
        priority=1,
    ),
    row(
        "minimax_m3",
        block(
            f"{MINIMAX}<tool_call>",
            _MINIMAX_CALL,
            Payload(
                read_minimax_m3,
                closers=(f"{MINIMAX}</tool_call>",),
                ends=(f"{MINIMAX}</invoke>",),
                again=(_MINIMAX_CALL,),
                elements=(
                    Element(
                        (Lit(f"{MINIMAX}<"), Run(r"[^\s<>/]", 1), Lit(">")),
                        f"{MINIMAX}</*>",
                    ),
                ),
            ),
        ),
        # An answer without reasoning begins with the end of it.
        Rule((Lit("</mm:think>"),), (), Drop(), "start", structural=True),
        thinking=(Thinking("<mm:think>", "</mm:think>"),),
        dropped=("[e~[",),
        names="minimax-?m3",
        signs=(MINIMAX,),
        priority=1,
    ),
    row(
        "minicpm5",
        FUNCTION_ELEMENT,
        thinking=THINK,
        dropped=CHATML,
        names="minicpm-?5",
        signs=(('<function name="', '<param name="'),),
        priority=2,
    ),
    # Pairs
    row(
        "hunyuan_v4",
        SUFFIXED_CALLS,
        SUFFIXED_END,
        CALL_SECTION,
        thinking=(*THINK, SUFFIXED_THINKING),
        names=r"hunyuan-?v?4|\bhy-?v?4",
        signs=("<tool_calls:",),
        priority=1,
    ),
    row(
        "iquest_q1",
        pair_block("iquest_tool_call", ARGUMENTS),
        thinking=THINK,
        dropped=CHATML,
        names="iquest-?q1",
        signs=("<iquest_tool_call>",),
        priority=1,
    ),
    row(
        "k2_horizon",
        block(
            "<ifm|tool_calls>",
            (Lit("<ifm|tool_call>"),),
            Payload(
                pair_section_reader(_IFM),
                (*STRINGS, Quote(*_IFM.key), Quote(*_IFM.value)),
                ("</ifm|tool_calls>",),
                ends=("</ifm|tool_call>",),
                again=((Lit("<ifm|tool_call>"),),),
            ),
        ),
        thinking=tuple(
            Thinking(*_tags(f"ifm|{word}"))
            for word in ("think", "think_fast", "think_faster")
        ),
        names="k2-?horizon",
        signs=("<ifm|tool_call",),
    ),
    row(
        "solar_open2",
        block(
            "<|tool_call:start|>",
            (*NAME, Run(r"[\r\n]"), Lit("<|tool_")),
            Payload(
                pair_reader(_SOLAR),
                (Quote("<|tool_arg:start|>", "<|tool_arg:end|>"),),
                ("<|tool_call:end|>",),
                ends=("<|tool_arg:end|>",),
                again=((Lit("<|tool_arg:start|>"),),),
            ),
        ),
        thinking=(Thinking("<|think:start|>", "<|think:end|>", anywhere=True),),
        dropped=("<|im:end|>",),
        special=True,
        names=r"solar-open-?2",
        signs=("<|tool_call:start|>",),
    ),
    row(
        "hyperclovax",
        *TOOL_CALL,
        thinking=THINK,
        dropped=CHATML,
        names="hyperclova-?x-seed-think(?!.*14b)",
        in_auto=False,
    ),
    row(
        "mirothinker",
        MCP_TOOL,
        *TOOL_CALL,
        thinking=THINK,
        dropped=CHATML,
        names="mirothinker",
        signs=("<use_mcp_tool>",),
    ),
    row(
        "openthinker",
        *TOOL_CALL,
        *(
            replace(rule, structural=True)
            for rule in opening_rules("<|begin_of_solution|>", DROP)
        ),
        thinking=(Thinking("<|begin_of_thought|>", "<|end_of_thought|>"), *THINK),
        dropped=(*CHATML, "<|end_of_solution|>"),
        names="openthinker|sky-?t1|supra-?.*reasoning",
        signs=("<|begin_of_thought|>",),
    ),
    row(
        "exaone",
        *TOOL_CALL,
        thinking=THINK,
        dropped=("[|endofturn|]",),
        names="exaone",
        signs=("[|endofturn|]",),
        priority=1,
    ),
    # A name, then JSON
    row(
        "glm53_flash",
        NAME_AND_JSON,
        thinking=THINK,
        dropped=("<|user|>", "<|observation|>"),
        names=r"glm-?5\.3-flash",
        priority=1,
    ),
    row(
        "step_audio2",
        block(
            "<tool_call>",
            (Lit("function"), BLANK, Lit("\n"), SPACE, *NAME, SPACE, OBJECT),
            Payload(read_step_audio, STRINGS, ("</tool_call>",), balanced=True),
        ),
        names="step-?audio-?2",
    ),
    # JSON
    row(
        "apriel",
        json_block("<tool_calls>", (LIST,), "</tool_calls>"),
        thinking=(FINAL_RESPONSE, *THINK),
        dropped=("<|end|>",),
        names="apriel",
        signs=("[BEGIN FINAL RESPONSE] <tool_calls>",),
        in_auto=False,
    ),
    # Fences
    row(
        "command_r",
        Rule(
            (Lit("Action:"), SPACE, Lit("```json"), SPACE),
            (LIST, SPACE, OBJECT, SPACE, Lit('"tool_name"')),
            list_payload()._replace(read=read_command_r),
            anchor="line",
            sign="",
            after=(END_OF_FENCE,),
        ),
        dropped=("<|END_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"),
        names="command-r(?!7b)",
        signs=("<|CHATBOT_TOKEN|> Action: ```json",),
        priority=-1,
    ),
    row(
        "gemma3",
        Rule(
            (Lit("```tool_code"), BLANK, Lit("\n")),
            _CODE,
            _code("```")._replace(before=("```tool_code",)),
            anchor="line",
            sign="",
        ),
        dropped=("<end_of_turn>",),
    ),
)
