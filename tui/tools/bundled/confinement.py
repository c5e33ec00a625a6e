"""Decides where commands may write; `landlock` has the kernel enforce it."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tui import files
from tui.tools.bundled.confined import Folders, label

_PROGRAM = Path(__file__).with_name("landlock.py")
_DEVICES = tuple(
    f"/dev/{name}"
    for name in ("null", "zero", "full", "random", "urandom", "shm", "ptmx", "pts")
)
"""What programs write to that keeps nothing; terminals of their own among it."""


class Confinement:
    """Where commands may write, and what they may not read."""

    def __init__(self, folders: Folders, others: Sequence[str] = ()) -> None:
        """Let commands write in `folders`, in `others` and in temporary folders."""
        self._folders = folders
        self._others = [str(files.expanded(each).absolute()) for each in others]

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs `argv` confined."""
        rules = {
            "write": [*self._writable(), *_DEVICES],
            "hide": self._folders.private,
        }
        encoded = msgspec.json.encode(rules).decode()
        return [sys.executable, "-I", "-S", str(_PROGRAM), encoded, *argv]

    def describe(self) -> str:
        """Say where commands may write, for a model whose command was refused."""
        writable = dict.fromkeys(self._writable())
        folders = ", ".join(map(label, writable))
        ways = [
            label(each) for each in writable if self._folders.private_below(Path(each))
        ]
        kept = ""
        if ways:
            kept = (
                f" lazychat's own files are below {', '.join(ways)}: there, nothing "
                f"can be made beside the folders that lead to them."
            )
        return (
            f"Commands may write only in {folders}.{kept} The user can add to these by "
            f"command_folders under [tools] in config.toml"
        )

    def _writable(self) -> list[str]:
        return [*self._folders.roots, *self._others, *temporary_folders()]


def temporary_folders() -> list[str]:
    """Return the folders in which programs keep temporary files."""
    return list(dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]))
