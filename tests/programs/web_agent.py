"""The tutorial's fourth program: an agent with two tools behind its page."""

import json
import sys
from typing import Literal

from tui import lazyllm
from tui.lazyllm import FunctionCallAgent, fc_register


@fc_register("tool")
def get_current_weather(
    location: str, unit: Literal["fahrenheit", "celsius"] = "fahrenheit"
):
    """
    Get the current weather in a given location

    Args:
        location (str): The city and state, e.g. San Francisco, CA.
        unit (str): The temperature unit to use. Infer this from the users location.
    """
    if "tokyo" in location.lower():
        return json.dumps({"location": "Tokyo", "temperature": "10", "unit": "celsius"})
    return json.dumps({"location": location, "temperature": "unknown"})


@fc_register("tool")
def get_n_day_weather_forecast(
    location: str,
    num_days: int,
    unit: Literal["celsius", "fahrenheit"] = "fahrenheit",
):
    """
    Get an N-day weather forecast

    Args:
        location (str): The city and state, e.g. San Francisco, CA.
        num_days (int): The number of days to forecast.
        unit (Literal['celsius', 'fahrenheit']): The temperature unit to use.
    """
    return json.dumps({"location": location, "temperature": "10", "days": num_days})


if sys.argv[1] == "online":
    llm = lazyllm.OnlineChatModule()
else:
    llm = lazyllm.TrainableModule("internlm2-chat-20b", stream=True)
tools = ["get_current_weather", "get_n_day_weather_forecast"]
agent = FunctionCallAgent(llm, tools)
lazyllm.WebModule(agent, port=int(sys.argv[2])).start().wait()
