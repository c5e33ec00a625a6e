"""What the gate promises beyond the table of formats: policies, pieces, detection."""

import subprocess
import sys
from typing import Any

import pytest
from support.gate_rows import BARE, NONE, ROME, ROWS, Calls, Outcome, outcome, run

from tui.models.gate import (
    Broken,
    Call,
    CallOpened,
    Gate,
    Piece,
    Reasoning,
    Text,
    dialect_of_name,
    dialect_of_template,
    dropped_tokens,
    reasoning_opener,
)
from tui.models.gate.orphan import MARKS

TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {"properties": {"city": {"type": "string"}}},
    "get_time": {},
}
CALL = '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>'


def pieces(dialect: str, *stream: str, reasoning_open: bool = False) -> list[Piece]:
    gate = Gate(dialect, TOOLS, reasoning_open)
    return [p for text in stream for p in gate.feed(text)] + gate.finish()


def hermes(payload: str) -> Outcome:
    return outcome("hermes", f"<tool_call>{payload}</tool_call> Next.")


# The pieces


def test_text_is_let_out_at_once() -> None:
    gate = Gate("hermes", TOOLS)

    assert gate.feed("Hello, ") == [Text("Hello, ")]
    assert gate.feed("3 < 5 <") == [Text("3 < 5 ")]
    assert gate.feed("b>") == [Text("<b>")]
    assert gate.feed("") == []
    assert gate.finish() == []


@pytest.mark.parametrize("first", ["a", "f", "T", "A", "e"])
def test_the_first_letter_is_let_out_at_once_by_auto(first: str) -> None:
    gate = Gate("auto")

    assert gate.feed(first) == [Text(first)]


@pytest.mark.parametrize("before", ["", "Som", "I th"])
def test_a_word_that_ends_like_a_marker_is_let_out_at_once(before: str) -> None:
    gate = Gate("auto", TOOLS)
    gate.feed("Well, " + before)

    assert gate.feed("if") == [Text("if")]
    assert gate.feed(" of") == [Text(" of")]


@pytest.mark.parametrize(("opener", "closer"), MARKS)
def test_auto_knows_the_marks_of_reasoning(opener: str, closer: str) -> None:
    for text in (f"{opener}Hm.{closer}4.", f"\n{opener}\nHm.\n{closer}\n\n4."):
        came = run("auto", list(text))

        assert came.reasoning.strip() == "Hm."
        assert came.text.strip() == "4."


@pytest.mark.parametrize("family", ["auto", "hermes", "glm45", "kimi_k2"])
@pytest.mark.parametrize("opener", ["<think>", "<Think>", "<THINK>"])
@pytest.mark.parametrize("closer", ["</think>", "</Think>", "</THINK>"])
def test_tags_may_have_capitals(family: str, opener: str, closer: str) -> None:
    text = f"{opener}Hm </b>.\n{closer}\n\n4 </Title>."

    for pieces_of in ([text], list(text)):
        came = run(family, pieces_of)
        assert (came.reasoning, came.text) == ("Hm </b>.\n", "\n\n4 </Title>.")


@pytest.mark.parametrize("text", ["<Theme>x</Theme>", "<T", "I <Think> so.", "<TH>"])
def test_tags_that_only_begin_like_them_are_text(text: str) -> None:
    assert run("auto", list(text)).text == text


def test_reasoning_is_let_out_at_once() -> None:
    gate = Gate("hermes", TOOLS)

    assert gate.feed("<think>One") == [Reasoning("One")]
    assert gate.feed(" two</thi") == [Reasoning(" two")]
    assert gate.feed("nk>Three") == [Text("Three")]


def test_a_call_is_announced_once_as_soon_as_it_is_certain() -> None:
    gate = Gate("hermes", TOOLS)

    assert gate.feed("Hi <tool_call>\n") == [Text("Hi ")]
    assert gate.feed('{"name":') == [CallOpened()]
    assert gate.feed(' "get_time"') == []
    assert gate.feed("}</tool_call>") == [Call("get_time", {})]


def test_a_section_of_calls_is_announced_once() -> None:
    came = pieces("kimi_k2", ROWS["kimi_k2"].write(ROME + NONE))

    assert [type(p) for p in came] == [CallOpened, Call, Call]


@pytest.mark.parametrize("dialect", ["harmony", "react"])
def test_a_framed_call_is_announced_once(dialect: str) -> None:
    came = pieces(dialect, *ROWS[dialect].write(NONE))

    assert [type(p) for p in came] == [CallOpened, Call]


def test_a_call_keeps_the_id_that_the_model_wrote() -> None:
    ids = {
        dialect: [p.id for p in pieces(dialect, text) if isinstance(p, Call)]
        for dialect, text in {
            "kimi_k2": ROWS["kimi_k2"].write(NONE),
            "command": ROWS["command"].write(NONE + NONE),
            "mistral_args": "[TOOL_CALLS]get_time[CALL_ID]abc123XYZ[ARGS]{}",
            "mistral_list": '[TOOL_CALLS] [{"name": "get_time", "id": "9Ae3bDc2F"}]',
            "hermes": CALL,
        }.items()
    }

    assert ids == {
        "kimi_k2": ["functions.get_time:0"],
        "command": ["0", "1"],
        "mistral_args": ["abc123XYZ"],
        "mistral_list": ["9Ae3bDc2F"],
        "hermes": [""],
    }


def test_a_broken_call_keeps_what_the_model_wrote() -> None:
    malformed = "<tool_call>\n{name}</tool_call>"
    truncated = '<tool_call>{"name": "get'

    came = pieces("hermes", f"A{malformed}B{truncated}")

    assert came == [
        Text("A"),
        CallOpened(),
        Broken("malformed", malformed),
        Text("B"),
        CallOpened(),
        Broken("truncated", truncated),
    ]


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no dialect 'hermse'.*hermes"):
        Gate("hermse", TOOLS)


def test_no_tools_at_all_are_none_offered() -> None:
    gate = Gate("hermes", {})

    assert [*gate.feed(CALL), *gate.finish()] == [Text(CALL)]


@pytest.mark.parametrize("step", [1, 7, 5000])
def test_a_tool_may_have_a_long_name(step: int) -> None:
    name = "n" * 1000
    call = f'{{"name": "{name}", "parameters": {{}}}}'
    stream = [call[i : i + step] for i in range(0, len(call), step)]

    came = run("llama3_json", stream, tools={name: {}})

    assert came == Outcome("", "", [(name, {})], [])


# What is repaired in a payload, and what is not


@pytest.mark.parametrize(
    ("payload", "arguments"),
    [
        ('{"name": "f", "arguments": {"a": "x\ny\t"}}', {"a": "x\ny\t"}),
        ('{"name": "f", "arguments": "{\\"a\\": 1}"}', {"a": 1}),
        ('{"name": "f", "parameters": {"a": 1}}', {"a": 1}),
        ('{"name": "f"}', {}),
        ('{"name": "f", "arguments": null}', {}),
        ('{"name": "f", "arguments": {"a": 1}}}]', {"a": 1}),
        (
            '{"arguments": {"a": {"b": [1, null]}}, "name": "f"}',
            {"a": {"b": [1, None]}},
        ),
        ('{"name": "f", "arguments": {"a": "\\u00e9\\ud83d\\ude00"}}', {"a": "é😀"}),
        ('{"name": "f", "arguments": {"a": "\\ud83d"}}', {"a": "\ufffd"}),
        ('{"name": "f", "arguments": {"a": "\\\\\\""}}', {"a": '\\"'}),
    ],
)
def test_a_payload_is_read(payload: str, arguments: dict[str, Any]) -> None:
    assert hermes(payload) == Outcome(" Next.", "", [("f", arguments)], [])


@pytest.mark.parametrize(
    "payload",
    [
        '{"name": "f", "arguments": {"a": QQQ}}',
        '{"name": "f", "arguments": {"a": 1}',
        '{"name": "f", "arguments": [1]}',
        '{"name": "f", "arguments": "no JSON"}',
        '{"name": 1, "arguments": {}}',
        '{"name": "", "arguments": {}}',
        '{"arguments": {}}',
        "{'name': 'f', 'arguments': {QQQ}}",
        '{"name": "f", "arguments": {}} and more',
        '[{"name": "f", "arguments": {}}, 5]',
        "{}",
        "[]",
        '{"name": "f", "arguments": {"a": ' + "[" * 100_000 + "}}",
        '{"name": "f", "arguments": {"a": ' + "9" * 10_000 + "}}",
    ],
    ids=range(14),
)
def test_a_payload_is_refused_as_a_whole(payload: str) -> None:
    assert run("hermes", [f"<tool_call>{payload}</tool_call> Next."]) == Outcome(
        " Next.", "", [], ["malformed"]
    )


def test_a_string_that_never_ends_is_closed_by_the_first_closer() -> None:
    came = outcome("hermes", f'<tool_call>{{"name": "f}}</tool_call>\nSo.\n{CALL}')

    assert came == Outcome("\nSo.\n", "", NONE, ["malformed"])


@pytest.mark.parametrize(
    ("dialect", "value", "expected"),
    [
        ("qwen3_coder", "<parameter=n>\n\n5\n\n</parameter>", {"n": 5}),
        ("qwen3_coder", "<parameter=s>\n\n5\n\n</parameter>", {"s": "\n5\n"}),
        ("qwen3_coder", "<parameter=s>5</parameter>", {"s": "5"}),
        ("qwen3_coder", "<parameter=b>True</parameter>", {"b": True}),
        ("qwen3_coder", "<parameter=b>perhaps</parameter>", {"b": "perhaps"}),
        ("qwen3_coder", "<parameter=o>None</parameter>", {"o": None}),
        ("qwen3_coder", "<parameter=o>5</parameter>", {"o": "5"}),
        ("qwen3_coder", '<parameter=u>{"a": 1}</parameter>', {"u": {"a": 1}}),
        ("qwen3_coder", "<parameter=u>Rome</parameter>", {"u": "Rome"}),
        ("qwen3_coder", "<parameter=u>true</parameter>", {"u": "true"}),
        ("qwen3_coder", "<parameter=s>a\nb\n</parameter>", {"s": "a\nb\n"}),
        ("qwen3_coder", "<parameter=s>\r\na\r\n</parameter>", {"s": "a"}),
        ("qwen3_coder", "<parameter=o>text</parameter>", {"o": "text"}),
        ("qwen3_coder", '<parameter=l>["a", 1]</parameter>', {"l": ["a", 1]}),
        ("qwen3_coder", "<parameter=unknown>5</parameter>", {"unknown": "5"}),
        ("qwen3_coder", "<parameter=e>5</parameter>", {"e": "5"}),
        ("qwen3_coder", '<parameter=r>{"a": 5}</parameter>', {"r": {"a": 5}}),
        ("qwen3_coder", "<parameter=n>NaN</parameter>", {"n": "NaN"}),
    ],
)
def test_a_bare_value_takes_the_type_of_its_schema(
    dialect: str, value: str, expected: dict[str, Any]
) -> None:
    schema = {
        "n": {"type": "number"},
        "s": {"type": "string"},
        "b": {"type": "boolean"},
        "o": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "l": {"type": "array"},
        "e": {"enum": ["5", "6"]},
        "u": {"type": ["string", "object"]},
        "r": {"$ref": "#/$defs/R"},
    }
    text = f"<tool_call>\n<function=f>\n{value}\n</function>\n</tool_call>"

    came = run(dialect, [text], tools={"f": {"properties": schema}})

    assert came == Outcome("", "", [("f", expected)], [])


# Quoting


@pytest.mark.parametrize(
    ("before", "quoted"),
    [
        ("`", True),
        ("``` ", True),
        ("```text\n", True),
        ("~~~\n", True),
        ("  ```\nx\n", True),
        ("````\n```\n", True),
        ("```\n~~~\n", True),
        ("```\n``` x\n", True),
        ("```\nx\n```\n", False),
        ("```\nx\n  `````  \n", False),
        ("``` inline ``` ", False),
        ("x ```\n", False),
        ("``\n", False),
        ("`x` ", False),
        ("~~gone~~ ", False),
    ],
)
def test_markdown_quotes_a_call(before: str, quoted: bool) -> None:
    came = outcome("hermes", before + CALL)

    text = before + CALL if quoted else before
    assert came == Outcome(text, "", [] if quoted else NONE, [])


def test_a_quoted_marker_quotes_what_it_opens() -> None:
    text = "`<tool_call>\n<function=get_time>\n</function>\n</tool_call>`"

    assert outcome("qwen3_coder", text) == Outcome(text, "", [], [])


def test_a_fence_in_reasoning_does_not_quote_the_answer() -> None:
    came = outcome("hermes", f"<think>\n```\nx</think>\n{CALL}")

    assert came == Outcome("\n", "\n```\nx", NONE, [])


# Reasoning


def test_reasoning_opens_only_at_the_start() -> None:
    text = "The tag <think> is used, </think> too."

    assert outcome("hermes", text) == Outcome(text, "", [], [])


def test_white_space_may_precede_reasoning() -> None:
    assert outcome("hermes", "\n<think>a</think>b") == Outcome("\nb", "a", [], [])


def test_reasoning_may_open_anywhere_where_the_format_says_so() -> None:
    came = outcome("mistral_args", "a[THINK]b[/THINK]c[THINK]d[/THINK]")

    assert came == Outcome("ac", "bd", [], [])


def test_without_tools_reasoning_is_still_told_apart() -> None:
    came = outcome("hermes", f"<think>{CALL}</think>{CALL}", tools=None)

    assert came == Outcome(CALL, CALL, [], [])


def test_a_call_cut_off_in_open_reasoning_is_truncated() -> None:
    came = outcome("hermes", '<think>I will\n<tool_call>{"name": "get')

    assert came == Outcome("", "I will\n", [], ["truncated"])


# Formats with a few ways of writing


@pytest.mark.parametrize(
    ("dialect", "text", "calls"),
    [
        ("hermes", f"{CALL}{CALL}", NONE + NONE),
        ("hermes", '<tool_call>[{"name": "f"}, {"name": "g"}]</tool_call>', "fg"),
        ("hermes", '<tool_call>{"name": "f"}\n{"name": "g"}</tool_call>', "fg"),
        ("hermes", '<tool_call>{"name": "f"}<|im_end|>', "f"),
        ("internlm2", '<|action_start|> <|plugin|>{"name": "f"}<|action_end|>', "f"),
        ("mistral_args", "[TOOL_CALLS]f{}[TOOL_CALLS] g[ARGS] {}", "fg"),
        ("mistral_args", '[TOOL_CALLS] [{"name": "f"}]</s>', "f"),
        ("dots", '<dots_function_call>{"name": "f"}</dots_function_call>', "f"),
        ("lfm2", '<|tool_call_start|>[{"name": "f"}]<|tool_call_end|>', "f"),
        ("olmo3", "<function_calls>f()</function_calls>", "f"),
        ("llama3_json", "<|python_tag|>f.call()<|eom_id|>", "f"),
        (
            "llama3_json",
            '<|python_tag|>{"name": "f"}; {"name": "get_time", "parameters": {}}',
            [("f", {}), *NONE],
        ),
        ("llama_pythonic", "<|python_start|>[f(), g()]<|python_end|>", "fg"),
        ("phi4mini", '<|tool_call|>[{"name": "f"}]<|/tool_call|><|end|>', "f"),
        ("qwen3_coder", "<function=f>\n</function>\n</tool_call>", "f"),
        ("glm45", "<tool_call>f</tool_call>\n<tool_call>g</tool_call>", "fg"),
        ("xlam", '```json\n[{"name": "get_time", "arguments": {}}]\n```', NONE),
        ("lazyllm_glm", "✿FUNCTION✿: f\n✿ARGS✿: {}\n✿RESULT✿: 20\n✿RETURN✿: 2", "f"),
        (
            "functiongemma",
            "<start_function_call>call:f{}<end_function_call>"
            "<start_function_response>made up",
            "f",
        ),
        (
            "harmony",
            " to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}",
            "f",
        ),
        ("harmony", "<|channel|>analysis to=functions.f<|message|>{}<|call|>", "f"),
        ("react", "Action: get_time\n\nAction Input:\n{}\nObservation: x\nHm", NONE),
        (
            "kimi_k2",
            "<|tool_calls_section_begin|><|tool_call_begin|>"
            "functions.a.b-c:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
            [("a.b-c", {})],
        ),
    ],
)
def test_another_way_of_writing_is_read(dialect: str, text: str, calls: Any) -> None:
    came = outcome(dialect, text)

    wanted = [(name, {}) for name in calls] if isinstance(calls, str) else calls
    assert came == Outcome(came.text, "", wanted, [])
    assert came.text.strip() == ""


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("llama3_json", '{"name": "unknown", "parameters": {}}'),
        ("llama3_json", 'Say {"name": "get_time", "parameters": {}}'),
        ("llama3_json", '{"a": 1, "b": [2, 3]}'),
        ("llama_pythonic", "[unknown(a=1)] and [get_time](http://x)"),
        ("xlam", 'Like this:\n```json\n[{"name": "get_time", "arguments": {}}]\n```'),
        ("xlam", "[1, 2]"),
        ("glm4", "Use get_time\n{}"),
        ("glm4", "get_time\nis it"),
        ("functionary_v31", "<function=> and <function=f> text"),
        ("phi4mini", "functools[0] functools.cache"),
        ("phi4mini", "import functools"),
        ("xlam", '```json\n[{"name": "get_t'),
        ("llama3_json", '{"name": "get_t'),
        ("glm4", "get_time\n"),
        ("functionary_v32", "get_time\n\nIt is a tool.\n\n>>>get_time\nis a tool."),
        ("react", "An Action: get_time\nAction Input: {}"),
        ("react", "```\nThought: x\n```"),
        ("harmony", "No frames at all."),
        ("auto", "Strike <s>this</s> and <answer>that</answer>, [THINK]."),
    ],
)
def test_what_only_looks_like_a_call_is_text(dialect: str, text: str) -> None:
    assert outcome(dialect, text) == Outcome(text, "", [], [])


@pytest.mark.parametrize("text", ["a", "get_time\n{}", "all\nx", ">> get_time\n{}"])
def test_a_recipient_opens_the_message_only_once(text: str) -> None:
    gate = Gate("functionary_v32", TOOLS)
    gate.feed("all\n")

    at_once = gate.feed(text)

    assert at_once + gate.finish() == [Text(text)]
    assert text != "a" or at_once


def test_the_word_before_a_fence_is_no_name() -> None:
    nameless = ROWS["deepseek_v3"].write(ROME).replace("get_weather", "")

    came = outcome("deepseek_v3", f"{nameless}So.")

    assert came == Outcome("So.", "", [], ["malformed"])


def test_a_final_text_is_no_header() -> None:
    text = " to=functions.get_time {}"

    came = outcome("harmony", f"<|channel|>final<|message|>{text}<|return|>")

    assert came == Outcome(text, "", [], [])


def test_a_key_without_a_value_takes_no_other_key_with_it() -> None:
    pairs = "<arg_key>a</arg_key><arg_key>b</arg_key><arg_value>c</arg_value>"

    came = outcome("glm45", f"<tool_call>f{pairs}</tool_call>So.")

    assert came == Outcome("So.", "", [], ["malformed"])


def test_thoughts_and_final_answer_are_told_apart() -> None:
    came = outcome("react", "Thought: I know.\nMore.\nFinal Answer: It is\nsunny.")

    assert came == Outcome("It is\nsunny.", "I know.\nMore.\n", [], [])


@pytest.mark.parametrize(
    ("written", "text", "reasoning", "calls"),
    [
        ("Final Answer:\n\n  Yes\n", "Yes\n", "", []),
        ("Final Answer: ", "", "", []),
        ("Thought:\nFinal Answer: a", "a", "", []),
        ("Thought: x\n\nAction: get_time\nAction Input: {}\n", "", "x\n\n", NONE),
        (
            "Action: get_time\nAction Input: {} \n\nThought: c\nFinal Answer:  d",
            "d",
            "c\n",
            NONE,
        ),
    ],
)
def test_blanks_behind_the_words_of_react_are_no_text(
    written: str, text: str, reasoning: str, calls: Calls
) -> None:
    assert outcome("react", written) == Outcome(text, reasoning, calls, [])


def test_channels_are_told_apart() -> None:
    came = outcome(
        "harmony",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>"
        "commentary<|message|>I look. <|end|><|start|>functions.f to=assistant"
        "<|channel|>commentary<|message|>made up<|end|><|start|>assistant"
        "<|channel|>final<|message|>It is 3 < 5.<|return|>",
    )

    assert came == Outcome("I look. It is 3 < 5.", "Hm.", [], [])


# The dialect for unknown models


AUTO = sorted(set(ROWS) - {"react", "functionary_v32", "rwkv"})
"""All but the formats whose frames begin with plain words or with emphasis."""


@pytest.mark.parametrize("family", AUTO)
def test_auto_reads_what_the_family_reads(family: str) -> None:
    begin, end = ROWS[family].think or ("<think>", "</think>")
    if family == "apriel":
        # An answer may begin with the words that open its reasoning.
        begin, end = ("<think>", "</think>")
    call = ROWS[family].write(ROME + NONE)
    # Without a marker, a call is one only if nothing follows.
    after = "" if family in BARE else "It is [20]."
    text = f"{begin}3 < 5?{end}\nLet me see.\n{call}\n{after}"

    came = outcome("auto", text)

    assert came == Outcome(came.text, "3 < 5?", ROME + NONE, [])
    assert came.text.split() == ["Let", "me", "see.", *after.split()]


@pytest.mark.parametrize("family", BARE)
@pytest.mark.parametrize("after", ["\nThat is how.", " is how.", "\n\nas you see"])
def test_auto_runs_no_call_without_a_marker_that_text_follows(
    family: str, after: str
) -> None:
    text = f"So:\n{ROWS[family].write(ROME + NONE)}{after}"

    assert outcome("auto", text) == Outcome(text, "", [], [])


MARKED = [
    f
    for f in AUTO
    # Step-Audio 2 has the name on a line of its own, where auto reads GLM-4's calls.
    if ROWS[f].marker and f != "step_audio2"
]


@pytest.mark.parametrize("family", MARKED)
def test_auto_leaves_a_call_between_back_ticks_alone(family: str) -> None:
    text = f"Write `{ROWS[family].write(ROME)}` for it."

    assert outcome("auto", text) == Outcome(text, "", [], [])


def test_auto_takes_any_end_of_reasoning_that_the_prompt_opened() -> None:
    came = outcome("auto", f"a</seed:think>b{CALL}", reasoning_open=True)

    assert came == Outcome("b", "a", NONE, [])


# Finding the dialect


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("qwen2.5:7b-instruct", "hermes"),
        ("Qwen/Qwen3-8B", "hermes"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder"),
        ("qwen3.5", "qwen3_coder"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "hermes"),
        ("glm-4.6", "glm45"),
        ("THUDM/glm-4-9b-chat", "glm4"),
        ("deepseek-ai/DeepSeek-V3-0324", "deepseek_v3"),
        ("deepseek-r1:7b", "deepseek_v3"),
        ("DeepSeek-V3.1-Terminus", "deepseek_v31"),
        ("deepseek-v3.2", "deepseek_v32"),
        ("moonshotai/Kimi-K2-Instruct", "kimi_k2"),
        ("llama3.1:8b", "llama3_json"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3_json"),
        ("Llama-4-Scout-17B", "llama_pythonic"),
        ("mistral-small3.2", "mistral_args"),
        ("Mistral-7B-Instruct-v0.3", "mistral_list"),
        ("mistral-nemo", "mistral_list"),
        ("gpt-oss:20b", "harmony"),
        ("granite3.3:8b", "granite3"),
        ("granite4:tiny", "hermes"),
        ("command-r7b", "command"),
        ("phi4-mini", "phi4mini"),
        ("gemma4:12b", "gemma4"),
        ("Salesforce/Llama-xLAM-2-8b-fc-r", "xlam"),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "nemotron_v2"),
        ("internlm/internlm2_5-7b-chat", "internlm2"),
        ("MiniMaxAI/MiniMax-M2", "minimax_m2"),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", "seed_oss"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm"),
        ("moonshotai/Kimi-K3", "kimi_k3"),
        ("moonshotai/Kimi-VL-A3B-Thinking", "kimi_k2"),
        ("MiniMaxAI/MiniMax-M3", "minimax_m3"),
        ("deepseek-ai/DeepSeek-V4.1", "deepseek_v41"),
        ("deepseek-v4-flash", "deepseek_v4"),
        ("ai-sage/GigaChat3-10B-A1.8B", "gigachat3"),
        ("ai-sage/GigaChat3.1-10B-A1.8B", "gigachat3"),
        ("ai-sage/GigaChat-3.5", "gigachat35"),
        ("openbmb/MiniCPM5-1B-GGUF", "minicpm5"),
        ("openbmb/MiniCPM-V-2_6", "auto"),
        ("openbmb/MiniCPM-V-4_5", "auto"),
        ("openbmb/MiniCPM3-4B", "minicpm4"),
        ("openbmb/MiniCPM4-8B", "minicpm4"),
        ("openbmb/MiniCPM4.1-8B-GGUF", "minicpm4"),
        ("facebook/cwm", "cwm"),
        ("facebook/cwm-sft", "cwm"),
        ("muse-glimmer-30b", "muse"),
        ("inkling-8b", "inkling"),
        ("pfnet/plamo-3-nict-8b", "plamo3"),
        ("LLM360/K2-Horizon", "k2_horizon"),
        ("upstage/Solar-Open-100B", "solar_open"),
        ("upstage/Solar-Open2-250B", "solar_open2"),
        ("solar-10.7b", "auto"),
        ("tencent/Hunyuan-V4", "hunyuan_v4"),
        ("tencent/Hy3-preview", "hunyuan_v3"),
        ("IQuestLab/IQuest-Q1", "iquest_q1"),
        ("zai-org/GLM-5.3-Flash", "glm53_flash"),
        ("glm-5.3", "glm45"),
        ("ibm-granite/granite-3.1-8b-instruct", "granite3"),
        ("ServiceNow-AI/Apriel-1.6-15b-Thinker", "apriel"),
        ("command-r-plus:104b", "command_r"),
        ("c4ai-command-r-v01", "command_r"),
        ("command-a", "command"),
        ("meetkai/functionary-small-v2.4-GGUF", "functionary_v2"),
        ("functionary-small-v2.5", "auto"),
        ("step-audio-2-mini", "step_audio2"),
        ("stepfun-ai/Step-3.7-Flash", "qwen3_coder"),
        ("stepfun-ai/step3", "step3"),
        ("FreedomIntelligence/openPangu-Embedded-7B", "openpangu"),
        ("HyperCLOVAX-SEED-Think-32B", "hyperclovax"),
        ("LGAI-EXAONE/EXAONE-4.0-32B", "exaone"),
        ("HyperCLOVAX-SEED-Think-14B", "hyperclovax_14b"),
        ("Tele-AI/TeleChat4-Thinking", "telechat4"),
        ("IQuestLab/IQuest-Coder-V2", "iquest_coder"),
        ("openPangu-2.0-Flash", "openpangu_v2"),
        ("openPangu-V2-Pro", "openpangu_v2"),
        ("openbmb/MiniCPM5-1B", "minicpm5"),
        ("BlinkDL/rwkv-7-g1", "rwkv"),
        ("BerryLM-OS", "qwen3_coder"),
        ("gemma3:4b", "auto"),
        ("deepseek-chat", "auto"),
        ("gpt-4o", "auto"),
        ("", "auto"),
    ],
)
def test_a_name_tells_the_dialect(name: str, dialect: str) -> None:
    assert dialect_of_name(name) == dialect


@pytest.mark.parametrize("family", AUTO)
def test_a_template_tells_the_dialect(family: str) -> None:
    """A template shows earlier calls in the model's own format."""
    # These have no marker of their own, or share all of them with another.
    same = {"smollm": "hermes", "xlam": "auto", "llama_pythonic": "auto"}
    same |= {"llama3_json": "auto", "glm4": "auto", "minimax_m1": "jamba"}
    same |= {"ernie45": "hermes", "hunyuan_a13b": "jamba", "apriel": "jamba"}
    same |= {"glm53_flash": "hermes", "step_audio2": "hermes", "hyperclovax": "glm45"}
    same |= {"command_r": "auto", "gemma3": "auto"}
    same |= {"openpangu_v2": "lfm2", "exaone": "hermes", "openthinker": "hermes"}
    template = f"{{% for m in messages %}}{ROWS[family].write(ROME)}{{% endfor %}}"

    assert dialect_of_template(template) == same.get(family, family)


@pytest.mark.parametrize(
    ("template", "tokens", "dialect"),
    [
        ("<|im_start|>{{ m.content }}<|im_end|>", [], "auto"),
        ("", [], "auto"),
        ("<tool_call>{}</tool_call> <response>", [], "ernie45"),
        ("<tool_calls>[]</tool_calls> <answer>", [], "hunyuan_a13b"),
        ("<tool_calls>", ["<beginning_of_sentence>"], "minimax_m1"),
        ("{{ '<|start_header_id|>' }}", ["<|python_tag|>"], "llama3_json"),
        ("<|header_start|>", ["<|python_start|>"], "llama_pythonic"),
        ("[gMASK]<sop><|observation|>", [], "glm4"),
        ("<|start|><|channel|>final<|message|>", [], "harmony"),
        ("<|start_header_id|>assistant\n>>>all", [], "functionary_v32"),
    ],
)
def test_a_template_and_its_tokens_tell_the_dialect(
    template: str, tokens: list[str], dialect: str
) -> None:
    assert dialect_of_template(template, tokens) == dialect


def test_a_dialect_tells_its_dropped_tokens_and_its_reasoning() -> None:
    assert dropped_tokens("llama3_json") == ("<|eot_id|>", "<|eom_id|>")
    assert dropped_tokens("functiongemma") == (
        "<end_of_turn>",
        "<start_function_response>",
    )
    assert dropped_tokens("xlam") == ()
    assert "<|im_end|>" in dropped_tokens("auto")
    assert reasoning_opener("hermes") == "<think>"
    assert reasoning_opener("gemma4") == "<|channel>thought\n"
    assert reasoning_opener("mistral_list") == ""
    assert reasoning_opener("auto") == "<think>"


@pytest.mark.parametrize("family", [f for f in ROWS if dropped_tokens(f)])
def test_dropped_tokens_are_dropped(family: str) -> None:
    lead = "all\n" if family == "functionary_v32" else ""
    for token in dropped_tokens(family):
        assert outcome(family, f"{lead}Hello.{token}").text == "Hello."


def test_the_gate_needs_no_library_of_a_screen_or_a_model() -> None:
    code = (
        "import sys, tui.models.gate;"
        "print([m for m in sys.modules if m in ('textual', 'openai', 'llama_cpp')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("dialect", [row for row in ROWS if row not in BARE])
def test_tokens_in_open_code_are_read_alike_in_any_pieces(dialect: str) -> None:
    for token in (*dropped_tokens(dialect), "<|message|>"):
        for text in (f"a ``b{token}z", f"a `b{token}`", f"``{token}", f"`c` d{token}z"):
            for open_ in (False, True):
                whole = pieces(dialect, text, reasoning_open=open_)
                cut = pieces(dialect, *text, reasoning_open=open_)

                assert joined(cut) == joined(whole), text


def joined(found: list[Piece]) -> list[tuple[type[Piece], str]]:
    """Return the texts of `found`, those of one kind in a row as one."""
    out: list[tuple[type[Piece], str]] = []
    for piece in found:
        text = getattr(piece, "text", str(piece))
        if out and out[-1][0] is type(piece):
            text = out.pop()[1] + text
        out.append((type(piece), text))
    return out
