"""Remembers theme, sidebar, streaming and the like between runs, in state.toml.

config.toml belongs to the user and is never written; state.toml belongs to the program.
If it cannot be read or written, it is ignored.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from tui import state_file


class State(msgspec.Struct, frozen=True):
    """The remembered choices; None if the user never chose."""

    theme: str | None = None
    sidebar: bool | None = None
    stream: bool | None = None
    commands: tuple[str, ...] = ()
    """Names of the commands that were used last, the newest first."""
    vi: bool | None = None
    mouse: bool | None = None
    reasoning: bool | None = None
    """Whether the reasoning of all answers is shown."""


def load(path: Path) -> State:
    """Return the state in `path`; empty if the file is missing or invalid."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(state_file.read(path), State)
    return State()


def save(path: Path, **changes: str | bool | list[str]) -> None:
    """Store `changes`, and keep what is there otherwise."""
    with suppress(OSError):
        state_file.change(path, lambda table: table.update(changes))
