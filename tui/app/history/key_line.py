"""The keys of the history screen, below its list; each can be clicked."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from tui.app.widgets.dialog import Words


class KeyHint(NamedTuple):
    """A key and what it does."""

    key: str
    does: str
    action: str
    """The screen's action that a click runs."""


class KeyLine(Words):
    """Shows keys, wrapped only between pairs of key and effect."""

    class Clicked(Message):
        """The user has clicked a pair; `action` is its action."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__(id="keys", markup=False)
        self._places: list[tuple[int, int, int, str]] = []
        """Row, first column, end and action of each pair."""

    def show(self, keys: Sequence[KeyHint], width: int) -> None:
        """Show `keys` in as many rows of `width` columns as they need."""
        sizes = [cell_len(f"{hint.key} {hint.does}") for hint in keys]
        # One space is enough between pairs if that leaves no pair alone in a row.
        narrow = sum(sizes) + len(sizes) - 1 <= width < sum(sizes) + 2 * len(sizes) - 2
        gap = 1 if narrow else 2
        lines: list[list[Content]] = [[]]
        self._places = []
        at = 0
        for size, hint in zip(sizes, keys, strict=True):
            if at + size > width and lines[-1]:
                lines.append([])
                at = 0
            self._places.append((len(lines) - 1, at, at + size, hint.action))
            at += size + gap
            # Bold, as without colours one space parts a key from the pair before it.
            look = "bold $text-accent" if narrow else "$text-accent"
            pair = Content.assemble((hint.key, look), (f" {hint.does}", "$text-muted"))
            lines[-1].append(pair)
        rows = [Content(" " * gap).join(line) for line in lines]
        self.update(Content("\n").join(rows))

    def on_click(self, event: events.Click) -> None:
        """Report the clicked pair."""
        place = event.get_content_offset(self)
        for row, begin, end, action in self._places:
            if place and place.y == row and begin <= place.x < end:
                self.post_message(self.Clicked(action))
