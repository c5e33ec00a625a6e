"""Tools: functions that a model may call.

They are imported at first use (PEP 562): the first frame needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

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
    "File": "returned",
    "Tool": "base",
    "ToolBox": "toolbox",
    "builtin": "registry",
    "installed_tools": "loading",
    "is_demo": "registry",
    "load_tools": "loading",
    "register": "registry",
    "report": "running",
    "tool": "base",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
