"""The tutorial's first program: what a model says is drained while it is said."""

import sys
from functools import partial

from tui import lazyllm

name, question = sys.argv[1:]
if name == "online":
    llm = lazyllm.OnlineChatModule(stream=True)
else:
    llm = lazyllm.TrainableModule(name, stream=True)

with lazyllm.ThreadPoolExecutor(1) as executor:
    future = executor.submit(partial(llm, llm_chat_history=[]), question)
    while True:
        if value := lazyllm.FileSystemQueue().dequeue():
            print(f"output: {''.join(value)}")
        elif future.done():
            break
    print(f"ret: {future.result()}")
