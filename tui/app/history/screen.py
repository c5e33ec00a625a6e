"""The history screen: all conversations, filtered by a search.

Typed text goes to the search field while the arrow keys move in the list, so the user
need not switch between them. Actions are on function keys, which every terminal
supports, and on letters while the list has the focus. Threads read the disk, and only
the newest query counts.

The file is long because Textual looks up messages, watchers and actions as members of
the screen.
"""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tui import conversation
from tui.app import background
from tui.app.backend import Store
from tui.app.history.actions import slug
from tui.app.history.dates import group
from tui.app.history.key_line import KeyHint, KeyLine
from tui.app.history.list import Found, Heading, HistoryList, Stored
from tui.app.history.preview import Preview
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place
from tui.app.widgets.dialog import Words
from tui.app.widgets.entry_list import Entry
from tui.app.widgets.field import Field
from tui.conversation import Hit, Summary
from tui.conversation.preview import Spoken
from tui.errors import LogError
from tui.i18n import N_, _, ngettext
from tui.safe import safe

PAGE = 100
"""Conversations in the first batch; the others are shown once they are read."""
HITS = 100
"""Most messages that a search shows."""
PAUSE = 0.15
"""Seconds without a key before the search starts."""
SECONDS = 1.0
"""Seconds between two checks of the store for changes by other programs."""

PREVIEWED = 100
"""Columns from which there is a preview beside the list."""
REST = 0.12
"""Seconds that the cursor rests on an entry before its preview is read."""

_TITLES = 20  # most matching titles shown above the messages

_KEYS = (
    ("Enter", N_("open"), "screen.open"),
    ("F2", N_("rename"), "ask('rename')"),
    ("F4", N_("pin"), "act('pin')"),
    ("F5", N_("export"), "ask('export')"),
    ("F6", N_("import"), "ask('import')"),
    ("F7", N_("fork"), "act('fork')"),
    ("F8", N_("delete"), "act('delete')"),
    ("F9", N_("undo"), "act('undo')"),
    ("Esc", N_("back"), "screen.back"),
)
_LETTERS = {"F2": "r", "F4": "p", "F5": "x", "F6": "i", "F7": "f", "F8": "d", "F9": "u"}

_SEARCH = N_("Search"), N_("Search all conversations")
_PROMPTS = {
    "rename": (N_("Rename to"), N_("A title")),
    "export": (N_("Export to (.md or .json)"), N_("path/to/file.md")),
    "import": (N_("Import file (.json)"), N_("path/to/file.json")),
}
"""The title and placeholder of the field while an action's argument is typed."""


class HistoryScreen(OutputScreen):
    """Shows the conversations of `store`; `words` start a search at once."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
        Binding("pageup", "move('page', -1)", "Page up", show=False),
        Binding("pagedown", "move('page', 1)", "Page down", show=False),
        Binding("shift+up", "preview(-3)", "Preview up", show=False),
        Binding("shift+down", "preview(3)", "Preview down", show=False),
        Binding("shift+pageup", "preview_page(-1)", "Preview page up", show=False),
        Binding("shift+pagedown", "preview_page(1)", "Preview page down", show=False),
        Binding("f2", "ask('rename')", "Rename", show=False),
        Binding("f4", "act('pin')", "Pin", show=False),
        Binding("f5", "ask('export')", "Export", show=False),
        Binding("f6", "ask('import')", "Import", show=False),
        Binding("f7", "act('fork')", "Fork", show=False),
        Binding("f8", "act('delete')", "Delete", show=False),
        Binding("f9", "act('undo')", "Undo", show=False),
        Binding("escape", "back", "Back", show=False),
        Binding("ctrl+s", "back", "Back", show=False, id="history"),
        Binding("f1", "app.command('help')", "Help", show=False, id="help"),
    ]

    class Opened(Message):
        """The user wants the conversation `id`, at `place` if there is one."""

        def __init__(self, id: str, place: Place | None) -> None:
            super().__init__()
            self.id = id
            self.place = place

    class Wanted(Message):
        """The user requests an action; see `Library.do`."""

        def __init__(self, act: str, id: str, argument: str = "") -> None:
            super().__init__()
            self.act = act
            self.id = id
            self.argument = argument

    def __init__(self, store: Store, current: str, words: str = "") -> None:
        """Show `store`; the cursor starts on the conversation `current`."""
        super().__init__()
        self._store = store
        self._current = current
        self.field = Field(words, placeholder=_(_SEARCH[1]), compact=True)
        self.field.cursor_blink = False
        self.list = HistoryList()
        self.preview = Preview()
        self._previewed: tuple[object, ...] = ()
        """What the preview shows or will show, and the state of the store."""
        self._rest: Timer | None = None
        self.note = Words(id="note", markup=False)
        self.keys = KeyLine()
        self._can_undo = False
        self._prompt = ""
        """The action whose argument is being typed, "" during a search."""
        self._query = words
        self._asked_of = ""
        """The conversation for the prompted action."""
        self._summaries: Sequence[Summary] = ()
        self._marks: dict[str, str] = {}
        self._found: tuple[str, Sequence[Hit]] | None = None
        """The last query that was answered, and its hits."""
        self._pause: Timer | None = None
        self._opens: Callable[[], None] | None = None
        """Enter was pressed before the search had finished: lets later keys pass."""
        self._listed = False
        """Whether the stored conversations are known."""
        self._acts = ""
        """The action whose key was pressed before they were known."""
        self._tail = -1
        """How far the store was read for the list."""
        self._left = threading.Event()
        self._look_again = threading.Event()

    def compose(self) -> ComposeResult:
        """Yield the parts; screen.tcss arranges them."""
        yield self.field
        with Horizontal(id="both"):
            yield self.list
            yield self.preview
        yield self.note
        self._spell_keys()
        yield self.keys

    def on_mount(self) -> None:
        """Start reading the store."""
        self.field.border_title = _(_SEARCH[0])
        background.run("history", self._watch)
        if self._query:
            self._search()

    def on_unmount(self) -> None:
        """Stop reading the store."""
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
                    tail = self._tail = last
                    self.call_later(self._show_all, *self._read(-1))
                self._look_again.wait(SECONDS)

    def _read(self, limit: int) -> tuple[Sequence[Summary], dict[str, str], bool]:
        store = self._store
        summaries = store.recent(limit)
        marks = dict.fromkeys(store.unread(), "unread")
        marks |= dict.fromkeys(store.answering(), "running")
        marks |= dict.fromkeys(store.waiting(), "asks")
        return summaries, marks, bool(store.trashed())

    def _search(self) -> None:
        self._pause = None
        background.run("search", lambda: self._find(self._query))

    def _find(self, query: str) -> None:
        with suppress(LogError):
            hits = self._store.search(query, HITS)
            self.call_later(self._show_hits, query, hits)

    # -- the preview

    @on(HistoryList.Moved)
    def _preview_soon(self) -> None:
        if self._rest:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._preview)

    @on(events.Resize)
    def _make_room(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= PREVIEWED, "-preview")
        self._preview_soon()

    def _preview(self) -> None:
        """Read what is at the cursor, unless it is shown or there is no room."""
        self._rest = None
        if not self.has_class("-preview"):
            return
        selected = self.list.selected
        if selected is None:
            self._previewed = ()
            self.preview.show(())
            return
        id, seq = selected.id, selected.seq
        phrase = selected.place.phrase if selected.place else ""
        wanted = (id, seq, phrase, self._tail)
        if wanted == self._previewed:
            return
        self._previewed = wanted

        def read() -> None:
            with suppress(LogError):
                messages = self._store.preview(id, seq)
                self.call_later(self._show_preview, wanted, messages, phrase)

        background.run("preview", read)

    def _show_preview(
        self, wanted: tuple[object, ...], messages: Sequence[Spoken], phrase: str
    ) -> None:
        if wanted == self._previewed:
            self.preview.show(messages, phrase)

    # -- showing

    def _show_all(
        self, summaries: Sequence[Summary], marks: dict[str, str], can_undo: bool
    ) -> None:
        first = not self._summaries
        self._listed = True
        self._preview_soon()  # what is shown may have grown
        if can_undo != self._can_undo:
            self._can_undo = can_undo
            self._spell_keys()
        if (summaries, marks) != (self._summaries, self._marks):
            self._summaries, self._marks = summaries, marks
            self._show(stay=not first)
            if first:
                self._go_to(self._current)
        if not self._query.strip():
            self._open_at_last()
        if acts := self._acts:
            self._acts = ""
            self.action_act(acts)

    def _show_hits(self, query: str, hits: Sequence[Hit]) -> None:
        if query == self._query:
            stay = bool(self._found and self._found[0] == query)
            self._found = query, hits
            self._show(stay)
            self._open_at_last()

    def _show(self, stay: bool) -> None:
        if self._query.strip():
            # Keep the previous hits until the search has finished.
            if self._found:
                self.list.show_entries(self._of_search(*self._found), stay)
        else:
            self.list.show_entries(self._of_all(), stay)
        self._count()

    def _of_all(self) -> list[Entry]:
        entries: list[Entry] = []
        title = ""
        for summary in self._summaries:
            its = _("Pinned") if summary.pinned else group(summary.updated)
            if its != title:
                entries.append(Heading(title := its))
            entries.append(self._stored(summary))
        return entries or [Heading(_("No conversations yet"))]

    def _of_search(self, query: str, hits: Sequence[Hit]) -> list[Entry]:
        words = query.casefold().split()
        titled = [
            summary
            for summary in self._summaries
            if all(word in summary.title.casefold() for word in words)
        ]
        entries: list[Entry] = []
        if titled:
            entries.append(Heading(_("Titles")))
            entries += map(self._stored, titled[:_TITLES])
        if hits:
            entries.append(Heading(_("Messages")))
            # Versions of a message with the same text would be the same row twice.
            seen = {(h.conversation, h.role, h.excerpt): h for h in reversed(hits)}
            newest = {hit.seq for hit in seen.values()}
            entries += [Found(hit) for hit in hits if hit.seq in newest]
        if len(hits) == HITS:
            entries.append(
                Heading(
                    _(
                        "Showing the newest {hits}; add words to narrow the search"
                    ).format(hits=HITS)
                )
            )
        if not conversation.is_searchable(query):
            entries.append(Heading(_("Cannot search for punctuation alone")))
        return entries or [Heading(_("Nothing found"))]

    def _stored(self, summary: Summary) -> Stored:
        return Stored(summary, self._marks.get(summary.id, ""))

    def _count(self) -> None:
        total = len(self._summaries)
        count = ngettext(
            "{count:,} conversation", "{count:,} conversations", total
        ).format(count=total)
        if self._query.strip() and self._found:
            found = sum(entry.selectable for entry in self.list.entries)
            more = "+" if len(self._found[1]) == HITS else ""
            count = ngettext(
                "{count:,}{more} match", "{count:,}{more} matches", 2 if more else found
            ).format(count=found, more=more)
        self.field.border_subtitle = "" if self._prompt else count

    def _go_to(self, id: str) -> None:
        for index, entry in enumerate(self.list.entries):
            if isinstance(entry, Stored) and entry.id == id:
                self.list.go_to(index)

    def _keys(self) -> Iterator[KeyHint]:
        if self._prompt:
            yield KeyHint("Enter", _(self._prompt), "screen.submit")
            yield KeyHint("Esc", _("cancel"), "screen.back")
            return
        letters = self.list.has_focus
        for key, does, action in _KEYS:
            if does != "undo" or self._can_undo:
                shown = _LETTERS.get(key, key) if letters else key
                yield KeyHint(shown, _(does), action)

    def report(self, text: str, failed: bool = False) -> None:
        """Show the outcome of an action until the next one, and refresh the list."""
        self.note.update(safe(text, newlines=False))
        self.note.set_class(failed, "-failed")
        self.note.display = bool(text)
        self._look_again.set()
        if self._query.strip():
            self._search()

    # -- user actions

    def action_preview(self, rows: int) -> None:
        """Scroll the preview by rows."""
        self.preview.scroll_rows(rows)

    def action_preview_page(self, pages: int) -> None:
        """Scroll the preview by pages."""
        self.preview.scroll_pages(pages)

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    @on(events.Resize)
    def _spell_keys(self) -> None:
        # Not with query_one: a screen that is closing has no parts any more.
        self.keys.show([*self._keys()], self.app.size.width - 2)

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        if self._prompt or changed.value == self._query:
            return
        self._query = changed.value
        if release := self._opens:
            self._opens = None
            release()
        if self._pause:
            self._pause.stop()
            self._pause = None
        if self._query.strip():
            self._pause = self.set_timer(PAUSE, self._search)
        else:
            self._found = None
            self._show(stay=False)

    @on(KeyLine.Clicked)
    async def _run_key(self, clicked: KeyLine.Clicked) -> None:
        await self.run_action(clicked.action)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Do what is prompted for, or open the entry at the cursor."""
        act, argument = self._prompt, self.field.value.strip()
        if not act:
            self.action_open()
            return
        if not argument:
            what = (
                _("Enter a title (Esc cancels)")
                if act == "rename"
                else _("Enter a file name (Esc cancels)")
            )
            self.report(what, failed=True)
            return
        id = self._asked_of
        self._end_prompt()
        self.post_message(self.Wanted(act, id, argument))

    @on(HistoryList.Opened)
    def action_open(self) -> None:
        """Open the entry at the cursor."""
        if self._query.strip() and (self._found or ("",))[0] != self._query:
            # The list shows an older query: open the entry once the search is done.
            self._open_later()
            if self._pause:
                self._pause.stop()
                self._search()
        elif not self._query.strip() and not self._listed:
            self._open_later()
        elif selected := self.list.selected:
            self.post_message(self.Opened(selected.id, selected.place))

    def _open_later(self) -> None:
        if not self._opens:  # the keys that come now are meant for the conversation
            self._opens = self.hold_keys()

    def _open_at_last(self) -> None:
        if release := self._opens:
            self._opens = None
            self.action_open()
            release()

    def action_move(self, how: str, *arguments: int) -> None:
        """Move the list's cursor from the search field."""
        if not self._prompt:
            getattr(self.list, f"action_{how}")(*arguments)

    def action_search(self) -> None:
        """Go to the search field."""
        self.field.focus()

    def action_act(self, act: str) -> None:
        """Request an action on the conversation at the cursor."""
        if not self._listed:
            self._acts = act
            return
        selected = self.list.selected
        if act == "undo" or selected:
            self.post_message(self.Wanted(act, selected.id if selected else ""))

    def action_ask(self, act: str) -> None:
        """Prompt for an action's argument in the search field."""
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
        self._begin_prompt(act)
        self.field.value = value.get(act, "")
        self.field.cursor_position = len(self.field.value)
        self.field.focus()

    def action_back(self) -> None:
        """Cancel the prompt, or else return to the conversation."""
        if self._prompt:
            self._end_prompt()
        else:
            self.dismiss()

    def _begin_prompt(self, act: str) -> None:
        self._prompt = act
        title, placeholder = _PROMPTS.get(act, _SEARCH)
        self.field.border_title, self.field.placeholder = _(title), _(placeholder)
        self._count()
        self._spell_keys()

    def _end_prompt(self) -> None:
        self._begin_prompt("")
        self.field.value = self._query
        self.field.cursor_position = len(self._query)
