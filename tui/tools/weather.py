"""The two example tools: made-up weather of four cities, always the same.

They are on with the starter, so that a first question can show a tool call without a
key, a server or a network. A real model has them only where the user or a program asks
for them. The figures are those of LazyLLM's tutorial; each city has one unit, which the
answer states.
"""

import re
from typing import Any, Literal

import msgspec

from tui.tools.base import tool

Unit = Literal["celsius", "fahrenheit"]

NOTE = "demo data, not real weather"
"""Is part of every result, for the model and the user."""


class _City(msgspec.Struct, frozen=True):
    name: str
    aliases: tuple[str, ...]
    now: str
    ahead: str
    unit: Unit


_CITIES = (
    _City("Tokyo", ("tokyo", "tōkyō", "东京", "東京"), "10", "10", "celsius"),
    _City(
        "San Francisco",
        ("san francisco", "sf", "frisco", "旧金山", "舊金山", "三藩市"),
        "72",
        "75",
        "fahrenheit",
    ),
    _City("Paris", ("paris", "巴黎"), "22", "25", "celsius"),
    _City("Beijing", ("beijing", "peking", "北京"), "90", "85", "fahrenheit"),
)


@tool(
    keywords=(
        *("weather", "temperature", "hot", "cold", "warm", "degrees", "outside"),
        *("天气", "天氣", "气温", "氣溫", "温度", "冷", "热"),
    )
)
def get_current_weather(location: str, unit: Unit = "fahrenheit") -> str:
    """Demo data: get the current weather in a given location.

    Args:
        location: The city and state, e.g. San Francisco, CA.
        unit: The temperature unit to use. Infer this from the user's location.
    """
    city = _find(location)
    return _json(city, location, city.now if city else "")


@tool(
    keywords=(
        *("forecast", "days", "week", "tomorrow", "weather", "temperature"),
        *("预报", "預報", "未来", "未來", "几天", "明天", "一周", "天气", "天氣"),
    )
)
def get_n_day_weather_forecast(
    location: str, num_days: int, unit: Unit = "fahrenheit"
) -> str:
    """Demo data: get an N-day weather forecast.

    Args:
        location: The city and state, e.g. San Francisco, CA.
        num_days: The number of days to forecast.
        unit: The temperature unit to use. Infer this from the user's location.
    """
    city = _find(location)
    days = {"num_days": num_days} if city else {}
    return _json(city, location, city.ahead if city else "", **days)


def _find(location: str) -> _City | None:
    text = location.casefold()
    for city in _CITIES:
        # Not \b: Chinese characters count as letters, as in "去paris玩".
        if any(re.search(rf"(?<![a-z]){a}(?![a-z])", text) for a in city.aliases):
            return city
    return None


def _json(city: _City | None, location: str, temperature: str, **more: Any) -> str:
    if city is None:
        answer = {"location": location, "temperature": "unknown"}
    else:
        answer = {"location": city.name, "temperature": temperature, "unit": city.unit}
    return msgspec.json.encode({**answer, **more, "note": NOTE}).decode()


TOOLS = (get_current_weather, get_n_day_weather_forecast)
