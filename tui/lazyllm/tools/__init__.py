"""The names of LazyLLM's `lazyllm.tools`."""

from typing import Any

from tui.lazyllm.agents import PlanAndSolveAgent, ReactAgent, ReWOOAgent
from tui.lazyllm.function_call import FunctionCall, FunctionCallAgent
from tui.lazyllm.mcp_client import MCPClient
from tui.lazyllm.scope import missing
from tui.lazyllm.stream_call import StreamCallHelper
from tui.lazyllm.tool_manager import ToolExecutionError, ToolManager, fc_register
from tui.lazyllm.tools import agent
from tui.lazyllm.web_module import WebModule

__all__ = [
    "FunctionCall",
    "FunctionCallAgent",
    "MCPClient",
    "PlanAndSolveAgent",
    "ReWOOAgent",
    "ReactAgent",
    "StreamCallHelper",
    "ToolExecutionError",
    "ToolManager",
    "WebModule",
    "agent",
    "fc_register",
]


def __getattr__(name: str) -> Any:
    # The table has LazyLLM's names wherever they are; `tools` alone is this module.
    raise missing(__name__, "tools.tools" if name == "tools" else name, __all__)
