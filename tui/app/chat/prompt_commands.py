"""Offers the user's prompt files as slash commands."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from tui import paths, prompt_files
from tui.app import background, commands
from tui.app.commands import Command
from tui.i18n import _

SECONDS = 1.0
"""Between two looks at the folder, while a slash command is typed."""


class PromptCommands:
    """The prompts of one app. Call it in the UI thread."""

    def __init__(self, problems: list[str], changed: Callable[[], object]) -> None:
        """Add a line for each bad file to `problems`, once.

        `changed` is called, in a thread, when there are other commands than before.
        """
        self._problems = problems
        self._changed = changed
        self._folder = paths.prompt_files_folder()
        self._commands: tuple[Command, ...] = ()
        self._seen: object = None
        self._looked = -SECONDS
        self._busy = threading.Lock()

    def commands(self) -> tuple[Command, ...]:
        """Return a command for each prompt; looks for changes in a thread."""
        now = time.monotonic()
        if now - self._looked >= SECONDS:
            self._looked = now
            background.run("prompts", self.load)
        return self._commands

    def load(self) -> None:
        """Read the prompts if a file has changed. Blocks; any thread."""
        with self._busy:
            state = _state(self._folder)
            if state == self._seen:
                return
            self._seen = state
            found, problems = prompt_files.load(self._folder)
            taken = commands.slashes()
            for prompt in [p for p in found if f"/{p.name}" in taken]:
                found.remove(prompt)
                problems.append(
                    _(
                        "{folder}.md: lazychat has a /{name} command of its own; "
                        "rename the file"
                    ).format(folder=self._folder / prompt.name, name=prompt.name)
                )
            before, self._commands = self._commands, tuple(map(commands.of_file, found))
        if self._commands != before:
            self._changed()
        self._problems += [each for each in problems if each not in self._problems]


def _state(folder: Path) -> object:
    try:
        return [
            (file.name, stat.st_mtime_ns, stat.st_size)
            for file in sorted(folder.iterdir())
            if file.name.endswith(".md") and (stat := file.stat())
        ]
    except OSError:
        return None
