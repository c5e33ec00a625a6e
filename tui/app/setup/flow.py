"""Leads from one screen of the set-up to the next, and back by Esc."""

from collections.abc import Callable
from typing import Any, Protocol

from tui.app import background
from tui.app.backend import Backend
from tui.app.setup.downloads import Downloads
from tui.app.setup.key_screen import KeyScreen, OneField, WithKey
from tui.app.setup.model_screen import ModelScreen
from tui.app.setup.pull_screen import PullScreen
from tui.app.setup.rows import Address, At, Download, InFile, Pick, Unlock, Use
from tui.app.setup.server_screen import Refused, ServerScreen
from tui.errors import ConfigError, LazychatError, ModelError
from tui.i18n import _
from tui.models.setup import (
    Kept,
    Place,
    model_in,
    place_of_address,
    require_model,
)
from tui.turn import Cancellation


class _App(Protocol):
    def push_screen(self, screen: Any, callback: Callable[[Any], None]) -> object: ...
    def call_later(self, callback: Callable[..., Any], *args: Any) -> object: ...


class SetupFlow:
    """One run of the set-up, or of the model picker. Call it in the UI thread."""

    def __init__(
        self,
        app: _App,
        backend: Backend,
        current: str,
        downloads: Downloads,
        *,
        adding: bool,
        use: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        """Call `use` with the name of the chosen model, `tell` with lines to show.

        With `adding`, the model becomes that of new conversations; else it does only if
        the configuration names none.
        """
        self._app = app
        self._backend = backend
        self._setup = backend.setup
        self._current = current
        self._downloads = downloads
        self._adding = adding
        self._default = adding or not backend.config.model
        self._use = use
        self._tell = tell

    def begin(self) -> None:
        """Show the list of models."""
        models = self._backend.models
        screen = ModelScreen(models, self._setup, self._current, adding=self._adding)
        self._app.push_screen(screen, self._picked)

    def _picked(self, pick: Pick | None) -> None:
        match pick:
            case None:
                pass
            case Use(name):
                self._use(name)
            case Unlock(name, place):
                self._unlock(name, place)
            case InFile(path):
                self._keep_file(path)
            case At(place, model) if place.is_local and model:
                background.run("keep", lambda: self._keep_model(place, model))
            case At(place, model):
                background.run("key", lambda: self._look_for_key(place, model))
            case Address(""):
                about = _(
                    "The address of an OpenAI-compatible server: "
                    "https://llm.example.com/v1, or gpu-box:8000"
                )
                screen = OneField(_("Another server"), about, "https://…")
                self._app.push_screen(screen, self._address_typed)
            case Address(url):
                self._address_typed(url)
            case Download(repo):
                screen = PullScreen(self._downloads, repo, default=self._default)
                self._app.push_screen(screen, self._downloaded)

    def _downloaded(self, kept: Kept | None) -> None:
        if kept or not self._downloads.name:
            self._added(kept)

    def _address_typed(self, url: str | None) -> None:
        if url is None:
            self.begin()
            return
        try:
            place = place_of_address(url)
        except ConfigError as error:
            self._tell(str(error))
            return
        self._show_server(place, None)

    def _look_for_key(self, place: Place, model: str) -> None:  # in a thread
        show = self._ask_for_key if place.lacks_key else self._show_server
        self._app.call_later(show, place, model or None)

    def _ask_for_key(self, place: Place, model: str | None, why: str = "") -> None:
        def typed(result: WithKey | None) -> None:
            if result is None:
                self.begin()
            else:
                self._show_server(result.place, model, result)

        self._app.push_screen(KeyScreen(self._setup, place, why), typed)

    def _unlock(self, name: str, place: Place) -> None:
        """Ask for the key of a configured model, and use it."""

        def typed(result: WithKey | None) -> None:
            if result is None:
                self.begin()
            else:
                background.run("key", lambda: self._keep_key(name, result.place))

        self._app.push_screen(KeyScreen(self._setup, place), typed)

    def _keep_key(self, name: str, place: Place) -> None:  # in a thread
        try:
            self._setup.keep_key(place)
        except LazychatError as error:
            self._app.call_later(self._tell, str(error))
        self._app.call_later(self._use, name)

    def _show_server(
        self, place: Place, model: str | None, known: WithKey | None = None
    ) -> None:
        def chosen(result: Kept | Refused | None) -> None:
            if isinstance(result, Refused):
                self._ask_for_key(result.place, model, result.why)
            else:
                self._added(result)

        screen = ServerScreen(
            self._setup,
            place,
            known.models if known else None,
            default=self._default,
            model=model or "",
            asks=known is None,
        )
        self._app.push_screen(screen, chosen)

    def _keep_file(self, path: str) -> None:
        def work() -> None:
            try:
                chosen = model_in(require_model(path))
            except LazychatError as error:
                self._app.call_later(self._tell, str(error))
            else:
                kept = self._setup.keep(chosen, default=self._default)
                self._app.call_later(self._added, kept)

        background.run("keep", work)

    def _keep_model(self, place: Place, model: str) -> None:  # in a thread
        try:
            self._setup.check_key(place, Cancellation())
            chosen = self._setup.model_at(place, model)
            kept = self._setup.keep(chosen, default=self._default)
        except ModelError as error:  # only of the key
            self._app.call_later(self._ask_for_key, place, model, str(error))
        except LazychatError as error:
            self._app.call_later(self._tell, str(error))
        else:
            self._app.call_later(self._added, kept)

    def _added(self, kept: Kept | None) -> None:
        if kept is None:
            self.begin()
            return
        self._use(kept.name)
        if kept.problem:
            self._tell(kept.problem)
        elif kept.added:
            self._tell(
                _("{name} is ready (added to {name2})").format(
                    name=kept.name, name2=kept.file.name
                )
            )
        else:
            self._tell(_("{name} is ready").format(name=kept.name))
