"""Servers of tools, prompts and resources: the Model Context Protocol (MCP).

Nothing here imports the SDK when it is imported: that takes half a second, which the
thread of `Servers` spends once there is a server to connect.
"""

from tui.mcp.servers import PATIENCE, Servers
from tui.mcp.values import Answer, Field, Prompt, Question, Resource, ServerState

__all__ = [
    "PATIENCE",
    "Answer",
    "Field",
    "Prompt",
    "Question",
    "Resource",
    "ServerState",
    "Servers",
]
