"""The history screen: all conversations, filtered by a search.

What is typed goes to the search field while the arrow keys move in the list, so that
nobody has to change between them; the acts are on function keys, which every terminal
passes on, and on letters once the list has the focus. The disk is read in threads, and
only the newest query counts.
"""

# Textual does not say of what its App and Screen are generic.
# pyright: reportUnknownMemberType=false

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tui import conversation
from tui.app import background
from tui.app.backend import Store
from tui.app.history.actions import slug
from tui.app.history.list import Found, Heading, HistoryList, Stored
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place
from tui.app.widgets.dialog import Words
from tui.app.widgets.entry_list import Entry
from tui.app.widgets.field import Field
from tui.conversation import Hit, Summary
from tui.errors import LogError
from tui.safe import safe

PAGE = 100
"""How many conversations are shown at once; the others follow when they are read."""
HITS = 100
"""How many messages a search shows at most."""
PAUSE = 0.15
"""Seconds without a key after which is searched for what is typed."""
SECONDS = 1.0
"""How often the store is looked at for what others do."""

_TITLES = 20  # conversations whose titles match, above the messages

_KEYS = (
    ("Enter", "open"),
    ("F2", "rename"),
    ("F4", "pin"),
    ("F5", "export"),
    ("F6", "import"),
    ("F8", "delete"),
    ("F9", "undo"),
    ("Esc", "back"),
)
_LETTERS = {"F2": "r", "F4": "p", "F5": "x", "F6": "i", "F8": "d", "F9": "u"}

_PROMPTS = {
    "rename": "Rename to",
    "export": "Export to (.md or .json)",
    "import": "Import the file (.json)",
}


class HistoryScreen(OutputScreen):
    """The conversations of `store`; `words` are searched for at once."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page', -1)", "Page up", show=False),
        Binding("pagedown", "move('page', 1)", "Page down", show=False),
        Binding("f2", "ask('rename')", "Rename", show=False),
        Binding("f4", "act('pin')", "Pin", show=False),
        Binding("f5", "ask('export')", "Export", show=False),
        Binding("f6", "ask('import')", "Import", show=False),
        Binding("f8", "act('delete')", "Delete", show=False),
        Binding("f9", "act('undo')", "Undo", show=False),
        Binding("escape,ctrl+s", "back", "Back", show=False),
    ]

    class Opened(Message):
        """The user wants the conversation `id`, at `place` if there is one."""

        def __init__(self, id: str, place: Place | None) -> None:
            super().__init__()
            self.id = id
            self.place = place

    class Wanted(Message):
        """The user wants `act` done; see `Library.do`."""

        def __init__(self, act: str, id: str, argument: str = "") -> None:
            super().__init__()
            self.act = act
            self.id = id
            self.argument = argument

    def __init__(self, store: Store, current: str, words: str = "") -> None:
        """`current` is the conversation that the cursor begins on."""
        super().__init__()
        self._store = store
        self._current = current
        self.field = Field(words, placeholder="Words in any conversation", compact=True)
        self.field.cursor_blink = False
        self.list = HistoryList()
        self.note = Words(id="note", markup=False)
        self.keys = Words(id="keys", markup=False)
        self._can_undo = False
        self._prompt = ""
        """The act whose argument is being typed, "" while it is a search."""
        self._query = words
        self._asked_of = ""
        """The conversation that the prompt is about."""
        self._summaries: Sequence[Summary] = ()
        self._marks: dict[str, str] = {}
        self._found: tuple[str, Sequence[Hit]] | None = None
        """The last query that was answered."""
        self._pause: Timer | None = None
        self._opens = False
        """Whether Enter was pressed before the search had an answer."""
        self._left = threading.Event()
        self._look_again = threading.Event()

    def compose(self) -> ComposeResult:
        """Put the parts together; screen.tcss arranges them."""
        yield self.field
        yield self.list
        yield self.note
        self.keys.update(self._keys())
        yield self.keys

    def on_mount(self) -> None:
        """Begin to read."""
        self.field.border_title = "Search"
        background.run("history", self._watch)
        if self._query:
            self._search()

    def on_unmount(self) -> None:
        """Read no further."""
        self._left.set()
        self._look_again.set()

    # -- reading, in threads

    def _watch(self) -> None:
        tail = -1
        with suppress(LogError):
            while not self._left.is_set():
                last, asked = self._store.tail(), self._look_again.is_set()
                self._look_again.clear()
                if tail < 0:
                    self.call_later(self._show_all, *self._read(PAGE))
                if last != tail or asked:
                    tail = last
                    self.call_later(self._show_all, *self._read(-1))
                self._look_again.wait(SECONDS)

    def _read(self, limit: int) -> tuple[Sequence[Summary], dict[str, str], bool]:
        store = self._store
        summaries = store.recent(limit)
        marks = dict.fromkeys(store.unread(), "unread")
        marks |= dict.fromkeys(store.answering(), "running")
        return summaries, marks, bool(store.trashed())

    def _search(self) -> None:
        self._pause = None
        background.run("search", lambda: self._find(self._query))

    def _find(self, query: str) -> None:
        with suppress(LogError):
            hits = self._store.search(query, HITS)
            self.call_later(self._show_hits, query, hits)

    # -- showing

    def _show_all(
        self, summaries: Sequence[Summary], marks: dict[str, str], can_undo: bool
    ) -> None:
        first = not self._summaries
        if can_undo != self._can_undo:
            self._can_undo = can_undo
            self._spell_keys()
        if (summaries, marks) != (self._summaries, self._marks):
            self._summaries, self._marks = summaries, marks
            self._show(stay=not first)
            if first:
                self._go_to(self._current)

    def _show_hits(self, query: str, hits: Sequence[Hit]) -> None:
        if query == self._query:
            stay = bool(self._found and self._found[0] == query)
            self._found = query, hits
            self._show(stay)
            if self._opens:
                self._opens = False
                self.action_open()

    def _show(self, stay: bool) -> None:
        if self._query.strip():
            # Until the answer is there, what was found before stays.
            if self._found:
                self.list.show_entries(self._of_search(*self._found), stay)
        else:
            self.list.show_entries(self._of_all(), stay)
        self._count()

    def _of_all(self) -> list[Entry]:
        entries: list[Entry] = []
        pinned = [s for s in self._summaries if s.pinned]
        others = [s for s in self._summaries if not s.pinned]
        for title, group in (("Pinned", pinned), ("Others", others)):
            if pinned and group:
                entries.append(Heading(title))
            entries += map(self._stored, group)
        return entries or [Heading("No conversation has been kept yet.")]

    def _of_search(self, query: str, hits: Sequence[Hit]) -> list[Entry]:
        words = query.casefold().split()
        titled = [
            summary
            for summary in self._summaries
            if all(word in summary.title.casefold() for word in words)
        ]
        entries: list[Entry] = []
        if titled:
            entries.append(Heading("Titles"))
            entries += map(self._stored, titled[:_TITLES])
        if hits:
            entries.append(Heading("Messages"))
            entries += map(Found, hits)
        if len(hits) == HITS:
            entries.append(Heading(f"The newest {HITS}; more words tell more."))
        if not conversation.is_searchable(query):
            entries.append(Heading("Punctuation alone is not searched."))
        return entries or [Heading("Nothing found.")]

    def _stored(self, summary: Summary) -> Stored:
        return Stored(summary, self._marks.get(summary.id, ""))

    def _count(self) -> None:
        total = len(self._summaries)
        self.field.border_subtitle = f"{total:,} conversation{'s'[: total != 1]}"

    def _go_to(self, id: str) -> None:
        for index, entry in enumerate(self.list.entries):
            if isinstance(entry, Stored) and entry.id == id:
                self.list.go_to(index)

    def _keys(self) -> Content:
        """Return the keys, a key and what it does never torn apart by a line's end."""
        letters = self.list.has_focus
        lines: list[list[Content]] = [[]]
        room = width = self.app.size.width - 2
        for key, does in _KEYS:
            if does == "undo" and not self._can_undo:
                continue
            key = _LETTERS.get(key, key) if letters else key
            room -= len(key) + 1 + len(does)
            if room < 0 and lines[-1]:
                lines.append([])
                room = width - len(key) - 1 - len(does)
            room -= 2
            pair = Content.assemble((key, "$text-accent"), (f" {does}", "$text-muted"))
            lines[-1].append(pair)
        return Content("\n").join(Content("  ").join(line) for line in lines)

    def tell(self, text: str, failed: bool = False) -> None:
        """Say how an act ended, until the next one, and show what it changed."""
        self.note.update(safe(text, newlines=False))
        self.note.set_class(failed, "-failed")
        self.note.display = bool(text)
        self._look_again.set()
        if self._query.strip():
            self._search()

    # -- what the user does

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    @on(events.Resize)
    def _spell_keys(self) -> None:
        # Not asked for by its name: a screen that is left has no parts any more.
        self.keys.update(self._keys())

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        if self._prompt or changed.value == self._query:
            return
        self._query = changed.value
        self._opens = False
        if self._pause:
            self._pause.stop()
            self._pause = None
        if self._query.strip():
            self._pause = self.set_timer(PAUSE, self._search)
        else:
            self._found = None
            self._show(stay=False)

    @on(Input.Submitted)
    def _enter(self, submitted: Input.Submitted) -> None:
        act, argument = self._prompt, submitted.value.strip()
        if not act:
            self.action_open()
            return
        if not argument:
            what = "A title" if act == "rename" else "The name of a file"
            self.tell(f"{what} is needed (Esc: leave it)", failed=True)
            return
        id = self._asked_of
        self._end_prompt()
        self.post_message(self.Wanted(act, id, argument))

    @on(HistoryList.Opened)
    def action_open(self) -> None:
        """Open what the cursor is on."""
        if self._query.strip() and (self._found or ("",))[0] != self._query:
            # What is shown is not what was typed: it is opened when it has been found.
            self._opens = True
            if self._pause:
                self._pause.stop()
                self._search()
        elif selected := self.list.selected:
            self.post_message(self.Opened(selected.id, selected.place))

    def action_move(self, how: str, *arguments: int) -> None:
        """Move the cursor of the list from the search field."""
        if not self._prompt:
            getattr(self.list, f"action_{how}")(*arguments)

    def action_search(self) -> None:
        """Go to the search field."""
        self.field.focus()

    def action_act(self, act: str) -> None:
        """Do something to the conversation that the cursor is on."""
        selected = self.list.selected
        if act == "undo" or selected:
            self.post_message(self.Wanted(act, selected.id if selected else ""))

    def action_ask(self, act: str) -> None:
        """Ask for what an act needs, in the place of the search."""
        selected = self.list.selected
        if not selected and act != "import":
            return
        self._asked_of = selected.id if selected else ""
        title = ""
        if selected:
            title = (
                selected.summary.title
                if isinstance(selected, Stored)
                else selected.hit.title
            )
        value = {"rename": safe(title, newlines=False), "export": f"{slug(title)}.md"}
        self._prompt = act
        self.field.border_title = _PROMPTS[act]
        self.field.value = value.get(act, "")
        self.field.cursor_position = len(self.field.value)
        self.field.focus()

    def action_back(self) -> None:
        """Give up what is being asked for, else go back to the conversation."""
        if self._prompt:
            self._end_prompt()
        else:
            self.dismiss()

    def _end_prompt(self) -> None:
        self._prompt = ""
        self.field.border_title = "Search"
        self.field.value = self._query
        self.field.cursor_position = len(self._query)
