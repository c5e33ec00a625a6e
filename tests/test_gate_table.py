"""Every row of the table of formats, written by hand as its model writes it.

Each example is fed whole, by single characters and cut at every place; what comes out
is compared with what the policies say, never with another run of the gate.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tui.models.gate import Broken, Call, Gate, Reasoning, Text

TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    },
    "get_time": {"type": "object", "properties": {}},
    "run_python": {"type": "object", "properties": {"code": {"type": "string"}}},
    "set_light": {
        "type": "object",
        "properties": {
            "on": {"type": "boolean"},
            "level": {"type": "number"},
            "rooms": {"type": "array", "items": {"type": "string"}},
        },
    },
    "db.query-v2": {"type": "object", "properties": {"sql": {"type": "string"}}},
}
Arguments = dict[str, Any]
Calls = list[tuple[str, Arguments]]

ROME: Calls = [("get_weather", {"city": "Rome", "days": 2})]
NONE: Calls = [("get_time", {})]
TYPES: Calls = [("set_light", {"on": False, "level": 0.5, "rooms": ["a", "b c"]})]
CODE = "for i in range(3):\n    print(f\"{i}: {'<b>' if i else 'no'}\")  # \\ ]}"


class Outcome(NamedTuple):
    text: str
    reasoning: str
    calls: Calls
    errors: list[str]
    in_reasoning: bool = False


class Row(NamedTuple):
    """How a family writes calls, and what it is like."""

    write: Callable[[Calls], str]
    closer: str = ""
    """Its last closing marker; "" where the payload ends by itself."""
    special: bool = False
    think: tuple[str, str] | None = ("<think>", "</think>")
    marker: str = ""
    """A marker that is text alone."""
    breaks: tuple[str, str] = ('"Rome"', "QQQ")
    """What makes its payload malformed."""
    unclosed: bool = True
    """A whole payload without the last closer is a call."""


def _object(call: tuple[str, Arguments], key: str = "arguments") -> str:
    return json.dumps({"name": call[0], key: call[1]}, ensure_ascii=False)


def _list(calls: Calls) -> str:
    return f"[{', '.join(map(_object, calls))}]"


def _each(form: str, key: str = "arguments") -> Callable[[Calls], str]:
    return lambda calls: "\n".join(form.replace("@", _object(c, key)) for c in calls)


def _one(form: str) -> Callable[[Calls], str]:
    return lambda calls: form.replace("@", _list(calls))


def _named(form: str, between: str = "\n", around: str = "@") -> Callable[[Calls], str]:
    return lambda calls: around.replace(
        "@",
        between.join(
            form.replace("#", str(i)).replace("$", name).replace("@", _json(arguments))
            for i, (name, arguments) in enumerate(calls)
        ),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _python(calls: Calls, between: str = ", ") -> str:
    return between.join(
        f"{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"
        for name, arguments in calls
    )


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _tags(
    call: str, parameter: str, end: str, between: str = "\n", around: str = "@"
) -> Callable[[Calls], str]:
    """Return a writer of elements: % is the key, & the value, ? whether a string."""

    def write(calls: Calls) -> str:
        done: list[str] = []
        for name, arguments in calls:
            parts = [call.replace("$", name)]
            for k, v in arguments.items():
                string = "true" if isinstance(v, str) else "false"
                one = parameter.replace("%", k).replace("?", string)
                parts.append(one.replace("&", _bare(v)))
            done.append("".join((*parts, end)))
        return around.replace("@", between.join(done))

    return write


def _gemma(start: str, mark: str, end: str) -> Callable[[Calls], str]:
    def value(v: Any) -> str:
        if isinstance(v, str):
            return f"{mark}{v}{mark}"
        if isinstance(v, list):
            return f"[{','.join(map(value, v))}]"
        if isinstance(v, dict):
            return "{" + ",".join(f"{k}:{value(x)}" for k, x in v.items()) + "}"
        return _json(v)

    return lambda calls: "".join(f"{start}call:{n}{value(a)}{end}" for n, a in calls)


def _command(calls: Calls) -> str:
    items = [
        {"tool_call_id": str(i), "tool_name": n, "parameters": a}
        for i, (n, a) in enumerate(calls)
    ]
    return f"<|START_ACTION|>{json.dumps(items, indent=4)}<|END_ACTION|>"


def _dsml(word: str) -> Callable[[Calls], str]:
    return _tags(
        '<｜DSML｜invoke name="$">\n',
        '<｜DSML｜parameter name="%" string="?">&</｜DSML｜parameter>\n',
        "</｜DSML｜invoke>",
        around=f"<｜DSML｜{word}>\n@\n</｜DSML｜{word}>",
    )


_QWEN = ("<function=$>\n", "<parameter=%>\n&\n</parameter>\n", "</function>")
_INVOKE = ('<invoke name="$">\n', '<parameter name="%">&</parameter>\n', "</invoke>")
_PAIR = "<arg_key>%</arg_key>\n<arg_value>&</arg_value>\n"
_JUNK = ("</parameter>\n", "</parameter>\njunk\n")
_DSML_JUNK = ("</｜DSML｜parameter>\n", "</｜DSML｜parameter>\njunk\n")
_VALUE = ("</arg_value>", "")

ROWS = {
    "hermes": Row(
        _each("<tool_call>\n@\n</tool_call>"), "</tool_call>", marker="<tool_call>"
    ),
    "smollm": Row(
        _one("<tool_call>@</tool_call>"), "</tool_call>", marker="<tool_call>"
    ),
    "granite3": Row(_one("<|tool_call|>@"), special=True, marker="<|tool_call|>"),
    "granite20b": Row(_each("<function_call> @"), think=None, marker="<function_call>"),
    "jamba": Row(
        _one("<tool_calls>@</tool_calls>"), "</tool_calls>", marker="<tool_calls>"
    ),
    "hunyuan_a13b": Row(
        _one("<tool_calls>@</tool_calls>"), "</tool_calls>", marker="<tool_calls>"
    ),
    "hunyuan_v3": Row(
        _tags(
            "<tool_call>$<tool_sep>\n",
            _PAIR,
            "</tool_call>",
            around="<tool_calls>\n@\n</tool_calls>",
        ),
        "</tool_calls>",
        marker="<tool_calls>",
        breaks=_VALUE,
        unclosed=False,
    ),
    "minimax_m1": Row(
        lambda c: f"<tool_calls>\n{_each('@')(c)}\n</tool_calls>",
        "</tool_calls>",
        marker="<tool_calls>",
    ),
    "nemotron_v2": Row(
        _one("<TOOLCALL>@</TOOLCALL>"), "</TOOLCALL>", marker="<TOOLCALL>"
    ),
    "ernie45": Row(
        _each("<tool_call>\n@\n</tool_call>"), "</tool_call>", marker="<tool_call>"
    ),
    "longcat": Row(
        _each("<longcat_tool_call>\n@\n</longcat_tool_call>"),
        "</longcat_tool_call>",
        think=("<longcat_think>", "</longcat_think>"),
        marker="<longcat_tool_call>",
    ),
    "internlm2": Row(
        _each("<|action_start|><|plugin|>\n@<|action_end|>", "parameters"),
        "<|action_end|>",
        special=True,
        marker="<|action_start|>",
    ),
    "lazyllm_internlm": Row(
        _named("<|action_start|><|function|>$\n<|args|>@\n<|action_end|>"),
        "<|action_end|>",
        special=True,
        think=None,
        marker="<|action_start|>",
    ),
    "lazyllm_glm": Row(
        _named("✿FUNCTION✿: $\n✿ARGS✿: @"), think=None, marker="✿FUNCTION✿:"
    ),
    "glm4": Row(_named("$\n@"), think=None),
    "mistral_list": Row(
        _one("[TOOL_CALLS] @"), special=True, think=None, marker="[TOOL_CALLS]"
    ),
    "mistral_args": Row(
        _named("[TOOL_CALLS]$[ARGS]@", between=""),
        special=True,
        think=("[THINK]", "[/THINK]"),
        marker="[TOOL_CALLS]",
    ),
    "deepseek_v3": Row(
        _named(
            "<｜tool▁call▁begin｜>function<｜tool▁sep｜>$\n```json\n@\n```"
            "<｜tool▁call▁end｜>",
            around="<｜tool▁calls▁begin｜>@<｜tool▁calls▁end｜>",
        ),
        "<｜tool▁calls▁end｜>",
        special=True,
        marker="<｜tool▁calls▁begin｜>",
    ),
    "deepseek_v31": Row(
        _named(
            "<｜tool▁call▁begin｜>$<｜tool▁sep｜>@<｜tool▁call▁end｜>",
            between="",
            around="<｜tool▁calls▁begin｜>@<｜tool▁calls▁end｜>",
        ),
        "<｜tool▁calls▁end｜>",
        special=True,
        marker="<｜tool▁calls▁begin｜>",
    ),
    "deepseek_v32": Row(
        _dsml("function_calls"),
        "</｜DSML｜function_calls>",
        special=True,
        marker="<｜DSML｜function_calls>",
        breaks=_DSML_JUNK,
    ),
    "deepseek_v4": Row(
        _dsml("tool_calls"),
        "</｜DSML｜tool_calls>",
        special=True,
        marker="<｜DSML｜tool_calls>",
        breaks=_DSML_JUNK,
    ),
    "kimi_k2": Row(
        _named(
            "<|tool_call_begin|>functions.$:#<|tool_call_argument_begin|>@"
            "<|tool_call_end|>",
            between="",
            around="<|tool_calls_section_begin|>@<|tool_calls_section_end|>",
        ),
        "<|tool_calls_section_end|>",
        special=True,
        marker="<|tool_calls_section_begin|>",
    ),
    "command": Row(
        _command,
        "<|END_ACTION|>",
        special=True,
        think=("<|START_THINKING|>", "<|END_THINKING|>"),
        marker="<|START_ACTION|>",
    ),
    "llama3_json": Row(
        lambda calls: "; ".join(_object(c, "parameters") for c in calls), think=None
    ),
    "llama_pythonic": Row(lambda c: f"[{_python(c)}]", think=None, breaks=("'", "")),
    "olmo3": Row(
        lambda c: f"<function_calls>\n{_python(c, chr(10))}\n</function_calls>",
        "</function_calls>",
        marker="<function_calls>",
        breaks=("'", ""),
    ),
    "lfm2": Row(
        lambda c: f"<|tool_call_start|>[{_python(c)}]<|tool_call_end|>",
        "<|tool_call_end|>",
        special=True,
        marker="<|tool_call_start|>",
        breaks=("'", ""),
    ),
    "functionary_v31": Row(
        _named("<function=$>@</function>"),
        "</function>",
        think=None,
        marker="<function=",
    ),
    "functionary_v32": Row(_named("$\n@", between="\n>>>"), think=None),
    "qwen3_coder": Row(
        _tags(
            *_QWEN,
            around="<tool_call>\n@\n</tool_call>",
            between="\n</tool_call>\n<tool_call>\n",
        ),
        "</tool_call>",
        marker="<tool_call>",
        breaks=_JUNK,
    ),
    "seed_oss": Row(
        _tags(
            *_QWEN,
            around="<seed:tool_call>\n@\n</seed:tool_call>",
            between="\n</seed:tool_call>\n<seed:tool_call>\n",
        ),
        "</seed:tool_call>",
        think=("<seed:think>", "</seed:think>"),
        marker="<seed:tool_call>",
        breaks=_JUNK,
    ),
    "glm45": Row(
        _tags("<tool_call>$\n", _PAIR, "</tool_call>"),
        "</tool_call>",
        marker="<tool_call>",
        breaks=_VALUE,
        unclosed=False,
    ),
    "minimax_m2": Row(
        _tags(*_INVOKE, around="<minimax:tool_call>\n@\n</minimax:tool_call>"),
        "</minimax:tool_call>",
        marker="<minimax:tool_call>",
        breaks=_JUNK,
    ),
    "dots": Row(
        _tags(*_INVOKE, around="<dots_function_call>\n@\n</dots_function_call>"),
        "</dots_function_call>",
        think=None,
        marker="<dots_function_call>",
        breaks=_JUNK,
    ),
    "step3": Row(
        _tags(
            '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="$">\n',
            '<steptml:parameter name="%">&</steptml:parameter>\n',
            "</steptml:invoke><｜tool_call_end｜>",
            around="<｜tool_calls_begin｜>\n@\n<｜tool_calls_end｜>",
        ),
        "<｜tool_calls_end｜>",
        special=True,
        marker="<｜tool_calls_begin｜>",
        breaks=('">\n<', '">\njunk\n<'),
    ),
    "gemma4": Row(
        _gemma("<|tool_call>", '<|"|>', "<tool_call|>"),
        "<tool_call|>",
        special=True,
        think=("<|channel>thought\n", "<channel|>"),
        marker="<|tool_call>",
        breaks=("city:", "city:,"),
    ),
    "functiongemma": Row(
        _gemma("<start_function_call>", "<escape>", "<end_function_call>"),
        "<end_function_call>",
        special=True,
        think=None,
        marker="<start_function_call>",
        breaks=("city:", "city:,"),
    ),
    "phi4mini": Row(_one("functools@"), think=None, marker="functools["),
    "xlam": Row(_list, think=None),
    "apertus": Row(
        lambda c: f"<|tools_prefix|>{_json([{n: a} for n, a in c])}<|tools_suffix|>",
        "<|tools_suffix|>",
        special=True,
        think=("<|inner_prefix|>", "<|inner_suffix|>"),
        marker="<|tools_prefix|>",
    ),
    "react": Row(_named("Action: $\nAction Input: @"), think=None),
    "harmony": Row(
        _named(
            "<|start|>assistant<|channel|>commentary to=functions.$ "
            "<|constrain|>json<|message|>@<|call|>",
            between="",
        ),
        "<|call|>",
        special=True,
        think=None,
    ),
}
STRUCTURAL = ("react", "harmony", "functionary_v32")
FAMILIES = sorted(ROWS)
IN_PROSE = [f for f in FAMILIES if f not in STRUCTURAL]


def run(
    family: str,
    pieces: list[str],
    tools: dict[str, dict[str, Any]] | None = TOOLS,
    reasoning_open: bool = False,
) -> Outcome:
    gate = Gate(family, tools, reasoning_open)
    came = [p for piece in pieces for p in gate.feed(piece)] + gate.finish()
    return Outcome(
        "".join(p.text for p in came if isinstance(p, Text)),
        "".join(p.text for p in came if isinstance(p, Reasoning)),
        [(p.name, p.arguments) for p in came if isinstance(p, Call)],
        [p.kind for p in came if isinstance(p, Broken)],
        gate.in_reasoning,
    )


def outcome(family: str, text: str, **more: Any) -> Outcome:
    """Return what comes of the text, the same however it is cut."""
    whole = run(family, [text], **more)
    assert run(family, list(text), **more) == whole
    for i in range(1, len(text)):
        assert run(family, [text[:i], text[i:]], **more) == whole, f"cut at {i}"
    return whole


def _lead(family: str, text: str) -> str:
    """Return how a message of this family starts with the text."""
    return f"all\n{text}" if family == "functionary_v32" else text


def _then(family: str, text: str, calls: Calls) -> str:
    """Return text with calls behind it."""
    between = ">>>" if family == "functionary_v32" else ""
    return f"{_lead(family, text)}\n{between}{ROWS[family].write(calls)}"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("calls", [ROME, NONE, TYPES, ROME + NONE, NONE + TYPES + ROME])
def test_a_call_is_found_and_nothing_of_it_is_seen(family: str, calls: Calls) -> None:
    came = outcome(family, ROWS[family].write(calls))

    assert came == Outcome(came.text, "", calls, [])
    assert came.text.strip() == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_text_before_a_call_is_seen_as_it_is(family: str) -> None:
    came = outcome(family, _then(family, "If x < 3 and [y], é {z}:", ROME))

    assert came == Outcome(came.text, "", ROME, [])
    assert came.text.rstrip() == "If x < 3 and [y], é {z}:"


@pytest.mark.parametrize("family", FAMILIES)
def test_text_after_a_call_is_seen(family: str) -> None:
    lead = {"harmony": "<|start|>assistant<|channel|>final<|message|>"}
    lead["functionary_v32"] = "\n>>>all\n"
    text = ROWS[family].write(ROME) + lead.get(family, "\n") + "It is <b>20</b> °C."

    came = outcome(family, text)

    assert came == Outcome(came.text, "", ROME, [])
    assert came.text.strip() == "It is <b>20</b> °C."


@pytest.mark.parametrize("family", FAMILIES)
def test_a_closer_inside_an_argument_does_not_close(family: str) -> None:
    code = f"{CODE} {ROWS[family].closer}\n'''`"
    calls = [("run_python", {"code": code}), *NONE]

    came = outcome(family, _then(family, "Go.", calls))

    assert came == Outcome(came.text, "", calls, [])
    assert came.text.strip() == "Go."


@pytest.mark.parametrize("family", [f for f in FAMILIES if ROWS[f].closer])
def test_the_end_of_the_stream_closes_a_whole_payload(family: str) -> None:
    row = ROWS[family]
    text = row.write(ROME).removesuffix(row.closer)

    for part in (row.closer[:i] for i in range(len(row.closer))):
        came = run(family, list(text + part))

        calls, errors = (ROME, []) if row.unclosed else ([], ["truncated"])
        assert came == Outcome("", "", calls, errors), part


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_cut_behind_a_whole_call_has_it_and_no_fault(family: str) -> None:
    text = ROWS[family].write(ROME)

    came = [run(family, [text[:i]]) for i in range(len(text) + 1)]

    whole = [(one.calls, one.errors) == (ROME, []) for one in came]
    assert all(whole[whole.index(True) :]), text[: whole.index(True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_cut_inside_a_call_shows_none_of_it(family: str) -> None:
    row = ROWS[family]
    start = _then(family, "Hi.", [("get_weather", {"city": "Reykjavik"})])
    text = start[: start.index("javik")]

    came = outcome(family, text)

    assert came == Outcome(came.text, "", [], ["truncated"])
    assert came.text.strip() == "Hi."
    assert row.write(ROME) not in came.text


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_cut_short_keeps_those_before_it(family: str) -> None:
    two = ROWS[family].write([*ROME, ("get_weather", {"city": "Reykjavik"})])

    came = outcome(family, two[: two.index("javik")])

    calls = [] if family == "hunyuan_v3" else ROME
    assert (came.calls, came.errors) == (calls, ["truncated"])
    assert came.text.strip() == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_malformed_call_is_hidden_and_the_text_after_it_is_not(family: str) -> None:
    row = ROWS[family]
    written = row.write(ROME)
    assert row.breaks[0] in written
    wrong = written.replace(*row.breaks)
    lead = {"harmony": "<|start|>assistant<|channel|>final<|message|>"}
    lead["functionary_v32"] = "\n>>>all\n"

    came = outcome(family, f"{wrong}{lead.get(family, chr(10))}Sorry.")

    if "'" in row.breaks:
        # Without its quotes the value is a name, which is no literal.
        assert "city=Rome" in wrong
    assert came == Outcome(came.text, "", [], ["malformed"])
    assert came.text.strip() == "Sorry."


@pytest.mark.parametrize("family", IN_PROSE)
def test_without_tools_a_call_is_text(family: str) -> None:
    text = f"So:\n{ROWS[family].write(ROME + NONE)}\nThat is it."

    assert outcome(family, text, tools=None) == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", [f for f in IN_PROSE if ROWS[f].marker])
def test_a_marker_alone_is_text(family: str) -> None:
    marker = ROWS[family].marker
    text = f"The marker `{marker}` starts it; {marker} , {marker}; {marker[:-1]} x."

    assert outcome(family, text) == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", [f for f in IN_PROSE if ROWS[f].marker])
def test_the_beginning_of_a_marker_at_the_end_is_text(family: str) -> None:
    for i in range(1, len(ROWS[family].marker) - 1):
        text = f"It is 3 {ROWS[family].marker[:i]}"

        assert run(family, list(text)) == Outcome(text, "", [], []), text


@pytest.mark.parametrize("family", [f for f in IN_PROSE if ROWS[f].closer])
def test_a_stream_that_ends_after_the_marker_is_cut_off(family: str) -> None:
    spaces = ("",) if family == "functionary_v31" else ("", " ", "\n")
    for space in spaces:
        text = f"Hi. {ROWS[family].marker}{space}"

        assert run(family, list(text)) == Outcome("Hi. ", "", [], ["truncated"]), text


@pytest.mark.parametrize("family", IN_PROSE)
@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```text"])
def test_a_fence_quotes_what_is_not_made_of_special_tokens(
    family: str, fence: str
) -> None:
    row = ROWS[family]
    end = fence.strip().removesuffix("text")
    text = f"So:\n{fence}\n{row.write(ROME)}\n{end}\nThat is it."

    came = outcome(family, text)

    if row.special:
        assert (came.calls, came.errors) == (ROME, [])
    else:
        assert came == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", [f for f in IN_PROSE if not ROWS[f].special])
def test_after_a_fence_a_call_is_a_call(family: str) -> None:
    text = f"So:\n```\nx = `1`\n```\n{ROWS[family].write(ROME)}"

    came = outcome(family, text)

    assert (came.calls, came.errors) == (ROME, [])
    assert came.text.strip() == "So:\n```\nx = `1`\n```"


THINKERS = [f for f in FAMILIES if ROWS[f].think]


@pytest.mark.parametrize("family", THINKERS)
def test_reasoning_is_told_apart(family: str) -> None:
    begin, end = ROWS[family].think or ("", "")
    call = ROWS[family].write(ROME)

    came = outcome(family, f"{begin}\n3 < 5?\n{end}\n\nLet me see.\n{call}")

    assert came == Outcome(came.text, "\n3 < 5?\n", ROME, [])
    assert came.text.strip() == "Let me see."


@pytest.mark.parametrize("family", THINKERS)
def test_the_prompt_may_have_opened_the_reasoning(family: str) -> None:
    _, end = ROWS[family].think or ("", "")
    call = ROWS[family].write(ROME)

    came = outcome(family, f"\n3 < 5?\n{end}\n{call}", reasoning_open=True)

    assert came == Outcome(came.text, "\n3 < 5?\n", ROME, [])


@pytest.mark.parametrize("family", THINKERS)
def test_a_call_in_closed_reasoning_is_reasoning(family: str) -> None:
    begin, end = ROWS[family].think or ("", "")
    draft = f"Shall I\n{ROWS[family].write(ROME)}\nsay? No."

    came = outcome(family, f"{begin}{draft}{end}It is noon.")

    assert came == Outcome("It is noon.", draft, [], [])


@pytest.mark.parametrize("family", THINKERS)
def test_a_call_ends_reasoning_that_is_never_closed(family: str) -> None:
    begin, _ = ROWS[family].think or ("", "")

    came = outcome(family, f"{begin}I look it up.\n{ROWS[family].write(ROME)}")

    assert came == Outcome("", "I look it up.\n", ROME, [])


@pytest.mark.parametrize("family", THINKERS)
def test_reasoning_cut_short_says_so(family: str) -> None:
    begin, _ = ROWS[family].think or ("", "")

    came = outcome(family, f"{begin}Hmm, 1 <")

    assert came == Outcome("", "Hmm, 1 <", [], [], in_reasoning=True)


def test_every_row_is_tried() -> None:
    from tui.models.gate.dialects.registry import DIALECTS

    assert sorted(DIALECTS) == FAMILIES
