"""The two example tools."""

import json
from collections.abc import Generator

import pytest

from tui.events import Event
from tui.messages import ToolCall, ToolResult
from tui.tools import ToolBox, builtin
from tui.tools.weather import NOTE, get_current_weather, get_n_day_weather_forecast

TOKYO = {"location": "Tokyo", "temperature": "10", "unit": "celsius"}
BAY = {"location": "San Francisco", "temperature": "72", "unit": "fahrenheit"}
PARIS = {"location": "Paris", "temperature": "22", "unit": "celsius"}
BEIJING = {"location": "Beijing", "temperature": "90", "unit": "fahrenheit"}


@pytest.mark.parametrize(
    ("location", "weather"),
    [
        ("Tokyo", TOKYO),
        ("tokyo, Japan", TOKYO),
        ("东京", TOKYO),
        ("東京都", TOKYO),
        ("San Francisco, CA", BAY),
        ("SF", BAY),
        ("旧金山", BAY),
        ("三藩市", BAY),
        ("PARIS", PARIS),
        ("巴黎", PARIS),
        ("去paris玩", PARIS),
        ("Beijing", BEIJING),
        ("Peking", BEIJING),
        ("北京市", BEIJING),
        ("Comparison", {"location": "Comparison", "temperature": "unknown"}),
        ("Sfax", {"location": "Sfax", "temperature": "unknown"}),
        ("Köln", {"location": "Köln", "temperature": "unknown"}),
    ],
)
def test_current_weather(location, weather):
    assert json.loads(get_current_weather(location)) == {**weather, "note": NOTE}


@pytest.mark.parametrize(
    ("location", "weather"),
    [
        ("Tokyo", {**TOKYO, "num_days": 3}),
        ("旧金山", {**BAY, "temperature": "75", "num_days": 3}),
        ("Paris", {**PARIS, "temperature": "25", "num_days": 3}),
        ("Beijing", {**BEIJING, "temperature": "85", "num_days": 3}),
        ("Oslo", {"location": "Oslo", "temperature": "unknown"}),
    ],
)
def test_forecast(location, weather):
    said = json.loads(get_n_day_weather_forecast(location, 3))

    assert said == {**weather, "note": NOTE}


def test_they_are_bundled_and_run_by_name():
    box = ToolBox(builtin())
    wanted = {"location": "Paris", "num_days": "2", "unit": "celsius"}
    call = ToolCall("1", "get_n_day_weather_forecast", wanted)

    assert json.loads(result(box.run(call)).output)["num_days"] == 2


def result(run: Generator[Event, None, ToolResult]) -> ToolResult:
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def test_the_model_is_told_what_they_need():
    tools = [get_current_weather, get_n_day_weather_forecast]
    current, forecast = ToolBox(tools).schemas()

    assert current.parameters["required"] == ["location"]
    assert forecast.parameters["required"] == ["location", "num_days"]
    assert forecast.parameters["properties"]["unit"] == {
        "type": "string",
        "enum": ["celsius", "fahrenheit"],
        "description": "The temperature unit to use. Infer this from the user's "
        "location.",
        "default": "fahrenheit",
    }
    assert {"weather", "天气"} <= set(current.keywords)
    assert {"forecast", "预报"} <= set(forecast.keywords)


def test_nobody_can_take_it_for_real_weather():
    for tool in (get_current_weather, get_n_day_weather_forecast):
        assert tool.summary.startswith("Demo data: ")
        assert tool.schema.description.startswith("Demo data: ")
    assert NOTE == "demo data, not real weather"
