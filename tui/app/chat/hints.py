"""Shows short-lived hints in the status line, and advice about the chosen model."""

from collections.abc import Callable

from rich.cells import cell_len

from tui.app.transcript.note import Note
from tui.app.transcript.pane import Transcript
from tui.app.widgets.status import Status


class Hints:
    """Shows the hints of one chat. Call it in the UI thread."""

    def __init__(self, status: Status, transcript: Transcript) -> None:
        self._status = status
        self._transcript = transcript
        self._advice: list[Note] = []
        self._withdraw: Callable[[], None] | None = None
        self.complaints = 0
        """How often what was typed had a problem."""

    def advise(self, text: str) -> None:
        """Show a line in the conversation until another model is chosen."""
        self._advice.append(self._transcript.add_note(text))

    def forget_advice(self) -> None:
        """Remove such lines."""
        while self._advice:
            self._transcript.remove_note(self._advice.pop())

    def hint(self, text: str, seconds: float | None = None) -> None:
        """Show `text` in the status line until the next key, or for `seconds`."""
        self._status.hint = text
        if seconds is not None:
            self._status.set_timer(seconds, lambda: self.unhint(text))

    def tell(self, text: str) -> None:
        """Show `text` as a hint, or as a note if it does not fit."""
        if cell_len(text) > self._status.content_size.width:
            self._transcript.add_note(text)
        else:
            self.hint(text)

    def complain(self, text: str) -> None:
        """Report a problem with what was typed, until something else is sent."""
        self.forget_complaint()
        self.complaints += 1
        self._withdraw = self.report(text)

    def forget_complaint(self) -> None:
        """Withdraw the last such report."""
        if self._withdraw:
            self._withdraw()
            self._withdraw = None

    def report(self, text: str) -> Callable[[], None]:
        """Report a problem; return what withdraws the report.

        Text that does not fit into the status line becomes a note.
        """
        if "\n" in text or cell_len(text) > self._status.content_size.width:
            note = self._transcript.add_note(text, "warning")
            return lambda: self._transcript.remove_note(note)
        self.hint(text)
        return lambda: self.unhint(text)

    def unhint(self, text: str) -> None:
        """Remove `text` if it is the hint."""
        if self._status.hint == text:
            self._status.hint = ""
