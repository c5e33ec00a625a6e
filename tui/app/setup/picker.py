"""A dialog with a list that is filtered as the user types.

Typed text goes to the field while the arrow keys move in the list, so the user need not
switch between them.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.app.setup.rows import Pick, Row
from tui.app.widgets.dialog import Choices, Words
from tui.app.widgets.field import Field
from tui.i18n import _
from tui.safe import safe

_WIDEST = 90
"""Columns of the dialog on a wide screen."""
_COLUMN = 26
"""Columns of the longest name that aligns the descriptions."""
_FRAME = 6
"""Columns of border, padding and scroll bar."""
_ABOVE = 8
"""Rows of everything but the list."""
_SMALL = 14
"""Rows of a screen below which the list gets all but the field."""
_NARROW = 30
"""Columns below which a row is only its name."""


class Picker(ModalScreen[Any]):
    """Lists rows; `choose` gets the chosen one. Esc returns None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page_up')", "Page up", show=False),
        Binding("pagedown", "move('page_down')", "Page down", show=False),
        Binding("escape", "leave", "Close", show=False),
    ]

    def __init__(self, title: str, keys: str, typed: str = "") -> None:
        """Show `title` above and `keys` below; `typed` is in the field at first."""
        super().__init__()
        self._title = title
        self._keys = keys
        self.field = Field(typed, placeholder=_("Type to filter"), compact=True)
        self.field.cursor_blink = False
        self.options = Choices()
        self.options.can_focus = False
        self.note = Words(markup=False, classes="note")
        self._rows: Sequence[Row] = ()
        self._shown: list[Row | None] = []
        """The row of each option; None for a heading."""
        self._start: Pick | None = None
        """Where the cursor is until the user moves it; None for the first row."""
        self._moved = False
        self._waits = False
        """Whether Enter was pressed while `is_busy`."""

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(classes="dialog picker") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = self._keys
            with Horizontal(classes="filter"):
                yield Words("› ", markup=False, classes="prompt")
                yield self.field
            yield self.options
            yield self.note

    # -- for subclasses

    @property
    def is_busy(self) -> bool:
        """Whether rows are still to come, so that Enter has to wait for them."""
        return False

    def choose(self, row: Row) -> None:
        """Do what the chosen row says."""
        raise NotImplementedError

    def typed(self, text: str) -> list[Row]:
        """Return rows for a text that is more than a filter."""
        return []

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show a line below the list."""
        self.note.update(safe(text, newlines=False))
        self.note.set_class(failed, "-failed")

    def show(self, rows: Sequence[Row], start: Pick | None = None) -> None:
        """Replace the rows; the cursor stays on its row if the user has moved it."""
        self._rows = rows
        self._start = start
        self._fill()
        if self._waits and not self.is_busy:
            self._waits = False
            self._enter()

    # -- filling the list

    def on_resize(self, event: events.Resize) -> None:
        """Lay the rows out for the new size."""
        height = event.size.height
        small = height < _SMALL
        self.set_class(small, "-small")
        self.options.styles.max_height = max(height - (3 if small else _ABOVE), 1)
        self._fill()

    @on(Input.Changed)
    def _filter(self) -> None:
        self._moved = False
        self._fill()

    def _fill(self) -> None:
        kept = self._highlighted if self._moved else None
        text = self.field.value
        words = text.lower().split()
        rows = [row for row in self._rows if row.fits(words)]
        if text:
            # What begins with it is meant before what only contains it.
            begin = words[0] if words else ""
            rows.sort(key=lambda row: not row.name.lower().startswith(begin))
            rows.sort(key=lambda row: self._groups.index(row.group))
            rows += self.typed(text)
        width = min(self.size.width, _WIDEST) - _FRAME
        names = [cell_len(row.name) for row in rows]
        column = max((n for n in names if n <= _COLUMN), default=0)
        options: list[Option] = []
        shown: list[Row | None] = []
        group = ""
        for row in rows:
            if row.group != group:
                group = row.group
                heading = Content.styled(safe(_(group), newlines=False), "bold")
                options.append(Option(heading, disabled=True))
                shown.append(None)
            options.append(Option(_line(row, width, column)))
            shown.append(row)
        self._shown = shown
        self.options.clear_options()
        self.options.add_options(options)
        wanted = kept.pick if kept else None if text else self._start
        self.options.highlighted = self._index(wanted)

    @property
    def _groups(self) -> list[str]:
        return list(dict.fromkeys(row.group for row in self._rows))

    def _index(self, pick: Pick | None) -> int | None:
        first = None
        for index, row in enumerate(self._shown):
            if row is None:
                continue
            first = index if first is None else first
            if row.pick == pick:
                return index
        return first

    @property
    def _highlighted(self) -> Row | None:
        index = self.options.highlighted
        return self._shown[index] if index is not None else None

    # -- keys

    def action_move(self, how: str) -> None:
        """Move the cursor in the list."""
        self._moved = True
        getattr(self.options, f"action_{how}")()

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _enter(self) -> None:
        if self.is_busy and not self._moved and not self.field.value:
            self._waits = True
        elif row := self._highlighted:
            self.choose(row)

    @on(OptionList.OptionSelected)
    def _select(self, selected: OptionList.OptionSelected) -> None:
        self._moved = True
        if row := self._shown[selected.option_index]:
            self.choose(row)


def _line(row: Row, width: int, column: int) -> Content:
    """Return a row for `width` columns: name and description left, facts right.

    The description begins after the name, at `column` if that leaves room.

    In one colour: muted text would be unreadable on the highlighted row.
    """
    name, about, info = (
        safe(part, newlines=False) for part in (row.name, row.about, row.info)
    )
    if width < _NARROW:
        about = info = ""
    room = width - cell_len(info) - (2 if info else 0) - 2
    name = _cut(name, room)
    if about and cell_len(name) < column <= room:
        name = set_cell_size(name, column)
    left = f"  {name}"
    left_over = room + 2 - cell_len(left) - 2
    if about and left_over >= 8:
        left += "  " + _cut(about, left_over)
    return Content(set_cell_size(left, max(width - cell_len(info), 1)) + info)


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"
