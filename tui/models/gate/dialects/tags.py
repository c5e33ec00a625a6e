"""Dialects of XML-like elements, of Gemma's notation, and of Python calls."""

from collections.abc import Sequence
from dataclasses import replace

from tui.models.gate.dialects.builders import (
    CHATML,
    DEEPSEEK_END,
    LIST,
    MORE_JSON,
    OBJECT,
    PYTHON_CALL,
    STRINGS,
    THINK,
    block,
    eat,
    not_behind,
    row,
)
from tui.models.gate.dialects.json import TOOL_CALL
from tui.models.gate.grammar import Dialect, Payload, Quote, Rule, Thinking
from tui.models.gate.patterns import NAME, SPACE, Alt, Atoms, Lit, Opt, ToolName
from tui.models.gate.payloads.gemma import gemma_reader
from tui.models.gate.payloads.named import read_nothing
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
    Tags,
    bare_reader,
    read_dots,
    tag_reader,
)

_PAIRS = (Quote("<arg_key>", "</arg_key>"), Quote("<arg_value>", "</arg_value>"))
_PARAMETER = (Quote("<parameter=", "</parameter>"),)
_NAMED_PARAMETER = (Quote("<parameter", "</parameter>"),)
_STEP_PARAMETER = (Quote("<steptml:parameter", "</steptml:parameter>"),)
_QWEN = tag_reader(FUNCTION)
_ECHO = Payload(read_nothing, PYTHON_STRINGS, balanced=True, call=False)
_DSML_BLOCKS = ("<｜DSML｜function_calls>", "<｜DSML｜tool_calls>")
_DSML_QUOTES = (Quote("<｜DSML｜parameter", "</｜DSML｜parameter>"), *STRINGS)


_NAMED: Atoms = (SPACE, Lit("name"), SPACE, Lit("="))
_QWEN_CALL: Atoms = (Lit("<function="), *NAME, Lit(">"))
_INVOKE_CALL: Atoms = (Lit("<invoke"), *_NAMED)
_DSML_CALL: Atoms = (Lit("<｜DSML｜invoke"), *_NAMED)
_STEP_CALL: Atoms = (
    Lit("<｜tool_call_begin｜>"),
    SPACE,
    Opt((Lit("function"), SPACE)),
    Opt((Lit("<｜tool_sep｜>"), SPACE)),
    Lit("<steptml:invoke"),
)
_PAIR_CALL: Atoms = (
    *NAME,
    SPACE,
    Alt(((Lit("<arg_key>"),), (Lit("</tool_call>"),))),
)
_GEMMA_CALL: Atoms = (Opt((Opt((Lit("call"),)), Lit(":"), SPACE)), *NAME, SPACE, OBJECT)


def _bare(
    markers: Sequence[str],
    call: Atoms,
    tags: Tags,
    quotes: Sequence[Quote],
    *closers: str,
) -> Rule:
    """Return the rule for a call without the block it belongs in."""
    payload = Payload(bare_reader(tags), quotes, (tags.call_end,))
    after = eat(*((SPACE, Lit(closer)) for closer in closers))
    return Rule((), call, payload, unless=not_behind(*markers), after=after)


def _function_block(marker: str, closer: str) -> Rule:
    return block(
        marker,
        _QWEN_CALL,
        Payload(
            _QWEN, _PARAMETER, (closer,), ends=("</function>",), again=(_QWEN_CALL,)
        ),
    )


_BARE_FUNCTION = _bare(
    ("<tool_call>", "<seed:tool_call>"),
    (
        *_QWEN_CALL,
        SPACE,
        Alt(((Lit("<parameter="),), (Lit("</function>"),))),
    ),
    FUNCTION,
    _PARAMETER,
    "</tool_call>",
)
_PAIR_BLOCK = block(
    "<tool_call>",
    _PAIR_CALL,
    Payload(
        read_pairs,
        _PAIRS,
        ("</tool_call>",),
        ends=("</arg_value>",),
        again=((Lit("<arg_key>"),),),
    ),
)


def _dsml(id: str, word: str, names: str, signs: Sequence[str]) -> Dialect:
    closer = f"</｜DSML｜{word}>"
    return row(
        id,
        block(
            f"<｜DSML｜{word}>",
            _DSML_CALL,
            Payload(
                tag_reader(DSML),
                _DSML_QUOTES,
                (closer,),
                ends=("</｜DSML｜invoke>",),
                again=(_DSML_CALL,),
            ),
        ),
        _bare(_DSML_BLOCKS, _DSML_CALL, DSML, _DSML_QUOTES, closer),
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
            PYTHON_CALL,
            Payload(
                read_python_lines,
                PYTHON_STRINGS,
                ("</function_calls>",),
                balanced=True,
                again=(PYTHON_CALL,),
            ),
        ),
        thinking=THINK,
        names="olmo-?3",
        priority=-1,
        signs=("<function_calls>",),
    ),
    row(
        "lfm2",
        replace(
            block(
                "<|tool_call_start|>",
                (LIST,),
                Payload(
                    read_python_list,
                    PYTHON_STRINGS,
                    ("<|tool_call_end|>",),
                    balanced=True,
                ),
            ),
            after=(
                *eat((SPACE, Lit("<|tool_call_end|>"))),
                # Some write the list again, as text.
                Rule((), (SPACE, LIST, SPACE, ToolName(), Lit("(")), _ECHO),
            ),
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
        _function_block("<tool_call>", "</tool_call>"),
        _BARE_FUNCTION,
        _PAIR_BLOCK,
        *TOOL_CALL,
        thinking=THINK,
        dropped=CHATML,
        names=r"nemotron-?3|qwen-?3-coder|qwen-?3\.[5-9]|step-?3\.5|mimo-v2",
        signs=("<function= <parameter=",),
    ),
    row(
        "seed_oss",
        _function_block("<seed:tool_call>", "</seed:tool_call>"),
        _BARE_FUNCTION,
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
            _INVOKE_CALL,
            Payload(
                tag_reader(INVOKE),
                _NAMED_PARAMETER,
                ("</minimax:tool_call>",),
                ends=("</invoke>",),
                again=(_INVOKE_CALL,),
            ),
        ),
        _bare(
            ("<minimax:tool_call>", "<dots_function_call>"),
            _INVOKE_CALL,
            INVOKE,
            _NAMED_PARAMETER,
            "</minimax:tool_call>",
        ),
        thinking=THINK,
        names="minimax-?m2",
        signs=("<minimax:tool_call>",),
    ),
    row(
        "dots",
        block(
            "<dots_function_call>",
            (Alt((_INVOKE_CALL, (OBJECT,))),),
            Payload(
                read_dots,
                (*_NAMED_PARAMETER, *STRINGS),
                ("</dots_function_call>",),
                balanced=True,
                ends=("</invoke>",),
                again=(_INVOKE_CALL, *MORE_JSON),
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
            _STEP_CALL,
            Payload(
                tag_reader(STEPTML),
                _STEP_PARAMETER,
                ("<｜tool_calls_end｜>",),
                ends=("</steptml:invoke>", "<｜tool_call_end｜>"),
                again=(_STEP_CALL, (Lit("<｜tool_call_end｜>"),)),
            ),
        ),
        _bare(
            ("<｜tool_calls_begin｜>",),
            _STEP_CALL,
            STEPTML,
            _STEP_PARAMETER,
            "<｜tool_call_end｜>",
            "<｜tool_calls_end｜>",
        ),
        thinking=THINK,
        special=True,
        names=r"step-?3(?!\.5)",
        signs=("<｜tool_calls_begin｜>",),
    ),
    # Pairs
    row(
        "glm45",
        _PAIR_BLOCK,
        *TOOL_CALL,
        _function_block("<tool_call>", "</tool_call>"),
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
            Payload(
                read_pair_section,
                _PAIRS,
                ("</tool_calls>",),
                ends=("</tool_call>",),
                again=((Lit("<tool_call>"),),),
            ),
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
            _GEMMA_CALL,
            Payload(
                gemma_reader('<|"|>'),
                (Quote('<|"|>', '<|"|>'), *STRINGS),
                ("<tool_call|>",),
                balanced=True,
            ),
        ),
        Rule(
            (Lit("<|tool_response>"),),
            (),
            Payload(read_nothing, closers=("<tool_response|>",), call=False),
            anchor="called",
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
            _GEMMA_CALL,
            Payload(
                gemma_reader("<escape>"),
                (Quote("<escape>", "<escape>"), *STRINGS),
                ("<end_function_call>",),
                balanced=True,
            ),
        ),
        dropped=("<end_of_turn>",),
        endings=("<start_function_response>",),
        special=True,
        names="function-?gemma",
        signs=("<start_function_call>",),
    ),
)
