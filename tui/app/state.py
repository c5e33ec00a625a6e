"""Remembers theme, sidebar and streaming between runs, in state.toml.

State, not configuration: config.toml is the user's and never written, this file is
ours. One that cannot be read or written is done without.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from tui import bounds, files


class State(msgspec.Struct, frozen=True):
    """What is remembered; None means: never chosen."""

    theme: str | None = None
    sidebar: bool | None = None
    stream: bool | None = None


def load(path: Path) -> State:
    """Return what `path` remembers; nothing when it is not there or unreadable."""
    with suppress(OSError, ValueError, msgspec.ValidationError):
        return msgspec.convert(bounds.decode_toml(files.read_text(path)), State)
    return State()


def save(path: Path, **changes: str | bool) -> None:
    """Remember `changes` besides what another terminal has remembered meanwhile."""
    import tomli_w  # needed only here, after the first frame

    state = msgspec.structs.asdict(load(path)) | changes
    text = tomli_w.dumps({k: v for k, v in state.items() if v is not None})
    with suppress(OSError):
        files.replace_private(path, text.encode())
