"""What the table of rows cannot say of the families of 2025 and 2026.

Frames of channels, other forms of the same family, reasoning that the prompt opened,
and streams that break off. White space at the cuts is not compared.
"""

from typing import Any, NamedTuple

import pytest
from support.gate_rows import ROWS, TOOLS, Calls, Outcome, outcome

from tui.models.gate import dialect_of_template

LOOKUP = {
    "type": "object",
    "properties": {
        "filter": {"type": "object"},
        "n": {"type": "array", "items": {"type": "integer"}},
    },
}
OFFERED = {**TOOLS, "lookup": LOOKUP}
ROME: Calls = [("get_weather", {"city": "Rome"})]
TIME: Calls = [("get_time", {})]
CUT = ["truncated"]


class Case(NamedTuple):
    """What a model writes, and what comes of it in each of the dialects."""

    dialects: str
    written: str
    text: str = ""
    reasoning: str = ""
    calls: Calls = []  # noqa: RUF012
    errors: list[str] = []  # noqa: RUF012
    more: dict[str, Any] = {}  # noqa: RUF012


OPEN = {"reasoning_open": True}
NO_TOOLS = {"tools": None}
CASES = [
    Case(
        "kimi_k3 auto",
        (
            "I think.<|close|>think<|sep|><|open|>response<|sep|>Hi"
            "<|close|>response<|sep|><|open|>tools<|sep|>"
            '<|open|>call tool="get_weather" index="1"<|sep|>'
            '<|open|>argument key="city" type="string"<|sep|>Rome'
            "<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools"
            "<|sep|><|close|>message<|sep|><|end_of_msg|>"
        ),
        text="Hi",
        reasoning="I think.",
        calls=ROME,
        more=OPEN,
    ),
    Case(
        "kimi_k3 auto",
        (
            "<|open|>think<|sep|>Hm.<|open|>response<|sep|> Hi."
            "<|close|>response<|sep|><|close|>message<|sep|>"
        ),
        text="Hi.",
        reasoning="Hm.",
    ),
    Case(
        "kimi_k3 auto",
        (
            "<|open|>response<|sep|>Hi. <|close|>response<|sep|>"
            '<|open|>tools<|sep|><|open|>call tool="lookup" index="1"'
            '<|sep|><|open|>json type="object"<|sep|>{"filter":{"a":[1]}}'
            "<|close|>json<|sep|><|close|>call<|sep|>"
            '<|open|>call tool="get_time" index="2"<|sep|><|close|>call'
            "<|sep|><|close|>tools<|sep|><|close|>message<|sep|>"
        ),
        text="Hi.",
        calls=[("lookup", {"filter": {"a": [1]}}), ("get_time", {})],
    ),
    Case("kimi_k3 auto", "<|open|>response<|sep|>Hi", text="Hi"),
    Case(
        "kimi_k3 auto",
        (
            "<|open|>response<|sep|>Plain.<|close|>response<|sep|>"
            "<|close|>message<|sep|>"
        ),
        text="Plain.",
        more=NO_TOOLS,
    ),
    Case(
        "minimax_m3 auto",
        (
            "Look. ]<]minimax[>[<tool_call>\n"
            ']<]minimax[>[<invoke name="lookup">]<]minimax[>[<filter>'
            "]<]minimax[>[<a>]<]minimax[>[<b>x]<]minimax[>[</b>"
            "]<]minimax[>[</a>]<]minimax[>[<l>]<]minimax[>[<item>p"
            "]<]minimax[>[</item>]<]minimax[>[</l>]<]minimax[>[</filter>"
            "]<]minimax[>[<n>]<]minimax[>[<item>1]<]minimax[>[</item>"
            "]<]minimax[>[<item>2]<]minimax[>[</item>]<]minimax[>[</n>"
            "]<]minimax[>[</invoke>\n"
            "]<]minimax[>[</tool_call>[e~["
        ),
        text="Look.",
        calls=[("lookup", {"filter": {"a": {"b": "x"}, "l": ["p"]}, "n": [1, 2]})],
    ),
    Case("minimax_m3 auto", "</mm:think>Four.", text="Four."),
    Case(
        "minimax_m3 auto", "Hm</mm:think>Four.", text="Four.", reasoning="Hm", more=OPEN
    ),
    Case(
        "minimax_m3 auto",
        (
            "]<]minimax[>[<tool_call>]<]minimax[>["
            '<invoke name="get_time">]<]minimax[>[</invoke>]<]minimax[>['
            "</tool_call>Done."
        ),
        text="Done.",
        calls=TIME,
    ),
    Case(
        "minimax_m3 auto",
        (
            "]<]minimax[>[<tool_call>\n"
            ']<]minimax[>[<invoke name="get_weather">]<]minimax[>['
            "<city>Ro"
        ),
        errors=CUT,
    ),
    Case(
        "deepseek_v41 deepseek_v4 auto",
        (
            "<think>x</think>Hi\n"
            "\n"
            "<｜DSML｜ calls>\n"
            '<｜DSML｜ invoke name="set_light">\n'
            '<｜DSML｜ parameter name="on" string="false">true'
            "</｜DSML｜ parameter>\n"
            '<｜DSML｜ parameter name="rooms" string="false">["a"]'
            "</｜DSML｜ parameter>\n"
            "</｜DSML｜ invoke>\n"
            "</｜DSML｜ calls><｜end▁of▁sentence｜>"
        ),
        text="Hi",
        reasoning="x",
        calls=[("set_light", {"on": True, "rooms": ["a"]})],
    ),
    Case(
        "deepseek_v41 auto",
        (
            "<｜DSML｜ calls>\n"
            '<｜DSML｜ invoke name="get_weather">{"city":"Rome"}'
            "</｜DSML｜ invoke>\n"
            "</｜DSML｜ calls>"
        ),
        calls=ROME,
    ),
    Case(
        "deepseek_v41 auto",
        ('<｜DSML｜ calls>\n<｜DSML｜ invoke name="set_light">\n<｜DSML｜ para'),
        errors=CUT,
    ),
    Case(
        "gigachat3 auto",
        (
            "Sure.<|message_sep|>\n"
            "\n"
            "function call<|role_sep|>\n"
            '{"name": "get_weather", "arguments": {"city": "Rome"}}'
            "<|message_sep|>"
        ),
        text="Sure.",
        calls=ROME,
    ),
    Case(
        "gigachat3 auto",
        (
            "function call<|role_sep|>\n"
            '{"name": "get_weather", "arguments": {"city": "Rome"}}'
        ),
        calls=ROME,
    ),
    Case(
        "gigachat3 auto",
        (
            'I look.<|function_call|>{"name": "get_weather", "arguments":'
            ' {"city": "Rome"}}<|message_sep|>\n'
            "\n"
        ),
        text="I look.",
        calls=ROME,
    ),
    Case("gigachat3 auto", ("Plain.<|message_sep|>\n\n"), text="Plain."),
    Case(
        "gigachat3 auto", '<|function_call|>{"name": "get_weather", "argum', errors=CUT
    ),
    Case("gigachat3 auto", "Hi.<|message_sep|>", text="Hi."),
    Case(
        "gigachat35 auto",
        (
            "<think>Hm</think>Ok <｜GCML｜tool_calls>\n"
            '<｜GCML｜invoke name="get_weather">\n'
            '<｜GCML｜parameter name="city" string="true">Rome'
            "</｜GCML｜parameter>\n"
            '<｜GCML｜parameter name="days" string="false">2'
            "</｜GCML｜parameter>\n"
            "</｜GCML｜invoke>\n"
            "</｜GCML｜tool_calls><|message_sep|>\n"
            "\n"
        ),
        text="Ok",
        reasoning="Hm",
        calls=[("get_weather", {"city": "Rome", "days": 2})],
    ),
    Case(
        "minicpm5 auto",
        (
            "<think>\n"
            "x\n"
            "</think>\n"
            "\n"
            "Hi\n"
            '<function name="get_weather"><param name="city">Rome</param>'
            '<param name="days">2</param></function>\n'
            '<function name="get_time"></function><|im_end|>'
        ),
        text="Hi",
        reasoning="x",
        calls=[("get_weather", {"city": "Rome", "days": 2}), ("get_time", {})],
    ),
    Case(
        "minicpm5 auto",
        (
            '<function name="run_python"><param name="code"><![CDATA[a '
            "</param> b </function> c]]></param></function>ok"
        ),
        text="ok",
        calls=[("run_python", {"code": "a </param> b </function> c"})],
    ),
    Case(
        "minicpm5 auto",
        '<function name="get_weather"><param name="city">Ro',
        errors=CUT,
    ),
    Case(
        "minicpm5 auto",
        'A <function name="x"> element is not a call.',
        text='A <function name="x"> element is not a call.',
    ),
    Case(
        "muse auto",
        (
            " to=self<|message|>Hm.<|eom|><|start|>assistant to=user"
            "<|message|>Hi.<|eom|><|start|>assistant to=get_weather"
            "<|message|><atem:function_calls>\n"
            '<atem:invoke name="get_weather">\n'
            '<atem:parameter name="city">Rome</atem:parameter>\n'
            "</atem:invoke>\n"
            "</atem:function_calls><|eot|>"
        ),
        text="Hi.",
        reasoning="Hm.",
        calls=ROME,
    ),
    Case(
        "muse auto",
        (
            " to=get_weather<|message|><atem:function_calls>\n"
            '<atem:invoke name="get_weather">\n'
            '<atem:parameter name="city">Rome</atem:parameter>\n'
            "</atem:invoke>\n"
            "</atem:function_calls><|eom|>"
            "<|start|>assistant to=get_weather.get_weather<|message|>"
            "<atem:function_calls>\n"
            '<atem:invoke name="get_weather.get_weather">\n'
            '<atem:parameter name="city">Rome</atem:parameter>\n'
            "</atem:invoke>\n"
            "</atem:function_calls><|eot|>"
        ),
        calls=[*ROME, *ROME],
    ),
    Case("muse auto", "<|message|>Hi.<|eot|>", text="Hi."),
    Case("muse auto", " to=user<|message|>Hi.<|eot|>", text="Hi.", more=NO_TOOLS),
    Case(
        "muse auto",
        (
            "<|start|>assistant to=self<|message|>Hm.<|eom|>"
            "<|start|>assistant<|message|>Hi."
        ),
        text="Hi.",
        reasoning="Hm.",
    ),
    Case(
        "muse auto",
        (
            " to=get_weather<|message|><atem:function_calls>\n"
            '<atem:invoke name="get_weath'
        ),
        errors=CUT,
    ),
    Case(
        "inkling auto",
        (
            "<|message_model|><|content_thinking|>Hm.<|end_message|>"
            "<|message_model|><|content_text|> Hi.<|end_message|>"
            "<|message_model|>get_weather"
            '<|content_invoke_tool_json|>{"name":"get_weather","args":{"c'
            'ity":"Rome"}}<|end_message|>'
        ),
        text="Hi.",
        reasoning="Hm.",
        calls=ROME,
    ),
    Case(
        "inkling auto",
        (
            "<|content_thinking|>Hm.<|end_message|>"
            '<|content_invoke_tool_json|>{"name":"get_weather","args":{"c'
            'ity":"Rome"}}<|end_message|><|content_model_end_sampling|>'
        ),
        reasoning="Hm.",
        calls=ROME,
    ),
    Case(
        "inkling auto",
        ("Hm.<|end_message|><|message_model|><|content_text|>Hi.<|end_message|>"),
        text="Hi.",
        reasoning="Hm.",
        more=OPEN,
    ),
    Case(
        "inkling auto",
        '<|content_invoke_tool_json|>{"name":"get_weather","args":{"c',
        errors=CUT,
    ),
    Case(
        "inkling auto",
        "<|content_text|>Hi.<|end_message|><|message_model|>",
        text="Hi.",
    ),
    Case(
        "plamo3 auto",
        (
            "<|plamo:begin_think:plamo|>Hm<|plamo:end_think:plamo|>Hi."
            "<|plamo:begin_tool_requests:plamo|>"
            "<|plamo:begin_tool_request:plamo|>"
            "<|plamo:begin_tool_name:plamo|>get_time"
            "<|plamo:end_tool_name:plamo|>"
            "<|plamo:begin_tool_arguments:plamo|><|plamo:constrain|>json"
            "<|plamo:msg|>{}<|plamo:end_tool_arguments:plamo|>"
            "<|plamo:end_tool_request:plamo|>"
            "<|plamo:end_tool_requests:plamo|><|plamo:tag|>"
        ),
        text="Hi.",
        reasoning="Hm",
        calls=TIME,
    ),
    Case(
        "plamo3 auto",
        (
            "Hi<|plamo:begin_tool_requests:plamo|>"
            "<|plamo:begin_tool_request:plamo|>"
            "<|plamo:begin_tool_name:plamo|>get_time"
            "<|plamo:end_tool_name:plamo|><|plamo:begin"
        ),
        text="Hi",
        errors=CUT,
    ),
    Case("k2_horizon auto", "<ifm|think>Hm.</ifm|think>Hi", text="Hi", reasoning="Hm."),
    Case(
        "k2_horizon auto",
        "<ifm|think_fast>Hm.</ifm|think_fast>Hi",
        text="Hi",
        reasoning="Hm.",
    ),
    Case(
        "k2_horizon auto",
        "<ifm|think_faster>Hm.</ifm|think_faster>Hi",
        text="Hi",
        reasoning="Hm.",
    ),
    Case(
        "k2_horizon auto",
        (
            "Hi <ifm|tool_calls>\n"
            "<ifm|tool_call>get_weather\n"
            "<ifm|arg_key>city</ifm|arg_key>\n"
            "<ifm|arg_value>Rome</ifm|arg_value>\n"
            "</ifm|tool_call>\n"
            '<ifm|tool_call>{"name":"get_time","arguments":{}}'
            "</ifm|tool_call>\n"
            "</ifm|tool_calls> Bye"
        ),
        text="Hi Bye",
        calls=[*ROME, *TIME],
    ),
    Case(
        "k2_horizon auto",
        (
            "<ifm|tool_calls><ifm|tool_call>nope<ifm|arg_key>a"
            "</ifm|arg_key><ifm|arg_type>integer</ifm|arg_type>"
            "<ifm|arg_value>3</ifm|arg_value><ifm|arg_key>b</ifm|arg_key>"
            "<ifm|arg_type>string</ifm|arg_type><ifm|arg_value>3"
            "</ifm|arg_value></ifm|tool_call></ifm|tool_calls>"
        ),
        calls=[("nope", {"a": 3, "b": "3"})],
    ),
    Case(
        "k2_horizon auto",
        "<ifm|tool_calls><ifm|tool_call>get_weather<ifm|arg_key>ci",
        errors=CUT,
    ),
    Case(
        "solar_open auto",
        (
            "<|think|>Hm.<|end|><|begin|>assistant<|content|> I look."
            "<|end|><|begin|>assistant<|tool_calls|><|tool_call:begin|>c1"
            "<|tool_call:name|>get_weather"
            '<|tool_call:args|>{"city": "Rome"}<|tool_call:end|>'
            "<|tool_call:begin|>c1<|tool_call:name|>get_weather"
            '<|tool_call:args|>{"city": "Rome"}<|tool_call:end|><|calls|>'
        ),
        text="I look.",
        reasoning="Hm.",
        calls=[*ROME, *ROME],
    ),
    Case("solar_open auto", "<|content|>Hi.<|flush|>", text="Hi."),
    Case(
        "solar_open auto",
        ("<|tool_calls|><|tool_call:begin|>c1<|tool_call:name|>get_weather<|tool"),
        errors=CUT,
    ),
    Case(
        "solar_open2 auto",
        (
            "Hm.<|think:end|>Hi.<|tool_call:start|>get_weather\n"
            "<|tool_arg:start|>city<|tool_arg:value|>Rome"
            "<|tool_arg:end|>\n"
            "<|tool_arg:start|>days<|tool_arg:value|>3<|tool_arg:end|>\n"
            "<|tool_call:end|>"
        ),
        text="Hi.",
        reasoning="Hm.",
        calls=[("get_weather", {"city": "Rome", "days": 3})],
        more=OPEN,
    ),
    Case(
        "solar_open2 auto",
        (
            "<|think:start|>Hm.<|think:end|>"
            "<|tool_call:start|>get_weather\n"
            "<|tool_arg:start|>city<|tool_arg:value|>Rome"
            "<|tool_arg:end|>\n"
            "<|tool_arg:start|>days<|tool_arg:value|>3<|tool_arg:end|>\n"
            "<|tool_call:end|>"
        ),
        reasoning="Hm.",
        calls=[("get_weather", {"city": "Rome", "days": 3})],
    ),
    Case("solar_open2 auto", "Hi.<|think:end|>", text="Hi."),
    Case(
        "solar_open2 auto",
        ("<|tool_call:start|>get_weather\n<|tool_arg:start|>city<|tool_"),
        errors=CUT,
    ),
    Case(
        "hunyuan_v4 hunyuan_v3 auto",
        (
            "<think:6124c78e>Hm</think:6124c78e>Hi<tool_calls:6124c78e>\n"
            "<tool_call:6124c78e>set_light<tool_sep:6124c78e>\n"
            "<arg_key:6124c78e>on</arg_key:6124c78e>\n"
            "<arg_value:6124c78e>false</arg_value:6124c78e>\n"
            "</tool_call:6124c78e>\n"
            "</tool_calls:6124c78e>Bye"
        ),
        text="HiBye",
        reasoning="Hm",
        calls=[("set_light", {"on": False})],
    ),
    Case(
        "hunyuan_v4 hunyuan_v3 auto",
        "Hm</think:oss>Hi",
        text="Hi",
        reasoning="Hm",
        more=OPEN,
    ),
    Case(
        "hunyuan_v4 hunyuan_v3 auto",
        (
            "<tool_calls:oss><tool_call:oss>get_time</tool_call:oss>"
            "<tool_call:oss>get_weather<arg_key:oss>ci"
        ),
        calls=TIME,
        errors=CUT,
    ),
    Case(
        "hunyuan_v4 hunyuan_v3 auto",
        (
            "<think>Hm</think><tool_calls><tool_call>get_weather"
            "<arg_key>city</arg_key><arg_value>Rome</arg_value>"
            "</tool_call></tool_calls>"
        ),
        reasoning="Hm",
        calls=ROME,
    ),
    Case(
        "iquest_q1 auto",
        (
            "<think>x</think>Hi\n"
            "<iquest_tool_call>get_weather\n"
            "<arg_key>city</arg_key>\n"
            "<arg_value>Rome</arg_value>\n"
            "<arg_key>days</arg_key><arg_value>2</arg_value>\n"
            "</iquest_tool_call>\n"
            "Bye"
        ),
        text="Hi Bye",
        reasoning="x",
        calls=[("get_weather", {"city": "Rome", "days": 2})],
    ),
    Case("iquest_q1 auto", "<iquest_tool_call>get_weather<arg_key>ci", errors=CUT),
    Case(
        "glm53_flash glm45 auto",
        (
            'Hi <tool_call>get_weather>{"city": "Rome"}</tool_call>'
            "<tool_call>Time/get_time>{}</tool_call> Bye"
        ),
        text="Hi Bye",
        calls=[*ROME, *TIME],
    ),
    Case(
        "glm53_flash glm45 auto",
        '<think>x</think><tool_call>get_weather>{"city": "Ro',
        reasoning="x",
        errors=CUT,
    ),
    Case(
        "glm45 auto",
        (
            "<tool_call>get_weather\n"
            "<arg_key>city</arg_key><arg_value>Rome</arg_value>"
            "</tool_call><|role_end|>"
        ),
        calls=ROME,
    ),
    Case("glm45 auto", "Hi.<|role_end|>", text="Hi."),
    Case(
        "granite3 auto",
        ('<tool_call> [{"name": "get_weather", "arguments": {"city": "Rome"}}]'),
        calls=ROME,
    ),
    Case(
        "granite3",
        ("Here's my thought process:\nHm.\n\nHere's my response:\n\nFour."),
        text="Four.",
        reasoning="Hm.",
    ),
    Case(
        "granite3",
        (
            "Here is my thought process: Hm. Here is my response: "
            '<|tool_call|>[{"name": "get_time", "arguments": {}}]'
        ),
        reasoning="Hm.",
        calls=TIME,
    ),
    # Without its marker, as Granite's parser in vLLM takes it.
    Case(
        "auto",
        'So:\n[{"name": "get_weather", "arguments": {"city": "Rome"}}]',
        text="So:\n",
        calls=ROME,
    ),
    Case(
        "granite3 auto",
        'As [{"name": "get_weather", "arguments": {}}] shows.',
        text='As [{"name": "get_weather", "arguments": {}}] shows.',
    ),
    Case(
        "llama3_json auto",
        '<|python_tag|>[{"name": "get_weather", "parameters": {"city": "Rome"}}]',
        calls=ROME,
    ),
    Case(
        "llama3_json auto",
        "<|python_tag|>[1, 2] is a list.",
        text="<|python_tag|>[1, 2] is a list.",
    ),
    # Both forms of MiniCPM 3 and 4; 4.1 may think as others do.
    Case(
        "minicpm4 auto",
        (
            "<|thought_start|>\nThe city.\n<|thought_end|>\n<|tool_call_start|>\n"
            '```python\nget_weather(city="Rome")\nget_time()\n```\n'
            "<|tool_call_end|>\nWait."
        ),
        text="Wait.",
        reasoning="The city.",
        calls=ROME + TIME,
    ),
    Case(
        "minicpm4",
        "<think>\nHm.\n</think>\n<|tool_call_start|>get_time()<|tool_call_end|>",
        reasoning="Hm.",
        calls=TIME,
    ),
    Case(
        "cwm auto",
        (
            "</think>I look.\n<tool: run_python>\nprint('</tool>')\n\nx = 1\n</tool>"
            "<|eot_id|>"
        ),
        text="I look.",
        calls=[("run_python", {"code": "print('</tool>')\n\nx = 1"})],
        more=OPEN,
    ),
    Case(
        "cwm",
        '<tool: lookup>\n{"n": [1, 2]}\n</tool>\n<tool: db.query-v2>\n1\n</tool>',
        calls=[("lookup", {"n": [1, 2]}), ("db.query-v2", {"sql": "1"})],
    ),
    Case("cwm", "<tool: get_weather>\nRo", errors=CUT),
    Case("cwm auto", "Write <tool: x> or </tool>.", text="Write <tool: x> or </tool>."),
    Case("granite3", "Here is my answer: four.", text="Here is my answer: four."),
    Case("auto", "Here is my thought process: x", text="Here is my thought process: x"),
    Case(
        "kimi_k2 auto",
        ("◁think▷Hm.\n◁/think▷Four. ◁think▷"),
        text="Four. ◁think▷",
        reasoning="Hm.",
    ),
    Case(
        "functionary_v2 auto",
        ('get_weather\n<|content|>{"city": "Rome"}<|stop|>'),
        calls=ROME,
    ),
    Case(
        "functionary_v2 auto",
        (
            "all\n"
            "<|content|>I look.\n"
            "<|from|>assistant\n"
            "<|recipient|>get_weather\n"
            '<|content|>{"city": "Rome"}\n'
            "<|from|>assistant\n"
            "<|recipient|>get_time\n"
            "<|content|>{}<|stop|>"
        ),
        text="I look.",
        calls=[*ROME, *TIME],
    ),
    Case(
        "functionary_v2",
        (" all\n<|content|> Hi.<|stop|>"),
        text="Hi.",
        more=NO_TOOLS,
    ),
    Case("functionary_v2 auto", ('get_weather\n<|content|>{"city": "Ro'), errors=CUT),
    Case(
        "gemma3 auto",
        ('I look.\n```tool_code\nprint(get_weather(city="Rome"))\n```\nBye'),
        text="I look. Bye",
        calls=ROME,
    ),
    Case(
        "gemma3 auto",
        ('```tool_code\nget_weather(city="Rome")\nget_time()\n```'),
        calls=[*ROME, *TIME],
    ),
    Case(
        "gemma3 auto",
        ('```python\nget_weather(city="Rome")\n```'),
        text=('```python\nget_weather(city="Rome")\n```'),
    ),
    Case("gemma3 auto", ('```tool_code\nget_weather(city="Ro'), errors=CUT),
    Case("gemma3", "Hi.<end_of_turn>", text="Hi."),
    Case(
        "smollm",
        ('<think>x</think>Hi\n<code>\nget_weather(city="Rome")\nget_time()\n</code>'),
        text="Hi",
        reasoning="x",
        calls=[*ROME, *TIME],
    ),
    Case(
        "smollm",
        ("Use <code>x</code> here.\n<code>y = 1</code>"),
        text=("Use <code>x</code> here.\n<code>y = 1</code>"),
    ),
    Case(
        "command_r auto",
        (
            "I will look.\n"
            "Action:\n"
            "```json\n"
            "[\n"
            "    {\n"
            '        "tool_name": "get_weather",\n'
            '        "parameters": {"city": "Rome"}\n'
            "    },\n"
            ' {"tool_name": "get_time", "parameters": {}}\n'
            "]\n"
            "```<|END_OF_TURN_TOKEN|>"
        ),
        text="I will look.",
        calls=[*ROME, *TIME],
    ),
    Case("command_r", "<|CHATBOT_TOKEN|>Hi<|END_OF_TURN_TOKEN|>", text="Hi"),
    Case(
        "command_r auto",
        ('Action: ```json\n[{"tool_name": "get_weather", "param'),
        errors=CUT,
    ),
    Case("command_r auto", "Action: wait.\n", text="Action: wait.\n"),
    Case(
        "jamba apriel",
        ("Steps.\n[BEGIN FINAL RESPONSE]\nFour."),
        text="Four.",
        reasoning="Steps.",
        more=OPEN,
    ),
    Case(
        "apriel",
        (
            "Here are my reasoning steps:\n"
            "Steps.\n"
            "[BEGIN FINAL RESPONSE]\n"
            "Four.\n"
            "<|end|>"
        ),
        text="Four.",
        reasoning="Steps.",
    ),
    Case("jamba", "No answer yet", reasoning="No answer yet", more=OPEN),
    Case(
        "openpangu auto",
        (
            '[unused16]Hm[unused17]Hi[unused11][{"name":"get_weather","ar'
            'guments":{"city":"Rome"}}][unused12]'
        ),
        text="Hi",
        reasoning="Hm",
        calls=ROME,
    ),
    Case(
        "step_audio2 auto",
        (
            "Hi <tool_call>function\n"
            "get_weather\n"
            '{"city":"Rome"}</tool_call><tool_call>function\n'
            "get_time\n"
            "{}</tool_call>"
        ),
        text="Hi",
        calls=[*ROME, *TIME],
    ),
    Case(
        "hyperclovax_14b",
        (
            "/think\n"
            "Hm.<|im_end|>\n"
            "<|im_start|>assistant -> tool/function_call\n"
            '[{"name":"get_weather","arguments":{"city":"Rome"}}]'
            "<|im_end|>"
        ),
        reasoning="Hm.",
        calls=ROME,
    ),
    Case(
        "hyperclovax_14b auto",
        (
            " -> tool/function_call\n"
            '[{"name":"get_weather","arguments":{"city":"Rome"}}]'
        ),
        calls=ROME,
    ),
    Case(
        "telechat4",
        (
            '<tool_call>get_weather{"city": "Rome"}</tool_call>\n'
            '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
        ),
        calls=[*ROME, *TIME],
    ),
    Case(
        "telechat4 auto",
        '<tool_call>get_weather{"city": "Rome"}</tool_call>So.',
        text="So.",
        calls=ROME,
    ),
    Case(
        "telechat4 auto",
        "<tool_call>get_weather<param_key>city</param_key><param_value>Ro",
        errors=CUT,
    ),
    Case(
        "rwkv",
        (
            'I look.\n**Tool Call:**\n```json\n{"name": "get_weather", '
            '"arguments": {"city": "Rome"}}\n```\n**Note:** so.'
        ),
        text="I look. **Note:** so.",
        calls=ROME,
    ),
    Case(
        "lmstudio auto",
        (
            '[TOOL_REQUEST]\n{"name": "get_weather", "arguments": '
            '{"city": "Rome"}}\n[END_TOOL_REQUEST]\nSo.'
        ),
        text="So.",
        calls=ROME,
    ),
    Case(
        "hyperclovax",
        (
            "<tool_call>get_weather\n"
            "<arg_key>city</arg_key>\n"
            "<arg_value>Rome</arg_value>\n"
            "</tool_call><|im_end|>"
        ),
        calls=ROME,
    ),
]


@pytest.mark.parametrize(
    ("dialect", "case"),
    [
        pytest.param(dialect, case, id=f"{dialect}-{i}")
        for i, case in enumerate(CASES)
        for dialect in case.dialects.split()
    ],
)
def test_what_a_family_writes_comes_apart(dialect: str, case: Case) -> None:
    came = outcome(dialect, case.written, **{"tools": OFFERED, **case.more})

    assert came.text.split() == case.text.split()
    assert came.reasoning.split() == case.reasoning.split()
    assert (came.calls, came.errors) == (case.calls, case.errors)


@pytest.mark.parametrize(
    ("template", "dialect"),
    [
        ("{%- set ns = ']<]minimax[>[' -%}<tool_call><response>", "minimax_m3"),
        ("<function name=\"' ~ n ~ '\"><param name=\"' <tool_sep>", "minicpm5"),
        ("'<tool_calls{}>'.format(HYTK) '<tool_sep{}>'", "hunyuan_v3"),
        ("<|CHATBOT_TOKEN|> Action: ```json <|START_ACTION|>", "command"),
        ("'<｜DSML｜ calls>' '<｜DSML｜ invoke'", "deepseek_v41"),
        ("'<｜DSML｜tool_calls>' '<｜DSML｜invoke'", "deepseek_v4"),
        ("[BEGIN FINAL RESPONSE] <tool_calls>", "apriel"),
        ("<tool_call><param_key></param_key></tool_call>", "telechat4"),
    ],
)
def test_a_template_with_signs_of_two_families_is_for_one(
    template: str, dialect: str
) -> None:
    assert dialect_of_template(template) == dialect


def test_a_suffixed_end_closes_reasoning_that_the_prompt_opened() -> None:
    call = ROWS["hunyuan_v4"].write(ROME)
    text = f"Shall I\n{call}\nsay? No.</think:x9>It is noon."

    came = outcome("hunyuan_v4", text, reasoning_open=True)

    assert came == Outcome("It is noon.", f"Shall I\n{call}\nsay? No.", [], [])
