"""Calls in the tags of no family, and other remains of calls that are not text."""

import random
from typing import NamedTuple

import pytest
from support.gate_rows import TOOLS, Calls, Outcome, outcome, run

from tui.models.gate import Gate, Text

ROME: Calls = [("get_weather", {"city": "Rome"})]
TWO: Calls = [("get_weather", {"city": "Rome", "days": 2})]
TIME: Calls = [("get_time", {})]
OBJECT = '{"city": "Rome"}'
JSON = f'{{"name": "get_weather", "arguments": {OBJECT}}}'
NAMED = '<parameter name="city">Rome</parameter>'


def _invoke(sign: str) -> str:
    named = NAMED.replace("parameter", f"{sign}parameter")
    return f'<{sign}invoke name="get_weather">\n{named}\n</{sign}invoke>'


class Odd(NamedTuple):
    """A call as some models write it."""

    families: str
    written: str
    calls: Calls = ROME


KEYS = [
    f'{{"Name": "get_weather", "Arguments": {OBJECT}}}',
    f'{{"toolName": "get_weather", "toolInput": {OBJECT}}}',
    f'{{"tool_name": "get_weather", "input": {OBJECT}}}',
    f'{{"ToolName": "get_weather", "Parameters": {OBJECT}}}',
    f'{{"function_name": "get_weather", "params": {OBJECT}}}',
    f'{{"action": "get_weather", "action_input": {OBJECT}}}',
    f'{{"Function": {{"Name": "get_weather", "Arguments": {OBJECT}}}}}',
    f'{{"get_weather": {OBJECT}}}',
]
TAGS = [
    *(
        f"<{tag}>\n{JSON}\n</{tag}>"
        for tag in ("TOOL_CALL", "tool-call", "toolcall", "ToolCall", "tool_use")
    ),
    f'<tool_call name="get_weather">\n{OBJECT}\n</tool_call>',
    f'<tool_call name="get_weather" id="1">{OBJECT}</tool_call>',
    f"<tool_call name='get_weather'>{NAMED}</tool_call>",
    '<tool_call name="get_weather">\n<city>Rome</city>\n</tool_call>',
    f"<tool_call name=\"get_weather\" args='{OBJECT}' />",
    '<tool_call name="get_weather" arguments="{&quot;city&quot;: &quot;Rome&quot;}"/>',
    f'<tool_calls>\n<tool_call name="get_weather">{OBJECT}</tool_call>\n</tool_calls>',
    f'<function_call name="get_weather">{OBJECT}</function_call>',
    f'<xai:function_call name="get_weather">\n{NAMED}\n</xai:function_call>',
    f'<tool name="get_weather">{OBJECT}</tool>',
    f'<action name="get_weather">{NAMED}</action>',
    f"<action>\n{JSON}\n</action>",
    f"<action>get_weather</action>\n<action_input>{OBJECT}</action_input>",
    f"<tool>get_weather</tool><tool_input>{OBJECT}</tool_input>",
    f"<tool_call>\n<name>get_weather</name>\n<arguments>{OBJECT}</arguments>\n"
    "</tool_call>",
    "<tool_use><tool_name>get_weather</tool_name><parameters><city>Rome</city>"
    "</parameters></tool_use>",
    "<action>\n<name>get_weather</name>\n<city>\nRome\n</city>\n</action>",
]
KIMI = ("<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>")
ID = "functions.get_weather:0"
SECTION = "<|tool_calls_section_begin|>@<|tool_calls_section_end|>"
ODD = [
    *(
        Odd("hermes glm45 qwen3_coder auto", f"<tool_call>\n{keys}\n</tool_call>")
        for keys in KEYS
    ),
    *(Odd("auto", written) for written in TAGS),
    Odd(
        "auto",
        '<tool_call name="get_weather"><city>Rome</city><days>2</days></tool_call>',
        TWO,
    ),
    Odd("auto", '<tool_call name="get_time"></tool_call>', TIME),
    Odd(
        "auto",
        f'<tool_call name="get_weather">{OBJECT}</tool_call>\n'
        '<tool_call name="get_time"/>',
        [*ROME, *TIME],
    ),
    Odd("auto minimax_m2", _invoke("antml:")),
    Odd(
        "auto minimax_m2",
        f"<function_calls>\n{_invoke('antml:')}\n</function_calls>",
    ),
    Odd(
        "auto minimax_m2",
        f"<antml:function_calls>\n{_invoke('antml:')}\n</antml:function_calls>",
    ),
    Odd("auto minimax_m2", _invoke("").replace(NAMED, OBJECT)),
    Odd("kimi_k2 auto", f"{KIMI[0]}{ID}{OBJECT}{KIMI[2]}"),
    Odd("kimi_k2 auto", SECTION.replace("@", f"{KIMI[0]}{ID} {OBJECT}{KIMI[2]}")),
    Odd("kimi_k2 auto", SECTION.replace("@", f"{ID}{KIMI[1]}{OBJECT}{KIMI[2]}")),
    Odd("kimi_k2", f"{ID}{KIMI[1]}{OBJECT}{KIMI[2]}"),
    Odd("kimi_k2 auto", SECTION.replace("@", f"{KIMI[0]}{ID}{KIMI[1]}{OBJECT}")),
    Odd(
        "kimi_k2",
        SECTION.replace("@", 2 * f"{KIMI[0]}{ID}{KIMI[1]}{OBJECT}"),
        ROME * 2,
    ),
    Odd("kimi_k2", f"{ID}{OBJECT}"),
    Odd("kimi_k2", f"{ID}{OBJECT}functions.get_time:1{{}}", [*ROME, *TIME]),
    Odd(
        "kimi_k3 auto",
        '<|open|>toolscall tool="get_weather" index="1"<|sep|><|open|>argument '
        'key="city" type="string"<|sep|>Rome<|close|>argument<|sep|>'
        "<|close|>call<|sep|><|close|>toolsmessage<|sep|>",
    ),
    Odd("harmony", f"assistantcommentary to=functions.get_weather json{OBJECT}"),
    Odd("harmony", f"commentary to=functions.get_weather code\n{OBJECT}"),
    Odd(
        "harmony",
        f"commentary to=functions.get_weather json{OBJECT}"
        "assistantcommentary to=get_timejson{}",
        [*ROME, *TIME],
    ),
]


def _cut(text: str, seed: int) -> list[str]:
    chance = random.Random(seed)
    pieces, at = [""], 0
    while at < len(text):
        length = chance.randint(1, 3 * (seed + 1))
        pieces.append(text[at : at + length])
        at += length
    return pieces


def _same(family: str, text: str, **more: object) -> Outcome:
    """Return what comes of a text, which is the same wherever it is cut."""
    whole = outcome(family, text, **more)  # type: ignore[arg-type]
    for seed in range(4):
        assert run(family, _cut(text, seed), **more) == whole  # type: ignore[arg-type]
    return whole


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_call_in_odd_tags_is_run_and_never_shown(odd: Odd) -> None:
    for family in odd.families.split():
        came = _same(family, odd.written)
        assert came == Outcome(came.text, "", odd.calls, []), family
        assert not came.text.strip(), family
        if family == "harmony" or odd.written.startswith("functions."):
            continue
        for before, after in (("I look.\n", ""), ("", "\nDone."), ("Hm. ", "\nSo.")):
            came = _same(family, f"{before}{odd.written}{after}")

            assert came == Outcome(came.text, "", odd.calls, []), family
            assert came.text.split() == f"{before} {after}".split(), family


QUOTED = ("```\n@\n```\nSo.", "So `@` it is.", '"@" is it.', "<pre>@</pre> then.")


@pytest.mark.parametrize("around", QUOTED)
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_tags_that_are_only_shown_are_text(odd: Odd, around: str) -> None:
    if odd.written.startswith(("functions.", "assist", "comment")):
        return  # where a line begins
    if odd.written.count(KIMI[0]) > 1:
        return  # a call of its own begins within the quotation
    text = around.replace("@", odd.written)

    for family in odd.families.split():
        assert _same(family, text) == Outcome(text, "", [], []), family


@pytest.mark.parametrize(
    "text",
    [
        "Press <tool> and then <action>.",
        "<action>jump</action> is what he does.",
        '<tool name="hammer">heavy</tool> in XML.',
        "<tool>get_weather</tool> is its name.",
        "A <tool_call name> has a name.",
        "Write <TOOL_CALL> before it, and </TOOL_CALL> behind it.",
        "The <tool-call> element holds a call.",
        "functions.get_weather:0 is an id.",
        "See functions.\nfunctions.get_weather is one.",
        "<toolcall>.",
        'So <tool_call name="x">and</tool_call> it is.',
        '<TOOL_CALL>{"name": 1}</TOOL_CALL>',
        "It is <answer>42</answer>.",
    ],
)
def test_odd_tags_in_a_sentence_are_text(text: str) -> None:
    for family in ("hermes", "kimi_k2", "auto"):
        assert _same(family, text) == Outcome(text, "", [], []), family


@pytest.mark.parametrize(
    ("text", "reasoning", "left", "calls"),
    [
        (f"analysisI look.assistantcommentary to=functions.get_weather json{OBJECT}",
         "I look.", "", ROME),
        (f"analysisI look.assistantcommentary to=get_weatherjson{OBJECT}",
         "I look.", "", ROME),
        (f"analysisI.assistantcommentary to=functions.get_weather {OBJECT}"
         "assistantcommentary to=functions.get_time json{}", "I.", "", [*ROME, *TIME]),
        ("analysisA commentary to=x it is.assistantfinalIt is 4.",
         "A commentary to=x it is.", "It is 4.", []),
    ],
)  # fmt: skip
def test_a_call_behind_thoughts_of_which_only_the_words_are_left_is_run(
    text: str, reasoning: str, left: str, calls: Calls
) -> None:
    assert _same("harmony", text) == Outcome(left, reasoning, calls, [])


@pytest.mark.parametrize("family", ["openthinker", "auto"])
@pytest.mark.parametrize("tools", [TOOLS, None])
def test_reasoning_between_words_of_its_own_is_reasoning(
    family: str, tools: dict[str, object] | None
) -> None:
    text = (
        "<|begin_of_thought|>\n\nHm, 2+2.\n\n<|end_of_thought|>\n\n"
        "<|begin_of_solution|>\n\nIt is **4**.\n\n<|end_of_solution|>"
    )

    came = _same(family, text, tools=tools)

    assert came.reasoning.strip() == "Hm, 2+2."
    assert came.text.strip() == "It is **4**."


@pytest.mark.parametrize("family", ["hermes", "glm45", "auto", "deepseek_v3"])
def test_what_is_around_an_answer_behind_reasoning_is_not_shown(family: str) -> None:
    text = "<think>\nHm.\n</think>\n<answer>\nIt is 4.\n\nSo.\n</answer>"

    for end in ("", "\n"):
        came = _same(family, text + end)
        assert came.text.split() == ["It", "is", "4.", "So."]
        assert came.reasoning.strip() == "Hm."
    for text in ("<answer>\n4\n</answer>", "<think>Hm.</think><answer>4</answer>"):
        assert _same(family, text).text == text.rpartition("</think>")[2]


TURNS = [
    ("hermes auto", "Hi.<|im_end|>\n<|im_start|>user\nWhat?<|im_end|>\n", "Hi."),
    ("hermes auto", "Hi.<|im_end|><|im_start|>assistant\nMore.", "Hi.\nMore."),
    ("hermes auto", "Hi.<|im_end|>\n<|im_start|>assistant", "Hi."),
    ("hermes auto", "Hi.<|im_end|>\n<|im_start|>", "Hi."),
    ("hermes auto", "<|im_start|>assistant\nHi.<|im_end|>", "\nHi."),
    (
        "llama3_json auto",
        "Hi.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhat?",
        "Hi.",
    ),
    (
        "llama3_json",
        "Hi.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nMore.",
        "Hi.\n\nMore.",
    ),
    ("gemma3 functiongemma", "Hi.<end_of_turn>\n<start_of_turn>user\nWhat?", "Hi."),
    ("deepseek_v31 auto", "Hi.<｜end▁of▁sentence｜><｜User｜>What?", "Hi."),
]


@pytest.mark.parametrize(("families", "text", "left"), TURNS, ids=range(len(TURNS)))
def test_turns_that_a_model_makes_up_are_left_out(
    families: str, text: str, left: str
) -> None:
    for family in families.split():
        for tools in (TOOLS, None):
            assert _same(family, text, tools=tools).text.rstrip() == left, family


def test_a_text_about_the_tokens_of_turns_is_left_alone() -> None:
    text = (
        "A turn is <|im_start|>user and then:\nHello<|im_end|> or so.\n"
        "```\na<|im_end|>\n<|im_start|>user\nb\n```\n"
        "Then the text goes on with `<|im_end|>` and `<|im_start|>user`."
    )

    for family in ("hermes", "auto"):
        assert _same(family, text) == Outcome(text, "", [], [])


def test_where_no_call_is_run_no_odd_one_is_shown() -> None:
    for odd in ODD:
        if "auto" not in odd.families:
            continue
        for seed in range(3):
            gate = Gate("auto", TOOLS, eager=True)
            came = [p for text in _cut(odd.written, seed) for p in gate.feed(text)]
            came += gate.finish()

            assert not [p for p in came if isinstance(p, Text) and p.text.strip()]
