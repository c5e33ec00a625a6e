"""The composer in a small app."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from tui.app.terminal.textual_hook import OutputScreen
from tui.app.widgets.composer import Composer
from tui.app.widgets.requests import HintRequested

APP_KEYS = [
    "ctrl+t",
    "ctrl+n",
    "ctrl+s",
    "ctrl+l",
    "ctrl+o",
    "ctrl+p",
    "ctrl+q",
    "escape",
    "f1",
    "f2",
    "f3",
    "f4",
    "shift+f4",
    "ctrl+pageup",
    "ctrl+pagedown",
    "ctrl+f4",
]


class Host(App[None]):
    CSS = "Screen { align: left bottom; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"seen('{key}')") for key in [*APP_KEYS, "ctrl+c"]
    ]

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[str] = []
        self.drafts: list[str] = []
        self.keys: list[str] = []
        self.told: list[str] = []
        self.wanted = 0

    def get_default_screen(self) -> OutputScreen:
        return OutputScreen()

    def compose(self) -> ComposeResult:
        yield Composer()
        yield Button("after")

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        self.submitted.append(message.text)

    def on_text_area_changed(self, message: Composer.Changed) -> None:
        self.drafts.append(message.text_area.text)

    def on_hint_requested(self, message: HintRequested) -> None:
        self.told.append(message.text)

    def on_composer_history_wanted(self) -> None:
        self.wanted += 1

    def action_seen(self, key: str) -> None:
        self.keys.append(key)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)
