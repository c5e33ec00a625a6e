"""The dialog with tokens and cost, by model."""

# Textual leaves the type parameters of App and Screen unknown.
# pyright: reportUnknownMemberType=false

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tui import bounds
from tui.app.widgets.dialog import Passing, Words
from tui.conversation.costs import UNKNOWN, Tally, table
from tui.i18n import _
from tui.safe import safe

_WIDEST = 70  # columns of text
_EDGES = 8  # columns of border, padding and scroll bar


class CostScreen(Passing[None]):
    """Shows what has been spent; Esc or Enter closes it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close", show=False)
    ]

    def __init__(self, here: Tally, everywhere: Tally, since: float) -> None:
        """`everywhere` is what all conversations have spent `since` a time."""
        super().__init__()
        self._here = here
        self._everywhere = everywhere
        self._since = since

    def compose(self) -> ComposeResult:
        """Yield the tables."""
        with VerticalScroll(classes="dialog") as page:
            page.border_title = _("Tokens and cost")
            page.border_subtitle = _("Esc close")
            yield Words(self._text(self.app.size.width))

    def on_resize(self, event: events.Resize) -> None:
        """Lay the tables out again."""
        self.query_one(Words).update(self._text(event.size.width))

    def _text(self, width: int) -> Content:
        room = max(30, min(_WIDEST, width - _EDGES))
        since = bounds.spell_time(self._since, "%H:%M")
        parts = [
            _part(_("This conversation"), self._here, room),
            _part(
                _("All conversations since {since}").format(since=since),
                self._everywhere,
                room,
            ),
        ]
        if self._here.total.unknown or self._everywhere.total.unknown:
            why = _("{unknown}: no price; set one with price in [models.NAME]").format(
                unknown=_(UNKNOWN)
            )
            parts.append(Content.styled(why, "$text-muted"))
        return Content("\n\n").join(parts)


def _part(title: str, tally: Tally, room: int) -> Content:
    heading, *rows = table(tally, room)
    if not rows:
        return Content.assemble((title, "bold $text-primary"), _("\nnothing yet"))
    return Content.assemble(
        (title, "bold $text-primary"),
        (f"\n{heading}", "$text-muted"),
        *(f"\n{safe(row, newlines=False)}" for row in rows),
    )
