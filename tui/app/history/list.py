"""The list widget for conversations or for the hits of a search.

Only the visible rows are laid out, so ten thousand conversations cost no more than ten.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.app.history.dates import ago
from tui.app.markdown.lines import Line, Span, beside
from tui.app.transcript.find import Place
from tui.app.widgets.entry_list import Entry, Rows
from tui.app.widgets.palette import Looks
from tui.conversation import Hit, Summary
from tui.i18n import _, ngettext
from tui.safe import safe

_ROOMY = 60
"""Columns from which a row has room for more than a title and its age."""


class Heading(Entry):
    """A line that cannot be selected."""

    selectable = False

    def __init__(self, text: str) -> None:
        self.text = text

    def height(self, width: int) -> int:
        """Return 1."""
        return 1

    def line(self, number: int, width: int) -> Line:
        """Return the only line."""
        return Line(((self.text, ("heading",)),))


class Stored(Entry):
    """A conversation with its title, message count and age."""

    place: Place | None = None
    seq = 0

    def __init__(self, summary: Summary, mark: str = "") -> None:
        """Set up a row; `mark` is `asks`, `running`, `unread` or ""."""
        self.summary = summary
        self.id = summary.id
        self.mark = mark

    def height(self, width: int) -> int:
        """Return 1."""
        return 1

    def line(self, number: int, width: int) -> Line:
        """Return the only line."""
        title = safe(self.summary.title, newlines=False) or _("Untitled")
        mark = _MARKS.get(self.mark, ("  ", ()))
        style = ("name",) if self.mark else ()
        facts = ago(self.summary.updated)
        if width >= _ROOMY:
            many = self.summary.messages
            count = ngettext("{count} message ", "{count} messages", many).format(
                count=many
            )
            facts = f"{count}  {' ' * (10 - cell_len(facts))}{facts}"
        return beside((mark, (title, style)), ((facts, ("muted",)),), width)


_MARKS: dict[str, Span] = {
    "asks": ("? ", ("running",)),
    "running": ("● ", ("running",)),
    "unread": ("• ", ("key",)),
}


class Found(Entry):
    """A message that matches the search: its conversation and an excerpt."""

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.id = hit.conversation
        self.seq = hit.seq
        phrase = hit.excerpt[slice(*hit.marks[0])] if hit.marks else ""
        self.place = Place(hit.message_id, phrase)

    def height(self, width: int) -> int:
        """Return 2."""
        return 2

    def line(self, number: int, width: int) -> Line:
        """Return line 0, the title, or line 1, the excerpt."""
        hit = self.hit
        if number == 0:
            title = safe(hit.title, newlines=False) or _("Untitled")
            age: Span = (ago(hit.time), ("muted",))
            return beside((("  ", ()), (title, ())), (age,), width)
        who = _("You: ") if hit.role == "user" else ""
        return Line(
            (("    " + who, ("muted",)), *self._excerpt(width - 4 - cell_len(who)))
        )

    def _excerpt(self, width: int) -> Iterable[Span]:
        text, marks = self.hit.excerpt, self.hit.marks
        # A narrow screen must show the match, not the text before it.
        begin = 0
        if marks and marks[0][1] > width - 2:
            begin = max(0, marks[0][0] - width // 3)
        if begin:
            yield "…", ("muted",)
        at = begin
        for start, end in marks:
            if start >= at:
                yield text[at:start], ("muted",)
                yield text[start:end], ("hit",)
                at = end
        yield text[at:], ("muted",)


class HistoryList(Rows):
    """Lists conversations or hits; the search field moves its cursor too."""

    DEFAULT_CSS = """
    HistoryList {
        height: 1fr;
        background: $background;
    }
    """

    LOOKS: ClassVar[Looks] = {
        **Rows.LOOKS,
        "hit": "bold underline $text-warning",
    }

    CURSOR_STAYS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open", "Open", show=False),
        Binding("r", "screen.ask('rename')", "Rename", show=False),
        Binding("p", "screen.act('pin')", "Pin", show=False),
        Binding("x", "screen.ask('export')", "Export", show=False),
        Binding("i", "screen.ask('import')", "Import", show=False),
        Binding("d,delete", "screen.act('delete')", "Delete", show=False),
        Binding("u", "screen.act('undo')", "Undo", show=False),
        Binding("slash", "screen.search", "Search", show=False),
    ]

    class Opened(Message):
        """The user wants to open the entry at the cursor."""

    class Moved(Message):
        """Another entry, or another list, may be at the cursor."""

    def _select(self, index: int | None) -> None:
        super()._select(index)
        self.post_message(self.Moved())

    def action_page(self, direction: int) -> None:
        """Scroll a page up (-1) or down (1), and move the cursor along."""
        super().action_page(direction)
        self.post_message(self.Moved())

    @property
    def selected(self) -> Stored | Found | None:
        """The entry at the cursor."""
        if self.cursor is None or self.cursor >= len(self.entries):
            return None
        entry = self.entries[self.cursor]
        return entry if isinstance(entry, Stored | Found) else None

    def go_to(self, index: int) -> None:
        """Put the cursor on an entry."""
        self._select(index)

    def show_entries(self, entries: Sequence[Entry], stay: bool) -> None:
        """Show `entries`; with `stay` the cursor stays on its conversation."""
        old = self.selected
        place = None
        if stay and old:
            for index, entry in enumerate(entries):
                if isinstance(entry, Stored | Found) and entry.id == old.id:
                    place = index
                    break
            else:
                # The entry is gone: select its neighbour.
                place = self._nearest(entries)
        top = self.scroll_offset.y if stay else 0
        self.set_entries(entries, place)
        self._settle()
        self._scroll(top)
        if self.cursor is not None:
            self._show(self.cursor)
        self.post_message(self.Moved())

    def _nearest(self, entries: Sequence[Entry]) -> int | None:
        last = min(self.cursor or 0, len(entries) - 1)
        for index in (*range(last, len(entries)), *range(last, -1, -1)):
            if index >= 0 and entries[index].selectable:
                return index
        return None

    def click(self, index: int, number: int, x: int) -> None:
        """Open the clicked entry."""
        self.post_message(self.Opened())
