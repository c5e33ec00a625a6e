"""A row with a label, a text field and a word on what was typed."""

from typing import ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.app.widgets.field import Field
from tui.safe import safe

LONGEST = 1000
"""Most characters of the text."""
_LEAST = 11  # columns of the field, whatever stands beside it
_END = 19  # characters at the end of a long word at the right that are kept


class Asker(Protocol):
    """What gets the answers, at once: the next key may depend on them."""

    def changed(self, text: str) -> object:
        """Take the text typed so far."""
        ...

    def entered(self, text: str) -> object:
        """Take the text: Enter was pressed."""
        ...

    def stepped(self, step: int) -> object:
        """Go to the previous (-1) or the next (1) one: Up or Down was pressed."""
        ...

    def left(self) -> object:
        """Take no text: Esc was pressed, or another question is asked."""
        ...

    def blurred(self) -> object:
        """Close: the user has gone elsewhere."""
        ...


class _Line(Field):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ancestor_enter", "Enter", show=False)
    ]

    def action_ancestor_enter(self) -> None:
        if isinstance(self.parent, PromptBar):
            self.parent.action_enter()


class PromptBar(Horizontal):
    """Asks for one line in place of the status line; hidden until `ask`.

    The owner of the screen hides the status line while `is_open`.
    """

    DEFAULT_CSS = """
    PromptBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        display: none;
    }
    PromptBar Static {
        width: auto;
        height: 1;
        color: $text-muted;
    }
    PromptBar Static.-label {
        color: $text-accent;
    }
    PromptBar Field, PromptBar Field:focus {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0 1;
        background: $panel;
        color: $foreground;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False, id="cancel"),
        # Few terminals tell Shift+Enter from Enter.
        Binding("up,shift+enter,shift+\r", "step(-1)", "Previous", show=False),
        Binding("down", "step(1)", "Next", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._asker: Asker | None = None
        self._label = Static(classes="-label", markup=False)
        self._word = Static(markup=False)
        self.field = _Line(max_length=LONGEST, select_on_focus=False)
        """The field; it has the focus while the bar is open."""

    @property
    def is_open(self) -> bool:
        """Whether the bar is shown."""
        return self.display

    def ask(self, asker: Asker, label: str, text: str) -> None:
        """Show the bar and focus its field, with `text` selected, for `asker`."""
        if self._asker not in (None, asker):
            self._asker.left()
        self._asker = asker
        if not self.field.is_attached:
            # Not with the screen: what is hidden would cost the program's start.
            self.mount(self._label, self.field, self._word)
        self.label(label)
        self.word = ""
        with self.prevent(Input.Changed):
            self.field.value = text
        self.field.action_select_all()
        self.display = True
        self.screen.set_focus(self.field)

    def close(self) -> None:
        """Hide the bar; the caller moves the focus."""
        self._asker = None
        self.display = False

    def label(self, text: str) -> None:
        """Change the label before the field."""
        self._labelled = text
        self._label.update(Content(text))

    def rename(self, text: str) -> None:
        """Replace the text of the field."""
        with self.prevent(Input.Changed):
            self.field.value = text

    @property
    def word(self) -> str:
        """The note at the right end."""
        return self._said

    @word.setter
    def word(self, text: str) -> None:
        self._said = text = safe(text, newlines=False)
        width = self.screen.size.width
        left = width - cell_len(self._labelled) - _LEAST - 2  # the bar's padding
        room = max(12, min(width * 3 // 5, left))
        if cell_len(text) > room:
            end = text[-min(_END, room // 2) :]
            text = set_cell_size(text, room - cell_len(end) - 1).rstrip() + "…" + end
        self._word.update(Content(text))

    _said = ""
    _labelled = ""

    def action_leave(self) -> None:
        """Close the bar."""
        if self._asker:
            self._asker.left()

    def action_enter(self) -> None:
        """Take the text."""
        if self._asker:
            self._asker.entered(self.field.value)

    def action_step(self, step: int) -> None:
        """Ask for the previous or the next one."""
        if self._asker:
            self._asker.stepped(step)

    def on_descendant_blur(self) -> None:
        """Close when something else has the focus, but not the whole terminal's."""
        if self._asker and self.screen.focused not in (None, self.field):
            self._asker.blurred()

    @on(Input.Changed)
    def _change(self, changed: Input.Changed) -> None:
        changed.stop()
        if self._asker and changed.value == self.field.value:
            self._asker.changed(changed.value)
