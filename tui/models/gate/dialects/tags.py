"""Dialects of XML-like elements, of Gemma's notation, and of Python calls."""

from collections.abc import Sequence

from tui.models.gate.dialects.builders import (
    CHATML,
    DEEPSEEK_END,
    LETTER,
    LIST,
    OBJECT,
    STRINGS,
    THINK,
    block,
    eat,
    row,
)
from tui.models.gate.grammar import Dialect, Payload, Quote, Rule, Thinking
from tui.models.gate.patterns import NAME, SPACE, Alt, Lit, ToolName
from tui.models.gate.payloads.gemma import gemma_reader
from tui.models.gate.payloads.pairs import read_pair_section, read_pairs
from tui.models.gate.payloads.python import (
    PYTHON_STRINGS,
    read_python_lines,
    read_python_list,
)
from tui.models.gate.payloads.tags import (
    DSML,
    FUNCTION,
    INVOKE,
    STEPTML,
    read_bare_function,
    read_dots,
    tag_reader,
)

_PAIRS = (Quote("<arg_key>", "</arg_key>"), Quote("<arg_value>", "</arg_value>"))
_PARAMETER = (Quote("<parameter=", "</parameter>"),)
_NAMED_PARAMETER = (Quote("<parameter", "</parameter>"),)
_QWEN = tag_reader(FUNCTION)
_DSML_QUOTES = (Quote("<｜DSML｜parameter", "</｜DSML｜parameter>"), *STRINGS)


def _dsml(id: str, word: str, names: str, signs: Sequence[str]) -> Dialect:
    return row(
        id,
        block(
            f"<｜DSML｜{word}>",
            (Lit("<｜DSML｜invoke"),),
            Payload(tag_reader(DSML), _DSML_QUOTES, (f"</｜DSML｜{word}>",)),
        ),
        thinking=THINK,
        dropped=DEEPSEEK_END,
        special=True,
        names=names,
        signs=signs,
    )


ROWS = (
    # Python calls
    row(
        "llama_pythonic",
        Rule(
            (),
            (LIST, SPACE, ToolName(), Lit("(")),
            Payload(read_python_list, PYTHON_STRINGS, balanced=True),
            anchor="line",
        ),
        Rule(
            (Lit("<|python_start|>"),),
            (SPACE, LIST),
            Payload(
                read_python_list, PYTHON_STRINGS, ("<|python_end|>",), balanced=True
            ),
            after=eat((SPACE, Lit("<|python_end|>"))),
        ),
        dropped=("<|eot_id|>", "<|eot|>"),
        names="llama-?4",
        signs=("<|python_start|>",),
        priority=-3,
    ),
    row(
        "olmo3",
        block(
            "<function_calls>",
            (LETTER,),
            Payload(read_python_lines, PYTHON_STRINGS, ("</function_calls>",)),
        ),
        thinking=THINK,
        names="olmo-?3",
        priority=-1,
        signs=("<function_calls>",),
    ),
    row(
        "lfm2",
        block(
            "<|tool_call_start|>",
            (LIST,),
            Payload(read_python_list, PYTHON_STRINGS, ("<|tool_call_end|>",)),
        ),
        thinking=THINK,
        dropped=CHATML,
        special=True,
        names="lfm-?2",
        signs=("<|tool_call_start|>",),
    ),
    # Elements
    row(
        "qwen3_coder",
        block(
            "<tool_call>",
            (Lit("<function="),),
            Payload(_QWEN, _PARAMETER, ("</tool_call>",)),
        ),
        Rule(
            (),
            (
                Lit("<function="),
                *NAME,
                Lit(">"),
                SPACE,
                Alt(((Lit("<parameter="),), (Lit("</function>"),))),
            ),
            Payload(read_bare_function, _PARAMETER, ("</function>",)),
            # Directly after the block's marker it is text: the marker was quoted.
            unless=r"(?<!<tool_call>)(?<!<tool_call>\n)",
            after=eat((SPACE, Lit("</tool_call>"))),
        ),
        thinking=THINK,
        dropped=CHATML,
        names=r"nemotron-?3|qwen-?3-coder|qwen-?3\.[5-9]|step-?3\.[5-9]|mimo-v2",
        signs=("<function= <parameter=",),
    ),
    row(
        "seed_oss",
        block(
            "<seed:tool_call>",
            (Lit("<function="),),
            Payload(_QWEN, _PARAMETER, ("</seed:tool_call>",)),
        ),
        thinking=(Thinking("<seed:think>", "</seed:think>"),),
        dropped=("<seed:eos>",),
        names="seed-?oss",
        signs=("<seed:tool_call>",),
        priority=1,
    ),
    row(
        "minimax_m2",
        block(
            "<minimax:tool_call>",
            (Lit("<invoke"),),
            Payload(tag_reader(INVOKE), _NAMED_PARAMETER, ("</minimax:tool_call>",)),
        ),
        thinking=THINK,
        names="minimax-?m2",
        signs=("<minimax:tool_call>",),
    ),
    row(
        "dots",
        block(
            "<dots_function_call>",
            (Alt(((Lit("<invoke"),), (OBJECT,))),),
            Payload(
                read_dots,
                (*_NAMED_PARAMETER, *STRINGS),
                ("</dots_function_call>",),
            ),
        ),
        names="dots[.-]?llm",
        signs=("<dots_function_call>",),
    ),
    _dsml(
        "deepseek_v32",
        "function_calls",
        names=r"deepseek-?v3\.2(?!-exp)",
        signs=("｜DSML｜ function_calls",),
    ),
    _dsml(
        "deepseek_v4",
        "tool_calls",
        names="deepseek-?v4",
        signs=("｜DSML｜",),
    ),
    row(
        "step3",
        block(
            "<｜tool_calls_begin｜>",
            (Lit("<｜tool_call_begin｜>"),),
            Payload(
                tag_reader(STEPTML),
                (Quote("<steptml:parameter", "</steptml:parameter>"),),
                ("<｜tool_calls_end｜>",),
            ),
        ),
        thinking=THINK,
        special=True,
        names=r"step-?3(?!\.[5-9])",
        signs=("<｜tool_calls_begin｜>",),
    ),
    # Pairs
    row(
        "glm45",
        block(
            "<tool_call>",
            (*NAME, SPACE, Alt(((Lit("<arg_key>"),), (Lit("</tool_call>"),)))),
            Payload(read_pairs, _PAIRS, ("</tool_call>",)),
        ),
        thinking=THINK,
        dropped=("<|user|>", "<|observation|>"),
        names=r"glm-?4\.[5-9]|glm-?[5-9]|ling-3|laguna",
        signs=("<arg_key>",),
    ),
    row(
        "hunyuan_v3",
        block(
            "<tool_calls>",
            (Lit("<tool_call>"),),
            Payload(read_pair_section, _PAIRS, ("</tool_calls>",)),
        ),
        thinking=THINK,
        names=r"hunyuan-?v?3|\bhy-?3",
        signs=("<tool_sep>",),
        priority=1,
    ),
    # Gemma
    row(
        "gemma4",
        block(
            "<|tool_call>",
            (Lit("call:"),),
            Payload(
                gemma_reader('<|"|>'), (Quote('<|"|>', '<|"|>'),), ("<tool_call|>",)
            ),
        ),
        thinking=(Thinking("<|channel>thought\n", "<channel|>", anywhere=True),),
        dropped=("<turn|>",),
        special=True,
        names="gemma-?4",
        signs=("<|tool_call>",),
    ),
    row(
        "functiongemma",
        block(
            "<start_function_call>",
            (Lit("call:"),),
            Payload(
                gemma_reader("<escape>"),
                (Quote("<escape>", "<escape>"),),
                ("<end_function_call>",),
            ),
        ),
        dropped=("<end_of_turn>",),
        endings=("<start_function_response>",),
        special=True,
        names="function-?gemma",
        signs=("<start_function_call>",),
    ),
)
