"""The tools that come with lazychat and tell the truth.

What only computes runs at once; what reads, writes, runs or fetches asks first. Each
family is a module: a class if it needs to know what the configuration allows. What they
return is bounded, and each refusal is one line for the model.
"""

from collections.abc import Callable
from typing import Any

from tui.config import ToolsConfig
from tui.tools.base import Tool
from tui.tools.bundled.calculator import calculate
from tui.tools.bundled.clock import convert_time, current_time
from tui.tools.bundled.commands import LIMIT, Commands
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.confinement import Confinement
from tui.tools.bundled.dice import roll_dice
from tui.tools.bundled.fetching import Fetching
from tui.tools.bundled.reading import Reading
from tui.tools.bundled.searching import Searching
from tui.tools.bundled.writing import Writing
from tui.tools.policy import Preview

_ENDING = 20
"""Seconds beyond its own limit in which a command and its processes must have ended."""


def bundled(settings: ToolsConfig | None = None) -> list[Tool[..., Any]]:
    """Return the tools, for the folders and addresses that `settings` allow.

    None stands for the defaults: the current folder, and public addresses.
    """
    settings = settings or ToolsConfig()
    folders = Folders(settings.folders)
    confinement = (
        Confinement(folders, settings.command_folders)
        if settings.confine_commands
        else None
    )
    reading, writing = Reading(folders), Writing(folders)
    searching, commands = Searching(folders), Commands(folders, confinement)
    fetching = Fetching(settings.private_addresses)
    asking: list[tuple[Callable[..., str], Callable[..., Preview], float | None]] = [
        (reading.read_file, reading.read_preview, None),
        (reading.list_folder, reading.list_preview, None),
        (searching.search_text, searching.preview, None),
        (writing.write_file, writing.write_preview, None),
        (writing.edit_file, writing.edit_preview, None),
        (commands.run_command, commands.preview, LIMIT + _ENDING),
        (fetching.fetch_url, fetching.preview, None),
    ]
    return [
        current_time,
        convert_time,
        calculate,
        roll_dice,
        *(
            Tool(function, policy="ask", preview=preview, timeout=timeout)
            for function, preview, timeout in asking
        ),
    ]
