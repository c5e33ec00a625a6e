"""Begins the set-up, and offers on the first screen what was found on this machine."""

from collections.abc import Callable
from typing import Any, Protocol

from tui.app import background
from tui.app.backend import Backend
from tui.app.chat.screen import ChatScreen
from tui.app.setup.downloads import Downloads
from tui.i18n import _


class _App(Protocol):
    @property
    def screen(self) -> object: ...
    def push_screen(self, screen: Any, callback: Callable[[Any], None]) -> object: ...
    def call_later(self, callback: Callable[..., Any], *args: Any) -> object: ...


class SetupController:
    """The set-up of one app. Call it in the UI thread."""

    def __init__(
        self,
        app: _App,
        backend: Backend,
        chat: Callable[[], ChatScreen | None],
        use: Callable[[str], None],
    ) -> None:
        """Call `use` with the name of a chosen model."""
        self._app = app
        self._backend = backend
        self._chat = chat
        self._use = use
        self._offered = False
        """Whether models were found while only the starter is there to answer."""
        self._shown_on: ChatScreen | None = None
        """The screen whose status line shows the download."""
        self.downloads = Downloads(
            lambda: backend.setup, app.call_later, self._show_download, self._tell
        )

    def close(self) -> None:
        """Stop the download; the next one continues where it was."""
        self.downloads.stop()

    def _show_download(self, short: str) -> None:
        chat = self._chat()
        if self._shown_on and self._shown_on is not chat:
            self._shown_on.status.aside = ""
        self._shown_on = chat
        if chat:
            chat.status.aside = short

    def _tell(self, text: str) -> None:
        if chat := self._chat():
            chat.transcript.add_note(text)

    def begin(self, *, adding: bool) -> None:
        """Show the models, or with `adding` only those that can be added."""
        self._offered = False
        chat = self._chat()
        if chat and "setup" in self._backend.refused:
            self._choose_of_all(chat)
        elif chat:
            from tui.app.setup.flow import SetupFlow

            SetupFlow(
                self._app,
                self._backend,
                chat.model,
                self.downloads,
                adding=adding,
                use=self._use,
                tell=chat.complain,
            ).begin()

    def _choose_of_all(self, chat: ChatScreen) -> None:
        """Show the models there are, where none can be added."""
        from tui.app.dialogs.choice import ChoiceScreen

        models = self._backend.models
        about = {name: models.about(name) for name in models.names}
        note = _("Add models on the machine that serves this page")

        def choose(name: str | None) -> None:
            if name:
                self._use(name)

        dialog = ChoiceScreen(_("Choose a model"), about, chat.model, note=note)
        self._app.push_screen(dialog, choose)

    def offer(self) -> None:
        """Look for better models than the starter; say what was found."""

        def look() -> None:  # the import is slow too
            from tui.app.setup.offer import find

            if text := find(self._backend.setup, self._backend.models):
                self._app.call_later(self._found, text)

        background.run("offer", look)

    def _found(self, text: str) -> None:
        if chat := self._chat():
            self._offered = True
            if not chat.first_screen.found(text):
                chat.hints.advise(
                    _("Found {text}. Press Enter to choose one.").format(text=text)
                )

    def takes(self, key: str) -> bool:
        """Begin the set-up if `key` accepts the offer; return whether it does."""
        chat = self._chat()
        if (
            key != "enter"
            or not self._offered
            or chat is None
            or chat is not self._app.screen
            or not chat.composer.has_focus
            or not chat.is_untouched
        ):
            return False
        self.begin(adding=True)
        return True
