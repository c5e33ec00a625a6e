"""The keys of the history screen and what they do, which can be clicked, too."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from tui.app.widgets.dialog import Words


class _Pair(NamedTuple):
    key: str
    row: int
    begin: int
    end: int
    """The columns that it takes, from 0."""


class KeyLine(Words):
    """Shows pairs of key and action, wrapped only between pairs."""

    class Clicked(Message):
        """The user has clicked on a `key`, such as "Esc"."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._pairs: list[_Pair] = []

    def show(self, keys: Sequence[tuple[str, str]], width: int) -> None:
        """Show `keys` in `width` columns."""
        self._pairs = []
        lines: list[list[Content]] = [[]]
        column = 0
        sizes = [cell_len(f"{key} {does}") for key, does in keys]
        # One space is enough between pairs if that leaves no pair alone in a row.
        narrow = sum(sizes) + len(sizes) - 1 <= width < sum(sizes) + 2 * len(sizes) - 2
        gap = 1 if narrow else 2
        for size, (key, does) in zip(sizes, keys, strict=True):
            if column + size > width and lines[-1]:
                lines.append([])
                column = 0
            self._pairs.append(_Pair(key, len(lines) - 1, column, column + size))
            column += size + gap
            # Bold, as without colours one space parts a key from the pair before it.
            look = "bold $text-accent" if narrow else "$text-accent"
            pair = Content.assemble((key, look), (f" {does}", "$text-muted"))
            lines[-1].append(pair)
        self.update(Content("\n").join(Content(" " * gap).join(line) for line in lines))

    def on_click(self, event: events.Click) -> None:
        """Report the clicked key."""
        place = event.get_content_offset(self)
        if place is None:
            return
        for pair in self._pairs:
            if place.y == pair.row and pair.begin <= place.x < pair.end:
                self.post_message(self.Clicked(pair.key))
