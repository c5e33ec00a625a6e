"""Routes keys typed in a chat to the composer, whichever part has the focus."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from typing import Any

from textual import events
from textual.screen import Screen
from textual.widget import Widget

from tui.app.chat.arrangement import Arrangement
from tui.app.terminal.key_order import typed
from tui.app.transcript.pane import Transcript
from tui.app.widgets.approval_dialog import ApprovalDialog
from tui.app.widgets.composer import Composer
from tui.app.widgets.status import Status
from tui.app.widgets.tool_sidebar import ToolSidebar
from tui.i18n import N_, _

_ACTS = {"cancel": N_("back"), "revise": N_("edit"), "regenerate": N_("regenerate")}
"""Commands mentioned while the transcript has the focus, with what they do there."""


class KeyRouting:
    """Routes what is typed on `screen`. Call it in the UI thread."""

    def __init__(
        self,
        screen: Screen[Any],
        arrangement: Arrangement,
        transcript: Transcript,
        composer: Composer,
        status: Status,
        spell: Callable[[str], str],
        dialog: ApprovalDialog,
    ) -> None:
        """Use `spell` to get the printed key of a command.

        While `dialog` asks, it is in place of the composer.
        """
        self._screen = screen
        self._arrangement = arrangement
        self._transcript = transcript
        self._composer = composer
        self._status = status
        self._spell = spell
        self._dialog = dialog

    @property
    def is_away(self) -> bool:
        """Whether a part other than the composer has the focus."""
        home = (None, self._composer, *self._dialog.parts)
        return self._screen.focused not in home

    def write(self) -> None:
        """Focus the composer, or the dialog in its place; tools that lie over it go."""
        self._uncover()
        if self._dialog.question:
            self._dialog.take_focus()
        else:
            self._screen.set_focus(self._composer)

    def take_key(self, event: events.Key) -> None:
        """Pass a character to the composer if the focused part does not use it."""
        if self._composer.has_focus:
            return
        character = typed(event)
        if not character or event.key in self._screen.active_bindings:
            return
        event.stop()
        self._uncover()
        if self._dialog.question:
            self._dialog.hold()  # the key was not meant for what gets the focus
            self._dialog.take_focus()
        else:
            self._composer.write(character)

    def take_paste(self, event: events.Paste) -> None:
        """Pass pasted text to the composer, whichever part has the focus."""
        event.stop()
        self.write_text(event.text)

    def write_text(self, text: str) -> None:
        """Insert `text` into the composer; only a dialog in its place keeps the focus.

        What was typed over another dialog does not answer this one.
        """
        self._uncover()
        if self._dialog.question:
            self._composer.add(text)
        else:
            self._composer.write(text)

    def _uncover(self) -> None:
        if self._arrangement.is_covered:
            self._arrangement.toggle_sidebar()

    def lose_focus(self, widget: Widget) -> None:
        """Show which part has the focus now; tools that lie over it go.

        Nothing has it while the terminal is in the background: they stay.
        """
        if isinstance(widget, ToolSidebar) and self._screen.focused:
            self._arrangement.uncover()
        self.show_focus()

    def show_focus(self) -> None:
        """Show which part has the focus, and the keys of the transcript."""
        self._status.away = self.is_away
        keys_hint = ""
        if self._screen.focused is self._transcript:
            spelled = ((self._spell(name), does) for name, does in _ACTS.items())
            keys = [f"{key} {_(does)}" for key, does in spelled if key]
            keys_hint = " · ".join(keys)
        if self._screen.focused is None and self._dialog.question:
            self._screen.call_later(self.write)
        self._composer.show_keys(keys_hint)
