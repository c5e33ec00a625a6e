"""Where the keys of a chat go: to the composer, whatever has the focus."""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from typing import Any

from textual import events
from textual.content import Content
from textual.screen import Screen

from tui.app.chat.arrangement import Arrangement
from tui.app.terminal.key_order import typed
from tui.app.transcript.pane import Transcript
from tui.app.widgets.composer import Composer
from tui.app.widgets.status import Status

_ACTS = {"cancel": "writes", "revise": "edits", "regenerate": "asks again"}
"""What is told while one reads: command name, and what its key does there."""


class KeyRouting:
    """Routes what is typed into a `screen`. Used in the UI's thread."""

    def __init__(
        self,
        screen: Screen[Any],
        arrangement: Arrangement,
        transcript: Transcript,
        composer: Composer,
        status: Status,
        spell: Callable[[str], str],
    ) -> None:
        """Take how to `spell` the key of a command."""
        self._screen = screen
        self._arrangement = arrangement
        self._transcript = transcript
        self._composer = composer
        self._status = status
        self._spell = spell

    @property
    def is_away(self) -> bool:
        """Whether another part than the composer has the focus."""
        return self._screen.focused not in (None, self._composer)

    def write(self) -> None:
        """Give the composer the focus, if it is to be seen."""
        if not self._arrangement.is_covered:
            self._screen.set_focus(self._composer)

    def take_key(self, event: events.Key) -> None:
        """Take what is typed in a part of the screen that has no use for it."""
        if self._composer.has_focus or self._arrangement.is_covered:
            return
        character = typed(event)
        if character and event.key not in self._screen.active_bindings:
            event.stop()
            self._composer.write(character)

    def take_paste(self, event: events.Paste) -> None:
        """Take what is pasted anywhere."""
        if not self._arrangement.is_covered:
            event.stop()
            self._composer.write(event.text)

    def tell(self) -> None:
        """Say who has the keys by now."""
        self._status.away = self.is_away
        told = ""
        if self._screen.focused is self._transcript:
            spelled = ((self._spell(name), does) for name, does in _ACTS.items())
            keys = [f"{key} {does}" for key, does in spelled if key]
            told = f"reading: {', '.join(keys)}"
        self._composer.border_subtitle = Content(told) if told else None
