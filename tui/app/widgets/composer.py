"""The input box: a text area that sends with Enter and recalls earlier questions.

It grows with its text, never sends what is pasted, and keeps the terminal's cursor
at the place of writing, also when the layout moves: input methods open there.
"""

import asyncio
from contextlib import suppress
from typing import ClassVar, cast

from textual import events
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.document._document import Location
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.app.widgets.completion import Completion
from tui.app.widgets.contained import Contained
from tui.app.widgets.emoji import around
from tui.app.widgets.input_text import (
    clean,
    fitting,
    tell_alt_enter_apart,
    typed_behind,
    without_blank_lines,
)
from tui.app.widgets.sent_history import SentHistory

TAKEN_SECONDS = 2.0
"""How long a text that is sent stays in the composer at most."""

SLICE = 16_000
"""Characters that are inserted at once; ten times as many take 0.3 s."""

PLACEHOLDERS = (
    "Message (Enter sends, Ctrl+J new line, F1 help)",
    "Message (Enter sends, F1 help)",
    "Message",
)
"""Said while it is empty: the first that fits, or the last."""


class Composer(Contained, TextArea):
    """An input of one to eight rows.

    Enter posts `Submitted` and empties it. Ctrl+J, Alt+Enter, Shift+Enter where the
    terminal tells it apart, and a backslash before Enter make a new line. Up on the
    first row and Down on the last walk through what was sent before. Tab completes a
    command. Everything that `TextArea` posts is posted too: `Composer.Changed` is its
    message.
    """

    DEFAULT_CSS = """
    Composer, Composer:focus {
        height: auto;
        max-height: 10;
        padding: 0 1;
        border: round $border-blurred;
        border-subtitle-color: $text-muted;
        background: $background;
        color: $foreground;
        scrollbar-size-vertical: 1;
    }
    Composer:focus {
        border: round $primary;
    }
    Composer:light > .text-area--cursor, Composer:dark > .text-area--cursor {
        background: $input-cursor-background;
        color: $input-cursor-foreground;
    }
    Composer > .text-area--placeholder {
        color: $text-muted;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,alt+enter,shift+enter", "newline", "New line", show=False),
        # A message is seldom longer than its field; what is read while it is written
        # stands above.
        Binding("pageup", "read(-1)", "Page up", show=False),
        Binding("pagedown", "read(1)", "Page down", show=False),
        Binding("tab", "complete", "Complete", show=False),
        # Ctrl+Z, Textual's own, stops the program. As in a shell and in Emacs: what a
        # terminal sends for Ctrl+_ is what most send for Ctrl+/ and Ctrl+7 too.
        Binding(
            "ctrl+underscore,ctrl+slash,ctrl+shift+minus",
            "undo",
            "Undo typing",
            show=False,
        ),
        Binding("ctrl+shift+z", "redo", "Redo typing", show=False),
    ]

    class Paged(Message):
        """The user wants to read: `pages` up (-1) or down (1) in the conversation."""

        def __init__(self, pages: int) -> None:
            super().__init__()
            self.pages = pages

    class HistoryWanted(Message):
        """The user walks back for the first time: `add_older` has what is more."""

    class Told(Message):
        """There is something to be said that is soon forgotten."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Submitted(Message):
        """The user sends `text`: not blank, without blank lines around it."""

        def __init__(self, composer: "Composer", text: str) -> None:
            super().__init__()
            self.composer = composer
            self.text = text
            self._taken = asyncio.Event()

        @property
        def control(self) -> "Composer":
            """The composer it comes from, for `@on` with a selector."""
            return self.composer

        def take(self) -> None:
            """Empty the composer: the text is in good hands. Once, in the UI's thread.

            Keys that have come meanwhile are read then.
            """
            if not self._taken.is_set():
                self._taken.set()
                self.composer.load_text("")

        async def wait(self) -> None:
            """Wait until it is taken; no longer than a user believes in."""
            with suppress(TimeoutError):
                await asyncio.wait_for(self._taken.wait(), TAKEN_SECONDS)
            self.take()

    def __init__(
        self,
        text: str = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(
            clean(text),
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder=PLACEHOLDERS[0],
            name=name,
            id=id,
            classes=classes,
        )
        self.cursor_blink = False
        self.match_cursor_bracket = False
        self.holds = False
        """Whether a text that is sent stays until whoever gets it calls `take`."""
        self._completion = Completion()
        self._sent = SentHistory()
        self._asked = False  # whether for what was sent before this program began
        self._up_waits = False
        """Whether Up was pressed with nothing there yet to go up to."""

    @property
    def draft(self) -> str:
        """What is being written; while one walks through the history, it waits."""
        return self._sent.draft(self.text)

    def set_history(self, entries: list[str]) -> None:
        """Take what was sent before, the oldest first; what is being written stays.

        Blank entries and repetitions of the one before are left out. The composer
        adds what it sends itself, until it is told anew.
        """
        self._sent.replace(entries)

    def add_older(self, entries: list[str]) -> None:
        """Put `entries`, the oldest first, before what is known; the place stays."""
        self._sent.add_older(entries)
        if self._up_waits:
            self._up_waits = False
            self._walk(-1)

    def load_text(self, text: str) -> None:
        """Replace the text and forget what could be undone; the cursor is at its end.

        Control characters become visible, tabs stay.
        """
        self._sent.leave()
        self._show(text)

    def _show(self, text: str) -> None:
        super().load_text(clean(text))
        self.move_cursor(self.document.end)

    def write(self, text: str) -> None:
        """Insert `text` as if it were pasted here, and take the focus."""
        self._put(clean(text))
        self.screen.set_focus(self)

    def action_complete(self) -> None:
        """Complete the name of a command; other text leaves Tab to the screen."""
        text = self.text
        if not text.startswith("/"):
            raise SkipAction
        becomes, told = self._completion.complete(text)
        if becomes != text:
            result = self.replace(becomes, (0, 0), self.document.end)
            self.move_cursor(result.end_location)
        self.post_message(self.Told(told))

    def action_delete_to_start_of_line(self) -> None:
        """Delete back to the beginning of the line, wherever it wraps."""
        row, column = self.selection.end
        if column:
            self.delete((row, 0), (row, column), maintain_selection_offset=False)
        else:
            super().action_delete_to_start_of_line()

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        """Delete up to the end of the line, wherever it wraps; there, the line end."""
        row, column = self.selection.end
        end = len(self.document.get_line(row))
        if column < end:
            self.delete((row, column), (row, end), maintain_selection_offset=False)
        else:
            await super().action_delete_to_end_of_line_or_delete_line()

    def action_read(self, pages: int) -> None:
        """Ask for the conversation to be scrolled."""
        self.post_message(self.Paged(pages))

    def action_newline(self) -> None:
        """Begin a new line at the cursor."""
        self._put("\n")

    async def action_submit(self) -> None:
        """Send the text if it is not blank, and be empty once that is taken."""
        text = without_blank_lines(self.text)
        if not text:
            return
        self._sent.add(text)
        submitted = self.Submitted(self, text)
        if not self.holds:
            submitted.take()
        # Not by way of this widget's own queue, which stands still until it is taken.
        self.screen.post_message(submitted)
        # The keys that are typed until then wait for this handler; nothing else does.
        await submitted.wait()

    def action_paste(self) -> None:
        """Insert what the app has copied last."""
        self._put(clean(self._host.clipboard))

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up a row; from the first one, to the entry before."""
        row = self.wrapped_document.location_to_offset(self.cursor_location).y
        if select or row > 0 or not self._walk(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down a row; from the last one, to the entry after."""
        row = self.wrapped_document.location_to_offset(self.cursor_location).y
        last = self.wrapped_document.height - 1
        if select or row < last or not self._walk(1):
            super().action_cursor_down(select)

    def on_mount(self) -> None:
        """Have Alt+Enter tell itself from Enter."""
        tell_alt_enter_apart()

    async def on_key(self, event: events.Key) -> None:
        """Take Enter before the text area makes a new line of it."""
        # The latter are what xterm's modifyOtherKeys makes of Alt+ and Shift+Enter.
        if event.key not in ("enter", "\r", "shift+\r"):
            self._type(event)
            return
        event.stop()
        event.prevent_default()
        if event.key != "enter":
            self.action_newline()
            return
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if self.selection.is_empty and line[:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column))
            self.move_cursor((row + 1, 0))
        else:
            await self.action_submit()

    def get_cursor_left_location(self) -> Location:
        """Return the place to the left, before a whole emoji."""
        return self._beside_emoji(super().get_cursor_left_location())

    def get_cursor_right_location(self) -> Location:
        """Return the place to the right, behind a whole emoji."""
        return self._beside_emoji(super().get_cursor_right_location(), end=True)

    def get_cursor_word_left_location(self) -> Location:
        """Return the place a word to the left, in no emoji."""
        return self._beside_emoji(super().get_cursor_word_left_location())

    def get_cursor_word_right_location(self) -> Location:
        """Return the place a word to the right, in no emoji."""
        return self._beside_emoji(super().get_cursor_word_right_location(), end=True)

    def get_cursor_up_location(self) -> Location:
        """Return the place a row above, in no emoji."""
        return self._beside_emoji(super().get_cursor_up_location())

    def get_cursor_down_location(self) -> Location:
        """Return the place a row below, in no emoji."""
        return self._beside_emoji(super().get_cursor_down_location())

    def get_target_document_location(self, event: events.MouseEvent) -> Location:
        """Return the place that was pointed at, in no emoji."""
        return self._beside_emoji(super().get_target_document_location(event))

    async def on_paste(self, event: events.Paste) -> None:
        """Insert what is pasted; its line ends never send.

        A large paste is inserted in slices, between which the rest of the app runs,
        up to what can still be written in without waiting for each letter.
        """
        event.stop()
        event.prevent_default()
        self.screen.set_focus(self)
        text = fits = clean(event.text)
        if len(self.text) + len(text) > SLICE:
            row, _ = self.cursor_location
            fits = fitting(text, len(self.text), len(self.document.get_line(row)))
        for at in range(0, len(fits), SLICE):
            if at:
                await asyncio.sleep(0)
            self._put(fits[at : at + SLICE])
        if left_out := len(text) - len(fits):
            told = f"Too long: {left_out:,} characters of the paste are left out"
            self.post_message(self.Told(told))

    def on_resize(self, event: events.Resize) -> None:
        """Say no more than fits in a row."""
        room = self.content_size.width
        fits = (text for text in PLACEHOLDERS if len(text) <= room)
        # Textual cannot wrap one for a window that leaves no column to it.
        self.placeholder = next(fits, PLACEHOLDERS[-1] if room > 1 else "")

    def render_line(self, y: int) -> Strip:
        """Return one row; a window may be too narrow for any text."""
        # It may be drawn before it has been told of its new size.
        if self.content_size.width < 2:
            return Strip.blank(max(0, self.content_size.width))
        return super().render_line(y)

    @property
    def _host(self) -> App[object]:
        # Textual leaves open what an app returns.
        return cast("App[object]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def _put(self, text: str) -> None:
        result = self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def _type(self, event: events.Key) -> None:
        """Insert a character of which Textual does not know that it is typed."""
        row, column = self.selection.start
        character = typed_behind(event, self.document.get_line(row)[:column])
        if character and not event.is_printable:
            event.stop()
            event.prevent_default()
            self._put(character)

    def _beside_emoji(self, place: Location, *, end: bool = False) -> Location:
        """Return `place`, or where the emoji begins or ends in which it is."""
        row, column = place
        return row, around(self.document.get_line(row), column)[end]

    def _walk(self, step: int) -> bool:
        """Show the entry `step` away; False when there is none."""
        if step < 0 and not self._asked:
            self._asked = True
            self._up_waits = not self._sent
            self.post_message(self.HistoryWanted())
        text = self._sent.walk(step, self.text)
        if text is None:
            return False
        self._show(text)
        if step < 0:
            # At the end of the first line, so that Up goes on and on.
            self.move_cursor((0, len(self.document.get_line(0))))
        return True
