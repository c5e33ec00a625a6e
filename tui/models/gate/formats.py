"""The table: how each family of open-weight models writes its calls.

One row a family; the words are explained in `rules`. A marker alone is no call: what
must follow it (`look`) is part of the row. `special` rows are made of special tokens,
which cannot occur in prose; the others are protected by Markdown quoting.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tui.models.gate.frame_payload import read_harmony_header, read_react_action
from tui.models.gate.gemma_payload import gemma_reader
from tui.models.gate.json_payload import read_calls, read_keyed_calls
from tui.models.gate.named_payload import (
    read_deepseek,
    read_function_tag,
    read_kimi,
    read_lazyllm_glm,
    read_lazyllm_internlm,
    read_mistral,
    read_name_line,
)
from tui.models.gate.pair_payload import read_pair_section, read_pairs
from tui.models.gate.patterns import (
    BLANK,
    NAME,
    SPACE,
    Alt,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.python_payload import (
    PYTHON_STRINGS,
    read_builtin,
    read_python_lines,
    read_python_list,
)
from tui.models.gate.rules import (
    Action,
    Dialect,
    Drop,
    Payload,
    Quote,
    Rule,
    Switch,
    Thinking,
)
from tui.models.gate.tag_payload import (
    DSML,
    FUNCTION,
    INVOKE,
    STEPTML,
    read_bare_function,
    read_dots,
    tag_reader,
)

_STRINGS = (Quote('"', '"', escapes=True),)
_PAIRS = (Quote("<arg_key>", "</arg_key>"), Quote("<arg_value>", "</arg_value>"))
_PARAMETER = (Quote("<parameter=", "</parameter>"),)
_NAMED_PARAMETER = (Quote("<parameter", "</parameter>"),)

_LETTER = Run("[A-Za-z_]", 1, 1)
_OBJECT = Lit("{")
_LIST = Lit("[")
_EITHER = Run(r"[{\[]", 1, 1)

# A call as bare JSON: it must name an offered tool and go on to its arguments.
_BARE: Atoms = (
    Lit("{"),
    SPACE,
    Opt(
        (
            Lit('"type"'),
            SPACE,
            Lit(":"),
            SPACE,
            Lit('"function"'),
            SPACE,
            Lit(","),
            SPACE,
        )
    ),
    Lit('"name"'),
    SPACE,
    Lit(":"),
    SPACE,
    Lit('"'),
    ToolName(),
    Lit('"'),
    SPACE,
    Lit(","),
    SPACE,
    Alt(((Lit('"parameters"'),), (Lit('"arguments"'),))),
    SPACE,
    Lit(":"),
    SPACE,
    Lit("{"),
)

_THINK = (Thinking("<think>", "</think>"),)
_CHATML = ("<|im_end|>",)
_DEEPSEEK = ("<｜end▁of▁sentence｜>",)

_list_payload = partial(Payload, read_calls, _STRINGS, balanced=True)


def _block(marker: str, look: Atoms, action: Action) -> Rule:
    """Return a rule for a marker, white space, and what must follow."""
    return Rule((Lit(marker),), (SPACE, *look), action)


def _json(marker: str, look: Atoms, closer: str) -> Rule:
    return _block(marker, look, Payload(read_calls, _STRINGS, (closer,)))


def _row(
    id: str,
    *rules: Rule,
    thinking: Sequence[Thinking] = (),
    dropped: Sequence[str] = (),
    endings: Sequence[str] = (),
    structural: bool = False,
) -> Dialect:
    return Dialect(id, rules, thinking, dropped, endings, structural=structural)


def _special(
    id: str,
    *rules: Rule,
    thinking: Sequence[Thinking] = (),
    dropped: Sequence[str] = (),
    endings: Sequence[str] = (),
    structural: bool = False,
) -> Dialect:
    bare = tuple(replace(rule, quotable=False) for rule in rules)
    return Dialect(
        id, bare, thinking, dropped, endings, special=True, structural=structural
    )


def _eat(*atoms: Atoms) -> tuple[Rule, ...]:
    """Return rules that take something out directly behind a call."""
    return tuple(Rule(a, (), Drop(), quotable=False) for a in atoms)


_MISTRAL_LIST = _block("[TOOL_CALLS]", (_LIST, SPACE, _OBJECT), _list_payload())
_QWEN = tag_reader(FUNCTION)
_DSML_QUOTES = (Quote("<｜DSML｜parameter", "</｜DSML｜parameter>"), *_STRINGS)


def _dsml(id: str, word: str) -> Dialect:
    return _special(
        id,
        _block(
            f"<｜DSML｜{word}>",
            (Lit("<｜DSML｜invoke"),),
            Payload(tag_reader(DSML), _DSML_QUOTES, (f"</｜DSML｜{word}>",)),
        ),
        thinking=_THINK,
        dropped=_DEEPSEEK,
    )


def _deepseek(id: str) -> Dialect:
    return _special(
        id,
        _block(
            "<｜tool▁calls▁begin｜>",
            (Lit("<｜tool▁call▁begin｜>"),),
            Payload(read_deepseek, _STRINGS, ("<｜tool▁calls▁end｜>",)),
        ),
        thinking=_THINK,
        dropped=_DEEPSEEK,
    )


_LLAMA_JSON = _list_payload()
_LLAMA_AFTER = (
    *_eat((SPACE, Lit(";"), SPACE)),
    Rule((Run(r"\s", 1),), _BARE, Drop()),
)

_ROWS = (
    # JSON in a block
    _row(
        "hermes",
        _json("<tool_call>", (_EITHER,), "</tool_call>"),
        thinking=_THINK,
        dropped=_CHATML,
    ),
    _row("smollm", _json("<tool_call>", (_EITHER,), "</tool_call>"), thinking=_THINK),
    _row(
        "granite20b",
        _block("<function_call>", (_OBJECT,), _list_payload()),
    ),
    _row("jamba", _json("<tool_calls>", (_LIST,), "</tool_calls>"), thinking=_THINK),
    _row(
        "hunyuan_a13b",
        _json("<tool_calls>", (_LIST,), "</tool_calls>"),
        thinking=_THINK,
        dropped=("<answer>", "</answer>"),
    ),
    _row(
        "minimax_m1",
        _json("<tool_calls>", (_OBJECT,), "</tool_calls>"),
        thinking=_THINK,
    ),
    _row("nemotron_v2", _json("<TOOLCALL>", (_LIST,), "</TOOLCALL>"), thinking=_THINK),
    _row(
        "ernie45",
        _json("<tool_call>", (_OBJECT,), "</tool_call>"),
        thinking=_THINK,
        dropped=("<response>", "</response>"),
    ),
    _row(
        "longcat",
        _json("<longcat_tool_call>", (_OBJECT,), "</longcat_tool_call>"),
        thinking=(Thinking("<longcat_think>", "</longcat_think>"),),
    ),
    _special(
        "internlm2",
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|plugin|>")),
            (SPACE, _OBJECT),
            Payload(read_calls, _STRINGS, ("<|action_end|>",)),
        ),
        thinking=_THINK,
        dropped=_CHATML,
    ),
    _special(
        "command",
        _json("<|START_ACTION|>", (_LIST,), "<|END_ACTION|>"),
        thinking=(Thinking("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),),
        dropped=(
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_TEXT|>",
            "<|END_TEXT|>",
            "<|END_OF_TURN_TOKEN|>",
        ),
    ),
    _special(
        "apertus",
        _block(
            "<|tools_prefix|>",
            (_LIST,),
            Payload(read_keyed_calls, _STRINGS, ("<|tools_suffix|>",)),
        ),
        thinking=(Thinking("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True),),
        dropped=("<|assistant_end|>",),
    ),
    # JSON that ends by itself
    _special(
        "granite3",
        _block("<|tool_call|>", (_LIST,), _list_payload()),
        thinking=_THINK,
        dropped=("<|end_of_text|>",),
    ),
    _special("mistral_list", _MISTRAL_LIST, dropped=("</s>",)),
    _row(
        "phi4mini",
        Rule((Lit("functools"),), (_LIST, SPACE, _OBJECT), _list_payload()),
        Rule(
            (Lit("<|tool_call|>"),),
            (SPACE, _LIST),
            _list_payload(closers=("<|/tool_call|>",)),
            after=_eat((SPACE, Lit("<|/tool_call|>"))),
        ),
        dropped=("<|end|>",),
    ),
    _row(
        "llama3_json",
        Rule((), _BARE, _LLAMA_JSON, anchor="line", after=_LLAMA_AFTER),
        Rule(
            (Lit("<|python_tag|>"),), (SPACE, _OBJECT), _LLAMA_JSON, after=_LLAMA_AFTER
        ),
        Rule(
            (Lit("<|python_tag|>"),),
            (SPACE, _LETTER),
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
    _row(
        "xlam",
        Rule((), (_LIST, SPACE, *_BARE), _list_payload(), anchor="line"),
        Rule(
            (Lit("```json\n"), SPACE),
            (_LIST, SPACE, *_BARE),
            _list_payload(),
            anchor="start",
            quotable=False,
            after=_eat((SPACE, Lit("```"))),
        ),
    ),
    # A name, then JSON
    _special(
        "lazyllm_internlm",
        Rule(
            (Lit("<|action_start|>"), SPACE, Lit("<|function|>")),
            (SPACE, _LETTER),
            Payload(read_lazyllm_internlm, _STRINGS, ("<|action_end|>",)),
        ),
        dropped=_CHATML,
    ),
    _row(
        "lazyllm_glm",
        _block(
            "✿FUNCTION✿:",
            (_LETTER,),
            Payload(
                read_lazyllm_glm,
                _STRINGS,
                balanced=True,
                header=(SPACE, *NAME, SPACE, Lit("✿ARGS✿:"), SPACE),
                look=(_OBJECT,),
                resume="\n",
            ),
        ),
        Rule((Lit("✿RESULT✿"),), (), Switch("nothing", for_ever=True), anchor="called"),
    ),
    _row(
        "glm4",
        Rule(
            (),
            (ToolName(), BLANK, Lit("\n{")),
            Payload(
                read_name_line,
                _STRINGS,
                balanced=True,
                header=(Run(r"[^\n]", 1), Lit("\n")),
                look=(_OBJECT,),
            ),
            anchor="line",
        ),
    ),
    _special(
        "mistral_args",
        _MISTRAL_LIST,
        _block(
            "[TOOL_CALLS]",
            (_LETTER,),
            Payload(
                read_mistral,
                _STRINGS,
                balanced=True,
                header=(
                    SPACE,
                    *NAME,
                    SPACE,
                    Opt((Lit("[CALL_ID]"), Run(r"[^\[\s{]"), SPACE)),
                    Opt((Lit("[ARGS]"), SPACE)),
                ),
                look=(_OBJECT,),
                before=("[TOOL_CALLS]",),
            ),
        ),
        thinking=(Thinking("[THINK]", "[/THINK]", anywhere=True),),
        dropped=("</s>",),
    ),
    _deepseek("deepseek_v3"),
    _deepseek("deepseek_v31"),
    _special(
        "kimi_k2",
        _block(
            "<|tool_calls_section_begin|>",
            (Lit("<|tool_call_begin|>"),),
            Payload(read_kimi, _STRINGS, ("<|tool_calls_section_end|>",)),
        ),
        thinking=_THINK,
        dropped=_CHATML,
    ),
    _row(
        "functionary_v31",
        Rule(
            (Lit("<function="),),
            (*NAME, Lit(">"), SPACE, _OBJECT),
            Payload(read_function_tag, _STRINGS, ("</function>",)),
        ),
        dropped=("<|eot_id|>", "<|eom_id|>"),
    ),
    # Python calls
    _row(
        "llama_pythonic",
        Rule(
            (),
            (_LIST, SPACE, ToolName(), Lit("(")),
            Payload(read_python_list, PYTHON_STRINGS, balanced=True),
            anchor="line",
        ),
        Rule(
            (Lit("<|python_start|>"),),
            (SPACE, _LIST),
            Payload(
                read_python_list, PYTHON_STRINGS, ("<|python_end|>",), balanced=True
            ),
            after=_eat((SPACE, Lit("<|python_end|>"))),
        ),
        dropped=("<|eot_id|>", "<|eot|>"),
    ),
    _row(
        "olmo3",
        _block(
            "<function_calls>",
            (_LETTER,),
            Payload(read_python_lines, PYTHON_STRINGS, ("</function_calls>",)),
        ),
        thinking=_THINK,
    ),
    _special(
        "lfm2",
        _block(
            "<|tool_call_start|>",
            (_LIST,),
            Payload(read_python_list, PYTHON_STRINGS, ("<|tool_call_end|>",)),
        ),
        thinking=_THINK,
        dropped=_CHATML,
    ),
    # Elements
    _row(
        "qwen3_coder",
        _block(
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
            # Behind the block's own marker it is text only if the marker was quoted.
            unless=r"(?<!<tool_call>)(?<!<tool_call>\n)",
            after=_eat((SPACE, Lit("</tool_call>"))),
        ),
        thinking=_THINK,
        dropped=_CHATML,
    ),
    _row(
        "seed_oss",
        _block(
            "<seed:tool_call>",
            (Lit("<function="),),
            Payload(_QWEN, _PARAMETER, ("</seed:tool_call>",)),
        ),
        thinking=(Thinking("<seed:think>", "</seed:think>"),),
        dropped=("<seed:eos>",),
    ),
    _row(
        "minimax_m2",
        _block(
            "<minimax:tool_call>",
            (Lit("<invoke"),),
            Payload(tag_reader(INVOKE), _NAMED_PARAMETER, ("</minimax:tool_call>",)),
        ),
        thinking=_THINK,
    ),
    _row(
        "dots",
        _block(
            "<dots_function_call>",
            (Alt(((Lit("<invoke"),), (_OBJECT,))),),
            Payload(
                read_dots,
                (*_NAMED_PARAMETER, *_STRINGS),
                ("</dots_function_call>",),
            ),
        ),
    ),
    _dsml("deepseek_v32", "function_calls"),
    _dsml("deepseek_v4", "tool_calls"),
    _special(
        "step3",
        _block(
            "<｜tool_calls_begin｜>",
            (Lit("<｜tool_call_begin｜>"),),
            Payload(
                tag_reader(STEPTML),
                (Quote("<steptml:parameter", "</steptml:parameter>"),),
                ("<｜tool_calls_end｜>",),
            ),
        ),
        thinking=_THINK,
    ),
    # Pairs
    _row(
        "glm45",
        _block(
            "<tool_call>",
            (*NAME, SPACE, Alt(((Lit("<arg_key>"),), (Lit("</tool_call>"),)))),
            Payload(read_pairs, _PAIRS, ("</tool_call>",)),
        ),
        thinking=_THINK,
        dropped=("<|user|>", "<|observation|>"),
    ),
    _row(
        "hunyuan_v3",
        _block(
            "<tool_calls>",
            (Lit("<tool_call>"),),
            Payload(read_pair_section, _PAIRS, ("</tool_calls>",)),
        ),
        thinking=_THINK,
    ),
    # Gemma
    _special(
        "gemma4",
        _block(
            "<|tool_call>",
            (Lit("call:"),),
            Payload(
                gemma_reader('<|"|>'), (Quote('<|"|>', '<|"|>'),), ("<tool_call|>",)
            ),
        ),
        thinking=(Thinking("<|channel>thought\n", "<channel|>", anywhere=True),),
        dropped=("<turn|>",),
    ),
    _special(
        "functiongemma",
        _block(
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
    ),
    # Frames
    _row(
        "react",
        Rule(
            (Lit("Action:"),),
            (BLANK, ToolName(), BLANK, Run(r"\n", 1), BLANK, Lit("Action Input:")),
            Payload(read_react_action, closers=("Action Input:",), call=False),
            anchor="line",
        ),
        Rule((Lit("Thought:"),), (), Switch("reasoning"), anchor="line"),
        Rule((Lit("Final Answer:"),), (), Switch("text"), anchor="line"),
        Rule(
            (Lit("Observation:"),), (), Switch("nothing", for_ever=True), anchor="line"
        ),
        structural=True,
    ),
    _row(
        "functionary_v32",
        Rule((Lit("all\n"),), (), Switch("text"), anchor="start", quotable=False),
        Rule((Lit(">>>all\n"),), (), Switch("text"), anchor="line"),
        *(
            Rule(
                marker,
                (ToolName(), Lit("\n")),
                Payload(
                    read_name_line,
                    _STRINGS,
                    balanced=True,
                    header=(Run(r"[^\n]", 1), Lit("\n"), SPACE),
                    look=(_OBJECT,),
                    resume="\n>>>",
                ),
                anchor=anchor,
            )
            for marker, anchor in (((), "start"), ((Lit(">>>"),), "line"))
        ),
        dropped=("<|eot_id|>",),
        structural=True,
    ),
    _special(
        "harmony",
        *(
            Rule(
                (),
                look,
                Payload(
                    read_harmony_header,
                    closers=("<|message|>", "<|end|>", "<|return|>", "<|call|>"),
                    call=False,
                ),
                anchor=anchor,
            )
            for look, anchor in (
                ((Lit("<|start|>"),), "any"),
                ((Lit("<|channel|>"),), "any"),
                ((SPACE, Lit("to=")), "start"),
            )
        ),
        *(
            Rule((Lit(token),), (), Switch("text"))
            for token in ("<|message|>", "<|end|>", "<|return|>", "<|call|>")
        ),
        structural=True,
    ),
)

DIALECTS = {dialect.id: dialect for dialect in _ROWS}
"""Every dialect by its id; `auto` is made of them in `dialects`."""
