"""Tools: functions that a model may call.

They are imported at first use (PEP 562): the first frame needs none of them.
"""

from typing import TYPE_CHECKING

from tui.lazy_names import lazy_names

if TYPE_CHECKING:
    from tui.tools.base import Tool, tool
    from tui.tools.loading import installed_tools, load_tools
    from tui.tools.registry import builtin, is_demo, register
    from tui.tools.returned import File
    from tui.tools.running import report
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

_HOMES = {
    "File": "tui.tools.returned",
    "Tool": "tui.tools.base",
    "ToolBox": "tui.tools.toolbox",
    "builtin": "tui.tools.registry",
    "installed_tools": "tui.tools.loading",
    "is_demo": "tui.tools.registry",
    "load_tools": "tui.tools.loading",
    "register": "tui.tools.registry",
    "report": "tui.tools.running",
    "tool": "tui.tools.base",
}

__getattr__ = lazy_names(__name__, _HOMES)
