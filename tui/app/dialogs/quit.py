"""The dialog that asks what to do with running answers before quitting.

A letter has two meanings here: it is a choice, or the user has not noticed the dialog
(Ctrl+Q is beside Ctrl+W) and writes on. So a letter chooses if no other follows it at
once; a word closes the dialog and goes to the composer.
"""

from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var
from textual.timer import Timer
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.app.terminal.key_order import typed
from tui.app.widgets.dialog import Choices, Passing, Words
from tui.i18n import N_, _

Choice = Literal["wait", "background", "cancel"]

PAUSE_SECONDS = 0.3
"""Seconds without another letter after which a letter is a choice."""

_CHOICES: dict[Choice, tuple[str, str]] = {
    "wait": ("w", N_("Wait, then quit")),
    "background": ("b", N_("Finish in the background (run lazychat to see it)")),
    "cancel": ("s", N_("Stop and quit (keeps what is written)")),
}
_Meaning = Choice | Literal["yes", "no"]

_ALSO: dict[str, _Meaning] = {"c": "cancel", "y": "yes", "n": "no"}
"""Letters that are not shown; y and n are Enter and Esc, as in other programs."""


class QuitScreen(Passing[Choice | None]):
    """Asks what to do with running answers; returns None when the user stays.

    `keeps` is whether the store keeps messages; if not, the background choice is left
    out, as its answer would be lost.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Stay", show=False),
    ]

    count: var[int] = var(0, init=False)
    """Number of running and queued answers, above 0."""

    def __init__(self, count: int, keeps: bool = True) -> None:
        super().__init__()
        self.set_reactive(QuitScreen.count, count)
        self._choices: list[Choice] = [
            c for c in _CHOICES if keeps or c != "background"
        ]
        self._letter = ""
        """A letter that is a choice unless another one follows."""
        self._pause: Timer | None = None

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

    # -- letters

    def on_key(self, event: events.Key) -> None:
        """Take a letter as a choice if the user pauses; otherwise write it below."""
        event.prevent_default()
        text, letter = typed(event), self._forget_letter()
        if letter and event.key == "enter":
            event.stop()
            self._choose(letter)
        elif text:
            event.stop()
            if not letter and self._means(text):
                self._letter = text
                self._pause = self.set_timer(
                    PAUSE_SECONDS, lambda: self._choose(self._forget_letter())
                )
            else:
                self.write(letter + text)

    def on_paste(self, event: events.Paste) -> None:
        """Write pasted text below, after a letter that was typed just before."""
        event.stop()
        event.prevent_default()
        self.write(self._forget_letter() + event.text)

    def _forget_letter(self) -> str:
        letter, self._letter = self._letter, ""
        if self._pause:
            self._pause.stop()
        return letter

    def _means(self, letter: str) -> _Meaning | None:
        for choice in self._choices:
            if _CHOICES[choice][0] == letter.lower():
                return choice
        return _ALSO.get(letter.lower())

    def _choose(self, letter: str) -> None:
        match self._means(letter):
            case "yes":
                self.query_one(OptionList).action_select()
            case "no":
                self.dismiss(None)
            case choice:
                self.dismiss(choice)
