"""The input box: a text area that sends with Enter and recalls earlier questions.

It grows with its text, never sends what is pasted, and keeps the terminal's cursor at
the insertion point, also when the layout moves: input methods open there.

The file is long because Textual looks up keys, messages and actions as members of the
widget; what needs no widget is in `input_text`, `sent_history` and `command_menu`.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, cast

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.document._document import Location
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.app import commands
from tui.app.terminal.textual_hook import OutputApp
from tui.app.vi.composer_keys import ViKeys
from tui.app.widgets.attachment_bar import AttachmentBar
from tui.app.widgets.command_menu import CommandMenu
from tui.app.widgets.contained import Contained
from tui.app.widgets.emoji import around
from tui.app.widgets.file_menu import FileMenu
from tui.app.widgets.input_text import (
    clean,
    fitting,
    tell_alt_enter_apart,
    typed_behind,
    without_blank_lines,
)
from tui.app.widgets.requests import HintRequested
from tui.app.widgets.sent_history import SentHistory
from tui.attachments import mentions
from tui.i18n import N_, _
from tui.messages import Attachment

TAKEN_SECONDS = 2.0
"""Most seconds that a sent text stays in the composer."""

PASTE_SECONDS = 1.0
"""Most seconds that a paste waits for the answer whether it is a file."""

SLICE = 16_000
"""Characters that a paste inserts at a time, so that the app stays responsive."""

_BESIDE_TITLE = 6
"""Cells of the border and the blanks beside a title in it."""
PLACEHOLDERS = (
    N_("Message (Enter sends, Ctrl+J new line, @ adds a file, {help} help)"),
    N_("Message (Enter sends, Ctrl+J new line, {help} help)"),
    N_("Message (Enter sends, {help} help)"),
    N_("Message"),
)
"""Shown while the composer is empty: the first that fits, or the last. `{help}` is the
key of the help screen, or its command."""


class Composer(Contained, TextArea):
    """An input of one to eight rows.

    Enter posts `Submitted` and empties the composer. Ctrl+J, Alt+Enter, a backslash
    before Enter, and Shift+Enter if the terminal supports it, start a new line. Up on
    the first row and Down on the last walk through earlier messages. Tab completes a
    command. All messages of `TextArea` are posted too: `Composer.Changed` is one of
    them.
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
        # The message rarely exceeds the composer, so these keys scroll the conversation
        # above.
        Binding("pageup", "read(-1)", "Page up", show=False),
        Binding("pagedown", "read(1)", "Page down", show=False),
        Binding("ctrl+end", "read(0)", "Newest text", show=False),
        Binding("tab", "complete", "Complete", show=False),
        Binding("escape", "close_menu", "Close the menu", show=False),
        # Ctrl+Z, Textual's default, suspends the program. Use the key of shells and
        # Emacs: most terminals send the same byte for Ctrl+_, Ctrl+/ and Ctrl+7.
        Binding(
            "ctrl+underscore,ctrl+slash,ctrl+shift+minus",
            "undo",
            "Undo typing",
            show=False,
        ),
        Binding("ctrl+shift+z", "redo", "Redo typing", show=False),
        # Textual's keys, with names: they give way to keys of the user.
        Binding("f6", "select_line", "Select line", show=False, id="select_line"),
        Binding("f7", "select_all", "Select all", show=False, id="select_all"),
    ]

    class Paged(Message):
        """The user scrolls the conversation by `pages`: up (-1) or down (1), or halves.

        0 is the newest text.
        """

        def __init__(self, pages: float) -> None:
            super().__init__()
            self.pages = pages

    class FilesWanted(Message):
        """The user names a file; `word` is what of it follows the `@`."""

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

    class FilesNamed(Message):
        """The user has chosen a file by its `@`, or has pasted paths of files."""

        def __init__(self, paths: Sequence[str], *, in_text: bool) -> None:
            super().__init__()
            self.paths = paths
            self.in_text = in_text
            """Whether they are named in the text."""

    class FileUnwanted(Message):
        """The user removes the last attached file."""

    class HistoryWanted(Message):
        """The user goes back in the history for the first time; see `add_older`."""

    class Submitted(Message):
        """The user sends `text`, which is not blank and is stripped of blank lines."""

        def __init__(self, composer: "Composer", text: str) -> None:
            super().__init__()
            self.composer = composer
            self.text = text
            self.files = composer.files
            self._taken = asyncio.Event()

        @property
        def control(self) -> "Composer":
            """The sending composer, for `@on` with a selector."""
            return self.composer

        def take(self, *, keep_files: bool = False) -> None:
            """Empty the composer once the text is stored; only the first call counts.

            Call it in the UI thread. Keys typed in the meantime are handled afterwards.
            With `keep_files` the attached files stay, for the next message.
            """
            if not self._taken.is_set():
                self._taken.set()
                self.composer.load_text("", None if keep_files else ())

        def give_back(self) -> None:
            """Leave text and files in the composer: the message is not sent."""
            if not self._taken.is_set():
                self._taken.set()
            elif not self.composer.text:
                self.composer.load_text(self.text, self.files)

        async def wait(self) -> None:
            """Wait until `take` is called, `TAKEN_SECONDS` at most."""
            with suppress(TimeoutError):
                await asyncio.wait_for(self._taken.wait(), TAKEN_SECONDS)
            self.take()

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder=_(PLACEHOLDERS[-1]),
        )
        self.cursor_blink = False
        self.match_cursor_bracket = False
        self.holds = False
        """Whether a sent text stays until the receiver calls `take`."""
        self.menu = CommandMenu()
        """The commands that the text may mean; mount it above this widget."""
        self.file_menu = FileMenu()
        """The files that the word at the cursor may mean; mount it there too."""
        self.bar = AttachmentBar()
        """The attached files; mount it right above this widget."""
        self.vi = ViKeys(self)
        """The keys of vi, off at first."""
        self._keys_hint = ""
        self._entitled = "", ""
        self.help_key = "F1"
        """The key of the help screen, for the placeholder."""
        self.takes_paste: Callable[[str], Sequence[str]] = lambda text: ()
        """Returns the files of which a pasted text is the paths; called in a thread."""
        self._sent = SentHistory()
        self._asked = False  # whether `HistoryWanted` was posted
        self._up_waits = False
        """Whether Up was pressed before there was any history."""

    @property
    def draft(self) -> str:
        """The text being written; kept while the user walks through the history."""
        return self._sent.draft(self.text)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """The files that are sent with the text."""
        return self.bar.files

    @files.setter
    def files(self, files: tuple[Attachment, ...]) -> None:
        self.bar.files = files

    def set_history(self, entries: list[str]) -> None:
        """Set the earlier messages, oldest first; the current draft stays.

        Blank entries and consecutive duplicates are dropped. The composer adds what it
        sends itself, until the next call.
        """
        self._sent.replace(entries)

    def add_older(self, entries: list[str]) -> None:
        """Insert `entries`, oldest first, before the known ones; the position stays."""
        self._sent.add_older(entries)
        if self._up_waits:
            self._up_waits = False
            self._walk(-1)

    def load_text(self, text: str, files: tuple[Attachment, ...] | None = None) -> None:
        """Replace the text, clear the undo history, and put the cursor at the end.

        Control characters become visible, tabs stay. `files` takes the place of the
        attached files; None keeps them.
        """
        self._sent.leave()
        self._show(text)
        self.vi.insert()
        if files is not None:
            self.files = files

    def _show(self, text: str) -> None:
        super().load_text(clean(text))
        self.move_cursor(self.document.end)

    def write(self, text: str) -> None:
        """Insert `text` as if it were pasted, and take the focus."""
        self.vi.insert()
        self._put(clean(text))
        self.screen.set_focus(self)

    def add(self, text: str) -> None:
        """Insert `text` as if it were typed, without taking the focus."""
        self._put(clean(text))

    def action_complete(self) -> None:
        """Complete a file or a command; without either, Tab goes to the screen."""
        if self.file_menu.is_open:
            self._name_file()
            return
        if not self.text.startswith("/"):
            raise SkipAction
        if self.menu.is_open:
            self._complete(self.menu.found[self.menu.chosen])
        elif named := self.menu.parse(self.text):
            self.post_message(HintRequested(_(named[0].help)))
        else:
            word = self.text.split()[0]
            self.post_message(
                HintRequested(_("No command starts with {word}").format(word=word))
            )

    def action_close_menu(self) -> None:
        """Close the menu; without one, the key goes to the screen."""
        if self.file_menu.is_open:
            self.file_menu.close()
        elif self.menu.is_open:
            self.menu.close()
        else:
            raise SkipAction

    def on_text_area_changed(self) -> None:
        """List the commands that match the text."""
        self.menu.show(self.text)

    def on_text_area_selection_changed(self) -> None:
        """List the files that the word at the cursor may mean."""
        self.vi.settle()
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        word = mentions.begun(before) if "@" in before else None
        if self.file_menu.ask(word) and word is not None:
            self.post_message(self.FilesWanted(word))

    def _name_file(self) -> None:
        """Write the highlighted file in place of the word at the cursor."""
        path = self.file_menu.found[self.file_menu.chosen]
        row, column = self.cursor_location
        length = mentions.begun_length(self.document.get_line(row)[:column])
        folder = path.endswith("/")
        text = mentions.spelled(path) + ("" if folder else " ")
        # A name that this may not show is attached without being written.
        in_text = clean(text) == text and "\n" not in text
        text = text if in_text else ""
        result = self.replace(text, (row, column - length), (row, column))
        self.move_cursor(result.end_location)
        if not folder:
            self.post_message(self.FilesNamed([path], in_text=in_text))

    def action_delete_left(self) -> None:
        """Delete to the left; at the very start, remove the last attached file."""
        at_start = self.cursor_location == (0, 0) and self.selection.is_empty
        if at_start and self.files:
            self.post_message(self.FileUnwanted())
        else:
            super().action_delete_left()

    def _complete(self, command: commands.Command) -> None:
        text = f"{command.slash} " if command.argument else command.slash
        result = self.replace(text, (0, 0), self.document.end)
        self.move_cursor(result.end_location)
        self.post_message(HintRequested(_(command.help)))

    def action_delete_to_start_of_line(self) -> None:
        """Delete to the start of the logical line, across soft wraps."""
        row, column = self.selection.end
        if column:
            self.delete((row, 0), (row, column), maintain_selection_offset=False)
        else:
            super().action_delete_to_start_of_line()

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        """Delete to the end of the logical line; at its end, delete the line break."""
        row, column = self.selection.end
        end = len(self.document.get_line(row))
        if column < end:
            self.delete((row, column), (row, end), maintain_selection_offset=False)
        else:
            await super().action_delete_to_end_of_line_or_delete_line()

    def action_read(self, pages: int) -> None:
        """Request to scroll the conversation."""
        self.post_message(self.Paged(pages))

    def action_cursor_line_end(self, select: bool = False) -> None:
        """Go to the end of the line; without any text, to the conversation's."""
        if self.text:
            super().action_cursor_line_end(select)
        else:
            self.action_read(0)

    def action_newline(self) -> None:
        """Insert a new line at the cursor."""
        self._put("\n")

    async def action_submit(self) -> None:
        """Send the text if it is not blank; empty the composer once it is taken."""
        if self.file_menu.is_open:
            self._name_file()
            return
        meant = self.menu.meant(self.text)
        if meant and (meant.argument or meant.permanent):
            self._complete(meant)
            return
        text = meant.slash if meant else without_blank_lines(self.text)
        if not (text or self.files):
            return
        if text:
            self._sent.add(text)
        submitted = self.Submitted(self, text)
        if not self.holds:
            submitted.take()
        # Not through this widget's own queue, which is blocked until then.
        self.screen.post_message(submitted)
        # Only keys typed in the meantime wait for this handler.
        await submitted.wait()

    def action_paste(self) -> None:
        """Insert the app's last copied text."""
        self._put(clean(self._host.clipboard))

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up a row; on the first row, show the previous entry."""
        if (menu := self._open_menu) and not select:
            menu.move(-1)
            return
        row = self.wrapped_document.location_to_offset(self.cursor_location).y
        if select or row > 0 or not self._walk(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down a row; on the last row, show the next entry."""
        if (menu := self._open_menu) and not select:
            menu.move(1)
            return
        row = self.wrapped_document.location_to_offset(self.cursor_location).y
        last = self.wrapped_document.height - 1
        if select or row < last or not self._walk(1):
            super().action_cursor_down(select)

    @property
    def _open_menu(self) -> CommandMenu | FileMenu | None:
        return next((it for it in (self.file_menu, self.menu) if it.is_open), None)

    def on_mount(self) -> None:
        """Let Textual distinguish Alt+Enter from Enter."""
        tell_alt_enter_apart()

    async def on_key(self, event: events.Key) -> None:
        """Handle Enter before the text area inserts a new line."""
        if self.vi.take(event, menu=self._open_menu is not None):
            event.stop()
            event.prevent_default()
            return
        # xterm's modifyOtherKeys reports Alt+Enter and Shift+Enter as the last two.
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
        """Return the location to the left, skipping a whole emoji."""
        return self._beside_emoji(super().get_cursor_left_location())

    def get_cursor_right_location(self) -> Location:
        """Return the location to the right, skipping a whole emoji."""
        return self._beside_emoji(super().get_cursor_right_location(), end=True)

    def get_cursor_word_left_location(self) -> Location:
        """Return the location a word to the left, outside of any emoji."""
        return self._beside_emoji(super().get_cursor_word_left_location())

    def get_cursor_word_right_location(self) -> Location:
        """Return the location a word to the right, outside of any emoji."""
        return self._beside_emoji(super().get_cursor_word_right_location(), end=True)

    def get_cursor_up_location(self) -> Location:
        """Return the location a row above, outside of any emoji."""
        return self._beside_emoji(super().get_cursor_up_location())

    def get_cursor_down_location(self) -> Location:
        """Return the location a row below, outside of any emoji."""
        return self._beside_emoji(super().get_cursor_down_location())

    def get_target_document_location(self, event: events.MouseEvent) -> Location:
        """Return the location under the pointer, outside of any emoji."""
        return self._beside_emoji(super().get_target_document_location(event))

    async def on_paste(self, event: events.Paste) -> None:
        """Insert pasted text; its line breaks never send.

        A large paste is inserted in slices, so that the rest of the app keeps running,
        and only up to a size in which typing stays fast.
        """
        event.stop()
        event.prevent_default()
        self.screen.set_focus(self)
        self.vi.before_paste()
        if files := await self._pasted_files(event.text):
            self.post_message(self.FilesNamed(files, in_text=False))
            return
        text = fits = clean(event.text)
        if len(self.text) + len(text) > SLICE:
            row, __ = self.cursor_location
            fits = fitting(text, len(self.text), len(self.document.get_line(row)))
        for at in range(0, len(fits), SLICE):
            if at:
                await asyncio.sleep(0)
            self._put(fits[at : at + SLICE])
        if left_out := len(text) - len(fits):
            hint = _("Too long: {left_out:,} characters of the paste were left out")
            hint = hint.format(left_out=left_out)
            self.post_message(HintRequested(hint))

    async def _pasted_files(self, text: str) -> Sequence[str]:
        """Return the files of which a paste is the paths; keys wait meanwhile.

        The argument of a command is text. A disk that does not answer makes it text.
        """
        if self.text.startswith("/") or not mentions.is_like_paths(text):
            return ()
        with suppress(TimeoutError):
            looked = asyncio.to_thread(self.takes_paste, text)
            return await asyncio.wait_for(looked, PASTE_SECONDS)
        return ()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the placeholder that fits in a row."""
        room = self.content_size.width
        key = self.help_key or "/help"
        texts = (_(text).format(help=key) for text in PLACEHOLDERS)
        fits = (text for text in texts if cell_len(text) <= room)
        # Textual fails to wrap a placeholder in a window without room for it.
        self.placeholder = next(fits, _(PLACEHOLDERS[-1]) if room > 1 else "")
        self._show_title()

    def entitle(self, words: str, more: str) -> None:
        """Set the title; "" removes it. Only `words` are cut if there is no room."""
        self._entitled = words, more
        self._show_title()

    def _show_title(self) -> None:
        words, more = self._entitled
        room = self.outer_size.width - _BESIDE_TITLE - cell_len(more)
        if room > 0 and cell_len(words) > room:
            words = set_cell_size(words, room - 1).rstrip() + "…"
        self.border_title = Content(words + more) if words else None

    def render_line(self, y: int) -> Strip:
        """Return one row, blank if the window is too narrow for text."""
        # Textual may draw before it reports the new size.
        if self.content_size.width < 2:
            return Strip.blank(max(0, self.content_size.width))
        return super().render_line(y)

    # -- the keys of vi

    @property
    def area(self) -> TextArea:
        """This widget."""
        return self

    def recall(self, step: int) -> bool:
        """Show an older (-1) or newer (1) message; return whether there is one."""
        return self._walk(step)

    def scroll_half(self, step: int) -> None:
        """Scroll the conversation by half a page, up (-1) or down (1)."""
        self.post_message(self.Paged(step / 2))

    def close_menus(self) -> None:
        """Close the menus above the composer, as Esc does."""
        for menu in (self.file_menu, self.menu):
            if menu.is_open:
                menu.close()

    def mode_changed(self) -> None:
        """Show the mode of vi, and its cursor."""
        mode = self.vi.mode
        text = self._keys_hint or (mode and _(mode))
        self.border_subtitle = Content(text) if text else None
        self._line_cache.clear()  # pyright: ignore[reportUnknownMemberType]: the cursor is drawn in other ways
        self.refresh()

    def show_keys(self, text: str) -> None:
        """Show keys of another part in the border; "" shows the mode of vi."""
        self._keys_hint = text
        self.mode_changed()

    @property
    def cursor_shape(self) -> int:
        """The shape of the terminal's cursor (DECSCUSR), 0 to hide it."""
        return self.vi.shape

    @property
    def _draw_cursor(self) -> bool:
        # Not over the terminal's own cursor.
        host = self._host
        own = self.vi.on and isinstance(host, OutputApp) and host.shapes_cursor
        return super()._draw_cursor and not own

    @property
    def _host(self) -> App[object]:
        # Textual leaves the app's return type unknown.
        return cast("App[object]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def _put(self, text: str) -> None:
        result = self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def _type(self, event: events.Key) -> None:
        """Insert a typed character that Textual does not report as printable."""
        row, column = self.selection.start
        character = typed_behind(event, self.document.get_line(row)[:column])
        if character and not event.is_printable:
            event.stop()
            event.prevent_default()
            self._put(character)

    def _beside_emoji(self, place: Location, *, end: bool = False) -> Location:
        """Return `place`, or the start (or end) of the emoji that contains it."""
        row, column = place
        return row, around(self.document.get_line(row), column)[end]

    def _walk(self, step: int) -> bool:
        """Show the entry `step` away; return False when there is none."""
        if step < 0 and not self._asked:
            self._asked = True
            self._up_waits = not self._sent
            self.post_message(self.HistoryWanted())
        text = self._sent.walk(step, self.text)
        if text is None:
            return False
        self._show(text)
        if step < 0:
            # Stay on the first line, so that the next Up continues.
            self.move_cursor((0, len(self.document.get_line(0))))
        return True
