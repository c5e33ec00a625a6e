"""Tools: functions that a model may call."""

from tui.tools.loading import installed_tools, load_tools
from tui.tools.registry import builtin, is_demo, register
from tui.tools.returned import File
from tui.tools.running import report
from tui.tools.tool import Tool, tool
from tui.tools.toolbox import ToolBox

__all__ = [
    "File",
    "Tool",
    "ToolBox",
    "builtin",
    "installed_tools",
    "is_demo",
    "load_tools",
    "register",
    "report",
    "tool",
]
