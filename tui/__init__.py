"""lazychat: a full-screen terminal chat for language models.

The public names, for programs that use lazychat as a library:

    from tui import FunctionCallAgent, Message, ToolBox, tool

Each name is imported at its first use (PEP 562): `import tui` imports nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.agents import (
        FunctionCallAgent,
        PlanAndSolveAgent,
        ReactAgent,
        ReWOOAgent,
    )
    from tui.config import Config
    from tui.errors import (
        Cancelled,
        ConfigError,
        ContextOverflow,
        LazychatError,
        LogError,
        ModelError,
        ToolError,
    )
    from tui.eventlog import EventLog
    from tui.events import TextDelta
    from tui.lazyllm.file_queue import FileSystemQueue
    from tui.messages import Message, ToolCall, ToolResult, ToolSchema
    from tui.models import Model
    from tui.models.catalog import ModelCatalog
    from tui.models.llama import LlamaEngine, LlamaModel
    from tui.models.openai.model import OpenAIModel
    from tui.models.scripted import ScriptedModel
    from tui.session import SessionPool
    from tui.tools import Tool, ToolBox, tool
    from tui.turn import Cancellation, Turn

_HOMES = {
    "Cancellation": "tui.turn",
    "Cancelled": "tui.errors",
    "Config": "tui.config",
    "ConfigError": "tui.errors",
    "ContextOverflow": "tui.errors",
    "EventLog": "tui.eventlog",
    "FileSystemQueue": "tui.lazyllm.file_queue",
    "FunctionCallAgent": "tui.agents",
    "LazychatError": "tui.errors",
    "LlamaEngine": "tui.models.llama",
    "LlamaModel": "tui.models.llama",
    "LogError": "tui.errors",
    "Message": "tui.messages",
    "Model": "tui.models",
    "ModelCatalog": "tui.models.catalog",
    "ModelError": "tui.errors",
    "OpenAIModel": "tui.models.openai.model",
    "PlanAndSolveAgent": "tui.agents",
    "ReWOOAgent": "tui.agents",
    "ReactAgent": "tui.agents",
    "ScriptedModel": "tui.models.scripted",
    "SessionPool": "tui.session",
    "TextDelta": "tui.events",
    "Tool": "tui.tools",
    "ToolBox": "tui.tools",
    "ToolCall": "tui.messages",
    "ToolError": "tui.errors",
    "ToolResult": "tui.messages",
    "ToolSchema": "tui.messages",
    "Turn": "tui.turn",
    "tool": "tui.tools",
}
"""The module that defines each public name."""

__all__ = [
    "Cancellation",
    "Cancelled",
    "Config",
    "ConfigError",
    "ContextOverflow",
    "EventLog",
    "FileSystemQueue",
    "FunctionCallAgent",
    "LazychatError",
    "LlamaEngine",
    "LlamaModel",
    "LogError",
    "Message",
    "Model",
    "ModelCatalog",
    "ModelError",
    "OpenAIModel",
    "PlanAndSolveAgent",
    "ReWOOAgent",
    "ReactAgent",
    "ScriptedModel",
    "SessionPool",
    "TextDelta",
    "Tool",
    "ToolBox",
    "ToolCall",
    "ToolError",
    "ToolResult",
    "ToolSchema",
    "Turn",
    "tool",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # later lookups skip this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
