"""Dialects whose messages consist of channels between special tokens.

Thought, answer and calls each have a channel. The formats are those of the models'
chat templates and of the parsers of vLLM and sglang, as of November 2026.
"""

from dataclasses import replace

from tui.models.gate.dialects.builders import (
    CHATML,
    LIST,
    OBJECT,
    STRINGS,
    block,
    eat,
    json_block,
    list_payload,
    row,
)
from tui.models.gate.grammar import (
    DROP,
    Anchor,
    Payload,
    Quote,
    Rule,
    Thinking,
    opening_marker,
)
from tui.models.gate.patterns import (
    BLANK,
    NAME,
    SPACE,
    Atom,
    Atoms,
    Lit,
    Opt,
    Run,
    ToolName,
)
from tui.models.gate.payloads.channel_calls import (
    read_functionary_v2,
    read_inkling,
    read_kimi_k3,
    read_kimi_k3_call,
    read_plamo3,
    read_solar_open,
)
from tui.models.gate.payloads.elements import read_muse


def _frame(*marker: Atom, look: Atoms = (), anchor: Anchor = "any") -> tuple[Rule, ...]:
    """Return the rules that remove what only opens a channel of text."""
    if look or anchor == "start":
        return (Rule(marker, look, DROP, anchor, structural=True),)
    rules = opening_marker(marker, DROP)
    return tuple(replace(rule, structural=True) for rule in rules)


def _kimi(tag: str) -> Thinking:
    """Return how Kimi K3 marks reasoning; some replies leave its end out."""
    return Thinking("<|open|>think<|sep|>", f"<|{tag}<|sep|>", anywhere=True)


_MESSAGE = Lit("<|message|>")
_TO = (SPACE, Lit("to="))
_ASSISTANT = Lit("<|start|>assistant")
_RECIPIENT = Run(r"(?:(?<!=)|(?!self<))[\w.\-]", 1)  # what is for itself is thought
_MUSE_CALLS = "</atem:function_calls>"
_MUSE_VALUE = (Quote("<atem:parameter", "</atem:parameter>"),)
_CONTENT = (BLANK, Lit("\n<|content|>"))
_FROM = (Lit("<|from|>"), SPACE, Lit("assistant"), SPACE, Lit("<|recipient|>"), BLANK)


def _functionary(marker: Atoms, look: Atoms, anchor: Anchor) -> Rule:
    payload = Payload(
        read_functionary_v2,
        STRINGS,
        balanced=True,
        header=(BLANK, Run(r"[^\s<]", 1), *_CONTENT, SPACE),
        look=(OBJECT,),
        resume="<|from|>",
    )
    return Rule(marker, (BLANK, *look, *_CONTENT), payload, anchor)


ROWS = (
    row(
        "kimi_k3",
        block(
            "<|open|>tools<|sep|>",
            (Lit("<|open|>call"),),
            Payload(
                read_kimi_k3,
                (
                    Quote("<|open|>argument", "<|close|>argument<|sep|>"),
                    Quote("<|open|>json", "<|close|>json<|sep|>"),
                ),
                ("<|close|>tools<|sep|>",),
                ends=("<|close|>call<|sep|>",),
                again=((Lit("<|open|>call"),),),
            ),
        ),
        # Some servers lose the tokens within it, and those of its end.
        Rule(
            (Lit("<|open|>toolscall"),),
            (SPACE, Lit("tool=")),
            Payload(
                read_kimi_k3_call,
                (Quote("<|open|>argument", "<|close|>argument<|sep|>"),),
                ("<|close|>call<|sep|>",),
            ),
            after=eat(
                (SPACE, Lit("<|close|>tools"), Opt((Lit("message"),)), Lit("<|sep|>"))
            ),
        ),
        *_frame(Lit("<|open|>response<|sep|>")),
        *_frame(Lit('<|open|>message role="assistant"<|sep|>')),
        thinking=(_kimi("close|>think"), _kimi("open|>response")),
        dropped=(
            "<|close|>think<|sep|>",
            "<|close|>response<|sep|>",
            "<|close|>message<|sep|>",
            "<|end_of_msg|>",
        ),
        special=True,
        names="kimi-?k3",
        signs=("<|open|> <|sep|>",),
    ),
    row(
        "muse",
        block(
            "<atem:function_calls>",
            (Lit("<atem:invoke"),),
            Payload(
                read_muse,
                _MUSE_VALUE,
                (_MUSE_CALLS,),
                ends=("</atem:invoke>",),
                again=((Lit("<atem:invoke"),),),
            ),
        ),
        # The prompt ends in <|start|>assistant.
        *_frame(*_TO, Lit("user"), _MESSAGE, anchor="start"),
        *_frame(_MESSAGE, anchor="start"),
        *_frame(_ASSISTANT, _MESSAGE),
        *_frame(_ASSISTANT, *_TO, Lit("user"), _MESSAGE),
        *_frame(
            *_TO, _RECIPIENT, _MESSAGE, look=(SPACE, Lit("<atem:")), anchor="start"
        ),
        *_frame(_ASSISTANT, *_TO, _RECIPIENT, _MESSAGE, look=(SPACE, Lit("<atem:"))),
        thinking=(
            Thinking(" to=self<|message|>", "<|eom|>"),
            Thinking("to=self<|message|>", "<|eom|>"),
            Thinking("<|start|>assistant to=self<|message|>", "<|eom|>", anywhere=True),
        ),
        dropped=("<|eom|>", "<|eot|>"),
        names=r"muse-?glimmer",
        signs=("<atem:function_calls>",),
    ),
    row(
        "inkling",
        replace(
            block(
                "<|content_invoke_tool_json|>",
                (OBJECT,),
                Payload(
                    read_inkling,
                    STRINGS,
                    ("<|end_message|>", "<|content_model_end_sampling|>"),
                    balanced=True,
                ),
            ),
            structural=True,
        ),
        # The name of the tool may come before the marker too.
        *_frame(Lit("<|message_model|>"), Run(r"[\w.\-]"), look=(Lit("<|content_"),)),
        *_frame(Lit("<|message_model|>"), look=(BLANK, Lit("\n"))),
        *_frame(Lit("<|content_text|>")),
        thinking=(Thinking("<|content_thinking|>", "<|end_message|>", anywhere=True),),
        dropped=("<|end_message|>", "<|content_model_end_sampling|>"),
        special=True,
        names=r"\binkling",
        signs=("<|content_invoke_tool_json|>",),
    ),
    row(
        "plamo3",
        block(
            "<|plamo:begin_tool_requests:plamo|>",
            (Lit("<|plamo:begin_tool_request:plamo|>"),),
            Payload(
                read_plamo3,
                STRINGS,
                ("<|plamo:end_tool_requests:plamo|>",),
                ends=("<|plamo:end_tool_request:plamo|>",),
                again=((Lit("<|plamo:begin_tool_request:plamo|>"),),),
            ),
        ),
        thinking=(
            Thinking(
                "<|plamo:begin_think:plamo|>",
                "<|plamo:end_think:plamo|>",
                anywhere=True,
            ),
        ),
        dropped=("<|plamo:tag|>",),
        special=True,
        names="plamo-?3",
        signs=(":plamo|> tool_request",),
    ),
    row(
        "solar_open",
        block(
            "<|tool_call:begin|>",
            (Run(r"[^<\s]"), SPACE, Lit("<|tool_call:name|>")),
            Payload(read_solar_open, STRINGS, ("<|tool_call:end|>",), balanced=True),
        ),
        *_frame(Lit("<|begin|>assistant")),
        *_frame(Lit("<|content|>")),
        *_frame(Lit("<|tool_calls|>")),
        thinking=(Thinking("<|think|>", "<|end|>", anywhere=True),),
        dropped=("<|end|>", "<|calls|>", "<|flush|>"),
        special=True,
        names=r"solar-open(?!-?2)",
        signs=("<|tool_call:begin|>",),
    ),
    row(
        "gigachat3",
        Rule(
            (Lit("function call<|role_sep|>"),),
            (SPACE, OBJECT),
            list_payload(),
            anchor="line",
        ),
        Rule((Lit("<|function_call|>"),), (SPACE, OBJECT), list_payload()),
        *_frame(Lit("<|message_sep|>")),
        special=True,
        names=r"gigachat-?3(?!\.5)",
        signs=("<|role_sep|> <|message_sep|>", "<|function_call|>"),
    ),
    row(
        "functionary_v2",
        # The prompt ends in <|recipient|>.
        # Nothing may stand behind `all`: an unknown model's "all good" does not wait.
        *_frame(BLANK, Lit("all\n<|content|>"), anchor="start"),
        _functionary((), (ToolName(),), "start"),
        *_frame(*_FROM, Lit("all"), *_CONTENT),
        _functionary(_FROM, NAME, "any"),
        dropped=("<|stop|>",),
        special=True,
        names=r"functionary.*v2(?!\.[5-9])",
        signs=("<|recipient|> <|content|>",),
    ),
    row(
        "hyperclovax_14b",
        # The prompt ends in <|im_start|>assistant, and a role may follow.
        Rule(
            (SPACE, Lit("-> tool/function_call\n")),
            (SPACE, LIST),
            list_payload(),
            anchor="start",
        ),
        Rule(
            (Lit("<|im_start|>assistant -> tool/function_call\n"),),
            (SPACE, LIST),
            list_payload(),
        ),
        thinking=(Thinking("/think\n", "<|im_start|>assistant", prose=True),),
        dropped=(*CHATML, "<|stop|>", "<|endofturn|>"),
        special=True,
        names="hyperclova-?x-seed-think.*14b",
        signs=("tool/function_call",),
    ),
    row(
        "openpangu",
        json_block("[unused11]", (LIST,), "[unused12]"),
        thinking=(Thinking("[unused16]", "[unused17]"),),
        special=True,
        names="pangu",
        signs=("[unused11]",),
    ),
)
