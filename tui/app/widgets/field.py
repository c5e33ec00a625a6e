"""A one-line input that accepts the same text as the composer."""

from textual import events
from textual.widgets import Input

from tui.app.widgets.emoji import around
from tui.app.widgets.input_text import clean, typed_behind


class Field(Input):
    """A one-line input that never holds control characters."""

    # Textual gives the placeholder the colour of what cannot be used.
    DEFAULT_CSS = """
    Field > .input--placeholder {
        color: $text-muted;
    }
    """

    def on_key(self, event: events.Key) -> None:
        """Insert a typed character that Textual does not report as printable."""
        character = typed_behind(event, self.value[: self.cursor_position])
        if character and not event.is_printable:
            event.stop()
            event.prevent_default()
            self.insert_text_at_cursor(character)

    def on_paste(self, event: events.Paste) -> None:
        """Insert pasted text as one line."""
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(" ".join(clean(event.text[:LONGEST]).split()))

    def action_cursor_left(self, select: bool = False) -> None:
        """Move left, skipping a whole emoji."""
        super().action_cursor_left(select)
        self._leave_emoji(0, select)

    def action_cursor_right(self, select: bool = False) -> None:
        """Move right, skipping a whole emoji."""
        super().action_cursor_right(select)
        self._leave_emoji(1, select)

    def action_delete_left(self) -> None:
        """Delete the selection, or else the character or emoji on the left."""
        if self.selection.is_empty and self.cursor_position:
            end = self.cursor_position
            self.delete(around(self.value, end - 1)[0], end)
        else:
            super().action_delete_left()

    def action_delete_right(self) -> None:
        """Delete the selection, or else the character or emoji on the right."""
        if self.selection.is_empty and self.cursor_position < len(self.value):
            start = self.cursor_position
            self.delete(start, around(self.value, start + 1)[1])
        else:
            super().action_delete_right()

    def _leave_emoji(self, end: int, select: bool) -> None:
        place = around(self.value, self.cursor_position)[end]
        if select:
            self.selection = self.selection._replace(end=place)
        else:
            self.cursor_position = place


LONGEST = 10_000
"""Most characters of a paste that are used: enough for a search or a file name."""
