"""The tutorial's third program: two tools by name, and an agent that may call them.

Its front end is here the loop of the first one. A third argument names another agent.
"""

import json
import sys
from typing import Literal

from tui import lazyllm
from tui.lazyllm import fc_register
from tui.lazyllm.tools import (
    FunctionCallAgent,
    PlanAndSolveAgent,
    ReactAgent,
    ReWOOAgent,
)

AGENTS = {
    kind.__name__: kind
    for kind in (FunctionCallAgent, ReactAgent, PlanAndSolveAgent, ReWOOAgent)
}

KNOWN = {"tokyo": ("10", "celsius"), "san francisco": ("72", "fahrenheit")}


def report(location: str, **more: object) -> str:
    for city, (temperature, unit) in KNOWN.items():
        if city in location.lower():
            found = {"location": city, "temperature": temperature, "unit": unit}
            return json.dumps(found | more)
    return json.dumps({"location": location, "temperature": "unknown"})


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
    return report(location)


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
    if num_days > 14:
        raise ValueError("nobody knows so far ahead")
    return report(location, num_days=num_days)


name, question, *kind = sys.argv[1:]
if name == "online":
    llm = lazyllm.OnlineChatModule()
else:
    llm = lazyllm.TrainableModule(name, stream=True)
tools = ["get_current_weather", "get_n_day_weather_forecast"]
agent = AGENTS[kind[0] if kind else "FunctionCallAgent"](llm, tools)

with lazyllm.ThreadPoolExecutor(1) as executor:
    future = executor.submit(agent, question)
    while True:
        if value := lazyllm.FileSystemQueue().dequeue():
            print(f"output: {''.join(value)}")
        elif future.done():
            break
    print(f"ret: {future.result()}")
