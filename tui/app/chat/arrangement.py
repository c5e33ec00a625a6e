"""Decides which parts of a chat are visible, and which a narrow screen hides."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from typing import Any

from textual.screen import Screen

from tui import paths
from tui.app import state
from tui.app.chat.hints import Hints
from tui.app.widgets.composer import Composer
from tui.app.widgets.debug_panel import DebugPanel
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.i18n import _

NARROW = 120
"""Columns below which the sidebar lies over the conversation."""
SHORT = 16
"""Rows below which there is no header while one conversation is open."""


class Arrangement:
    """Shows and hides the parts of `screen`. Call it in the UI thread."""

    def __init__(
        self,
        screen: Screen[Any],
        sidebar: ToolSidebar,
        debug_panel: DebugPanel,
        composer: Composer,
        hints: Hints,
        tools_key: str,
    ) -> None:
        """Use `hints` to mention `tools_key`, what closes the tools: "F2 or Esc"."""
        self._screen = screen
        self._sidebar = sidebar
        self._debug_panel = debug_panel
        self._composer = composer
        self._hints = hints
        self._closing = _("{tools_key} closes the tools").format(tools_key=tools_key)
        self._sidebar_wanted = False  # where there is room for it

    def begin(self, width: int, height: int) -> None:
        """Set the classes of a screen of that size before its parts exist.

        Each later change of a class restyles all parts.
        """
        self._sidebar_wanted = state.load(paths.state_file()).sidebar is True
        self._screen.set_class(height < SHORT, "-short")
        self._arrange(width < NARROW)

    def fit(self, width: int, height: int) -> None:
        """Switch between the layouts for `width` columns and `height` rows."""
        self._screen.set_class(height < SHORT, "-short")
        narrow = width < NARROW
        if narrow != self._screen.has_class("-narrow"):
            self._arrange(narrow)

    def _arrange(self, narrow: bool) -> None:
        self._screen.set_class(narrow, "-narrow")
        self._screen.set_class(self._sidebar_wanted and not narrow, "-sidebar")
        if narrow and self._sidebar.has_focus:
            self._composer.focus()

    @property
    def is_covered(self) -> bool:
        """Whether the tools lie over the conversation and the composer."""
        return self._screen.has_class("-narrow") and self._screen.has_class("-sidebar")

    def uncover(self) -> None:
        """Hide the tools if they lie over the rest; they no longer have the focus."""
        if self.is_covered:
            self._screen.remove_class("-sidebar")
            self._hints.unhint(self._closing)

    def toggle_sidebar(self) -> None:
        """Show or hide the tools; focus them when they are shown."""
        shown = not self._screen.has_class("-sidebar")
        self._screen.set_class(shown, "-sidebar")
        if not self._screen.has_class("-narrow"):
            self._sidebar_wanted = shown
            state.save(paths.state_file(), sidebar=shown)
        elif shown:
            self._hints.hint(self._closing)
        else:  # of a burst of keys, this one came before the hint was shown
            self._hints.unhint(self._closing)
        (self._sidebar if shown else self._composer).focus()

    def toggle_debug(self) -> None:
        """Show or hide the debug panel."""
        shown = not self._screen.has_class("-debug")
        self._screen.set_class(shown, "-debug")
        if not shown and self._debug_panel.has_focus:
            self._composer.focus()
