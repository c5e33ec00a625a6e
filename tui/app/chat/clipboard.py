"""Copies text from a chat to the terminal's clipboard."""

from collections.abc import Callable

from tui.app.chat.presenter import Presenter


class Clipboard:
    """Copies text and answers of one chat. Call it in the UI thread."""

    def __init__(
        self,
        presenter: Presenter,
        send: Callable[[str], None],
        hint: Callable[[str], None],
    ) -> None:
        """Use `send` to pass text to the terminal, and `hint` to report it."""
        self._presenter = presenter
        self._send = send
        self._hint = hint

    def copy(self, text: str) -> None:
        """Send `text` to the terminal's clipboard with OSC 52.

        The terminal does not confirm it, so the hint says "sent", not "copied".
        """
        self._send(text)
        self._hint(f"{len(text)} characters sent to the terminal's clipboard")

    def copy_answer(self, number: int) -> None:
        """Copy the Markdown of the `number`th answer, counted from the end."""
        answers = self._presenter.answers
        if 1 <= number <= len(answers):
            self.copy(answers[-number])
        else:
            self._hint(f"No such answer (answers here: {len(answers)})")
