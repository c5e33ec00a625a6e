"""The dialog in which the user chooses a model."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.app.widgets.dialog import Choices, Words
from tui.safe import safe

_SHORT = 24
"""Columns of a name that the second column stands beside; a path is longer."""


class ModelScreen(ModalScreen[str | None]):
    """A list of names and what they stand for; gives the chosen name, None for Esc."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False)
    ]

    def __init__(self, models: Mapping[str, str], current: str) -> None:
        super().__init__()
        self._models = models
        self._names = list(models)
        self._current = current

    def compose(self) -> ComposeResult:
        """Show the list, with the current model highlighted."""
        with Vertical(classes="dialog"):
            yield Words("Which model answers next?", markup=False)
            yield Choices(*map(Option, self._rows()))
            yield Words(
                "More: [models.NAME] in config.toml, or /model with the path of a "
                ".gguf file or supplier/model.",
                markup=False,
                classes="note",
            )

    def _rows(self) -> Iterator[Content]:
        column = max(filter(_SHORT.__ge__, map(cell_len, self._names)), default=0)
        for name, about in self._models.items():
            gap = " " * max(column - cell_len(name) + 2, 2)
            what = "" if about == name else gap + safe(about, newlines=False)
            # In one colour: a muted one is not to be read on the highlighted row.
            yield Content(safe(name, newlines=False) + what)

    def on_mount(self) -> None:
        """Put the cursor on the current model."""
        options = self.query_one(OptionList)
        if self._current in self._names:
            options.highlighted = self._names.index(self._current)
        options.focus()

    @on(OptionList.OptionSelected)
    def _choose(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[selected.option_index])
