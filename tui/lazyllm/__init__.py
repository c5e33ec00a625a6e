"""LazyLLM's names, implemented with lazychat's own parts.

The programs of LazyLLM's tutorial on streaming bots run here with their import lines
changed to `from tui import lazyllm` or `from tui.lazyllm import ...`. Calling a module
is a turn in the log of the current session, so this process or another can read its
text from a `FileSystemQueue` while it runs. A name that is not offered says what to use
instead; docs/lazyllm.md lists both.
"""

from typing import Any

from tui.lazyllm import tools
from tui.lazyllm.agents import PlanAndSolveAgent, ReactAgent, ReWOOAgent
from tui.lazyllm.file_queue import FileSystemQueue
from tui.lazyllm.function_call import FunctionCall, FunctionCallAgent
from tui.lazyllm.mcp_client import MCPClient
from tui.lazyllm.modules import TrainableModule
from tui.lazyllm.online import OnlineChatModule, OnlineModule, StaticParams
from tui.lazyllm.pool import Thread, ThreadPoolExecutor
from tui.lazyllm.prompts import ChatPrompter
from tui.lazyllm.scope import missing
from tui.lazyllm.sessions import init_session, new_session, teardown_session
from tui.lazyllm.stream_call import StreamCallHelper
from tui.lazyllm.submodules import explain_missing
from tui.lazyllm.tool_manager import ToolExecutionError, ToolManager, fc_register
from tui.lazyllm.web_module import WebModule

__all__ = [
    "ChatPrompter",
    "FileSystemQueue",
    "FunctionCall",
    "FunctionCallAgent",
    "MCPClient",
    "OnlineChatModule",
    "OnlineModule",
    "PlanAndSolveAgent",
    "ReWOOAgent",
    "ReactAgent",
    "StaticParams",
    "StreamCallHelper",
    "Thread",
    "ThreadPoolExecutor",
    "ToolExecutionError",
    "ToolManager",
    "TrainableModule",
    "WebModule",
    "fc_register",
    "init_session",
    "new_session",
    "teardown_session",
    "tools",
]


explain_missing(__name__)


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, __all__)
