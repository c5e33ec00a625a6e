"""Dialects of XML-like elements, of Gemma's notation, and of Python calls."""

from collections.abc import Sequence
from dataclasses import replace

from tui.models.gate.dialects.builders import (
    CHATML,
    CONTENT,
    DEEPSEEK,
    DEEPSEEK_END,
    LIST,
    MORE_JSON,
    OBJECT,
    PYTHON_CALL,
    STRINGS,
    THINK,
    block,
    eat,
    made_up,
    row,
)
from tui.models.gate.dialects.tool_call import (
    BARE_FUNCTION,
    CALL_SECTION,
    TOOL_CALL,
    bare_call,
    function_block,
)
from tui.models.gate.grammar import Dialect, Payload, Quote, Rule, Thinking, token_rules
from tui.models.gate.patterns import NAME, SPACE, Alt, Atoms, Lit, Opt, ToolName
from tui.models.gate.payloads.elements import MINIMAX
from tui.models.gate.payloads.gemma import gemma_reader
from tui.models.gate.payloads.named import read_nothing
from tui.models.gate.payloads.python import (
    PYTHON_STRINGS,
    read_python_lines,
    read_python_list,
)
from tui.models.gate.payloads.tags import (
    ANTML,
    DSML,
    DSML_ASCII,
    INVOKE,
    STEPTML,
    Tags,
    read_dots,
    tag_reader,
)

_NAMED_PARAMETER = (Quote("<parameter", "</parameter>"),)
_STEP_PARAMETER = (Quote("<steptml:parameter", "</steptml:parameter>"),)
_RESPONSE = Lit("<|tool_response>")
_ECHO = Payload(read_nothing, PYTHON_STRINGS, balanced=True, call=False)


_NAMED: Atoms = (SPACE, Lit("name"), SPACE, Lit("="))
_INVOKE_CALL: Atoms = (Lit("<invoke"), *_NAMED)
_STEP_CALL: Atoms = (
    Lit("<｜tool_call_begin｜>"),
    SPACE,
    Opt((Lit("function"), SPACE)),
    Opt((Lit("<｜tool_sep｜>"), SPACE)),
    Lit("<steptml:invoke"),
)
_GEMMA_CALL: Atoms = (Opt((Opt((Lit("call"),)), Lit(":"), SPACE)), *NAME, SPACE, OBJECT)


def _dsml_rules(sign: str, tags: Tags, *words: str, bare: str = "") -> tuple[Rule, ...]:
    """Return the rules for elements whose names begin with `sign`, in blocks or not.

    `bare` names a block without the sign.
    """
    quotes = (Quote(f"<{sign}parameter", f"</{sign}parameter>"), *STRINGS)
    call: Atoms = (Lit(f"<{sign}invoke"), *_NAMED)
    names = [*(f"{sign}{word}" for word in words), *filter(None, (bare,))]
    blocks = [(f"<{name}>", f"</{name}>") for name in names]
    payload = Payload(tag_reader(tags), quotes, ends=(tags.call_end,), again=(call,))
    return (
        *(
            block(begin, call, payload._replace(closers=(end,)))
            for begin, end in blocks
        ),
        bare_call(
            [begin for begin, _ in blocks],
            call,
            tags,
            quotes,
            *(end for _, end in blocks),
        ),
    )


# Some servers decode the full-width bar as an ASCII one.
_DSML_ASCII_RULES = _dsml_rules("|DSML|", DSML_ASCII, "function_calls", "tool_calls")


def _dsml(id: str, *words: str, names: str, signs: Sequence[str]) -> Dialect:
    return row(
        id,
        *_dsml_rules("｜DSML｜", DSML, *words),
        *_DSML_ASCII_RULES,
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
        *TOOL_CALL,
        thinking=THINK,
        dropped=CHATML,
        names=r"nemotron-?3|qwen-?3-coder|qwen-?3\.[5-9]|step-?3\.[5-9]|mimo-v2|berrylm",
        signs=("<function= <parameter=",),
    ),
    row(
        "seed_oss",
        function_block("<seed:tool_call>", "</seed:tool_call>"),
        BARE_FUNCTION,
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
        # As Claude writes them, and models that learned from it.
        block(
            "<function_calls>",
            _INVOKE_CALL,
            Payload(
                tag_reader(INVOKE),
                _NAMED_PARAMETER,
                ("</function_calls>",),
                ends=("</invoke>",),
                again=(_INVOKE_CALL,),
            ),
        ),
        bare_call(
            (
                "<minimax:tool_call>",
                "<dots_function_call>",
                "<function_calls>",
                MINIMAX,
            ),
            _INVOKE_CALL,
            INVOKE,
            _NAMED_PARAMETER,
            "</minimax:tool_call>",
        ),
        *_dsml_rules(
            "antml:", ANTML, "function_calls", "tool_calls", bare="function_calls"
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
        "tool_calls",
        names=rf"{DEEPSEEK}v3\.2(?!-exp)",
        signs=("｜DSML｜ function_calls",),
    ),
    _dsml(
        "deepseek_v4",
        "tool_calls",
        "function_calls",
        names=f"{DEEPSEEK}v4",
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
        bare_call(
            ("<｜tool_calls_begin｜>",),
            _STEP_CALL,
            STEPTML,
            _STEP_PARAMETER,
            "<｜tool_call_end｜>",
            "<｜tool_calls_end｜>",
        ),
        thinking=THINK,
        special=True,
        names=r"step-?3(?!\.[5-9])",
        signs=("<｜tool_calls_begin｜>",),
    ),
    # Pairs
    row(
        "glm45",
        *TOOL_CALL,
        thinking=THINK,
        dropped=("<|user|>", "<|observation|>"),
        names=r"glm-?4\.[5-9]|glm-?[5-9]|ling-3|laguna|spark-?(?:2\.[5-9]|[3-9])",
        signs=("<arg_key>",),
    ),
    row(
        "hunyuan_v3",
        CALL_SECTION,
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
        Rule((_RESPONSE,), CONTENT, made_up("<tool_response|>"), "called", sign=""),
        *token_rules("<|tool_response>"),
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
