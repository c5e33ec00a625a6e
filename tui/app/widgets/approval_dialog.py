"""The dialog in the place of the composer that asks whether a tool may run.

It shows the exact call, whatever a model has written: nothing of it controls the
terminal, and what cannot be seen is spelled out. A key answers only after a moment
without keys, as the user may be typing when the dialog appears; until then, what is
typed belongs to the draft.
"""

import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.style import Style as RichStyle
from textual import events, on
from textual.app import ComposeResult, RenderResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui.app.markdown.lines import Line, Span, Style
from tui.app.terminal.key_order import typed
from tui.app.widgets.contained import Contained
from tui.app.widgets.entry_list import Entry, Rows
from tui.app.widgets.field import Field
from tui.app.widgets.palette import Looks, Palette
from tui.conversation.approvals import Question
from tui.events import ApprovalGiven, ApprovalRequested
from tui.safe import safe

GUARD_SECONDS = 0.7
"""Seconds without a key after which a key is an answer."""

_FEWEST_ROWS = 3
"""Rows of the call that are shown on the smallest screen."""


class Answer(NamedTuple):
    """An answer that the user may give, with its key."""

    key: str
    text: str
    given: ApprovalGiven | None
    """None if a reason is asked for first."""


def answers(asked: ApprovalRequested) -> list[Answer]:
    """Return the answers to a question, the narrowest permission first."""
    id, name = asked.call_id, safe(asked.tool, newlines=False)
    given = [
        Answer("y", "allow once", ApprovalGiven(id, True)),
        Answer(
            "c",
            f"allow {name} in this conversation",
            ApprovalGiven(id, True, "conversation"),
        ),
    ]
    if asked.may_keep and asked.pattern:
        always = ApprovalGiven(id, True, "always", pattern=asked.pattern)
        given.append(Answer("p", f"always allow “{_shown(asked.pattern)}”", always))
    if asked.may_keep:
        always = ApprovalGiven(id, True, "always")
        given.append(Answer("t", f"always allow {name}", always))
    return [*given, Answer("d", "deny", None)]


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
        self._reason = Field(placeholder="Why? Enter denies, Esc goes back")
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the call, the keys and the line for a reason."""
        yield self._call
        yield self._answers
        yield self._reason

    # -- what is asked

    def ask(self, question: Question, more: int) -> None:
        """Ask `question`; `more` questions wait behind it."""
        self.border_subtitle = Content(f"{more} more" if more else "")
        if question == self.question:
            return
        self.question = question
        asked = question.request
        origin = safe(asked.origin, newlines=False)
        name = safe(asked.tool, newlines=False)[:64]
        where = f" from {origin[:40]}" if origin else ""
        self.border_title = Content(f"Allow {name}{where}?")
        self._call.show_call(asked)
        self._answers.answers = tuple(answers(asked))
        self.display = True
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

    def fit(self, height: int) -> None:
        """Leave room for the conversation on a screen of `height` rows."""
        self._call.styles.max_height = max(_FEWEST_ROWS, height // 2 - 3)

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

    def show_call(self, asked: ApprovalRequested) -> None:
        """Show the call of a question from its beginning."""
        self.set_entries([_Effect(asked)])
        self.scroll_to(y=0, animate=False, force=True)

    def on_key(self, event: events.Key) -> None:
        """Let the dialog decide what a key means."""
        if isinstance(self.parent, ApprovalDialog):
            self.parent.take_key(event)

    def action_unfold(self) -> None:
        """Do nothing: Enter is no answer."""

    def action_page(self, direction: int) -> None:
        """Scroll a page up (-1) or down (1)."""
        page = max(self.scrollable_content_region.height - 1, 1)
        self._scroll(self.scroll_offset.y + direction * page)

    def action_cursor_last(self) -> None:
        """Scroll to the end."""
        self._scroll(self.max_scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say what is still hidden."""
        super().watch_scroll_y(old_value, new_value)
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


class _Effect(Entry):
    """The effect of a call, row by row; every character of it is shown."""

    def __init__(self, asked: ApprovalRequested) -> None:
        self._asked = asked
        self._width = 0
        self._lines: list[Line] = []

    def height(self, width: int) -> int:
        if width != self._width:
            self._width = width
            self._lines = list(self._made(max(width, 4)))
        return len(self._lines)

    def line(self, number: int, width: int) -> Line:
        return self._lines[number]

    def _made(self, width: int) -> Iterator[Line]:
        asked = self._asked
        command = asked.kind == "command"
        if asked.kind == "diff" and asked.subject:
            yield from _rows(_shown(asked.subject), width, "  ", ("exact",))
        for number, text in enumerate(_shown(asked.text).split("\n")):
            gutter = ("> " if number else "$ ") if command else "  "
            yield from _rows(text, width, gutter, _look(asked.kind, text))


def _rows(text: str, width: int, gutter: str, style: Style) -> Iterator[Line]:
    for number, row in enumerate(chop_cells(text, width - 2) or [""]):
        # A continued row is marked: it must not look like a line of its own.
        yield Line(((("↳ " if number else gutter), ("gutter",)), (row, style)))


def _look(kind: str, text: str) -> Style:
    if kind != "diff":
        return ("exact",) if kind in ("command", "address") else ()
    if text.startswith(("+++", "---")):
        return ("gutter",)
    looks = {"+": "inserted", "-": "deleted", "@": "place"}
    return (looks[text[0]],) if text[:1] in looks else ()


_shown_as_is = re.compile(r"[\n\t -~]*")


def _shown(text: str) -> str:
    r"""Return `text` for the user to judge: what would be invisible is `\u....`."""
    if _shown_as_is.fullmatch(text):
        return text.replace("\t", "    ")
    return "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    if character == "\t":
        return "    "
    if character == "\n" or (safe(character) == character and cell_len(character)):
        return character
    return f"\\u{ord(character):04x}"


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
    hidden: reactive[int] = reactive(0, layout=True)
    """Rows of the call below the screen."""

    def __init__(self, stop_key: str) -> None:
        super().__init__()
        self._stop = Answer(stop_key, "stop", None)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return len(self._rows(width))

    def render(self) -> RenderResult:
        """Return the rows."""
        palette = Palette(self, self.LOOKS)
        rows = self._rows(self.content_size.width)
        return Content("\n").join(palette.content(row) for row in rows)

    def _rows(self, width: int) -> list[list[Span]]:
        width = max(width, 12)
        rows: list[list[Span]] = []
        if self.hidden:
            plural = "s" if self.hidden > 1 else ""
            text = f"↓ {self.hidden} more row{plural}: PgDn"
            rows.append([(text, ("hidden",))])
        room = 0
        look, key_look = ("text", "key") if self.armed else ("muted", "muted")
        for key, text, _ in (*self.answers, self._stop):
            size = cell_len(key) + 1 + cell_len(text)
            if size + 3 > room:
                rows.append([])
                room = width + 3
            else:
                rows[-1].append(("   ", ()))
            # All of a long pattern is shown, as all of it would be allowed.
            first, *others = chop_cells(text, width - cell_len(key) - 1)
            rows[-1] += [(key, (key_look,)), (" ", ()), (first, (look,))]
            rows += [[("  ", ()), (other, (look,))] for other in others]
            room -= size + 3
        return rows
