"""A form in the place of the composer: what a server asks, or a prompt's arguments."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input

from tui.app.widgets.dialog import Words
from tui.app.widgets.field import Field as FieldInput
from tui.i18n import _
from tui.mcp.asking import read_value
from tui.mcp.values import Answer, Field
from tui.safe import safe


class Form(VerticalScroll, can_focus=True):
    """Fields to fill in by keyboard. Calls `done` once, with the answer.

    Enter goes to the next field, and sends from the last one; Esc declines.
    """

    DEFAULT_CSS = """
    Form {
        height: auto;
        max-height: 60%;
        padding: 0 1;
        border: round $primary;
        border-subtitle-color: $text-muted;
        background: $background;
    }
    Form .row {
        height: auto;
    }
    Form .message, Form .label, Form .wrong {
        height: auto;
        width: 1fr;
    }
    Form .label {
        color: $text-primary;
    }
    Form .wrong {
        color: $text-error;
        display: none;
    }
    Form .wrong.-shown {
        display: block;
    }
    Form Input, Form Input:focus {
        border: none;
        height: 1;
        padding: 0;
        background: $surface;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "decline", "Decline", show=False),
        Binding("enter", "submit", "Send", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]

    def __init__(
        self,
        title: str,
        message: str,
        fields: Sequence[Field],
        done: Callable[[Answer], object],
        *,
        key: str = "",
    ) -> None:
        """Ask for `fields`; `key` names what the form is for."""
        super().__init__()
        self.key = key
        self._message = message
        self._fields = fields
        self._done = done
        self._inputs = [FieldInput(f.default, placeholder=_hint(f)) for f in fields]
        self._wrong = [Words("", markup=False, classes="wrong") for __ in fields]
        for each in self._inputs:
            each.cursor_blink = False
        self.border_title = safe(title, newlines=False)
        act = _("Enter next, then send") if len(fields) > 1 else _("Enter send")
        self.border_subtitle = _("{act} · Esc decline").format(act=act)

    def compose(self) -> ComposeResult:
        """Yield the message, and a label and an input for each field."""
        yield Words(safe(self._message), markup=False, classes="message")
        for field, box, wrong in zip(
            self._fields, self._inputs, self._wrong, strict=True
        ):
            about = f": {field.description}" if field.description else ""
            required = _(" (required)") if field.required else ""
            with Vertical(classes="row"):
                label = f"{field.title or field.name}{required}{about}"
                yield Words(safe(label), markup=False, classes="label")
                yield box
                yield wrong

    def on_mount(self) -> None:
        """Focus the first field."""
        (self._inputs[0] if self._inputs else self).focus()

    def action_decline(self) -> None:
        """Give no answer."""
        self._done(Answer("decline"))

    @on(Input.Submitted)
    def _next(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        at = next(n for n, box in enumerate(self._inputs) if box is submitted.input)
        if self._check(at) and at + 1 < len(self._inputs):
            self._inputs[at + 1].focus()
        elif not self._wrong[at].has_class("-shown"):
            self.action_submit()

    def action_submit(self) -> None:
        """Send what is filled in, or show what is wrong with it."""
        wrong = [n for n in range(len(self._fields)) if not self._check(n)]
        if wrong:
            self._inputs[wrong[0]].focus()
            return
        pairs = zip(self._fields, self._inputs, strict=True)
        values = {field.name: read_value(field, box.value) for field, box in pairs}
        content = {name: value for name, value in values.items() if value is not None}
        self._done(Answer("accept", content))

    def _check(self, at: int) -> bool:
        """Show what is wrong with a field; return whether nothing is."""
        why = ""
        try:
            read_value(self._fields[at], self._inputs[at].value)
        except ValueError as error:
            why = f"{self._fields[at].title or self._fields[at].name} {error}"
        self._wrong[at].update(safe(why, newlines=False))
        self._wrong[at].set_class(bool(why), "-shown")
        return not why


def _hint(field: Field) -> str:
    """Return what to type into an empty field."""
    match field.kind:
        case "boolean":
            words = _("yes or no")
        case "integer" | "number":
            least = (
                ""
                if field.least is None
                else _(" from {least:g}").format(least=field.least)
            )
            most = (
                ""
                if field.most is None
                else _(" up to {most:g}").format(most=field.most)
            )
            words = _("a number{least}{most}").format(least=least, most=most)
        case "choice":
            words = _("one of: ") + ", ".join(title for __, title in field.choices)
        case "choices":
            names = ", ".join(title for __, title in field.choices)
            words = _("any of: {names} (with commas)").format(names=names)
        case "text":
            words = field.format
    return safe(words, newlines=False)
