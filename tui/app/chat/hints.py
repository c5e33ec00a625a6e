"""What is said in the status line and soon forgotten."""

from rich.cells import cell_len

from tui.app.transcript.pane import Transcript
from tui.app.widgets.status import Status


class Hints:
    """The hints of one chat. Used in the UI's thread."""

    def __init__(self, status: Status, transcript: Transcript) -> None:
        self._status = status
        self._transcript = transcript

    def hint(self, text: str, seconds: float | None = None) -> None:
        """Say something in the status line until the next key, or for `seconds`."""
        self._status.hint = text
        if seconds is not None:
            self._status.set_timer(seconds, lambda: self._unhint(text))

    def complain(self, text: str) -> None:
        """Say what is wrong with what was typed: it is read and done with.

        What does not fit in the status line becomes a note.
        """
        if "\n" in text or cell_len(text) > self._status.content_size.width:
            self._transcript.add_note(text, "warning")
        else:
            self.hint(text)

    def _unhint(self, text: str) -> None:
        if self._status.hint == text:
            self._status.hint = ""
