"""A dialog in which the user chooses one of a list."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.app.widgets.dialog import Choices, Passing, Words
from tui.i18n import _
from tui.safe import safe

_SHORT = 24
"""Longest name, in columns, that aligns the second column; paths are longer."""


class ChoiceScreen(Passing[str | None]):
    """Lists names with what they are; returns the chosen one, None for Esc."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False)
    ]

    def __init__(
        self,
        title: str,
        choices: Mapping[str, str],
        current: str,
        *,
        note: str = "",
        keys: str = "",
    ) -> None:
        """Show `note` below the list; `keys` unless Enter uses the choice."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._names = list(choices)
        self._current = current
        self._note = note
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = safe(self._title, newlines=False)
            dialog.border_subtitle = self._keys or _("Enter use · Esc close")
            yield Choices(*map(Option, self._rows()))
            if self._note:
                yield Words(self._note, markup=False, classes="note")

    def _rows(self) -> Iterator[Content]:
        column = max(filter(_SHORT.__ge__, map(cell_len, self._names)), default=0)
        for name, about in self._choices.items():
            gap = " " * max(column - cell_len(name) + 2, 2)
            what = "" if about == name else gap + safe(about, newlines=False)
            # One colour: muted text would be unreadable on the highlighted row.
            yield Content(safe(name, newlines=False) + what)

    def on_mount(self) -> None:
        """Put the cursor on the current choice."""
        options = self.query_one(OptionList)
        if self._current in self._names:
            options.highlighted = self._names.index(self._current)
        options.focus()

    @on(OptionList.OptionSelected)
    def _choose(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[selected.option_index])
