"""Opens the user's own editor to write a message."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path


def edit(text: str) -> tuple[str, str]:
    """Open `text` in $VISUAL, $EDITOR or vi and wait until it is closed.

    Returns the new text and "", or the old text and why it could not be edited. The
    terminal must be the editor's meanwhile.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        with tempfile.TemporaryDirectory(prefix="lazychat-") as folder:
            path = Path(folder) / "message.md"
            path.write_text(text, "utf-8")
            return _edited(command, path, text)
    except OSError as error:
        return text, f"No temporary file can be written: {error.strerror}."


def _edited(command: str, path: Path, text: str) -> tuple[str, str]:
    try:
        subprocess.run([*shlex.split(command), str(path)], check=True)
        return path.read_text("utf-8").rstrip("\n"), ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return text, f"The editor {command} failed: {error}. Set $VISUAL or $EDITOR."
