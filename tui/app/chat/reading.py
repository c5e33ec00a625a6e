"""Reading and writing: where the keys go, and how one sees it.

The conversation pane has letters of its own. Whoever types anything else there, or
pastes, means the composer: the focus goes there, and nothing of it is lost. Which of
both has the keys is told at the composer's lower edge.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

from textual import events, on
from textual.content import Content

from tui.app import commands
from tui.app.chat.kept import KeptScreen
from tui.app.terminal.key_order import typed
from tui.app.widgets.status import Status


class ReadingScreen(KeptScreen):
    """A screen of which a part other than the composer may have the focus."""

    status: Status

    def spell_key(self, name: str) -> str:
        """Return the key of a command as people write it; "" when it has none."""
        return commands.spelled(commands.named(name), self.host.config.keys)

    @property
    def is_away(self) -> bool:
        """Whether another part than the composer has the focus."""
        return self.focused not in (None, self.composer)

    @property
    def is_covered(self) -> bool:
        """Whether the tools hide the conversation and the composer."""
        return self.has_class("-narrow") and self.has_class("-sidebar")

    def write(self) -> None:
        """Give the composer the focus, if it is to be seen."""
        if not self.is_covered:
            self.set_focus(self.composer)

    def on_key(self, event: events.Key) -> None:
        """Take what is typed in a part of the screen that has no use for it."""
        if self.composer.has_focus or self.is_covered:
            return
        character = typed(event)
        if character and event.key not in self.active_bindings:
            event.stop()
            self.composer.write(character)

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted anywhere."""
        if not self.is_covered:
            event.stop()
            self.composer.write(event.text)

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _tell_who_has_the_keys(self) -> None:
        self.status.away = self.is_away
        told = ""
        if self.focused is self.transcript:
            acts = {"cancel": "writes", "revise": "edits", "regenerate": "asks again"}
            spelled = ((self.spell_key(name), does) for name, does in acts.items())
            keys = [f"{key} {does}" for key, does in spelled if key]
            told = f"reading: {', '.join(keys)}"
        self.composer.border_subtitle = Content(told) if told else None
