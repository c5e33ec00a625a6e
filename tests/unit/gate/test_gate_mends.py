"""Calls that models write with a slip, or in another family's wrapper: read and run."""

from typing import NamedTuple

import pytest
from support.gate_rows import FAMILIES, ROWS, TOOLS, Calls, Outcome, outcome, run

from tui.models.gate import Gate, Text

ROME: Calls = [("get_weather", {"city": "Rome"})]
TWO: Calls = [("get_weather", {"city": "Rome", "days": 2})]
TIME: Calls = [("get_time", {})]
JSON = '{"name": "get_weather", "arguments": {"city": "Rome"}}'
PAIRS = "get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n"
XML = "<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n</function>"
OPEN = XML.replace("</parameter>\n", "")
INVOKE = (
    '<invoke name="get_weather">\n<parameter name="city">Rome</parameter>\n</invoke>'
)
KIMI = (
    "<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
    '{"city": "Rome"}<|tool_call_end|>'
)
DSML = (
    '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n'
    '<｜DSML｜parameter name="city" string="true">Rome</｜DSML｜parameter>\n'
    "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
)
DEEPSEEK = (
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>"
    '{"city": "Rome"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
)
LONGCAT = PAIRS.replace("arg_", "longcat_arg_")


def _block(inner: str) -> str:
    return f"<tool_call>\n{inner}\n</tool_call>"


def _arguments(written: str) -> str:
    return _block(f'{{"name": "get_weather", "arguments": {written}}}')


class Slip(NamedTuple):
    """A call as no template writes it."""

    family: str
    written: str
    calls: Calls = ROME


DOUBLED = [
    Slip("hermes", f"<tool_call><tool_call>{JSON}</tool_call></tool_call>"),
    Slip("qwen3_coder", _block(_block(XML))),
    Slip("glm45", f"<tool_call>\n<tool_call>{PAIRS}</tool_call>\n</tool_call>"),
    Slip("jamba", f"<tool_calls><tool_calls>[{JSON}]</tool_calls></tool_calls>"),
    Slip(
        "hunyuan_v3",
        f"<tool_calls>\n<tool_call><tool_call>{PAIRS}</tool_call></tool_call>\n"
        "</tool_calls>",
    ),
    Slip("hermes", f"<tool_calls>\n{_block(JSON)}\n</tool_calls>"),
    Slip(
        "hermes", f"<tool_calls>\n{_block(XML)}\n{_block(XML)}</tool_calls>", ROME * 2
    ),
    Slip("glm45", f"<tool_calls><tool_call>{PAIRS}</tool_call></tool_calls>"),
]
ENDS_MISSING = [
    Slip("qwen3_coder", _block(OPEN)),
    Slip("qwen3_coder", _block(XML.replace("\n</function>", ""))),
    Slip("qwen3_coder", _block(XML.partition("</parameter>")[0])),
    Slip(
        "qwen3_coder",
        _block(
            "<function=get_weather>\n<parameter=city>\nRome\n<parameter=days>\n2\n"
            "</parameter>\n</function>"
        ),
        TWO,
    ),
    Slip(
        "qwen3_coder",
        f"{_block(OPEN)}\n{_block(XML)}",
        ROME * 2,
    ),
    Slip("seed_oss", f"<seed:tool_call>\n{XML[:-12]}\n</seed:tool_call>"),
    Slip(
        "minimax_m2",
        f"<minimax:tool_call>\n{INVOKE.replace('</parameter>', '')}\n"
        "</minimax:tool_call>",
    ),
    Slip("hermes", _block(JSON[:-1])),
    Slip("hermes", _block(JSON[:-2])),
    Slip("hermes", _block(f"[{JSON[:-1]}]")),
    Slip("jamba", f"<tool_calls>[{JSON[:-1]}]</tool_calls>"),
    Slip(
        "kimi_k2",
        "<|tool_calls_section_begin|>"
        f"{KIMI.replace('}', '')}<|tool_calls_section_end|>",
    ),
]
NOTATION = [
    Slip("hermes", _arguments('{"city": "Rome",}')),
    Slip("hermes", _arguments('{"city": "Rome"},')),
    Slip("mistral_list", f"[TOOL_CALLS][{JSON},]"),
    Slip("mistral_args", '[TOOL_CALLS]get_weather[ARGS]{"city": "Rome",}'),
    Slip("kimi_k2", KIMI.replace('"}', '",}')),
    Slip("hermes", _arguments("{'city': 'Rome'}")),
    Slip("hermes", _arguments("{'city': \"L'Aquila\", 'days': None}")),
    Slip("hermes", _arguments('\'{"city": "Rome"}\'')),
    Slip("hermes", _arguments("\"{'city': 'Rome'}\"")),
    Slip("hermes", _arguments(r'"\"{\\\"city\\\": \\\"Rome\\\"}\""')),
    Slip(
        "hermes",
        _block('{"name": "set_light", "arguments": {"on": False, "level": 0.5}}'),
        [("set_light", {"on": False, "level": 0.5})],
    ),
    Slip(
        "hermes",
        _arguments(r'{"city": "\d+\/\u00e9\ud83d\ude00\ud83d",}'),
        [("get_weather", {"city": "\\d+/é😀\ufffd"})],
    ),
    Slip("hermes", _block(JSON.replace("get_w", "functions.get_w"))),
]
NOTATION[6] = NOTATION[6]._replace(
    calls=[("get_weather", {"city": "L'Aquila", "days": None})]
)
WRAPPERS = [
    Slip("hermes", _block(f"```json\n{JSON}\n```")),
    Slip("hermes", f"<tool_call>```{JSON}```</tool_call>"),
    Slip("jamba", f"<tool_calls>\n```json\n[{JSON}]\n```\n</tool_calls>"),
    Slip("deepseek_v32", DSML.replace("｜", "|")),
    Slip("deepseek_v4", DSML.replace("｜", "|").replace("function_", "tool_")),
    Slip("deepseek_v4", "\n".join(DSML.replace("｜", "|").split("\n")[1:-1])),
    Slip("deepseek_v4", DSML),
    Slip("deepseek_v31", DEEPSEEK.replace("｜", "|")),
    Slip("deepseek_v3", DEEPSEEK.replace("｜", "|").replace("▁", "_")),
    Slip("auto", f"<function_calls>\n{INVOKE}\n</function_calls>"),
    Slip("auto", f"<function_calls>{INVOKE}\n{INVOKE}</function_calls>", ROME * 2),
    Slip("longcat", f"<longcat_tool_call>{LONGCAT}</longcat_tool_call>"),
    Slip("longcat", f"<longcat_tool_call>{PAIRS}</longcat_tool_call>"),
    Slip("longcat", f"<longcat_tool_call>\n{XML}\n</longcat_tool_call>"),
    Slip("kimi_k2", f"<|tool_call_section_begin|>{KIMI}<|tool_call_section_end|>"),
    Slip("kimi_k2", f"<|tool_call_section_begin|>{KIMI}<|tool_calls_section_end|>"),
    Slip("hermes", f"<tools>\n{JSON}\n</tools>"),
    Slip("hermes", f"<tools>[{JSON}]</tool_call>"),
    Slip("exaone", f"{_block(JSON)}[|endofturn|]"),
]
ENDS_TWICE = [
    Slip("qwen3_coder", _block(XML.replace("</parameter>", "</parameter>\n" * 2))),
    Slip("qwen3_coder", XML.replace("</parameter>", "</parameter></parameter>")),
    Slip(
        "minimax_m2",
        "<minimax:tool_call>\n"
        f"{INVOKE.replace('</parameter>', '</parameter>' * 3)}\n</minimax:tool_call>",
    ),
    Slip(
        "deepseek_v32", DSML.replace("</｜DSML｜parameter>", "</｜DSML｜parameter>" * 2)
    ),
    Slip("glm45", _block(PAIRS.replace("</arg_value>", "</arg_value>\n" * 2))),
    Slip(
        "glm45",
        _block(
            "get_weather<arg_key>city</arg_key><arg_value>Rome</arg_value></arg_value>"
            "<arg_key>days</arg_key><arg_value>2</arg_value></arg_value>"
        ),
        TWO,
    ),
    Slip(
        "longcat",
        f"<longcat_tool_call>{LONGCAT}</longcat_arg_value></longcat_tool_call>",
    ),
    Slip(
        "minicpm5",
        '<function name="get_weather"><param name="city">Rome</param></param>'
        "</function>",
    ),
]
OTHERS = [
    Slip("functionary_v31", '<function=get_weather{"city": "Rome"}</function>'),
    Slip("auto", '<function=get_weather{"city": "Rome"}</function>'),
]
SLIPS = [*DOUBLED, *ENDS_MISSING, *ENDS_TWICE, *NOTATION, *WRAPPERS, *OTHERS]


@pytest.mark.parametrize("slip", SLIPS, ids=range(len(SLIPS)))
def test_a_call_with_a_slip_is_run(slip: Slip) -> None:
    for dialect in dict.fromkeys((slip.family, "auto")):
        for before, after in (("", ""), ("I look.\n", "\nDone.")):
            came = outcome(dialect, f"{before}{slip.written}{after}")

            assert came == Outcome(came.text, "", slip.calls, []), dialect
            assert came.text.split() == f"{before} {after}".split(), dialect


@pytest.mark.parametrize("dialect", ["llama3_json", "xlam", "auto"])
@pytest.mark.parametrize("key", ["parameters", "arguments"])
def test_the_arguments_of_a_bare_call_may_be_a_text(dialect: str, key: str) -> None:
    written = f'{{"name": "get_weather", "{key}": "{{\\"city\\": \\"Rome\\"}}"}}'
    if dialect == "xlam":
        written = f"[{written}]"

    assert outcome(dialect, written) == Outcome("", "", ROME, [])


@pytest.mark.parametrize("dialect", ["deepseek_v31", "hermes", "auto"])
def test_a_doubled_slash_closes_reasoning(dialect: str) -> None:
    came = outcome(dialect, "<think>I see.<//think>Hi")

    assert (came.reasoning, came.text) == ("I see.", "Hi")


SHOWN = [
    (slip, around)
    for slip in SLIPS
    for around in ("```\n@\n```\nSo.", "So `@` it is.", '"@" is it.')
    if not ("```" in slip.written and "`" in around)  # a fence would end the fence
]


@pytest.mark.parametrize(("slip", "around"), SHOWN, ids=range(len(SHOWN)))
def test_a_slip_that_is_only_shown_is_text(slip: Slip, around: str) -> None:
    text = around.replace("@", slip.written)

    for dialect in dict.fromkeys((slip.family, "auto")):
        came = run(dialect, list(text))

        assert came == run(dialect, [text]) == Outcome(text, "", [], []), dialect


@pytest.mark.parametrize("written", [JSON[:-1], f"{JSON[:-1]}\n"])
def test_the_last_brace_may_be_missing_where_the_stream_ends(written: str) -> None:
    for before in ("<tool_call>\n", "<tool_call>"):
        came = outcome("hermes", f"Hi. {before}{written}")

        assert came == Outcome(came.text, "", ROME, [])


@pytest.mark.parametrize(
    "written",
    [JSON[:-2], '{"name": "get_weather", "arguments": {"city": {"a": 1}', JSON[:-3]],
)
def test_arguments_that_may_go_on_are_cut_off(written: str) -> None:
    came = outcome("hermes", f"<tool_call>\n{written}")

    assert came == Outcome("", "", [], ["truncated"])


def test_half_an_object_in_a_sentence_is_no_call() -> None:
    came = outcome("hermes", f"Hm. <tool_call>{JSON[:-1]}</tool_call> Next.")

    assert (came.calls, came.errors) == ([], ["malformed"])


def test_a_python_call_in_an_element_for_code_is_run_if_nothing_follows() -> None:
    call = 'I look.\n<code>\nget_weather(city="Rome")\n</code>'

    assert outcome("auto", call) == Outcome("I look.\n", "", ROME, [])
    assert outcome("auto", f"{call}\nSo it is.").text == f"{call}\nSo it is."
    assert outcome("smollm", f"{call}\nDone.").calls == ROME


def test_a_list_of_tools_is_no_call() -> None:
    tool = '{"name": "get_weather", "parameters": {"type": "object"}}'
    text = f"<tools>\n{tool}\n</tools>\nare my tools."

    for dialect in ("hermes", "auto"):
        assert outcome(dialect, text) == Outcome(text, "", [], [])


ENDS = [
    *("<|im_end|>", "<|endoftext|>", "<|end_of_turn|>", "<|eot_id|>", "<|EOT|>"),
    *("<|eos|>", "<|end_of_text|>", "<|return|>", "<|end_of_sentence|>", "<|hy_eos|>"),
    *("<｜end▁of▁sentence｜>", "<|end▁of▁sentence|>"),
]
ENDED = [
    *("hermes", "qwen3_coder", "glm45", "deepseek_v4", "kimi_k2", "gemma4", "seed_oss"),
    *("llama3_json", "minimax_m2", "mistral_args", "granite3", "command", "harmony"),
    *("lfm2", "jamba", "olmo3", "step3", "apertus", "phi4mini", "auto"),
]
"""Dialects that hold a "<" back anyway; others do not for this."""
RARER = ["[|endofturn|]", "</longcat_s>", "<|plamo:eot|>", "<eos>", "<SPECIAL_12>"]
RARER += ["<｜hy_place▁holder▁no▁2｜>", "<|separator|>"]


@pytest.mark.parametrize("token", ENDS)
def test_the_end_of_an_answer_is_not_shown_whatever_the_family(token: str) -> None:
    for dialect in ENDED:
        came = run(dialect, ["Hello.", *token])

        assert came.text == "Hello.", dialect
    for tail in ("\n", f"\n{token}", token):
        assert outcome("auto", f"Hello.{token}{tail}").text.strip() == "Hello."


@pytest.mark.parametrize("token", ENDS)
@pytest.mark.parametrize(
    "around", ["It ends with `@`.", "```\na@\n```\nSo.", 'Say "@" then.', "A @ is it."]
)
def test_an_end_that_is_spoken_of_is_text(token: str, around: str) -> None:
    text = around.replace("@", token)

    for dialect in ("hermes", "llama3_json", "auto"):
        assert outcome(dialect, text).text == text, dialect


@pytest.mark.parametrize("token", RARER)
def test_auto_knows_the_end_of_rarer_families(token: str) -> None:
    assert outcome("auto", f"Hello.{token}").text == "Hello."
    assert outcome("auto", f"See `{token}` here.").text == f"See `{token}` here."


@pytest.mark.parametrize("family", FAMILIES)
def test_where_no_call_is_run_none_is_shown(family: str) -> None:
    """The answer that must do without tools is read so, whatever the model."""
    for calls in (ROME, [*TWO, *TIME]):
        written = ROWS[family].write(calls)
        for before, after in (("", ""), ("I look.\n", ""), ("", "\n\nIt is done.")):
            text = f"{before}{written}{after}"
            shown = [_shown([text]), _shown(list(text))]

            assert shown[0] == shown[1]
            assert shown[0].split() == f"{before} {after}".split(), text


def _shown(pieces: list[str]) -> str:
    gate = Gate("auto", TOOLS, eager=True)
    came = [piece for text in pieces for piece in gate.feed(text)]
    return "".join(p.text for p in (*came, *gate.finish()) if isinstance(p, Text))


@pytest.mark.parametrize(
    "text", ["It is <tool_call>.", "It is <tool_calls:.", "So <tool_call>/x."]
)
def test_a_full_stop_behind_a_marker_is_no_name(text: str) -> None:
    for dialect in ("glm45", "hunyuan_v4", "auto"):
        assert outcome(dialect, text) == Outcome(text, "", [], [])


def test_a_call_on_a_line_may_stand_directly_behind_reasoning() -> None:
    call = "<tool: get_weather>\nRome\n2\n</tool>"

    assert outcome("cwm", f"<think>Hm.</think>{call}") == Outcome("", "Hm.", TWO, [])
