"""Leaving while an answer is being written: asked once, in one line each."""

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

Choice = Literal["wait", "background", "cancel"]

_CHOICES: dict[Choice, tuple[str, str]] = {
    "wait": ("w", "Wait: leave as soon as it has ended"),
    "background": ("b", "Go on in the background; `lazychat` shows it again"),
    "cancel": ("c", "Cancel the answer and leave; what was said stays"),
}


class QuitScreen(ModalScreen[Choice | None]):
    """Asks what is to become of the answers; gives None when the user stays.

    `count` is how many run or wait, `keeps` whether the store keeps what is said: else
    nobody could come back to it.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Stay", show=False),
        *(
            Binding(key, f"choose('{choice}')", help, show=False)
            for choice, (key, help) in _CHOICES.items()
        ),
    ]

    def __init__(self, count: int, keeps: bool = True) -> None:
        super().__init__()
        self._count = count
        self._choices: list[Choice] = [
            c for c in _CHOICES if keeps or c != "background"
        ]

    def compose(self) -> ComposeResult:
        """Show the choices; the harmless one is highlighted."""
        what = f"{self._count} answers are still to come"
        if self._count == 1:
            what = "An answer is still being written"
        with Vertical(classes="dialog"):
            yield Static(f"{what}.", markup=False)
            yield OptionList(*(Option(self._row(choice)) for choice in self._choices))
            yield Static("Esc: back to the chat", markup=False, classes="note")

    def _row(self, choice: Choice) -> Content:
        key, help = _CHOICES[choice]
        return Content.assemble((key, "bold"), f"  {help}")

    def on_mount(self) -> None:
        """Give the list the focus."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _select(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[selected.option_index])

    def action_choose(self, choice: Choice) -> None:
        """Choose by letter."""
        if choice in self._choices:
            self.dismiss(choice)
