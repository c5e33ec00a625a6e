"""Copies text from a chat: to the terminal's clipboard, tmux's buffer, or a file.

The terminal's clipboard is written with OSC 52, which no terminal confirms and tmux
drops by default. So within tmux the text goes through `tmux load-buffer`, which says
whether it has worked. A text that is longer than terminals take goes into a file.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tui import files, paths
from tui.app import background
from tui.app.chat.presenter import Presenter
from tui.i18n import _

MOST_BYTES = 74_994
"""Bytes of one copy: xterm and others take 100,000 characters of base64."""
_TMUX_SECONDS = 2.0


class Clipboard:
    """Copies text and answers of one chat. Call it in the UI thread."""

    def __init__(
        self,
        presenter: Presenter,
        send: Callable[[str], None],
        hint: Callable[[str], None],
        call_later: Callable[..., object],
        *,
        here: bool = True,
    ) -> None:
        """Use `send` to pass text to the terminal, and `hint` to report it.

        `here`: whether the terminal belongs to this machine's user, so that its tmux
        and files are theirs too.
        """
        self._presenter = presenter
        self._send = send
        self._hint = hint
        self._call_later = call_later
        self._here = here

    def copy(self, text: str) -> None:
        """Copy `text`, and report where it went.

        No terminal confirms OSC 52, so the hint then says "sent", not "copied".
        """
        data = text.encode("utf-8", "replace")
        if self._here and len(data) > MOST_BYTES:
            self._try(lambda: _write(data), text)
        elif self._here and os.environ.get("TMUX"):
            self._try(lambda: _to_tmux(data, len(text)), text)
        else:
            self._send_to_terminal(text)

    def _try(self, work: Callable[[], str], text: str) -> None:
        """Do `work` in a thread; if it returns nothing to say, send to the terminal."""

        def report(said: str) -> None:
            if said:
                self._hint(said)
            else:
                self._send_to_terminal(text)

        def try_it() -> None:
            self._call_later(report, work())

        background.run("copy", try_it)

    def _send_to_terminal(self, text: str) -> None:
        self._send(text)
        self._hint(
            _("{count:,} characters sent to the terminal's clipboard").format(
                count=len(text)
            )
        )

    def copy_answer(self, number: int) -> None:
        """Copy the Markdown of the `number`th answer, counted from the end."""
        answers = self._presenter.answers
        if 1 <= number <= len(answers):
            self.copy(answers[-number])
        elif answers:
            self._hint(
                _("No such answer (there are {count})").format(count=len(answers))
            )
        else:
            self._hint(_("No answer to copy yet"))


def _to_tmux(data: bytes, length: int) -> str:
    """Pass a copy to tmux, which passes it on to its terminal; return what to say."""
    for options in (["-w"], []):  # before 3.2 there is no -w
        try:
            done = subprocess.run(
                ["tmux", "load-buffer", *options, "-"],
                input=data,
                capture_output=True,
                timeout=_TMUX_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        if done.returncode == 0:
            where = (
                _("tmux and its terminal") if options else _("tmux (prefix ] pastes)")
            )
            return _("{length:,} characters copied to {where}").format(
                length=length, where=where
            )
    return ""


def _write(data: bytes) -> str:
    """Write a long copy to a file of its own; return what to say."""
    path = paths.copied_file()
    try:
        files.replace_private(path, data)
    except OSError:
        return ""
    home = str(Path.home())
    shown = str(path)
    shown = f"~{shown[len(home) :]}" if shown.startswith(home + os.sep) else shown
    return _("Too long for a clipboard: written to {shown}").format(shown=shown)
