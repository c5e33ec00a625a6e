"""Dialects that write a tool's name and then its arguments as JSON."""

from collections.abc import Sequence
from dataclasses import replace

from tui.models.gate.dialects.builders import (
    CHATML,
    CONTENT,
    DEEPSEEK,
    DEEPSEEK_END,
    OBJECT,
    QUOTE,
    STRINGS,
    THINK,
    block,
    eat,
    made_up,
    not_behind,
    row,
)
from tui.models.gate.dialects.json import MISTRAL, OLD_MISTRAL
from tui.models.gate.grammar import (
    NOT_APART,
    Anchor,
    Dialect,
    Payload,
    Reader,
    Rule,
    Switch,
    Thinking,
    token_rules,
)
from tui.models.gate.patterns import (
    BLANK,
    NAME,
    SPACE,
    Alt,
    Atom,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.named import (
    deepseek_reader,
    read_function_tag,
    read_kimi,
    read_lazyllm_glm,
    read_lazyllm_internlm,
    read_mistral,
    read_name_line,
)

_MISTRAL_NAME: Atoms = (
    *NAME,
    SPACE,
    Opt((Lit("[CALL_ID]"), Run(r"[^\[\s{]"), SPACE)),
    Opt((Lit("[ARGS]"), SPACE)),
)
_MISTRAL_ARGS = Payload(
    read_mistral,
    STRINGS,
    balanced=True,
    header=(SPACE, *_MISTRAL_NAME),
    look=(OBJECT,),
    before=("[TOOL_CALLS]",),
)
_OUTPUTS = Lit("<｜tool▁outputs▁begin｜>")
_OUTPUT = Lit("<｜tool▁output▁begin｜>")
_DEEPSEEK_OUTPUTS = (
    Rule((_OUTPUTS,), (SPACE, _OUTPUT), made_up("<｜tool▁outputs▁end｜>"), sign=""),
    Rule(
        (_OUTPUT,), CONTENT, made_up("<｜tool▁output▁end｜>"), unless=NOT_APART, sign=""
    ),
    *token_rules("<｜tool▁output▁begin｜>"),
)


def _section(
    begins: Sequence[str],
    call: Atoms,
    end: str,
    ends: Sequence[str],
    read: Reader,
) -> tuple[Rule, ...]:
    """Return the rules for a section of calls, and for a call without its section.

    `begins` and `ends` are the forms of the section's markers, in any combination.
    """
    payload = Payload(read, STRINGS, ends, ends=(end,), again=(call,))
    return (
        *(block(begin, call, payload) for begin in begins),
        Rule(
            (),
            call,
            Payload(read, STRINGS, (end,)),
            unless=not_behind(*begins),
            after=eat(*((SPACE, Lit(section_end)) for section_end in ends)),
        ),
    )


def _kimi_section(*call: Atom) -> tuple[Rule, ...]:
    # The second form is that of the model's report.
    return _section(
        ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>"),
        call,
        "<|tool_call_end|>",
        ("<|tool_calls_section_end|>", "<|tool_call_section_end|>"),
        read_kimi,
    )


_KIMI_ID: Atoms = (
    *(Lit("functions."), *NAME, Lit(":"), Run("[0-9]", 1, 3)),
    SPACE,
)
_KIMI_ARGUMENTS = Lit("<|tool_call_argument_begin|>")
_KIMI_HEADER: Atoms = (*_KIMI_ID, Opt((_KIMI_ARGUMENTS, SPACE)))
_KIMI_ANCHORS: tuple[Anchor, ...] = ("line", "called")


def _deepseek_section(bar: str, blank: str) -> tuple[Rule, ...]:
    """Return the rules for DeepSeek's section, whose tokens have this bar and blank."""

    def token(*words: str) -> str:
        return f"<{bar}{blank.join(('tool', *words))}{bar}>"

    call: Atoms = (
        Lit(token("call", "begin")),
        SPACE,
        Opt((Lit("function"), SPACE)),
        Opt((*NAME, SPACE)),
        Lit(token("sep")),
    )
    return _section(
        (token("calls", "begin"),),
        call,
        token("call", "end"),
        (token("calls", "end"),),
        deepseek_reader(bar, blank),
    )


_ASCII_SECTIONS = (*_deepseek_section("|", "▁"), *_deepseek_section("|", "_"))
"""As some servers decode the tokens."""


def _deepseek(
    id: str, names: str, signs: Sequence[str], in_auto: bool = True
) -> Dialect:
    return row(
        id,
        *_deepseek_section("｜", "▁"),
        *_ASCII_SECTIONS,
        *_DEEPSEEK_OUTPUTS,
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
            (SPACE, *NAME, Alt(((Lit("\n"),), (Lit("<|args|>"),), (Lit("\r"),)))),
            Payload(
                read_lazyllm_internlm,
                STRINGS,
                ("<|action_end|>",),
                balanced=True,
                before=("<|action_start|>",),
            ),
        ),
        dropped=CHATML,
        special=True,
        signs=("<|action_start|> <|function|>",),
    ),
    row(
        "lazyllm_glm",
        block(
            "✿FUNCTION✿:",
            (*NAME, SPACE, Lit("✿ARGS✿:")),
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
        names="glm-?4|glm-?z1|chatglm3",
        signs=("[gMASK] <|observation|>",),
        priority=-4,
    ),
    row(
        "mistral_args",
        *MISTRAL,
        replace(
            block("[TOOL_CALLS]", (*_MISTRAL_NAME, OBJECT), _MISTRAL_ARGS),
            after=eat((SPACE, Lit("[/TOOL_CALLS]"))),
        ),
        thinking=(Thinking("[THINK]", "[/THINK]", anywhere=True),),
        dropped=("</s>",),
        special=True,
        names=rf"^(?!.*(?:{OLD_MISTRAL})).*(?:(?:mi|magi|mini)stral|devstral|codestral)",
        signs=("[TOOL_CALLS] [ARGS]", "[TOOL_CALLS] [THINK]"),
        priority=-3,
    ),
    _deepseek(
        "deepseek_v3",
        names=rf"{DEEPSEEK}(?:v3(?!\.[12])|r1)",
        signs=("<｜tool▁calls▁begin｜> ```json",),
    ),
    _deepseek(
        "deepseek_v31",
        names=rf"{DEEPSEEK}v3\.(?:1|2-exp)",
        signs=("<｜tool▁calls▁begin｜>",),
        in_auto=False,
    ),
    row(
        "kimi_k2",
        *_kimi_section(
            Lit("<|tool_call_begin|>"),
            *(SPACE, Run(r"[^\s<{]", 1), SPACE),
            Alt(((_KIMI_ARGUMENTS,), (OBJECT, SPACE, QUOTE))),
        ),
        # Some leave the first marker of a call out.
        *_kimi_section(*_KIMI_HEADER, OBJECT)[:-1],
        # What is left of a call where a server drops the tokens.
        *(
            Rule(
                (),
                (*_KIMI_HEADER, OBJECT),
                Payload(
                    read_kimi,
                    STRINGS,
                    balanced=True,
                    header=_KIMI_HEADER,
                    look=(OBJECT,),
                ),
                anchor,
                sign="",
                own=True,
            )
            for anchor in _KIMI_ANCHORS
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
            # Llama 3 leaves the end of the tag out at times, as Groq quotes it.
            (*NAME, Opt((Lit(">"),)), SPACE, OBJECT),
            Payload(
                read_function_tag,
                STRINGS,
                ("</function>",),
                balanced=True,
                before=("<function=",),
            ),
        ),
        dropped=("<|eot_id|>", "<|eom_id|>"),
        names=r"functionary.*v3\.1",
        priority=-1,
        signs=("<function=",),
    ),
)
