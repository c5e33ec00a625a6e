"""The table of formats: for each dialect, calls as its models write them."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

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


class Row(NamedTuple):
    """How a family of models writes calls, and the properties of the format."""

    write: Callable[[Calls], str]
    closer: str = ""
    """Its last closing marker; "" where the payload ends by itself."""
    special: bool = False
    think: tuple[str, str] | None = ("<think>", "</think>")
    marker: str = ""
    """A marker that on its own is plain text."""
    breaks: tuple[str, str] = ('"Rome"', "QQQ")
    """A replacement that makes the payload malformed."""
    unclosed: bool = True
    """Whether a complete payload without the last closer is a call."""
    framed: bool = False
    """Whether what ends a call ends reasoning too, and it is a call without tools."""


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


def _elements(calls: Calls) -> str:
    """Write calls as MiniMax M3 does: nested elements, each after a sign."""
    sign = "]<]minimax[>["

    def value(v: Any) -> str:
        if isinstance(v, dict):
            return "".join(map(element, v, v.values()))
        if isinstance(v, list):
            return "".join(element("item", item) for item in v)
        return _bare(v)

    def element(tag: str, v: Any) -> str:
        return f"{sign}<{tag}>{value(v)}{sign}</{tag}>"

    inner = "".join(
        f'{sign}<invoke name="{name}">{value(arguments)}{sign}</invoke>\n'
        for name, arguments in calls
    )
    return f"{sign}<tool_call>\n{inner}{sign}</tool_call>"


_XTML_TYPES = {str: "string", bool: "boolean", list: "array", dict: "object"}


def _xtml(calls: Calls) -> str:
    """Write calls as Kimi K3 does: an element for each argument, with its type."""
    written: list[str] = []
    for i, (name, arguments) in enumerate(calls, 1):
        written.append(f'<|open|>call tool="{name}" index="{i}"<|sep|>')
        for key, value in arguments.items():
            kind = _XTML_TYPES.get(type(value), "number")
            written.append(f'<|open|>argument key="{key}" type="{kind}"<|sep|>')
            written.append(f"{_bare(value)}<|close|>argument<|sep|>")
        written.append("<|close|>call<|sep|>")
    return f"<|open|>tools<|sep|>{''.join(written)}<|close|>tools<|sep|>"


def _cdata(calls: Calls) -> str:
    """Write calls as MiniCPM5 does: what needs it is CDATA."""
    written: list[str] = []
    for name, arguments in calls:
        values = {k: _bare(v) for k, v in arguments.items()}
        values |= {k: f"<![CDATA[{v}]]>" for k, v in values.items() if "<" in v}
        inner = "".join(f'<param name="{k}">{v}</param>' for k, v in values.items())
        written.append(f'<function name="{name}">{inner}</function>')
    return "\n".join(written)


def _args(calls: Calls) -> str:
    return "".join(
        f"<|content_invoke_tool_json|>{_json({'name': n, 'args': a})}<|end_message|>"
        for n, a in calls
    )


def _action(calls: Calls) -> str:
    items = [{"tool_name": n, "parameters": a} for n, a in calls]
    return f"Action:\n```json\n{json.dumps(items, indent=4)}```"


def _dotted(word: str) -> Callable[[Calls], str]:
    """Return a writer of DSML with other words, in which a tag is named by `word`."""
    return _tags(
        f'<{word}invoke name="$">\n',
        f'<{word}parameter name="%" string="?">&</{word}parameter>\n',
        f"</{word}invoke>",
    )


def _around(
    before: str, write: Callable[[Calls], str], after: str
) -> Callable[[Calls], str]:
    return lambda calls: f"{before}{write(calls)}{after}"


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
    # Channels
    "kimi_k3": Row(
        _xtml,
        "<|close|>tools<|sep|>",
        special=True,
        think=("<|open|>think<|sep|>", "<|close|>think<|sep|>"),
        marker="<|open|>tools<|sep|>",
        breaks=("Rome<|close|>argument<|sep|>", "Rome<|close|>argument<|sep|>junk"),
    ),
    "muse": Row(
        _tags(
            '<atem:invoke name="$">\n',
            '<atem:parameter name="%">&</atem:parameter>\n',
            "</atem:invoke>",
            around="<atem:function_calls>\n@\n</atem:function_calls>",
        ),
        "</atem:function_calls>",
        think=(" to=self<|message|>", "<|eom|>"),
        marker="<atem:function_calls>",
        breaks=("</atem:parameter>\n", "</atem:parameter>\njunk\n"),
    ),
    "inkling": Row(
        _args,
        "<|end_message|>",
        special=True,
        think=("<|content_thinking|>", "<|end_message|>"),
        marker="<|content_invoke_tool_json|>",
        framed=True,
    ),
    "plamo3": Row(
        _named(
            "<|plamo:begin_tool_request:plamo|><|plamo:begin_tool_name:plamo|>$"
            "<|plamo:end_tool_name:plamo|><|plamo:begin_tool_arguments:plamo|>"
            "<|plamo:constrain|>json<|plamo:msg|>@<|plamo:end_tool_arguments:plamo|>"
            "<|plamo:end_tool_request:plamo|>",
            between="",
            around="<|plamo:begin_tool_requests:plamo|>@"
            "<|plamo:end_tool_requests:plamo|>",
        ),
        "<|plamo:end_tool_requests:plamo|>",
        special=True,
        think=("<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>"),
        marker="<|plamo:begin_tool_requests:plamo|>",
    ),
    "solar_open": Row(
        _named(
            "<|tool_call:begin|>c#<|tool_call:name|>$<|tool_call:args|>@"
            "<|tool_call:end|>",
            between="",
        ),
        "<|tool_call:end|>",
        special=True,
        think=("<|think|>", "<|end|>"),
        marker="<|tool_call:begin|>",
    ),
    "gigachat3": Row(
        _each("<|function_call|>@"),
        special=True,
        think=None,
        marker="<|function_call|>",
    ),
    "functionary_v2": Row(
        _named("<|from|>assistant\n<|recipient|>$\n<|content|>@"),
        special=True,
        think=None,
    ),
    "hyperclovax_14b": Row(
        _one("<|im_start|>assistant -> tool/function_call\n@"),
        special=True,
        think=None,
        marker="<|im_start|>assistant -> tool/function_call\n",
    ),
    "openpangu": Row(
        _one("[unused11]@[unused12]"),
        "[unused12]",
        special=True,
        think=("[unused16]", "[unused17]"),
        marker="[unused11]",
    ),
    # Elements
    "deepseek_v41": Row(
        _around("<｜DSML｜ calls>\n", _dotted("｜DSML｜ "), "\n</｜DSML｜ calls>"),
        "</｜DSML｜ calls>",
        special=True,
        marker="<｜DSML｜ calls>",
        breaks=("</｜DSML｜ parameter>\n", "</｜DSML｜ parameter>\njunk\n"),
    ),
    "gigachat35": Row(
        _around(
            "<｜GCML｜tool_calls>\n", _dotted("｜GCML｜"), "\n</｜GCML｜tool_calls>"
        ),
        "</｜GCML｜tool_calls>",
        special=True,
        marker="<｜GCML｜tool_calls>",
        breaks=("</｜GCML｜parameter>\n", "</｜GCML｜parameter>\njunk\n"),
    ),
    "minimax_m3": Row(
        _elements,
        "]<]minimax[>[</tool_call>",
        think=("<mm:think>", "</mm:think>"),
        marker="]<]minimax[>[<tool_call>",
        breaks=("</city>", "</city>junk"),
    ),
    "minicpm5": Row(
        _cdata,
        "</function>",
        marker='<function name="',
        breaks=("</param></", "</param>junk</"),
        unclosed=False,
    ),
    # Pairs
    "hunyuan_v4": Row(
        _tags(
            "<tool_call:x9>$",
            "<arg_key:x9>%</arg_key:x9><arg_value:x9>&</arg_value:x9>",
            "</tool_call:x9>",
            between="",
            around="<tool_calls:x9>@</tool_calls:x9>",
        ),
        "</tool_calls:x9>",
        think=("<think:x9>", "</think:x9>"),
        marker="<tool_calls:",
        breaks=("</arg_value:x9>", ""),
    ),
    "iquest_q1": Row(
        _tags("<iquest_tool_call>$", _PAIR, "</iquest_tool_call>"),
        "</iquest_tool_call>",
        marker="<iquest_tool_call>",
        breaks=_VALUE,
        unclosed=False,
    ),
    "k2_horizon": Row(
        _tags(
            "<ifm|tool_call>$",
            "<ifm|arg_key>%</ifm|arg_key><ifm|arg_value>&</ifm|arg_value>",
            "</ifm|tool_call>",
            around="<ifm|tool_calls>@</ifm|tool_calls>",
        ),
        "</ifm|tool_calls>",
        think=("<ifm|think>", "</ifm|think>"),
        marker="<ifm|tool_calls>",
        breaks=("</ifm|arg_value>", ""),
    ),
    "solar_open2": Row(
        _tags(
            "<|tool_call:start|>$\n",
            "<|tool_arg:start|>%<|tool_arg:value|>&<|tool_arg:end|>\n",
            "<|tool_call:end|>",
        ),
        "<|tool_call:end|>",
        special=True,
        think=("<|think:start|>", "<|think:end|>"),
        marker="<|tool_call:start|>",
        breaks=("<|tool_arg:value|>", ""),
        unclosed=False,
    ),
    "hyperclovax": Row(
        _tags("<tool_call>$\n", _PAIR, "</tool_call>"),
        "</tool_call>",
        marker="<tool_call>",
        breaks=_VALUE,
        unclosed=False,
    ),
    "exaone": Row(
        _each("<tool_call>\n@\n</tool_call>"), "</tool_call>", marker="<tool_call>"
    ),
    "mirothinker": Row(
        _named(
            "<server_name>s</server_name>\n<tool_name>$</tool_name>\n"
            "<arguments>\n@\n</arguments>",
            around="<use_mcp_tool>\n@\n</use_mcp_tool>",
        ),
        "</use_mcp_tool>",
        marker="<use_mcp_tool>",
    ),
    "openthinker": Row(
        _each("<tool_call>\n@\n</tool_call>"),
        "</tool_call>",
        think=("<|begin_of_thought|>", "<|end_of_thought|>"),
        marker="<tool_call>",
    ),
    # A name, then JSON
    "glm53_flash": Row(
        _named("<tool_call>$>@", between=""),
        marker="<tool_call>",
    ),
    "step_audio2": Row(
        _named("<tool_call>function\n$\n@</tool_call>"),
        "</tool_call>",
        think=None,
        marker="<tool_call>",
    ),
    # Known notations between other markers
    "telechat4": Row(
        _tags(
            "<tool_call>$",
            "<param_key>%</param_key><param_value>&</param_value>",
            "</tool_call>",
        ),
        "</tool_call>",
        marker="<tool_call>",
        breaks=("</param_value>", ""),
        unclosed=False,
    ),
    "iquest_coder": Row(
        _tags("<iquestcoder_tool_call>$", _PAIR, "</iquestcoder_tool_call>"),
        "</iquestcoder_tool_call>",
        marker="<iquestcoder_tool_call>",
        breaks=_VALUE,
        unclosed=False,
    ),
    "openpangu_v2": Row(
        _one("<|tool_call_start|>@<|tool_call_end|>"),
        "<|tool_call_end|>",
        special=True,
        marker="<|tool_call_start|>",
    ),
    "lmstudio": Row(
        _each("[TOOL_REQUEST]\n@\n[END_TOOL_REQUEST]"),
        "[END_TOOL_REQUEST]",
        think=None,
        marker="[TOOL_REQUEST]",
    ),
    "minicpm4": Row(
        lambda c: (
            f"<|tool_call_start|>\n```python\n{_python(c, chr(10))}\n```\n"
            "<|tool_call_end|>"
        ),
        "<|tool_call_end|>",
        think=("<|thought_start|>", "<|thought_end|>"),
        marker="<|tool_call_start|>",
        breaks=("'", ""),
    ),
    "cwm": Row(
        lambda calls: "\n".join(
            "\n".join((f"<tool: {name}>", *map(_bare, arguments.values()), "</tool>"))
            for name, arguments in calls
        ),
        "</tool>",
        # A tool without parameters takes no text.
        breaks=("get_weather>", "get_time>"),
        unclosed=False,
    ),
    "rwkv": Row(_each("**Tool Call:**\n```json\n@\n```")),
    # Fences, and reasoning that words open
    "apriel": Row(
        _one("<tool_calls>@</tool_calls>"),
        "</tool_calls>",
        think=("Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]"),
        marker="<tool_calls>",
    ),
    "command_r": Row(_action, think=None),
    "gemma3": Row(
        lambda c: f"```tool_code\n{_python(c, chr(10))}\n```",
        "```",
        think=None,
        breaks=("'", ""),
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
BARE = ("glm4", "llama3_json", "llama_pythonic", "xlam")
"""Those that mark calls by nothing."""
STRUCTURAL = ("react", "harmony", "functionary_v32")
FAMILIES = sorted(ROWS)
IN_PROSE = [f for f in FAMILIES if f not in STRUCTURAL]


class Outcome(NamedTuple):
    text: str
    reasoning: str
    calls: Calls
    errors: list[str]
    in_reasoning: bool = False


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
    """Return the pieces of the text, joined so that they do not depend on the cuts."""
    whole = run(family, [text], **more)
    assert run(family, list(text), **more) == whole
    for i in range(1, len(text)):
        assert run(family, [text[:i], text[i:]], **more) == whole, f"cut at {i}"
    return whole
