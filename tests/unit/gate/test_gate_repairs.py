"""Calls with a closer or wrapper too few or too many: found, and no text is lost."""

import pytest
from support.gate_rows import FAMILIES, NONE, ROME, ROWS, Calls, Outcome, run

CJK: Calls = [("get_weather", {"city": "東京「駅」", "days": 3})]
CLOSED = [f for f in FAMILIES if ROWS[f].closer and f != "harmony"]
REST = "\n\n天气很好。\nMore [x](y) `z`."


def _outcome(family: str, text: str) -> Outcome:
    whole = run(family, [text])
    for i in range(1, len(text), 5):
        assert run(family, [text[:i], text[i:]]) == whole, f"cut at {i}"
    assert run(family, list(text)) == whole
    return whole


def _holds(family: str, text: str, left: str, calls: Calls, *errors: str) -> None:
    for dialect in (family, "auto"):
        came = _outcome(dialect, text)

        assert came == Outcome(came.text, "", calls, list(errors)), dialect
        assert came.text.split() == left.split(), dialect


# A value of Code World Model is what stands there, up to the closer.
@pytest.mark.parametrize("family", [f for f in CLOSED if f != "cwm"])
@pytest.mark.parametrize("calls", [ROME, CJK, [*CJK, *ROME]], ids=range(3))
def test_text_behind_a_call_without_its_closer_is_kept(
    family: str, calls: Calls
) -> None:
    written = ROWS[family].write(calls).removesuffix(ROWS[family].closer).rstrip("\n")

    _holds(family, f"Hi.\n{written}\nThe rest is text.", "Hi. The rest is text.", calls)
    _holds(family, f"{written}{REST}", REST, calls)


@pytest.mark.parametrize("family", CLOSED)
@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n"])
def test_a_second_opener_before_the_first_closer_opens_a_second_call(
    family: str, between: str
) -> None:
    row = ROWS[family]
    first = row.write(ROME).removesuffix(row.closer).rstrip("\n")

    _holds(family, f"{first}{between}{row.write(NONE)}\nOk.", "Ok.", ROME + NONE)


def test_code_behind_a_call_in_a_fence_keeps_its_own_fence() -> None:
    code = "```\nx = 1\n```\nMore."

    for between in ("\n", "\nSo:\n\n"):
        text = f"{ROWS['gemma3'].write(ROME)}{between}{code}"
        left = f"{between.strip()} {code}"

        _holds("gemma3", text, left, ROME)


@pytest.mark.parametrize("family", [f for f in CLOSED if ROWS[f].closer != "```"])
def test_a_closer_that_comes_twice_is_not_shown(family: str) -> None:
    row = ROWS[family]
    calls = row.write(ROME + NONE)

    _holds(family, f"{calls}{row.closer}\nDone.", "Done.", ROME + NONE)
    _holds(family, f"{calls}\n{row.closer}\n{row.closer}", "", ROME + NONE)
    _holds(family, f"{calls}\nWarm.\n{row.closer}\n", "Warm.", ROME + NONE)


@pytest.mark.parametrize(
    "family", ["hermes", "internlm2", "kimi_k2", "lmstudio", "minimax_m3", "telechat4"]
)
@pytest.mark.parametrize("between", ["", "\n"])
def test_an_opener_that_comes_twice_is_not_shown(family: str, between: str) -> None:
    row = ROWS[family]

    _holds(family, f"{row.marker}{between}{row.write(ROME)}", "", ROME)


@pytest.mark.parametrize("family", CLOSED)
def test_a_call_that_is_cut_off_keeps_those_before_it(family: str) -> None:
    two = ROWS[family].write([*CJK, *ROME, ("get_weather", {"city": "Reykjavik"})])

    _holds(family, two[: two.index("javik")], "", CJK + ROME, "truncated")


ROME_ONLY: Calls = [("get_weather", {"city": "Rome"})]
_DSML = (
    '<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">'
    "Rome</｜DSML｜parameter>\n</｜DSML｜invoke>"
)
_INVOKE = (
    '<invoke name="get_weather">\n<parameter name="city">Rome</parameter>\n</invoke>'
)
_GEMMA = '<|tool_call>call:get_weather{city:<|"|>Rome<|"|>}<tool_call|>'
_KIMI = (
    "<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
    '{"city": "Rome"}<|tool_call_end|>'
)
_STEP = (
    '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="get_weather">'
    '<steptml:parameter name="city">Rome</steptml:parameter></steptml:invoke>'
    "<｜tool_call_end｜>"
)
_DEEPSEEK = (
    '<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Rome"}<｜tool▁call▁end｜>'
)
_JSON = '{"name": "get_weather", "arguments": {"city": "Rome"}}'
_PYTHON = "{'name': 'get_weather', 'arguments': {'city': 'Rome'}}"
_XML = "<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n</function>"
_PAIRS = "get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n"


@pytest.mark.parametrize(
    ("family", "call"),
    [
        ("deepseek_v32", _DSML),
        ("deepseek_v4", _DSML),
        ("deepseek_v4", f"{_DSML}\n</｜DSML｜tool_calls>"),
        ("minimax_m2", _INVOKE),
        ("minimax_m2", f"{_INVOKE}\n</minimax:tool_call>"),
        ("step3", _STEP),
        ("step3", f"{_STEP}\n<｜tool_calls_end｜>"),
        ("kimi_k2", _KIMI),
        ("kimi_k2", f"{_KIMI}<|tool_calls_section_end|><|tool_calls_section_end|>"),
        ("deepseek_v3", _DEEPSEEK),
        ("deepseek_v31", f"{_DEEPSEEK}<｜tool▁calls▁end｜>"),
        ("gemma4", _GEMMA.replace("call:", ":")),
        ("gemma4", _GEMMA.replace("call:", "")),
        ("gemma4", f"{_GEMMA}<tool_call|><|tool_response>"),
        ("gemma4", f"<|tool_call>{_GEMMA}"),
        ("hermes", f"<tool_call>\n<tool_call>\n{_JSON}\n</tool_call>"),
        (
            "qwen3_coder",
            f"<tool_call>\n{_XML}\n</tool_call>\n<tool_response>\n22\n</tool_response>",
        ),
        ("gemma4", f"{_GEMMA}<|tool_response>response:get_weather{{t:2}}"),
        ("gemma4", _GEMMA.replace('city:<|"|>Rome<|"|>', '"city": "Rome"')),
        ("functiongemma", "<start_function_call>call:get_weather{'city': 'Rome'}"),
        ("mistral_args", f"[TOOL_CALLS] {_JSON}"),
        ("mistral_list", f"[TOOL_CALLS] {_JSON}[/TOOL_CALLS]"),
        ("mistral_args", '[TOOL_CALLS]get_weather[ARGS]{"city": "Rome"}[/TOOL_CALLS]'),
        ("jamba", f"<tool_calls>{_JSON}</tool_calls>"),
        ("nemotron_v2", f"<TOOLCALL>{_JSON}</TOOLCALL>"),
        ("command", f"<|START_ACTION|>{_JSON}<|END_ACTION|>"),
        ("granite3", f"<tool_call> [{_JSON}]"),
        ("xlam", f"<tool_call>[{_JSON}]</tool_call>"),
        ("xlam", f"[TOOL_CALLS] [{_JSON}]"),
        ("hermes", f"<tool_call>\n{_PYTHON}\n</tool_call>"),
        ("hermes", '<tool_call>\nget_weather(city="Rome")\n</tool_call>'),
        ("hermes", f"<tool_call>\n{_XML}\n</tool_call>"),
        ("hermes", f"<tool_call>{_PAIRS}</tool_call>"),
        ("hermes", f"{_XML}\n</tool_call>"),
        ("glm45", f"<tool_call>{_JSON}</tool_call>"),
        ("glm45", f"<tool_call>\n{_XML}\n</tool_call>"),
        ("qwen3_coder", f"<tool_call>\n{_JSON}\n</tool_call>\n</tool_call>"),
        ("ernie45", f"<tool_call>{_PAIRS}</tool_call>"),
        ("seed_oss", f"{_XML}\n</seed:tool_call>"),
        (
            "lfm2",
            '<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>'
            '[get_weather(city="Rome")]',
        ),
    ],
)
def test_a_call_in_half_a_wrapper_is_read(family: str, call: str) -> None:
    _holds(family, call, "", ROME_ONLY)
    _holds(family, f"I look.\n{call}\n", "I look.", ROME_ONLY)


@pytest.mark.parametrize(
    ("family", "text", "left"),
    [
        ("gemma4", "Hello.<channel|>", "Hello."),
        ("gemma4", "<|channel>thought<channel|>Hello.", "Hello."),
        ("kimi_k2", "Hello.<|tool_calls_section_end|>\n", "Hello."),
        (
            "deepseek_v3",
            '<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>{"t": 2}'
            "<｜tool▁output▁end｜><｜tool▁outputs▁end｜>It is 2.",
            "It is 2.",
        ),
        ("deepseek_v31", "<｜tool▁output▁begin｜>22<｜tool▁output▁end｜>So.", "So."),
        ("auto", "<|channel|>final<|message|>Four.<|return|>", "Four."),
        (
            "auto",
            "<|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Four.",
            "I look.Four.",
        ),
        ("granite3", "Hello.<|end_of_text|>\n", "Hello."),
    ],
)
def test_what_belongs_to_no_text_is_not_shown(
    family: str, text: str, left: str
) -> None:
    came = _outcome(family, text)

    assert came == Outcome(came.text, "", [], [])
    assert came.text.strip() == left


@pytest.mark.parametrize(
    ("family", "begun"),
    [
        ("hermes", f"<tool_call>\n{_JSON[:-2]}"),
        ("mistral_list", f"[TOOL_CALLS] [{_JSON}"),
        ("minimax_m2", f"<minimax:tool_call>\n{_INVOKE.removesuffix('</invoke>')}"),
        ("qwen3_coder", f"<tool_call>\n{_XML.removesuffix('</function>')}"),
        ("gemma4", '<|tool_call>call:get_weather{city:<|"|>Rome<|"|>'),
    ],
)
@pytest.mark.parametrize("rest", ["The rest is text.", "好，我去查。\n\nMore of it."])
def test_text_behind_a_call_that_was_never_completed_is_kept(
    family: str, begun: str, rest: str
) -> None:
    for dialect in (family, "auto"):
        came = _outcome(dialect, f"Hi.\n{begun.rstrip()}\n{rest}")

        assert came.text.split() == ["Hi.", *rest.split()], dialect
        assert came.errors == ["truncated"], dialect


def test_auto_tells_the_channels_of_harmony_apart() -> None:
    text = (
        "<|channel|>analysis<|message|>Rome or <b>?<|end|><|start|>assistant<|channel|>"
        "commentary to=functions.get_weather <|constrain|>json<|message|>"
        '{"city": "Rome"}<|call|>'
    )

    assert _outcome("auto", text) == Outcome("", "Rome or <b>?", ROME_ONLY, [])
    assert _outcome("auto", text.replace("<|start|>assistant", "\n")).calls == ROME_ONLY


@pytest.mark.parametrize(
    ("family", "text"),
    [
        (
            "granite20b",
            '<function_call>\n{"name": "get_weather", "arguments": {"city": "Rome", '
            '"days": 2}}\n</function_call>\nOk.',
        ),
        (
            "hermes",
            '<tool_call>{"type": "function", "function": {"name": "get_weather", '
            '"arguments": "{\\"city\\": \\"Rome\\", \\"days\\": 2}"}}</tool_call>\nOk.',
        ),
    ],
)
def test_a_wrapper_that_others_write_is_no_text(family: str, text: str) -> None:
    _holds(family, text, "Ok." if text.endswith("Ok.") else "", ROME)
