"""Finds registered and bundled tools by name."""

from collections.abc import Iterable
from typing import Any

from tui.config import ToolsConfig
from tui.errors import ConfigError
from tui.tools.base import Tool

_registered: dict[str, Tool[..., Any]] = {}


def register(tool: Tool[..., Any]) -> None:
    """Let `get` find `tool` by its name; replaces an earlier one."""
    _registered[tool.name] = tool


def builtin(settings: ToolsConfig | None = None) -> dict[str, Tool[..., Any]]:
    """Return the tools that come with lazychat, by name.

    `settings` say which folders and addresses they may use; None for the defaults.
    """
    from tui.tools import weather
    from tui.tools.bundled import bundled

    return {tool.name: tool for tool in (*bundled(settings), *weather.TOOLS)}


def is_demo(tool: Tool[..., Any]) -> bool:
    """Whether `tool` is an example whose results are made up."""
    from tui.tools import weather

    return tool in weather.TOOLS


def get(name: str) -> Tool[..., Any]:
    """Return the registered tool of this name, or else the bundled one.

    Raises `ConfigError`, with the nearest names, if there is none.
    """
    if name in _registered:
        return _registered[name]
    known = {**builtin(), **_registered}
    if name in known:
        return known[name]
    near = nearest(name, known)
    hint = f"did you mean {' or '.join(near)}?" if near else "register it first."
    raise ConfigError(f"No tool is named {name}; {hint}")


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return up to two of `names` that resemble `name`, the nearest first."""
    from difflib import get_close_matches  # imported late, as names are rarely wrong

    by_lower = {n.lower(): n for n in names}
    return [by_lower[n] for n in get_close_matches(name.lower(), by_lower, 2, 0.5)]
