"""The dialog in place of the composer that asks whether a tool may run.

It shows the exact call, whatever a model has written: nothing of it controls the
terminal, and what cannot be seen is spelled out. A key answers only after a moment
without keys, as the user may be typing when the dialog appears; until then, what is
typed belongs to the draft. What is longer than the dialog is allowed only once its end
was on the screen: the first key shows it, as a long beginning may be meant to hide it.

The file is long because the call, its answers and their keys depend on each other.
"""

from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style as RichStyle
from textual import events, on
from textual.app import RenderResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui.app.markdown.lines import Span, Style
from tui.app.terminal.key_order import typed
from tui.app.widgets.approval_call import Answer, Effect, Meaning, answers, flowing
from tui.app.widgets.contained import Contained
from tui.app.widgets.entry_list import Rows
from tui.app.widgets.field import Field
from tui.app.widgets.palette import Looks, Palette
from tui.conversation.approvals import Question
from tui.events import ApprovalGiven, ApprovalRequested
from tui.i18n import _, ngettext
from tui.safe import safe

GUARD_SECONDS = 0.7
"""Seconds without a key after which a key is an answer."""

_FEWEST_ROWS = 3
"""Rows of the call without which the dialog does without its frame."""
_AROUND = 3
"""Rows of the frame, and of the space between the call and the keys."""


class ApprovalDialog(Vertical):
    """Asks one question at a time; hidden while there is none."""

    DEFAULT_CSS = """
    ApprovalDialog {
        display: none;
        height: auto;
        padding: 0 1;
        border: round $warning;
        border-title-color: $text-warning;
        border-subtitle-color: $text-muted;
        background: $background;
    }
    ApprovalDialog > Field, ApprovalDialog > Field:focus {
        display: none;
        height: 1;
        border: none;
        padding: 0;
        background: $surface;
    }
    ApprovalDialog.-denying > Field {
        display: block;
    }
    ApprovalDialog.-tight {
        border: none;
        border-top: solid $warning;
    }
    ApprovalDialog.-tight > _Answers {
        margin: 0;
    }
    ApprovalDialog.-denying > _Answers {
        display: none;
    }
    """

    class Answered(Message):
        """The user has answered."""

        def __init__(self, question: Question, given: ApprovalGiven) -> None:
            super().__init__()
            self.question = question
            self.given = given

    class Typed(Message):
        """The user types on, as if the composer were still there."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, stop_key: str = "Esc") -> None:
        """Show `stop_key` as the key that stops the answer."""
        super().__init__()
        self.question: Question | None = None
        """The question that is asked."""
        self.armed = False
        """Whether a key answers."""
        self._call = _Call()
        self._answers = _Answers(stop_key)
        self._reason = Field(placeholder=_("Why? Enter denies, Esc goes back"))
        self._timer: Timer | None = None
        self._rows = 0
        """Rows that the dialog may take; 0 until that is known."""
        self._most = 0
        """Most rows of the call where there is room."""

    # -- what is asked

    def ask(self, question: Question, more: int) -> None:
        """Ask `question`; `more` questions wait behind it."""
        self.border_subtitle = Content(
            _("{more} more").format(more=more) if more else ""
        )
        if question == self.question:
            return
        self.question = question
        if not self._call.is_attached:
            # Not with the screen: what is hidden would cost the program's start.
            self.mount(self._call, self._answers, self._reason)
        asked = question.request
        origin = safe(asked.origin, newlines=False)
        name = safe(asked.tool, newlines=False)[:64]
        where = _(" from {origin}").format(origin=origin[:40]) if origin else ""
        self.border_title = Content(
            _("Allow {name}{where}?").format(name=name, where=where)
        )
        self._call.show_call(asked)
        self._answers.answers = tuple(answers(asked))
        self.display = True
        self._arrange()
        self.back()
        self.hold()

    def close(self) -> None:
        """Ask nothing any more."""
        self.question = None
        self.display = False
        self._stop_timer()

    def take_focus(self) -> None:
        """Direct the keys to this dialog."""
        denies = self.has_class("-denying")
        self.screen.set_focus(self._reason if denies else self._call)

    @property
    def parts(self) -> tuple[Widget, ...]:
        """The widgets that may have the focus."""
        return self._call, self._reason

    def fit(self, rows: int, most: int) -> None:
        """Take at most `rows` rows, of which the call takes at most `most`.

        The keys are always visible. Where there is no room for what they mean, that is
        below the call, which can be scrolled.
        """
        self._rows, self._most = rows, max(most, _FEWEST_ROWS)
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Arrange it again if it has become narrower or wider."""
        self._arrange()

    def _arrange(self) -> None:
        if self.question is None or not self._rows:
            return
        width = (self.size.width or self.screen.size.width) - 4
        # A row says how much of the call is hidden, if some is.
        room = self._rows - _AROUND - self._answers.height_of(width, 0) - 1
        tight = room < _FEWEST_ROWS
        self.set_class(tight, "-tight")
        self._answers.tight = max(1, self._rows // 4) if tight else 0
        self._call.tell(self._answers.answers if tight else ())
        if tight:
            room = (
                self._rows - 1 - self._answers.height_of(width + 2, self._answers.tight)
            )
        self._call.styles.max_height = max(1, min(self._most, room))

    # -- answering

    def hold(self) -> None:
        """Take no key for an answer until the user pauses."""
        self.armed = False
        self._answers.armed = False
        self._stop_timer()
        self._timer = self.set_timer(GUARD_SECONDS, self._arm)

    def _arm(self) -> None:
        self.armed = True
        self._answers.armed = True

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def take_key(self, event: events.Key) -> None:
        """Handle a key of the call's widget."""
        character = typed(event)
        if not self.armed and (character or event.key in ("enter", "backspace")):
            event.stop()
            event.prevent_default()
            self.hold()
            if character:
                self.post_message(self.Typed(character))
            return
        if not character:
            return
        event.stop()
        event.prevent_default()
        for answer in self._answers.answers:
            if answer.key == character.lower():
                self._choose(answer)

    def _choose(self, answer: Answer) -> None:
        if answer.given is not None:
            if self._call.show_end():
                self.hold()  # what has arrived on the screen is to be read
                return
            self._post(answer.given)
            return
        self._reason.value = ""
        self.add_class("-denying")
        self._reason.display = True
        self.screen.set_focus(self._reason)

    @on(Input.Submitted)
    def _deny(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        if self.question:
            id = self.question.request.call_id
            self._post(ApprovalGiven(id, False, reason=submitted.value.strip()[:400]))

    def on_key(self, event: events.Key) -> None:
        """Go back from the reason to the answers."""
        if event.key == "escape" and self.has_class("-denying"):
            event.stop()
            event.prevent_default()
            self.back()

    def back(self) -> None:
        """Show the answers again."""
        if self.screen.focused is self._reason:
            self.screen.set_focus(self._call)
        self.remove_class("-denying")
        self._reason.display = False

    def _post(self, given: ApprovalGiven) -> None:
        if self.question:
            self.hold()  # until the log has the answer, or refuses it
            self.post_message(self.Answered(self.question, given))


# -- the call


class _Call(Rows):
    """The exact call; scrolls if it is long."""

    DEFAULT_CSS = """
    _Call, _Call:focus {
        height: auto;
        max-height: 12;
        /* Textual adds a row for a horizontal one, which there never is. */
        scrollbar-size-horizontal: 0;
        background: $background;
    }
    """

    LOOKS: ClassVar[Looks] = {
        **Rows.LOOKS,
        "inserted": "$text-success",
        "deleted": "$text-error",
        "place": "$text-accent",
        "gutter": "$text-muted",
        "exact": "bold",
    }

    MARGIN = 0  # no row is chosen

    def show_call(self, asked: ApprovalRequested) -> None:
        """Show the call of a question from its beginning."""
        self._effect = Effect(asked)
        self._told: tuple[Answer, ...] = ()
        self._end_was_shown = False
        self.set_entries([self._effect])
        self.scroll_to(y=0, animate=False, force=True)

    def tell(self, answers: tuple[Answer, ...]) -> None:
        """Show below the call what the keys of `answers` mean; () for nothing."""
        if answers != self._told:
            self._told = answers
            meaning = [Meaning(answers)] if answers else []
            self.set_entries([self._effect, *meaning])

    def on_key(self, event: events.Key) -> None:
        """Let the dialog decide what a key means."""
        if isinstance(self.parent, ApprovalDialog):
            self.parent.take_key(event)

    def action_unfold(self) -> None:
        """Do nothing: Enter is not an answer."""

    def action_page(self, direction: int) -> None:
        """Scroll a page up (-1) or down (1)."""
        page = max(self.scrollable_content_region.height - 1, 1)
        self._scroll(self.scroll_offset.y + direction * page)

    def action_cursor_last(self) -> None:
        """Scroll to the end."""
        self._scroll(self.max_scroll_y)

    def show_end(self) -> bool:
        """Scroll to the end of the call if it was never shown; return whether so."""
        if self._end_was_shown or self._shows_end():
            return False
        self._scroll(self._effect.rows - self.scrollable_content_region.height)
        self._end_was_shown = True
        return True

    def _shows_end(self) -> bool:
        top, last = self.scroll_offset.y, self._effect.rows - 1
        return top <= last < top + self.scrollable_content_region.height

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say what is still hidden."""
        super().watch_scroll_y(old_value, new_value)
        self._end_was_shown = self._end_was_shown or self._shows_end()
        self._tell_rest()

    def _settle(self) -> None:
        super()._settle()
        self._tell_rest()

    def _tell_rest(self) -> None:
        if isinstance(self.parent, ApprovalDialog):
            hidden = max(0, int(self.max_scroll_y - self.scroll_y))
            self.parent.query_one(_Answers).hidden = hidden

    def _style(self, style: Style, selected: bool) -> RichStyle:
        return super()._style(style, False)  # there is no cursor


# -- the keys


class _Answers(Contained, Widget):
    """The keys and what they mean, in as many rows as they need."""

    DEFAULT_CSS = """
    _Answers {
        height: auto;
        margin: 1 0 0 0;
        color: $foreground;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "key": "bold $text-accent",
        "text": "$foreground",
        "muted": "$text-muted",
        "hidden": "$text-warning",
    }

    answers: reactive[tuple[Answer, ...]] = reactive((), layout=True)
    armed: reactive[bool] = reactive(False)
    """Whether the keys answer."""
    tight: reactive[int] = reactive(0, layout=True)
    """Rows in which an answer is a key and a word, or only a key; 0 where there is room
    for all words."""
    hidden: reactive[int] = reactive(0, layout=True)
    """Rows of the call below the screen."""

    def __init__(self, stop_key: str) -> None:
        super().__init__()
        self._stop = Answer(stop_key, _("stop"), _("stop"), None)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return len(self._rows(width))

    def height_of(self, width: int, tight: int) -> int:
        """Return the number of rows, without the one for what is hidden."""
        return len(self._keys(width, tight))

    def render(self) -> RenderResult:
        """Return the rows."""
        palette = Palette(self, self.LOOKS)
        rows = self._rows(self.content_size.width)
        return Content("\n").join(palette.content(row) for row in rows)

    def _rows(self, width: int) -> list[list[Span]]:
        rows = self._keys(width, self.tight)
        if not self.hidden:
            return rows
        if self.tight:
            text = f" ↓{self.hidden}"
            room = width - sum(cell_len(text) for text, __ in rows[-1])
            return [*rows[:-1], [*rows[-1], (text[: max(room, 0)], ("hidden",))]]
        text = ngettext(
            "↓ {count} more row: PgDn", "↓ {count} more rows: PgDn", self.hidden
        ).format(count=self.hidden)
        return [[(text, ("hidden",))], *rows]

    def _keys(self, width: int, tight: int) -> list[list[Span]]:
        shown = [*self.answers, self._stop]
        if not tight:
            return flowing([(it.key, it.text) for it in shown], width, 3, *self._looks)
        rows = flowing([(it.key, it.short) for it in shown], width, 2, *self._looks)
        if len(rows) <= tight:
            return rows
        _, look = self._looks
        return [[(" ".join(it.key for it in shown), (look,))]]

    @property
    def _looks(self) -> tuple[str, str]:
        return ("text", "key") if self.armed else ("muted", "muted")
