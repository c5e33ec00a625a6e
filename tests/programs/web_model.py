"""The tutorial's second program: a model behind its page."""

import sys

from tui import lazyllm

if sys.argv[1] == "online":
    llm = lazyllm.OnlineChatModule(stream=True)
else:
    llm = lazyllm.TrainableModule("internlm2-chat-20b", stream=True)
lazyllm.WebModule(llm, port=int(sys.argv[2])).start().wait()
