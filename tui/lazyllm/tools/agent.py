"""The names of LazyLLM's `lazyllm.tools.agent`."""

from typing import Any

from tui.lazyllm.agents import PlanAndSolveAgent, ReactAgent, ReWOOAgent
from tui.lazyllm.function_call import FunctionCall, FunctionCallAgent
from tui.lazyllm.scope import missing
from tui.lazyllm.tool_manager import ToolExecutionError, ToolManager, fc_register

register = fc_register

# A package to Python, so that the import of a module of LazyLLM's is explained.
__path__: list[str] = []

__all__ = [
    "FunctionCall",
    "FunctionCallAgent",
    "PlanAndSolveAgent",
    "ReWOOAgent",
    "ReactAgent",
    "ToolExecutionError",
    "ToolManager",
    "fc_register",
    "register",
]


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, __all__)
