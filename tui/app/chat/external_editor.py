"""Opens the user's editor to write a message."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tui.app.chat.view import Editor


def edit(text: str) -> tuple[str, str]:
    """Open `text` in $VISUAL, $EDITOR or vi, and wait until the editor exits.

    Returns the new text and "", or the old text and the reason of the failure. The
    caller must have suspended the app, so that the editor has the terminal.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        with tempfile.TemporaryDirectory(prefix="lazychat-") as folder:
            path = Path(folder) / "message.md"
            path.write_text(text, "utf-8")
            return _edited(command, path, text)
    except OSError as error:
        return text, f"Cannot write a temporary file: {error.strerror}."


def edit_in(field: Editor, suspend: Callable[[], AbstractContextManager[None]]) -> str:
    """Edit the text of `field` outside of the app; return why that failed, or ""."""
    with suspend():
        text, problem = edit(field.text)
    field.load_text(text)
    return problem


def _edited(command: str, path: Path, text: str) -> tuple[str, str]:
    try:
        subprocess.run([*shlex.split(command), str(path)], check=True)
        return path.read_text("utf-8").rstrip("\n"), ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return text, f"The editor {command} failed: {error}. Set $VISUAL or $EDITOR."
