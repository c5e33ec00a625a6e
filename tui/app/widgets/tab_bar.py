"""The header: the app's name, and the open conversation, or all that are open.

With several conversations it is a row of tabs, with marks on those that are running or
unread. A mark changes only when a turn begins or ends, so it costs a slow link almost
nothing.
"""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.app.markdown.lines import Span, cut
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import Looks, Palette
from tui.i18n import N_, _
from tui.safe import safe

_NARROWEST = 14
_WIDEST = 28
"""Fewest and most columns of a tab; with less, titles could not be told apart."""
_NAME = " lazychat "
_NAMED_FROM = 60
"""Columns from which there is room for the name and the counts beside tabs."""
_NEW = N_("New conversation")


class Tab(NamedTuple):
    """An open conversation."""

    id: str
    title: str
    """Empty while the conversation is new."""
    running: bool = False
    unread: bool = False
    asks: bool = False
    """Whether it waits for the user's permission."""


class ChatBar(Contained, Widget):
    """One row; `title`, `tabs` and `current` may be set at any time."""

    DEFAULT_CSS = """
    ChatBar {
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "name": "bold $text-primary",
        "title": "bold",
        "current": "bold on $background",
        "other": "$text-muted",
        "unread": "bold $text-accent",
    }

    title: reactive[str] = reactive("")
    """The title of the conversation that is shown; "" while it is new."""
    tabs: reactive[tuple[Tab, ...]] = reactive(())
    """The open conversations."""
    current: reactive[str] = reactive("")
    """The id of the conversation that is shown."""

    class Chosen(Message):
        """The user wants to open the conversation `id`."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return 1."""
        return 1

    def render(self) -> RenderResult:
        """Return the row."""
        spans = [span for __, span in self.spans(self.size.width)]
        return Palette(self, self.LOOKS).content(spans)

    def spans(self, width: int) -> list[tuple[str, Span]]:
        """Return the ids and texts of the tabs that are shown at `width` columns.

        An id of "" stands for what is not a tab.
        """
        if len(self.tabs) < 2:
            return self._alone(width)
        if width < _NAMED_FROM:
            return self._row(width)
        counts = self._counts()
        tabs = self._row(width - len(_NAME) - cell_len(counts))
        used = sum(cell_len(text) for __, (text, __) in tabs)
        gap = " " * (width - len(_NAME) - used - cell_len(counts))
        return [
            ("", (_NAME, ("name",))),
            *tabs,
            ("", (gap + counts, ("other",))),
        ]

    def _alone(self, width: int) -> list[tuple[str, Span]]:
        """Return the name of the app and the title of the only conversation."""
        title = safe(self.title, newlines=False)
        look = "title" if title else "other"
        name = cut(((_NAME, ("name",)),), width)
        rest = cut(((f" {title or _(_NEW)}", (look,)),), max(width - len(_NAME) - 1, 0))
        return [("", span) for span in (*name, *rest)]

    def _counts(self) -> str:
        busy = sum(tab.running for tab in self.tabs)
        runs = " · " + _("{count} busy").format(count=busy) if busy else ""
        opened = _("{count} open").format(count=len(self.tabs))
        return f" {opened}{runs} "

    def _row(self, width: int) -> list[tuple[str, Span]]:
        room = max(1, width // _NARROWEST)
        ids = [tab.id for tab in self.tabs]
        here = ids.index(self.current) if self.current in ids else 0
        # If not all tabs fit, show the current one and its neighbours.
        first = min(max(0, here - room // 2), max(0, len(ids) - room))
        shown = self.tabs[first : first + room]
        each = min(_WIDEST, width // max(1, len(shown)))
        names = dict(zip(ids, _names(self.tabs, each - 3), strict=True))
        return [(tab.id, self._span(tab, names[tab.id], each)) for tab in shown]

    def _span(self, tab: Tab, name: str, width: int) -> Span:
        news = tab.unread and tab.id != self.current
        mark = "?" if tab.asks else "●" if tab.running else "•" if news else " "
        gap = " " * (width - 3 - cell_len(name))
        look = "other"
        if tab.id == self.current:
            look = "current"
        elif news:
            look = "unread"
        return f"{mark} {name}{gap} ", (look,)

    def on_click(self, event: events.Click) -> None:
        """Open the clicked tab."""
        end = 0
        for id, (text, __) in self.spans(self.size.width):
            end += cell_len(text)
            if event.x < end and not id:
                return
            if event.x < end:
                self.post_message(self.Chosen(id))
                return


def _names(tabs: Sequence[Tab], width: int) -> list[str]:
    """Return the titles cut to `width` columns; equal ones get a number: "Title (2)".

    Titles that only look equal because they are cut get one too.
    """
    names: list[str] = []
    seen = Counter[str]()
    for tab in tabs:
        title = safe(tab.title, newlines=False) or _(_NEW)
        name = _cut(title, width)
        seen[name] += 1
        if seen[name] > 1:
            number = f" ({seen[name]})"
            name = _cut(title, width - len(number)) + number
        names.append(name)
    return names


def _cut(text: str, width: int) -> str:
    return "".join(part for part, __ in cut(((text, ()),), max(width, 0)))
