"""The tutorial's loop over an agent, which drains the answer and the trace."""

import json
import sys

from tui import lazyllm
from tui.lazyllm.tools import ReactAgent, fc_register


@fc_register("tool")
def get_current_weather(location: str, unit: str = "fahrenheit"):
    """
    Get the current weather in a given location

    Args:
        location (str): The city and state, e.g. San Francisco, CA.
        unit (str): The temperature unit to use. Infer this from the users location.
    """
    return json.dumps({"location": location, "temperature": "10", "unit": unit})


name, query = sys.argv[1:]
if name == "online":
    llm = lazyllm.OnlineChatModule(stream=True, return_trace=True)
else:
    llm = lazyllm.TrainableModule(name, stream=True, return_trace=True).start()
agent = ReactAgent(llm, ["get_current_weather"], return_trace=True)

with lazyllm.ThreadPoolExecutor(1) as executor:
    future = executor.submit(agent, query)
    while True:
        if value := lazyllm.FileSystemQueue().dequeue():
            print(f"output: {''.join(value)}")
        elif value := lazyllm.FileSystemQueue().get_instance("lazy_trace").dequeue():
            print(f"trace: {''.join(value)}")
        elif future.done():
            break
    print(f"ret: {future.result()}")
