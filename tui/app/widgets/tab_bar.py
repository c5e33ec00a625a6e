"""The tab bar: open conversations, which are running, which are unread.

It is visible when several conversations are open. A mark changes only when a turn
begins or ends, so it costs a slow link almost nothing.
"""

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
from tui.safe import safe

_NARROWEST = 10
_WIDEST = 28
"""Most columns of a tab."""


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
    """One row; `tabs` and `current` may be set at any time."""

    DEFAULT_CSS = """
    ChatBar {
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "current": "bold on $background",
        "other": "$text-muted",
        "unread": "bold $text-accent",
    }

    tabs: reactive[tuple[Tab, ...]] = reactive(())
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
        spans = [span for _, span in self.spans(self.size.width)]
        return Palette(self, self.LOOKS).content(spans)

    def spans(self, width: int) -> list[tuple[str, Span]]:
        """Return the ids and texts of the tabs that are shown at `width` columns."""
        room = max(1, width // _NARROWEST)
        ids = [tab.id for tab in self.tabs]
        here = ids.index(self.current) if self.current in ids else 0
        # If not all tabs fit, show the current one and its neighbours.
        first = min(max(0, here - room // 2), max(0, len(ids) - room))
        shown = self.tabs[first : first + room]
        each = min(_WIDEST, width // max(1, len(shown)))
        return [(tab.id, self._span(tab, each)) for tab in shown]

    def _span(self, tab: Tab, width: int) -> Span:
        news = tab.unread and tab.id != self.current
        mark = "?" if tab.asks else "…" if tab.running else "•" if news else " "
        title = safe(tab.title, newlines=False) or "New conversation"
        ((text, _),) = cut(((title, ()),), width - 3) or (("", ()),)
        gap = " " * (width - 3 - cell_len(text))
        look = "other"
        if tab.id == self.current:
            look = "current"
        elif news:
            look = "unread"
        return f"{mark} {text}{gap} ", (look,)

    def on_click(self, event: events.Click) -> None:
        """Open the clicked tab."""
        end = 0
        for id, (text, _) in self.spans(self.size.width):
            end += cell_len(text)
            if event.x < end:
                self.post_message(self.Chosen(id))
                return
