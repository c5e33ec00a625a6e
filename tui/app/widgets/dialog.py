"""Widgets for dialogs that survive drawing errors, and what dialogs do with letters."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from typing import Generic, Protocol, TypeVar, runtime_checkable

from textual import events
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from tui.app.terminal.key_order import typed
from tui.app.widgets.contained import Contained
from tui.app.widgets.field import Field

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
            self.write(text)

    def on_paste(self, event: events.Paste) -> None:
        """Pass text on."""
        event.stop()
        self.write(event.text)

    def write(self, text: str) -> None:
        """Close, and write `text` on the screen below, or in its field."""
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1] if self in stack else self.app.screen
        field = below.focused
        if isinstance(below, TakesText):
            write = below.write
        elif isinstance(field, Field):
            write = field.insert_text_at_cursor
        else:
            return
        if self.is_current:
            self.dismiss(None)
        write(text)
