"""Chooses the theme of an app, remembers it, and reloads themes the user edits."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from textual.app import App
from textual.theme import Theme

from tui import paths
from tui.app import background, state
from tui.app.themes.loading import (
    DEFAULT,
    load_built_in,
    load_theme,
    load_themes,
    user_files,
)
from tui.errors import ConfigError
from tui.i18n import _
from tui.spelling import nearest

SECONDS = 1.0
"""Between two looks at the files of the user's themes."""


class _App(Protocol):
    theme: Any

    @property
    def available_themes(self) -> Mapping[str, Theme]: ...
    def register_theme(self, theme: Theme) -> object: ...
    def unregister_theme(self, theme_name: str) -> object: ...
    def mutate_reactive(self, reactive: Any) -> object: ...
    def push_screen(self, screen: Any, callback: Callable[[Any], None]) -> object: ...
    def call_later(self, callback: Callable[..., Any], *args: Any) -> object: ...


class ThemeController:
    """The themes of one app. Call it in the UI thread."""

    def __init__(
        self, app: _App, configured: str, tell: Callable[[str], Callable[[], None]]
    ) -> None:
        """`configured` is the theme of config.toml, "" for none.

        `tell` is called with a line for the user, and returns what withdraws it.
        """
        self._app = app
        self._configured = configured
        self._tell = tell
        self._folder = paths.themes_folder()
        self._closed = threading.Event()
        self._seen: dict[Path, tuple[int, int]] = {}
        """When each of the user's files was written, and its size."""
        self._complete = False
        """Whether all themes have been read."""
        self._withdraw: dict[Path, Callable[[], None]] = {}
        """Functions that withdraw the warning about each broken file."""

    def load(self) -> list[str]:
        """Register themes and use one of them; return problems with others.

        If the user has none of their own, the other built-in ones are read when they
        are needed, or by `watch` after the first frame.
        """
        self._seen = _times(self._folder)
        for name in list(self._app.available_themes):
            self._app.unregister_theme(name)
        remembered = state.load(paths.state_file()).theme
        wanted = [*filter(None, (self._configured, remembered, DEFAULT))]
        problems: list[str] = []
        if self._seen or not self._load_built_in(wanted[0]):
            problems = self._load_all()
        for name in wanted:
            if not (problem := self.use(name)):
                break
            problems.append(problem)
        return problems

    def _load_built_in(self, name: str) -> bool:
        """Register the built-in theme `name` alone; return whether there is one."""
        try:
            theme = load_built_in(name)
        except ConfigError:
            return False  # `_load_all` says why
        if theme:
            self._app.register_theme(theme)
        return theme is not None

    def _load_all(self) -> list[str]:
        """Register all themes; return problems with others."""
        self._complete = True
        themes, problems = load_themes(self._folder)
        for name in list(self._app.available_themes):
            self._app.unregister_theme(name)  # so that they are in order
        for theme in themes:
            self._app.register_theme(theme)
        return problems

    def watch(self) -> None:
        """Read all themes, and the user's again whenever one of their files changes."""
        if not self._complete:
            self._load_all()
        if user_files(self._folder):
            background.run("themes", self._watch)

    def close(self) -> None:
        """End `watch`."""
        self._closed.set()

    def use(self, name: str) -> str:
        """Switch to a theme; return the reason if that fails, or ""."""
        if name not in self._app.available_themes and not self._complete:
            self._load_all()
        if name not in self._app.available_themes:
            known = sorted(self._app.available_themes)
            hint = nearest(name, known) or _(" Known: {known}.").format(
                known=", ".join(known)
            )
            return _('There is no theme "{name}".{hint}').format(name=name, hint=hint)
        self._app.theme = name
        return ""

    def choose(self, name: str) -> str:
        """Switch to a theme, now and at the next start; return as `use` does.

        A theme of config.toml still counts at the next start.
        """
        problem = self.use(name)
        if not problem and not self._configured:
            state.save(paths.state_file(), theme=name)
        return problem

    def pick(self) -> None:
        """Show all themes; the highlighted one is drawn at once, Esc restores."""
        from tui.app.dialogs.themes import ThemeScreen

        if not self._complete:
            self._load_all()
        before: str = self._app.theme
        themes = list(self._app.available_themes.values())

        def chosen(name: str | None) -> None:
            if name:
                self.choose(name)
            else:
                self.use(before)

        self._app.push_screen(ThemeScreen(themes, before, self.use), chosen)

    def _watch(self) -> None:
        while not self._closed.wait(SECONDS):
            now = _times(self._folder)
            changed = [f for f, written in now.items() if self._seen.get(f) != written]
            for file in self._seen.keys() - now.keys():
                self._app.call_later(self._mended, file)
            self._seen = now
            for file in changed:
                try:
                    theme = load_theme(file)
                except ConfigError as error:
                    self._app.call_later(self._complain, file, str(error))
                else:
                    self._app.call_later(self._replace, file, theme)

    def _complain(self, file: Path, problem: str) -> None:
        self._mended(file)
        self._withdraw[file] = self._tell(problem)

    def _mended(self, file: Path) -> None:
        if withdraw := self._withdraw.pop(file, None):
            withdraw()

    def _replace(self, file: Path, theme: Theme) -> None:
        """Use the new colours of a theme, at once if it is the current one."""
        self._mended(file)
        self._app.register_theme(theme)
        if theme.name == self._app.theme:
            self._app.mutate_reactive(App.theme)
            self._tell(_("Theme {name} reloaded").format(name=theme.name))


def _times(folder: Path) -> dict[Path, tuple[int, int]]:
    times: dict[Path, tuple[int, int]] = {}
    for file in user_files(folder):
        try:
            stat = file.stat()
        except OSError:
            continue
        times[file] = stat.st_mtime_ns, stat.st_size
    return times
