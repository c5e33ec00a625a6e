"""A dialog in which the user chooses one of a list."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.app.markdown.lines import spans_text, to_lines, wrap
from tui.app.widgets.dialog import Choices, Passing, Words
from tui.i18n import _
from tui.safe import safe

_SHORT = 24
"""Longest name, in columns, that aligns the second column; paths are longer."""


_NARROWEST = 16
"""Fewest columns in which text is broken; it is cut if there are fewer."""
_WIDEST = 10_000


class ChoiceScreen(Passing[str | None]):
    """Lists names with what they are; returns the chosen one, None for Esc."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False)
    ]

    def __init__(
        self,
        title: str,
        choices: Mapping[str, str],
        current: str,
        *,
        note: str = "",
        keys: str = "",
    ) -> None:
        """Show `note` below the list; `keys` unless Enter uses the choice."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._names = list(choices)
        self._current = current
        self._note = note
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = safe(self._title, newlines=False)
            dialog.border_subtitle = self._keys or _("Enter use · Esc close")
            yield Choices(*map(Option, self._rows(_WIDEST)))
            if self._note:
                yield Words(self._note, markup=False, classes="note")

    def _rows(self, width: int) -> Iterator[Content]:
        column = max(filter(_SHORT.__ge__, map(cell_len, self._names)), default=0)
        for name, about in self._choices.items():
            # One colour: muted text would be unreadable on the highlighted row.
            shown = safe(name, newlines=False)
            if about != name:
                start = max(column, cell_len(shown)) + 2
                shown += " " * (start - cell_len(shown))
                shown += f"\n{' ' * start}".join(
                    _wrapped(safe(about, newlines=False), width - start)
                )
            yield Content(shown)

    def on_resize(self) -> None:
        """Break what stands beside the names, instead of cutting it."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        options = self.query_one(OptionList)
        width = options.scrollable_content_region.width - 2
        for number, row in enumerate(self._rows(width)):
            if options.get_option_at_index(number).prompt != row:
                options.replace_option_prompt_at_index(number, row)

    def on_mount(self) -> None:
        """Put the cursor on the current choice."""
        options = self.query_one(OptionList)
        if self._current in self._names:
            options.highlighted = self._names.index(self._current)
        options.focus()

    @on(OptionList.OptionSelected)
    def _choose(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[selected.option_index])


def _wrapped(text: str, width: int) -> list[str]:
    if width < _NARROWEST:
        return [text]
    return [spans_text(line.spans) for line in to_lines(wrap([(text, ())], width))]
