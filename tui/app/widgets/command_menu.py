"""The menu above the composer while the name of a slash command is typed."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.commands import Command, parse, spelled
from tui.app.markdown.lines import Span, cut
from tui.app.widgets.completion import matching
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import CHOSEN, Looks, Palette
from tui.i18n import _
from tui.safe import safe

ROWS = 8
"""Most rows; further commands scroll."""
_NAME = 14
"""Columns of the names."""


def more_marks(first: int, rows: int, count: int) -> dict[int, str]:
    """Return the marks of the edge rows of a list that has more rows beyond them.

    `first` is the number of the first visible row of `count`; `rows` are visible.
    """
    above = {first: "↑"} if first > 0 else {}
    below = {first + rows - 1: "↓"} if first + rows < count else {}
    return above | below


class RowClicked(Message):
    """The user has clicked a row of a menu; it is highlighted, as if by Down."""


class CommandMenu(Contained, Widget):
    """Lists the commands that match the composer's text; hidden when none does."""

    DEFAULT_CSS = """
    CommandMenu {
        height: auto;
        display: none;
        background: $panel;
        color: $foreground;
    }
    CommandMenu.-open {
        display: block;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "name": "bold",
        "help": "$text-muted",
        "key": "$text-accent",
        "chosen": CHOSEN,
    }

    found: reactive[tuple[Command, ...]] = reactive((), layout=True)
    """The commands that match, the best first."""
    chosen: reactive[int] = reactive(0)
    """The index in `found` of the highlighted one."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str] = {}
        """The user's own keys, by name of the command."""
        self.more: Callable[[], tuple[Command, ...]] = tuple
        """Returns the commands besides those of the table: prompts of servers."""
        self._rows = 0
        self._moved = False
        self._dismissed = ""

    @property
    def is_open(self) -> bool:
        """Whether the menu is visible."""
        return bool(self.found)

    def show(self, text: str) -> None:
        """List the commands that `text`, the composer's, may mean."""
        if self._dismissed and text.startswith(self._dismissed):
            return
        self._dismissed = ""
        found = tuple(matching(text, self.more())) if text.startswith("/") else ()
        if found == self.found:
            return
        self._moved = False
        self.chosen = 0
        self._rows = min(ROWS, len(found), max(3, self.screen.size.height // 3))
        self.found = found
        self.set_class(bool(found), "-open")

    def list_again(self, text: str) -> None:
        """List the changed commands, unless the user is choosing."""
        if not self._moved:
            self.show(text)

    def close(self) -> None:
        """Hide the menu until the text no longer begins as it does now."""
        self._dismissed = "/"
        self.found = ()
        self.remove_class("-open")

    def move(self, step: int) -> None:
        """Highlight the next (1) or previous (-1) command; the ends are joined."""
        self._moved = True
        self.chosen = (self.chosen + step) % len(self.found)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked row."""
        place = event.get_content_offset(self)
        if place is not None and self._first + place.y < len(self.found):
            self._moved = True
            self.chosen = self._first + place.y
            self.post_message(RowClicked())

    @property
    def _first(self) -> int:
        """The index of the first visible command."""
        first = min(self.chosen - self._rows + 1, len(self.found) - self._rows)
        return max(0, first)

    def meant(self, text: str) -> Command | None:
        """Return the command that Enter means, None if `text` names it itself."""
        if not self.found or (self.parse(text) and not self._moved):
            return None
        return self.found[self.chosen]

    def parse(self, text: str) -> tuple[Command, str] | None:
        """Return the command in `text` and its argument, None if there is none."""
        return parse(text, self.more())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the menu."""
        return self._rows

    def render(self) -> RenderResult:
        """Return the rows."""
        width = self.size.width
        first = self._first
        shown = self.found[first : first + self._rows]
        marks = more_marks(first, self._rows, len(self.found))
        spans: list[Span] = []
        for index, command in enumerate(shown, first):
            if index > first:
                spans.append(("\n", ()))
            mark = marks.get(index, " ")
            spans += self._row(command, width, mark, chosen=index == self.chosen)
        return Palette(self, self.LOOKS).content(spans)

    def _row(
        self, command: Command, width: int, mark: str, *, chosen: bool
    ) -> list[Span]:
        key = safe(spelled(command, self.keys), newlines=False)
        name = f" {command.slash:<{_NAME}}"
        if len(command.slash) >= _NAME:
            name += "  "  # of a server's prompt
        room = width - len(name) - 3
        if command.reading or room < cell_len(key) + 20:
            key = ""
        help = cut(
            ((_(command.help), ("help",)),), room - (cell_len(key) + 2 if key else 0)
        )
        used = len(name) + sum(cell_len(text) for text, __ in help) + cell_len(key) + 2
        row: list[Span] = [
            (name, ("name",)),
            *help,
            (" " * max(0, width - used), ()),
            (key, ("key",)),
            (f" {mark}", ("help",)),
        ]
        return [(text, ("chosen",)) for text, __ in row] if chosen else row
