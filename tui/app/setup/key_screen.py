"""The dialogs with one field: a key, an address, the name of a download."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui import paths
from tui.app import background
from tui.app.backend import Setup
from tui.app.widgets.dialog import Words
from tui.app.widgets.field import Field
from tui.errors import Cancelled, LazychatError, ModelError
from tui.i18n import _
from tui.models.discovery import ListedModel
from tui.models.setup import NoList, Place
from tui.safe import safe
from tui.turn import Cancellation


class OneField(ModalScreen[Any]):
    """A title, a line or two, a field and a note. Esc returns None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "Field"
    missing = ""
    """What to say at Enter while nothing is typed."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False)
    ]

    def __init__(
        self, title: str, about: str, placeholder: str, note: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self.field = Field(placeholder=placeholder, compact=True)
        self.field.cursor_blink = False
        self.note = Words(safe(note), markup=False, classes="note")
        self.note.set_class(bool(note), "-failed")

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(classes="dialog picker") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = _("Enter continue · Esc back")
            yield Words(self._about, markup=False, classes="about")
            with Horizontal(classes="filter"):
                yield Words("› ", markup=False, classes="prompt")
                yield self.field
            yield self.note

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show a line below the field."""
        self.note.update(safe(text))
        self.note.set_class(failed, "-failed")

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _submit(self) -> None:
        if text := self.field.value.strip():
            self.submit(text)
        elif self.missing:
            self.say(self.missing, failed=True)

    def submit(self, text: str) -> None:
        """Return the typed text."""
        self.dismiss(text)


class WithKey(msgspec.Struct, frozen=True):
    """A place whose key was accepted."""

    place: Place
    models: Sequence[ListedModel] | None
    """Its models; None if it has no list."""


class KeyScreen(OneField):
    """Asks for a key, and tries it; returns `WithKey`, None for Esc."""

    def __init__(self, setup: Setup, place: Place, note: str = "") -> None:
        file = paths.keys_file()
        about = _(
            "Paste the key for {title}. It is stored in {file}, which only you "
            "can read. Or type ! and a command that prints it: !pass show "
            "api-key"
        ).format(title=place.title, file=file)
        super().__init__(
            _("Key for {title}").format(title=place.title), about, _("API key"), note
        )
        self._setup = setup
        self._place = place
        self._cancel: Cancellation | None = None
        self.missing = _("Paste the key first.")
        self.field.password = True

    @on(Input.Changed)
    def _show_command(self) -> None:
        # A command is not a secret, and cannot be typed blind.
        self.field.password = not self.field.value.startswith("!")

    def submit(self, text: str) -> None:
        """Try the key."""
        if self._cancel is None:
            self._cancel = Cancellation()
            self.say(
                _("Trying it at {base_url}…").format(base_url=self._place.base_url)
            )
            cancel = self._cancel
            background.run("key", lambda: self._try(text, cancel))

    def action_leave(self) -> None:
        """Stop trying, or go back."""
        if self._cancel:
            self._cancel.request()
        else:
            super().action_leave()

    def _try(self, text: str, cancel: Cancellation) -> None:
        try:
            place = self._setup.with_key(self._place, text)
            try:
                models = self._setup.models_at(place, cancel)
            except NoList:
                models = None
        except Cancelled:
            self.call_later(self._refused, "")
        except ModelError as error:
            bad = error.kind == "unauthorized"
            self.call_later(self._refused, str(error), bad=bad)
        except LazychatError as error:
            self.call_later(self._refused, str(error), bad=True)
        else:
            self.call_later(self._accepted, WithKey(place, models))

    def _refused(self, why: str, *, bad: bool = False) -> None:
        """Show why a key was not accepted; only a `bad` one has to be pasted again."""
        self._cancel = None
        self.say(why, failed=True)
        if bad:
            self.field.value = ""

    def _accepted(self, result: WithKey) -> None:
        self._cancel = None
        self.dismiss(result)
