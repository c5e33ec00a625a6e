"""Keeps on disk what came of reading a prompt.

Reading 350 tokens takes a second of CPU, taking up what came of it 10 ms. llama.cpp
trusts what it is given and may abort on anything else, so it is given only what its
hash says was written, for this prompt, file and library.
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
"""What is kept: the newest files, and no single one that is larger."""
_HASH = 32


class SavedPrompts:
    """The prompts in `folder`. What fails there is as if nothing were saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def restore(self, context: Context, tokens: Sequence[int]) -> bool:
        """Have `context` hold what was saved of `tokens`; return whether it does.

        What it held before is gone. A file that is not as it was written is removed.
        """
        path = self._path(context, tokens)
        with suppress(OSError):
            if path.stat().st_size > MOST_BYTES:
                path.unlink()
                return False
            data = path.read_bytes()
            whole = _digest(path.name, data[_HASH:]) == data[:_HASH]
            if whole and context.restore(data[_HASH:], tokens):
                os.utime(path)  # it is in use, so it stays
                return True
            path.unlink()
        return False

    def save(self, context: Context) -> None:
        """Save what `context` holds, and remove the oldest of too many."""
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
        """Name a file after all that its content depends on."""
        path = context.weights.path
        with suppress(OSError):
            found = path.stat()
            file = f"{os.path.realpath(path)} {found.st_size} {found.st_mtime_ns}"
            version = importlib.metadata.version("llama-cpp-python")
            # A library that was built for another processor computes alike.
            about = f"1 {version} {file} {context.size} {list(tokens)}"
            return self.folder / hashlib.sha256(about.encode()).hexdigest()
        return self.folder / "none"


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + data).digest()
