"""Opens the user's editor to write a message."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path


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


def _edited(command: str, path: Path, text: str) -> tuple[str, str]:
    try:
        subprocess.run([*shlex.split(command), str(path)], check=True)
        return path.read_text("utf-8").rstrip("\n"), ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return text, f"The editor {command} failed: {error}. Set $VISUAL or $EDITOR."
