"""Saves the computed state of prompts to disk.

Restoring a state is many times faster than reading the prompt again. llama.cpp trusts a
state and may abort on a wrong one. So only a state is restored whose hash proves that
it was written for this prompt, file and library.
"""

import hashlib
import importlib.metadata
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tui.files import replace_private
from tui.models.llama.context import Context

MOST_FILES, MOST_BYTES = 8, 32 * 1024 * 1024
"""How many files are kept, the newest ones, and the size limit of each."""
_HASH = 32


class SavedPrompts:
    """The saved prompts in `folder`. Errors are treated as if nothing were saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def restore(self, context: Context, tokens: Sequence[int]) -> bool:
        """Restore the saved state of `tokens` in `context`; return whether it worked.

        The previous state of the context is lost. A file with a wrong hash is removed.
        """
        path = self._path(context, tokens)
        with suppress(OSError):
            if path.stat().st_size > MOST_BYTES:
                path.unlink()
                return False
            data = path.read_bytes()
            whole = _digest(path.name, data[_HASH:]) == data[:_HASH]
            if whole and context.restore(data[_HASH:], tokens):
                os.utime(path)  # mark it as used, so that `save` keeps it
                return True
            path.unlink()
        return False

    def save(self, context: Context) -> None:
        """Save the state of `context`, and remove the oldest files beyond the limit."""
        path = self._path(context, context.tokens)
        data = context.state()
        if not data or len(data) > MOST_BYTES - _HASH:
            return
        with suppress(OSError):
            replace_private(path, _digest(path.name, data) + data)
            files = [(p.stat().st_mtime, p) for p in self.folder.iterdir()]
            for _, old in sorted(files)[:-MOST_FILES]:
                old.unlink()

    def _path(self, context: Context, tokens: Sequence[int]) -> Path:
        """Return the path for a state, named after everything it depends on."""
        path = context.weights.path
        with suppress(OSError):
            found = path.stat()
            file = f"{os.path.realpath(path)} {found.st_size} {found.st_mtime_ns}"
            version = importlib.metadata.version("llama-cpp-python")
            # The build is left out: builds for other processors compute the same state.
            about = f"1 {version} {file} {context.size} {list(tokens)}"
            return self.folder / hashlib.sha256(about.encode()).hexdigest()
        return self.folder / "none"


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + data).digest()
