"""Answers that are nothing but calls, without any marker.

Granite 3.3 and 4 write them so, at times, and so do Gemma and other models:
https://github.com/vllm-project/vllm/issues/43104
https://github.com/andrewyng/aisuite/pull/339
"""

from typing import Any

import pytest
from support.gate_rows import Calls, outcome

ALONE = ["granite3", "hermes", "gemma3", "llama_pythonic", "olmo3", "auto"]
ROME = ("get_weather", {"city": "Rome"})
TIME = ("get_time", {})


def told(dialect: str, text: str, **more: Any) -> tuple[str, Calls, list[str]]:
    came = outcome(dialect, text, **more)
    return came.text, came.calls, came.errors


@pytest.mark.parametrize("dialect", ALONE)
@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('get_weather(city="Rome")', [ROME]),
        ("\n get_weather( city = 'Rome' ) \n", [ROME]),
        ('get_weather(city="Rome")\nget_time()\n', [ROME, TIME]),
        ('get_weather(city="Rome"); get_time()', [ROME, TIME]),
        ('get_weather(\n    city="Rome",\n    days=2,\n)',
         [("get_weather", {"city": "Rome", "days": 2})]),
        ('set_light(on=true, rooms=["a)", "b"])',
         [("set_light", {"on": True, "rooms": ["a)", "b"]})]),
        ("get_time()", [TIME]),
    ],
)  # fmt: skip
def test_an_answer_of_calls_alone_is_run(dialect: str, text: str, calls: Calls) -> None:
    shown, made, errors = told(dialect, text)

    assert (shown.strip(), made, errors) == ("", calls, [])


def test_thoughts_before_it_do_not_matter() -> None:
    came = outcome("hermes", '<think>Look.</think>\n\nget_weather(city="Rome")')

    assert (came.calls, came.reasoning, came.text.strip()) == ([ROME], "Look.", "")


@pytest.mark.parametrize("dialect", ALONE)
@pytest.mark.parametrize(
    "text",
    [
        'get_weather(city="Rome") tells the weather.',
        'get_weather(city="Rome")\n\nThis is how it is called.',
        'Call it so:\nget_weather(city="Rome")',
        'Call it so:\n\nget_weather(city="Rome")\nget_time()\n',
        "get_weather(city)",
        'get_weather("Rome")',
        "get_weather(city=name)",
        "get_weather(city=...)",
        "get_weather(city='Rome', **more)",
        'print(get_weather(city="Rome"))',
        'x = get_weather(city="Rome")',
        'other(city="Rome")',
        'get_weathers(city="Rome")',
        '`get_weather(city="Rome")`',
        '```python\nget_weather(city="Rome")\n```',
        "get_weather and get_time are functions.",
        "get_weather: tells the weather of a city",
        'def get_weather(city="Rome"):\n    ...',
    ],
)
def test_what_is_not_only_a_call_is_shown(dialect: str, text: str) -> None:
    assert told(dialect, text) == (text, [], [])


@pytest.mark.parametrize("dialect", ALONE)
def test_without_tools_it_is_text(dialect: str) -> None:
    text = 'get_weather(city="Rome")'

    assert told(dialect, text, tools=None) == (text, [], [])


@pytest.mark.parametrize("dialect", ALONE)
def test_a_call_that_breaks_off_is_not_shown(dialect: str) -> None:
    assert told(dialect, 'get_weather(city="Ro') == ("", [], ["truncated"])


def test_other_families_write_no_such_calls() -> None:
    for dialect in ("glm45", "deepseek_v31", "mistral_args", "kimi_k2"):
        text = 'get_weather(city="Rome")'
        assert told(dialect, text) == (text, [], [])


@pytest.mark.parametrize("dialect", ["gemma4", "auto"])
@pytest.mark.parametrize(
    ("text", "shown", "calls"),
    [
        ("call:get_weather{city:Rome}", "", [ROME]),
        ('call:get_weather{city:"Rome"}\n', "", [ROME]),
        ('call:get_weather{city:<|"|>Rome<|"|>}', "", [ROME]),
        ("call:get_weather{city:Rome, Italy,days:2}", "",
         [("get_weather", {"city": "Rome, Italy", "days": 2})]),
        ("I see.\ncall:get_weather{city:Rome}call:get_time{}", "I see.", [ROME, TIME]),
        ("call:run_python{code:it's {1: 2}, x}", "",
         [("run_python", {"code": "it's {1: 2}, x"})]),
    ],
)  # fmt: skip
def test_gemmas_calls_without_its_tokens_are_run(
    dialect: str, text: str, shown: str, calls: Calls
) -> None:
    """https://github.com/Gitlawb/openclaude/pull/380"""
    came = told(dialect, text)

    assert (came[0].strip(), *came[1:]) == (shown, calls, [])


@pytest.mark.parametrize("dialect", ["gemma4", "auto"])
@pytest.mark.parametrize(
    "text",
    [
        "call:get_weather{city:Rome} is how it is written.",
        "Write call:get_weather{city:Rome}",
        "call:other{city:Rome}",
        "call:get_weather{town:Rome}",
        "call:get_weather{city}",
        "call: get_weather",
        "`call:get_weather{city:Rome}`",
        "call:get_weather{city:Rome",
    ],
)
def test_what_only_names_such_a_call_is_shown(dialect: str, text: str) -> None:
    made = told(dialect, text)[1]

    assert made == []
    if text.count("{") == text.count("}"):
        assert told(dialect, text) == (text, [], [])
