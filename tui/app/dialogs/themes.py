"""The dialog in which the user chooses a theme, and sees it at once."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.theme import Theme
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.app.widgets.dialog import Choices, Passing
from tui.i18n import N_, _
from tui.safe import safe


class ThemeScreen(Passing[str | None]):
    """Lists the themes; returns the name of the chosen one, None for Esc.

    It is narrow and at the right, so that the conversation is seen in the colours of
    the highlighted theme.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False)
    ]

    def __init__(
        self, themes: Sequence[Theme], current: str, preview: Callable[[str], object]
    ) -> None:
        """Call `preview` with the name of each theme that is highlighted."""
        super().__init__()
        self._themes = themes
        self._current = current
        self._preview = preview

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = _("Choose a theme")
            dialog.border_subtitle = _("Enter use · Esc close")
            yield Choices(*(Option(self._row(theme)) for theme in self._themes))

    def _row(self, theme: Theme) -> Content:
        mark = "●" if theme.name == self._current else " "
        kind = (
            N_("terminal") if theme.ansi else N_("dark") if theme.dark else N_("light")
        )
        name = safe(theme.name, newlines=False)
        if kind not in name:
            name = _("{name} ({kind})").format(name=name, kind=_(kind))
        return Content(f"{mark} {name}")

    def on_mount(self) -> None:
        """Put the cursor on the current theme."""
        options = self.query_one(OptionList)
        names = [theme.name for theme in self._themes]
        if self._current in names:
            options.highlighted = names.index(self._current)
        options.focus()

    @on(OptionList.OptionHighlighted)
    def _show(self, highlighted: OptionList.OptionHighlighted) -> None:
        self._preview(self._themes[highlighted.option_index].name)

    @on(OptionList.OptionSelected)
    def _choose(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._themes[selected.option_index].name)
