"""The dialog that asks what to do with running answers before quitting."""

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.app.widgets.dialog import Choices, Words
from tui.i18n import N_, _

Choice = Literal["wait", "background", "cancel"]

_CHOICES: dict[Choice, tuple[str, str]] = {
    "wait": ("w", N_("Wait, then quit")),
    "background": ("b", N_("Finish in the background (`lazychat` shows it)")),
    "cancel": ("c", N_("Stop and quit (keeps what is written)")),
}


class QuitScreen(ModalScreen[Choice | None]):
    """Asks what to do with running answers; returns None when the user stays.

    `keeps` is whether the store keeps messages; if not, the background choice is left
    out, as its answer would be lost.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Stay", show=False),
        *(
            Binding(key, f"choose('{choice}')", help, show=False)
            for choice, (key, help) in _CHOICES.items()
        ),
    ]

    count: var[int] = var(0, init=False)
    """Number of running and queued answers, above 0."""

    def __init__(self, count: int, keeps: bool = True) -> None:
        super().__init__()
        self.set_reactive(QuitScreen.count, count)
        self._choices: list[Choice] = [
            c for c in _CHOICES if keeps or c != "background"
        ]

    def compose(self) -> ComposeResult:
        """Yield the choices; the harmless one is highlighted."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = _("Quit?")
            dialog.border_subtitle = _("Esc stay · Ctrl+C stop and quit")
            yield Words(self._what(), markup=False, id="what")
            yield Choices(*(Option(self._row(choice)) for choice in self._choices))

    def _what(self) -> str:
        if self.count == 1:
            return _("An answer is still running")
        return _("{count} answers are still running or queued").format(count=self.count)

    def watch_count(self) -> None:
        """Update the number of answers."""
        for what in self.query("#what").results(Static):
            what.update(self._what())

    def _row(self, choice: Choice) -> Content:
        key, help = _CHOICES[choice]
        return Content.assemble((key, "bold"), f"  {_(help)}")

    @on(OptionList.OptionSelected)
    def _select(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[selected.option_index])

    def action_choose(self, choice: Choice) -> None:
        """Choose by letter."""
        if choice in self._choices:
            self.dismiss(choice)
