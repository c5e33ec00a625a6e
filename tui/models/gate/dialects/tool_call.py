"""Rules for what models write between <tool_call> tags, whatever the notation."""

from collections.abc import Sequence
from dataclasses import replace

from tui.models.gate.dialects.builders import (
    EITHER,
    PYTHON_CALL,
    STRINGS,
    block,
    eat,
    json_block,
    json_payload,
    made_up,
    not_behind,
)
from tui.models.gate.grammar import Payload, Quote, Rule
from tui.models.gate.patterns import NAME, SPACE, Alt, Atoms, Lit, Opt, ToolName
from tui.models.gate.payloads.blocks import read_section_of_blocks
from tui.models.gate.payloads.json import read_inline_calls
from tui.models.gate.payloads.marked_pairs import Pairs, pair_reader
from tui.models.gate.payloads.pairs import read_pairs
from tui.models.gate.payloads.python import PYTHON_STRINGS, read_python_lines
from tui.models.gate.payloads.tags import FUNCTION, Tags, bare_reader, tag_reader

PAIRS = (Quote("<arg_key>", "</arg_key>"), Quote("<arg_value>", "</arg_value>"))
_PARAMETER = (Quote("<parameter=", "</parameter>"),)
_QWEN = tag_reader(FUNCTION)
_QWEN_CALL: Atoms = (Lit("<function="), *NAME, Lit(">"))
_PAIR_CALL: Atoms = (
    *NAME,
    SPACE,
    Alt(((Lit("<arg_key>"),), (Lit("</tool_call>"),))),
)


def bare_call(
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


def function_block(marker: str, closer: str) -> Rule:
    """Return the rule for function elements between a marker and a closer."""
    return block(
        marker,
        _QWEN_CALL,
        Payload(
            _QWEN, _PARAMETER, (closer,), ends=("</function>",), again=(_QWEN_CALL,)
        ),
    )


BARE_FUNCTION = bare_call(
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
PAIR_BLOCK = block(
    "<tool_call>",
    _PAIR_CALL,
    Payload(
        read_pairs,
        PAIRS,
        ("</tool_call>",),
        ends=("</arg_value>",),
        again=((Lit("<arg_key>"),), (Lit("</arg_value>"),)),
    ),
)


ARGUMENTS = Pairs(("<arg_key>", "</arg_key>"), ("<arg_value>", "</arg_value>"))


def pair_block(tag: str, pairs: Pairs) -> Rule:
    """Return the rule for a name and pairs between the tags of an element."""
    closer, begin = f"</{tag}>", Lit(pairs.key[0])
    return block(
        f"<{tag}>",
        (*NAME, SPACE, Alt(((begin,), (Lit(closer),)))),
        Payload(
            pair_reader(pairs),
            (Quote(*pairs.key), Quote(*pairs.value)),
            (closer,),
            ends=(pairs.value[1],),
            again=((begin,), (Lit(pairs.value[1]),)),
        ),
    )


CALL_SECTION = block(
    "<tool_calls>",
    (Lit("<tool_call>"),),
    Payload(
        read_section_of_blocks,
        (*PAIRS, *_PARAMETER, *STRINGS),
        ("</tool_calls>",),
        ends=("</tool_call>",),
        again=((Lit("<tool_call>"),), (Lit("</tool_call>"),)),
    ),
)
"""A section of calls, each a block of its own, whatever the notation."""

_NO_ARGUMENTS = block(
    "<tool_call>",
    (ToolName(), SPACE, Lit("<tool_call>")),
    Payload(read_pairs, closers=("</tool_call>",)),
)
JSON_CALLS = (
    json_block("<tool_call>", (EITHER,), "</tool_call>", read_inline_calls),
    block(
        "<tool_call>",
        PYTHON_CALL,
        Payload(
            read_python_lines,
            PYTHON_STRINGS,
            ("</tool_call>",),
            balanced=True,
            again=(PYTHON_CALL,),
        ),
    ),
)
"""Calls in JSON or Python between <tool_call> tags."""

_ECHO = Rule(
    (SPACE, Lit("<tool_response>")),
    (),
    made_up("</tool_response>"),
    quotable=False,
)
"""Directly after a call, some models make up what it returns."""

_TOOLS_CALL: Atoms = (
    *(Opt((Lit("["), SPACE)), Lit("{"), SPACE, Lit('"name"'), SPACE, Lit(":"), SPACE),
    *(Lit('"'), ToolName(), Lit('"'), SPACE, Lit(","), SPACE),
    *(Lit('"arguments"'), SPACE, Lit(":"), SPACE, Lit("{")),
)
TOOLS_BLOCK = replace(
    block("<tools>", _TOOLS_CALL, json_payload("</tools>", "</tool_call>")),
    anchor="line",
    sign="",
)
"""A call of Qwen 2.5 in the element in which the prompt lists the tools; a tool that
is only listed there has no arguments."""

TOOL_CALL = tuple(
    replace(rule, after=(*rule.after, _ECHO))
    for rule in (
        *JSON_CALLS,
        function_block("<tool_call>", "</tool_call>"),
        BARE_FUNCTION,
        PAIR_BLOCK,
        _NO_ARGUMENTS,
        CALL_SECTION,
    )
)
"""All that models write between <tool_call> tags: some mix their notations."""
