"""The help screen: every key and command on one page, which letters filter."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.app import commands
from tui.app.widgets.dialog import Words
from tui.app.widgets.entry_list import wrap
from tui.app.widgets.field import Field
from tui.i18n import N_, _
from tui.safe import safe

WRITING = (
    ("Enter", N_("Send")),
    ("Ctrl+J, Alt+Enter, \\ Enter", N_("New line")),
    (N_("@, or a pasted path"), N_("Attach a file (Backspace removes)")),
    ("Up, Down", N_("Previous, next message you sent")),
    ("PageUp, PageDown", N_("Scroll the conversation")),
    ("Ctrl+End", N_("Newest text; End too, while nothing is typed")),
    ("Tab, Shift+Tab", N_("Next, previous pane")),
    (N_("Ctrl+/ or Ctrl+_, Ctrl+Y"), N_("Undo, redo typing")),
    ("/", N_("List the commands; letters filter, Tab completes")),
)
"""Keys of the composer that are not commands, and what they do."""
READING = (
    ("Up, Down", N_("Message above, below")),
    ("Home, End", N_("First message; newest text, and follow it")),
    ("Enter", N_("Show or hide reasoning")),
    ("y, Y", N_("Copy the message, or its last code block")),
)
"""Keys of the conversation pane that are not commands, and what they do."""
DEBUG = (
    ("Enter", N_("Show all of a call or a note, or the bodies of a round")),
    ("b", N_("Show what was sent to the model, and what came back")),
    ("f", N_("Show only failures, or everything again")),
    ("c, y", N_("Copy the call, the note or the bodies")),
    ("End", N_("Follow the newest again")),
)
"""Keys of the debug panel, and what they do."""
TOOLS = (
    ("Space", N_("Switch the tool, the tools of a server, or streaming")),
    ("Enter", N_("Show what a tool is for, and its parameters")),
    ("x", N_("Revoke the permission")),
    ("r", N_("Reconnect the MCP server")),
)
"""Keys of the tools' pane, and what they do."""
HISTORY = (
    ("Enter", N_("Open the conversation, or the match in context")),
    ("Up, Down", N_("Conversation above, below")),
    ("Shift+Up, Shift+Down", N_("Scroll the preview, Shift+PageUp by a page")),
    ("F2", N_("Rename")),
    ("F4", N_("Pin or unpin")),
    ("F5, F6", N_("Export to a file, import one")),
    ("F7", N_("Fork the conversation")),
    ("F8, F9", N_("Delete, undo the last delete")),
    (N_("Tab"), N_("Go to the list, where letters are shortcuts")),
)
"""Keys of the list of conversations, and what they do."""
ASKING = (
    (N_("The key shown"), N_("Give that answer")),
    (N_("PageDown, PageUp"), N_("Scroll a long call")),
    (N_("Esc"), N_("Stop the answer")),
)
"""Keys while a tool asks for permission, and what they do."""

VI = (
    ("Esc; i, a, I, A, o, O", N_("Leave insert mode; insert here, after, ...")),
    ("h, j, k, l, w, b, e", N_("Left, down, up, right; by words")),
    ("0, ^, $, gg, G", N_("Start, end of the line; first, last line")),
    ("f, F, t, T; ; ,", N_("To a character in the line; again, back")),
    ("d, c, y", N_("Delete, change, yank: with a motion, iw, i(, or doubled")),
    ("x, r, ~, J, p, P, .", N_("Delete, replace, case, join, put, repeat")),
    ("v, V", N_("Select characters, lines")),
    ("u, Ctrl+R", N_("Undo, redo")),
    ("Ctrl+U, Ctrl+D", N_("Scroll the conversation by half a page")),
    (N_("In the conversation"), N_("j, k, g, G scroll; / finds; i or a writes")),
)
"""The vi keys and what they do."""

Place = Literal["writing", "reading", "debug", "tools", "history", "asking"]
"""What has the focus while the user asks for help."""

_HERE = N_("You are here: ")
_EDGES = 6  # columns of border, padding, scroll bar and the gap before it
_WIDEST = 164  # columns of the dialog
_WIDE = 120
"""Columns of the screen from which the page has two columns."""
_GAP = 4  # columns between them
_SHORT = 14
"""Rows of the screen below which no row is left blank."""
_NARROW = 40
"""Columns below which the help text is under the keys."""


class Row(NamedTuple):
    """A key with what it does."""

    keys: str
    does: str
    also: str = ""
    """Other words that find it."""

    def has(self, words: Sequence[str]) -> bool:
        """Return whether all of `words`, in lower case, are in it."""
        text = f"{self.keys} {self.does} {self.also}".casefold()
        return all(word in text for word in words)


class HelpScreen(ModalScreen[None]):
    """Shows all keys, those of the focused pane first; letters filter.

    Esc or the key that opened it closes it.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close", show=False),
        # Under the name of the command, so that it is remapped with it.
        Binding("f1", "dismiss", "Close", show=False, id="help"),
        Binding("up", "scroll_by(-1)", "Up", show=False),
        Binding("down", "scroll_by(1)", "Down", show=False),
        Binding("pageup", "scroll_page(-1)", "Page up", show=False),
        Binding("pagedown", "scroll_page(1)", "Page down", show=False),
    ]

    def __init__(
        self,
        keys: Mapping[str, str],
        place: Place = "writing",
        more: Sequence[commands.Command] = (),
        *,
        vi: bool = False,
    ) -> None:
        """Show help for `place` first.

        `keys` are those changed in the configuration, by the name of the command;
        `more` are commands besides those of the table; `vi` is whether vi keys
        are on.
        """
        super().__init__()
        self._keys = keys
        self._place: Place = place
        self._more = more
        self._vi = vi
        self._filter = ""
        self._words = Words()
        self._page = VerticalScroll(self._words, can_focus=False)

    def compose(self) -> ComposeResult:
        """Yield the filter and the page."""
        # Before the first frame: a resize that came after it would show the page in
        # the narrow dialog, and be sent over the line as a second page.
        self._fit(*self.app.size)
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = _("Keys and commands")
            dialog.border_subtitle = _("Up, Down scroll · Esc close")
            field = Field(placeholder=_("Type to filter"), compact=True)
            field.cursor_blink = False
            with Horizontal(classes="filter"):
                yield Words("› ", markup=False, classes="prompt")
                yield field
            yield self._page

    def on_resize(self, event: events.Resize) -> None:
        """Lay the page out again."""
        self._fit(*event.size)

    def _fit(self, width: int, height: int) -> None:
        self.set_class(width >= _WIDE, "-wide")
        self.set_class(height < _SHORT, "-small")
        self._words.update(self._text(width))

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        self._filter = changed.value
        self._words.update(self._text(self.size.width))
        self._page.scroll_home(animate=False)

    def action_scroll_by(self, rows: int) -> None:
        """Scroll by `rows`."""
        self._page.scroll_relative(y=rows, animate=False)

    def action_scroll_page(self, direction: int) -> None:
        """Scroll a page up (-1) or down (1)."""
        rows = max(self._page.size.height - 1, 1)
        self._page.scroll_relative(y=direction * rows, animate=False)

    def _text(self, width: int) -> Content:
        """Return the page for a screen of `width` columns."""
        words = self._filter.casefold().split()
        found = [
            (title, [row for row in rows if row.has(words)])
            for title, rows in self._sections()
        ]
        sections = [(title, rows) for title, rows in found if rows]
        if not sections:
            return Content.styled(_("Nothing found"), "$text-muted")
        room = min(_WIDEST, width) - _EDGES
        if width < _WIDE:
            return Content("\n").join(_column(sections, room))
        room = (room - _GAP) // 2
        columns = [_column(part, room) for part in _halves(sections, room)]
        lines = zip_longest(*columns, fillvalue=Content(""))
        return Content("\n").join(
            left.pad_right(max(room + _GAP - left.cell_length, 0)) + right
            for left, right in lines
        )

    def _sections(self) -> list[tuple[str, list[Row]]]:
        """Return the titles and rows, those of the focused pane first."""
        places: dict[Place, tuple[str, Iterable[tuple[str, ...]]]] = {
            "writing": (_("Writing"), WRITING),
            "reading": (
                _("Reading (Tab or click first)"),
                (*READING, *self._does(reading=True)),
            ),
            "debug": (_("Debug panel (Shift+Tab or click first)"), DEBUG),
            "tools": (_("Tools (/tools or click first)"), TOOLS),
            "history": (_("Conversations (/history)"), HISTORY),
            "asking": (_("A tool asks"), ASKING),
        }
        title, rows = places.pop(self._place)
        # Without how to get there; Chinese has a wide bracket.
        name = title.partition(" (")[0].partition("（")[0].lower()
        here = f"{_(_HERE)}{name}"
        everywhere = (_("Everywhere"), self._does(key=True))
        slashes = (_("Slash commands"), self._does(key=False))
        sections = [(here, rows), everywhere, slashes, *places.values()]
        if self._place != "writing":
            sections.insert(1, sections.pop(3))
        if self._vi:
            at = 1 if self._place == "writing" else 2
            sections.insert(at, (_("Vi keys in normal mode (/vi off)"), VI))
        return [
            (title, [Row(_(row[0]), _(row[1]), *row[2:]) for row in rows])
            for title, rows in sections
        ]

    def _does(self, *, key: bool | None = None, reading: bool = False) -> list[Row]:
        """Return the rows of commands with a `key` or without (None: both)."""
        spelled = {
            c: commands.spelled(c, self._keys, reading=reading)
            for c in (*commands.COMMANDS, *self._more)
        }
        return [
            Row(", ".join(filter(None, [spelled[c], c.slash])), _(c.help), _also(c))
            for c in spelled
            if c.reading == reading or (reading and c.pane_key)
            if key in (None, bool(spelled[c]))
        ]


def _also(command: commands.Command) -> str:
    return " ".join((*command.aliases, command.name))


def _halves(
    sections: list[tuple[str, list[Row]]], room: int
) -> tuple[list[tuple[str, list[Row]]], list[tuple[str, list[Row]]]]:
    """Return the sections in two columns of about the same length."""
    sizes = [len(_column([section], room)) for section in sections]
    places = range(1, len(sections) + 1)
    best = min(places, key=lambda n: max(sum(sizes[:n]), sum(sizes[n:])))
    return sections[:best], sections[best:]


def _column(sections: list[tuple[str, list[Row]]], room: int) -> list[Content]:
    lines: list[Content] = []
    for title, rows in sections:
        if lines:
            lines.append(Content(""))
        here = title.startswith(_(_HERE))
        look = "bold $text-accent" if here else "bold $text-primary"
        lines.append(Content.styled(title, look))
        for row in rows:
            lines += _lines(row, room)
    return lines


def _lines(row: Row, room: int) -> list[Content]:
    """Return the help text beside its key, or below it if there is no room."""
    keys = safe(row.keys, newlines=False)
    does = safe(row.does, newlines=False)
    if room < _NARROW:
        texts = [f" {keys}", *(f"    {line}" for line in wrap(does, max(8, room - 4)))]
        return [Content(text) for text in texts]
    column = 28 if room >= 70 else 23
    indent = " " * (column + 1)
    first, *others = wrap(does, room - column - 1) or [""]
    if cell_len(keys) >= column:
        texts = [f" {keys}", f"{indent}{first}"]
    else:
        texts = [f" {keys}{' ' * (column - cell_len(keys))}{first}"]
    return [Content(text) for text in (*texts, *(indent + line for line in others))]
