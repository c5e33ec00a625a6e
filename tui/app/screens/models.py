"""Choosing a model."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class ModelScreen(ModalScreen[str | None]):
    """A list of names; gives the chosen one, None when closed by Esc."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False)
    ]

    def __init__(self, names: Sequence[str], current: str) -> None:
        super().__init__()
        self._names = list(names)
        self._current = current

    def compose(self) -> ComposeResult:
        """Show the list, with the current model highlighted."""
        with Vertical(classes="dialog"):
            yield Static("Which model answers next?", markup=False)
            yield OptionList(*(Option(Content(name)) for name in self._names))
            yield Static(
                "More: [models.NAME] in config.toml, or /model with the path of a "
                ".gguf file or supplier/model.",
                markup=False,
                classes="note",
            )

    def on_mount(self) -> None:
        """Put the cursor on the current model."""
        options = self.query_one(OptionList)
        if self._current in self._names:
            options.highlighted = self._names.index(self._current)
        options.focus()

    @on(OptionList.OptionSelected)
    def _choose(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[selected.option_index])
