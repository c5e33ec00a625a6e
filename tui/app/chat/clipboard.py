"""Copies texts of a chat to the terminal's clipboard."""

from collections.abc import Callable

from tui.app.chat.presenter import Presenter


class Clipboard:
    """What copies in one chat. Used in the UI's thread."""

    def __init__(
        self,
        presenter: Presenter,
        send: Callable[[str], None],
        hint: Callable[[str], None],
    ) -> None:
        """Take how to `send` a text to the terminal."""
        self._presenter = presenter
        self._send = send
        self._hint = hint

    def copy(self, text: str) -> None:
        """Send `text` to the terminal's clipboard by OSC 52.

        Nobody answers whether the terminal took it, so we do not say that it did.
        """
        self._send(text)
        self._hint(f"{len(text)} characters sent to the terminal's clipboard")

    def copy_answer(self, number: int) -> None:
        """Copy the Markdown of the `number`th answer from the end."""
        answers = self._presenter.answers
        if 1 <= number <= len(answers):
            self.copy(answers[-number])
        else:
            self._hint("There is no such answer")
