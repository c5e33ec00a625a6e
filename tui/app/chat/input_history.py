"""Provides earlier questions to the composer's Up key."""

from collections.abc import Callable
from contextlib import suppress

from tui.app import background
from tui.app.backend import Store
from tui.app.widgets.composer import Composer
from tui.errors import LogError


class InputHistory:
    """Fills the history of one composer. Call it in the UI thread."""

    def __init__(
        self,
        store: Store,
        conversation: str,
        composer: Composer,
        call_later: Callable[..., object],
    ) -> None:
        """Use `call_later` to pass a call from any thread to the UI thread."""
        self._store = store
        self._conversation = conversation
        self._composer = composer
        self._call_later = call_later
        self._known = 0  # the number of questions in this conversation

    def show(self, questions: list[str]) -> None:
        """Set this conversation's questions, if their number has changed."""
        if len(questions) != self._known:
            self._known = len(questions)
            self._composer.set_history(questions)

    def fetch_older(self) -> None:
        """Add the questions of other conversations; reads them in the background."""
        background.run("questions", self._find)

    def _find(self) -> None:
        with suppress(LogError):
            found = self._store.questions(besides=self._conversation)
            self._call_later(self._composer.add_older, found)
