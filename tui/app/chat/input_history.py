"""What the user asked before, as Up in the composer brings it back."""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background
from tui.app.backend import Store
from tui.app.widgets.composer import Composer
from tui.errors import LogError


class InputHistory:
    """Keeps what a composer knows of former questions. Used in the UI's thread."""

    def __init__(
        self,
        store: Store,
        conversation: str,
        composer: Composer,
        call_later: Callable[..., object],
    ) -> None:
        """Take what brings a call from any thread into the UI's."""
        self._store = store
        self._conversation = conversation
        self._composer = composer
        self._call_later = call_later
        self._known = 0  # questions of this conversation

    def show(self, questions: list[str]) -> None:
        """Take the questions of this conversation, if there are other ones."""
        if len(questions) != self._known:
            self._known = len(questions)
            self._composer.set_history(questions)

    def fetch_older(self) -> None:
        """Have those of other conversations added, beside the screen."""
        background.run("questions", self._find)

    def _find(self) -> None:
        with suppress(LogError):
            found = self._store.questions(besides=self._conversation)
            self._call_later(self._composer.add_older, found)
