"""The program of the tutorial's later version, with a loop for its front end.

It starts the model, traces, asks twice with what was said before, and has a prompt.
"""

import sys

from tui import lazyllm
from tui.lazyllm import fc_register
from tui.lazyllm.tools.agent import FunctionCallAgent


@fc_register("tool", execute_in_sandbox=False)
def get_current_weather(location, unit="fahrenheit"):
    """
    Get the current weather in a given location

    Args:
        location (str): The city and state, e.g. San Francisco, CA.
        unit (Literal['celsius', 'fahrenheit']): The temperature unit to use.
    """
    return f"10 degrees in {location}"


name, *questions = sys.argv[1:]
if name == "online":
    llm = lazyllm.OnlineChatModule(return_trace=True)
else:
    llm = lazyllm.TrainableModule(name, stream=True, return_trace=True).start()
agent = FunctionCallAgent(llm, ["get_current_weather"], return_trace=True).start()

history = []
with lazyllm.ThreadPoolExecutor(1) as executor:
    for question in questions:
        future = executor.submit(agent, question, llm_chat_history=history)
        while True:
            if value := lazyllm.FileSystemQueue().dequeue():
                print(f"output: {''.join(value)}")
            elif future.done():
                break
        history.append([question, future.result()])
for line in lazyllm.FileSystemQueue().get_instance("lazy_trace").dequeue():
    print(f"trace: {line}", end="")
