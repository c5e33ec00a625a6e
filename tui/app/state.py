"""Remembers theme, sidebar and streaming between runs, in state.toml.

config.toml belongs to the user and is never written; state.toml belongs to the program.
If it cannot be read or written, it is ignored.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from tui import bounds, files


class State(msgspec.Struct, frozen=True):
    """The remembered choices; None if the user never chose."""

    theme: str | None = None
    sidebar: bool | None = None
    stream: bool | None = None


def load(path: Path) -> State:
    """Return the state in `path`; empty if the file is missing or invalid."""
    with suppress(OSError, ValueError, msgspec.ValidationError):
        return msgspec.convert(bounds.decode_toml(files.read_text(path)), State)
    return State()


def save(path: Path, **changes: str | bool) -> None:
    """Store `changes`, and keep what another process stored in the meantime."""
    import tomli_w  # needed only here, after the first frame

    state = msgspec.structs.asdict(load(path)) | changes
    text = tomli_w.dumps({k: v for k, v in state.items() if v is not None})
    with suppress(OSError):
        files.replace_private(path, text.encode())
