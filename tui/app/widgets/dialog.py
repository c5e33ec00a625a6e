"""Widgets for dialogs that survive drawing errors, and what dialogs do with letters."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from typing import Generic, Protocol, TypeVar, runtime_checkable

from textual import events
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from tui.app.terminal.key_order import typed
from tui.app.widgets.contained import Contained

T = TypeVar("T")


class Words(Contained, Static):
    """Static text."""


class Choices(Contained, OptionList):
    """A list to choose from."""


@runtime_checkable
class TakesText(Protocol):
    """A screen on which users write."""

    def write(self, text: str) -> None:
        """Write `text` at once: further keys may follow."""
        ...


class Passing(ModalScreen[T], Generic[T]):
    """A dialog without a field: text typed or pasted over it is for the screen below.

    It closes as if by Esc, and no letter is lost.
    """

    def on_key(self, event: events.Key) -> None:
        """Pass a character on if no binding uses it."""
        if (text := typed(event)) and event.key not in self.active_bindings:
            event.stop()
            self._pass(text)

    def on_paste(self, event: events.Paste) -> None:
        """Pass text on."""
        event.stop()
        self._pass(event.text)

    def _pass(self, text: str) -> None:
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1] if self in stack else self.app.screen
        if isinstance(below, TakesText):
            if self.is_current:
                self.dismiss(None)
            below.write(text)
