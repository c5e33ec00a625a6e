"""Opens the user's editor to write a message."""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any

from tui.app.chat.view import Editor
from tui.i18n import _


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
        return text, _("Cannot write a temporary file: {strerror}").format(
            strerror=error.strerror
        )


def edit_in(field: Editor, suspend: Callable[[], AbstractContextManager[None]]) -> str:
    """Edit the text of `field` outside of the app; return why that failed, or ""."""
    with suspend():
        text, problem = edit(field.text)
    field.load_text(text)
    return problem


def _edited(command: str, path: Path, text: str) -> tuple[str, str]:
    try:
        with subprocess.Popen([*shlex.split(command), str(path)]) as editor:
            ended = _wait(editor)
        if editor.returncode and not ended:
            raise subprocess.CalledProcessError(editor.returncode, command)
        return path.read_text("utf-8", "replace").rstrip("\n"), ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return text, _(
            "The editor {command} failed: {error}. Set $VISUAL or $EDITOR."
        ).format(command=command, error=error)


def _wait(editor: "subprocess.Popen[bytes]") -> bool:
    """Wait until the editor exits; return whether a signal of ours made it.

    A signal that ends lazychat ends the editor first. Otherwise lazychat, which waits
    for the editor, would go on.
    """
    passed: list[int] = []
    before: dict[int, Any] = {}

    def pass_on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        editor.send_signal(number)
        if callable(handler := before[number]):
            handler(number, frame)

    for number in (signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.getsignal(number)
        if before[number] not in (signal.SIG_IGN, None):
            signal.signal(number, pass_on)
    try:
        editor.wait()
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
    return bool(passed)
