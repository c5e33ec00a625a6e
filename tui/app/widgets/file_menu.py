"""The menu above the composer while a file is named with `@`."""

from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut, spans_width
from tui.app.widgets.command_menu import RowClicked, more_marks
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import CHOSEN, Looks, Palette
from tui.safe import decoded, safe

ROWS = 8
"""Most rows; further files scroll."""


class FileMenu(Contained, Widget):
    """Lists the files that a word may mean; hidden when it means none."""

    DEFAULT_CSS = """
    FileMenu {
        height: auto;
        display: none;
        background: $panel;
        color: $foreground;
    }
    FileMenu.-open {
        display: block;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "name": "bold",
        "folder": "$text-muted",
        "chosen": CHOSEN,
    }

    found: reactive[tuple[str, ...]] = reactive((), layout=True)
    """The paths, the best first; a folder ends in a slash."""
    chosen: reactive[int] = reactive(0)
    """The index in `found` of the highlighted one."""

    def __init__(self) -> None:
        super().__init__()
        self.word: str | None = None
        """The word after the `@` at the cursor; None for none."""
        self._rows = 0
        self._dismissed = False

    @property
    def is_open(self) -> bool:
        """Whether the menu is visible."""
        return bool(self.found)

    def ask(self, word: str | None) -> bool:
        """Note the word at the cursor; return whether its files are to be found."""
        if word is None:
            self.word, self._dismissed = None, False
            self._list(())
            return False
        if word == self.word or self._dismissed:
            return False
        self.word = word
        return True

    def show(self, word: str, found: tuple[str, ...]) -> None:
        """List the files for `word`, unless another one is at the cursor by now."""
        if word != self.word or self._dismissed:
            return
        # What is written in full needs no menu: Enter sends it.
        self._list(() if found[:1] == (word,) and len(found) == 1 else found)

    def close(self) -> None:
        """Hide the menu until another `@` is typed."""
        self._dismissed = True
        self._list(())

    def move(self, step: int) -> None:
        """Highlight the next (1) or previous (-1) file; the ends are joined."""
        self.chosen = (self.chosen + step) % len(self.found)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked row."""
        place = event.get_content_offset(self)
        if place is not None and self._first + place.y < len(self.found):
            self.chosen = self._first + place.y
            self.post_message(RowClicked())

    @property
    def _first(self) -> int:
        """The index of the first visible file."""
        first = min(self.chosen - self._rows + 1, len(self.found) - self._rows)
        return max(0, first)

    def _list(self, found: tuple[str, ...]) -> None:
        if found == self.found:
            return
        self.chosen = 0
        self._rows = min(ROWS, len(found), max(3, self.screen.size.height // 3))
        self.found = found
        self.set_class(bool(found), "-open")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the menu."""
        return self._rows

    def render(self) -> RenderResult:
        """Return the rows."""
        first = self._first
        marks = more_marks(first, self._rows, len(self.found))
        spans: list[Span] = []
        for index, path in enumerate(self.found[first : first + self._rows], first):
            if index > first:
                spans.append(("\n", ()))
            mark = marks.get(index, " ")
            spans += self._row(path, mark, chosen=index == self.chosen)
        return Palette(self, self.LOOKS).content(spans)

    def _row(self, path: str, mark: str, *, chosen: bool) -> list[Span]:
        path = safe(decoded(path), newlines=False)
        folder, slash, name = path.rstrip("/").rpartition("/")
        name += "/" if path.endswith("/") else ""
        parts = ((f" {folder}{slash}", ("folder",)), (name, ("name",)))
        row: list[Span] = [*cut(parts, self.size.width - 2)]
        gap = max(0, self.size.width - 1 - spans_width(row))
        row.append((" " * gap + mark, ("folder",)))
        return [(text, ("chosen",)) for text, _ in row] if chosen else row
