"""The last program of the current page: an agent that traces, behind its page."""

import json
import sys
from typing import Literal

from tui import lazyllm
from tui.lazyllm import ReactAgent, fc_register


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
    return json.dumps({"location": location, "temperature": "10", "unit": unit})


if sys.argv[1] == "online":
    llm = lazyllm.OnlineChatModule(return_trace=True)
else:
    llm = lazyllm.TrainableModule(
        "internlm2-chat-20b", stream=True, return_trace=True
    ).start()
agent = ReactAgent(llm, ["get_current_weather"], return_trace=True)
lazyllm.WebModule(agent, port=int(sys.argv[2]), stream=True).start().wait()
