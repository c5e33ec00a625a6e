"""Templates of all tempers render what was said, in words that they take."""

from collections.abc import Sequence
from typing import Any

import pytest

from tui.errors import ModelError
from tui.messages import Attachment, Message, ToolCall, ToolSchema
from tui.models.llama.dialogue import dialogue, tool_list, unreadable
from tui.models.llama.template import CHATML, ChatTemplate, reasoning_open

SYSTEM = Message("system", "Be brief.")
USER = Message("user", "Weather?")
CALL = ToolCall("call_one_1", "weather", {"city": "北京 <b>"})
CALL_2 = ToolCall("call_two_2", "weather", {"city": "Paris"})
ROUND = [
    USER,
    Message("assistant", "", tool_calls=(CALL,)),
    Message("tool", "rain", tool_call_id=CALL.id),
]
PARALLEL = [
    USER,
    Message("assistant", "", tool_calls=(CALL, CALL_2)),
    Message("tool", "rain", tool_call_id=CALL.id),
    Message("tool", "sun", tool_call_id=CALL_2.id),
]
WEATHER = ToolSchema(
    "weather",
    "Tell the weather",
    {"type": "object", "properties": {"city": {"type": "string"}}},
)

TOOLS = "{% if tools %}{{ tools | tojson }}\n{% endif %}"
LINES = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
CALLS = """\
{% for m in messages -%}
{{ m.role }}: {{ m.content }}
{%- for call in m.tool_calls or [] -%}
CALL
{%- endfor %}
{% endfor %}"""


def render(
    source: str, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()
) -> str:
    return ChatTemplate(source).render(dialogue(messages), tool_list(tools))


def test_tools_are_given_in_json_as_it_is():
    schema = ToolSchema("f", 'Says <b> & "北京"', {"type": "object"})

    text = render("{{ tools | tojson }}{{ messages[0].content }}", [USER], [schema])

    assert '"description": "Says <b> & \\"北京\\""' in text
    assert '"parameters": {"type": "object"}' in text


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("{{ call.function.arguments | tojson }}", '{"city": "北京 <b>"}'),
        ("{{ call.function.arguments }}", '{"city": "北京 <b>"}'),
        ("{{ 'args ' ~ call.function.arguments }}", 'args {"city": "北京 <b>"}'),
        # Only a string can be added to a string.
        ("{{ 'args ' + call.function.arguments }}", 'args {"city": "北京 <b>"}'),
        ("{% for k, v in call.function.arguments | items %}{{ k }}={{ v }}{% endfor %}",
         "city=北京 <b>"),
    ],
)  # fmt: skip
def test_arguments_suit_the_template(call: str, expected: str):
    source = TOOLS + CALLS.replace("CALL", call) + "{# 'tool' #}"

    assert f"assistant: {expected}" in render(source, ROUND, [WEATHER])


def test_a_tools_result_has_its_name_and_id():
    source = (
        TOOLS
        + CALLS.replace("CALL", "{{ call.id }}")
        + (
            "{% for m in messages if m.role == 'tool' %}"
            "{{ m.name }}/{{ m.tool_call_id }}{% endfor %}"
        )
    )

    assert "weather/call_one_1" in render(source, ROUND, [WEATHER])


def test_arguments_that_could_not_be_read_are_no_arguments():
    broken = ToolCall("x", "weather", '{"city": ')
    messages = [USER, Message("assistant", tool_calls=(broken,))]
    source = TOOLS + CALLS.replace("CALL", "{{ call.function.arguments }}")

    assert "assistant: {}" in render(source, messages, [WEATHER])


def test_ids_are_shortened_for_those_who_want_nine_letters():
    source = (
        TOOLS
        + CALLS.replace(
            "CALL",
            "{% if call.id | length != 9 %}{{ raise_exception('nine!') }}{% endif %}"
            "[{{ call.id }}]",
        )
        + "{% for m in messages if m.role == 'tool' %}"
        "[{{ m.tool_call_id }}]{% endfor %}"
    )

    text = render(source, ROUND, [WEATHER])

    ids = [part.split("]")[0] for part in text.split("[")[-2:]]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 9


REFUSES_TWO = (
    "{% if m.tool_calls and m.tool_calls | length > 1 %}"
    "{{ raise_exception('one call at a time') }}{% endif %}"
)
DROPS_ALL_BUT_ONE = (
    TOOLS + "{% for m in messages %}{{ m.role }}: {{ m.content }}"
    "{% if m.tool_calls %}{{ m.tool_calls[0].id }} "
    "{{ m.tool_calls[0].function.arguments.city }}{% endif %}\n{% endfor %}{# 'tool' #}"
)


@pytest.mark.parametrize(
    "source",
    [
        TOOLS
        + CALLS.replace("CALL", REFUSES_TWO + "{{ call.function.arguments.city }}")
        + "{# 'tool' #}",
        DROPS_ALL_BUT_ONE,
    ],
    ids=["refuses", "drops"],
)
def test_parallel_calls_come_one_by_one_with_their_results(source: str):
    text = render(source, PARALLEL, [WEATHER])

    order = [text.index(word) for word in ("北京", "rain", "Paris", "sun")]
    assert order == sorted(order)
    assert text.count("assistant:") == 2


def test_a_system_message_goes_to_the_user_where_it_is_refused():
    source = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        + LINES
    )

    assert render(source, [SYSTEM, USER]) == "user: Be brief.\n\nWeather?\n"


ALTERNATING = (
    "{% for m in messages %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('user and assistant must alternate') }}{% endif %}"
    "{{ m.role }}: {{ m.content }}\n{% endfor %}"
)


def test_messages_of_one_role_are_joined_where_they_must_alternate():
    assert render(ALTERNATING, [USER, USER]) == "user: Weather?\n\nWeather?\n"


def test_calls_and_results_are_text_where_nothing_else_is_taken():
    text = render(ALTERNATING, [SYSTEM, *PARALLEL], [WEATHER])

    assert text.startswith("user: Be brief.\n\nYou can call")
    assert '"name": "weather"' in text
    assert (
        "assistant: <tool_call>\n"
        '{"name": "weather", "arguments": {"city": "北京 <b>"}}\n</tool_call>'
    ) in text
    assert text.endswith(
        "user: <tool_response>\nrain\n</tool_response>\n\n"
        "<tool_response>\nsun\n</tool_response>\n"
    )


def test_calls_stay_known_when_no_tools_are_given_any_more():
    text = render(LINES, ROUND)

    assert "<tool_call>" in text
    assert "rain" in text


def test_a_template_for_tools_alone_is_given_an_empty_list():
    source = "{% for tool in tools %}{{ tool.function.name }}{% endfor %}" + LINES

    assert render(source, [USER]) == "user: Weather?\n"


def test_what_a_filter_yields_becomes_a_list_in_json():
    source = (
        "{{ tools | map(attribute='function.name') | tojson }}{{ messages[0].role }}"
    )

    assert render(source, [USER], [WEATHER]) == '["weather"]user'


def test_the_helpers_of_the_reference_environment_are_there():
    source = (
        "{{ bos_token }}{{ strftime_now('%Y')[:2] }}"
        "{% for m in messages %}{% if loop.index0 == 1 %}{% break %}{% endif %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
        "{% if add_generation_prompt %}|{% endif %}"
    )

    text = ChatTemplate(source, {"bos_token": "<s>"}).render(
        dialogue([USER, SYSTEM]), []
    )

    assert text == "<s>20Weather?|"


def test_lines_of_statements_leave_no_lines():
    source = (
        "{% for m in messages %}\n    {% if true %}\n{{ m.content }}\n"
        "    {% endif %}\n{% endfor %}\n"
    )

    assert render(source, [USER]) == "Weather?\n"


def test_a_template_that_refuses_everything_is_an_error_with_its_reason():
    with pytest.raises(ModelError, match="only for pictures"):
        render("{{ raise_exception('only for pictures') }}", [USER])


def test_a_template_that_is_none_is_an_error():
    with pytest.raises(ModelError, match="cannot be read"):
        ChatTemplate("{% for %}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ raise_exception.__globals__['json'] }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(source: str):
    with pytest.raises(ModelError, match="refuses"):
        ChatTemplate(source).render(dialogue([USER]), [])


def test_the_common_format_stands_in_for_a_missing_template():
    text = render(CHATML, [SYSTEM, USER])

    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("prompt", "is_open"),
    [
        ("<|im_start|>assistant\n<think>\n", True),
        ("[THINK]", True),
        ("assistant\n<think>\n\n</think>\n\n", False),
        ("<think> is a tag\nassistant\n", False),
    ],
)
def test_a_prompt_may_end_within_reasoning(prompt: str, is_open: bool):
    assert reasoning_open(prompt) is is_open


def test_files_of_text_are_read_and_others_told():
    message = Message(
        "user",
        "Look",
        attachments=(
            Attachment("a.py", "text/x-python", b"print(1)"),
            Attachment("b.png", "image/png", b"\x89PNG"),
        ),
    )

    [entry] = dialogue([message])

    assert entry["content"] == (
        "Look\n\na.py:\n```\nprint(1)\n```\n\n"
        "[b.png (image/png, 4 bytes) cannot be shown here.]"
    )
    assert [file.name for file in unreadable([message])] == ["b.png"]


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, {}),
        ({"reasoning_effort": "low"}, {"enable_thinking": False}),
        ({"reasoning_effort": "high"}, {"enable_thinking": True}),
        ({"enable_thinking": False, "temperature": 0}, {"enable_thinking": False}),
    ],
)
def test_an_effort_switches_thinking_where_the_template_has_a_switch(
    options: dict[str, Any], variables: dict[str, Any]
) -> None:
    source = "{% if enable_thinking is defined and not enable_thinking %}off{% endif %}"
    template = ChatTemplate(source)

    assert template.variables(options) == variables
    off = variables.get("enable_thinking") is False
    text = template.render(dialogue([USER]), [], variables)
    assert text == ("off" if off else "")


def test_an_effort_is_passed_by_name_where_the_template_takes_it() -> None:
    template = ChatTemplate("Reasoning: {{ reasoning_effort | default('medium') }}")

    variables = template.variables({"reasoning_effort": "high"})

    assert template.render(dialogue([USER]), [], variables) == "Reasoning: high"
    assert ChatTemplate("{{ messages }}").variables({"reasoning_effort": "low"}) == {}
