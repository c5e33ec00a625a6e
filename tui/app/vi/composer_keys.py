"""Gives the composer vi keys.

The editor works on offsets; the text area has rows and columns, a selection that ends
before the cursor, and its own history of changes.
"""

# Textual's history offers no way to join changes.
# pyright: reportPrivateUsage=false

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from textual import events
from textual.document._document import Selection
from textual.widgets import TextArea

if TYPE_CHECKING:  # imported when the keys are switched on, to keep startup fast
    from tui.app.vi.editor import Editor

BAR, BLOCK = 6, 2
"""Shapes of the terminal's cursor (DECSCUSR): steady bar, steady block."""

_SAME = {
    "left": "h",
    "right": "l",
    "up": "k",
    "down": "j",
    "home": "0",
    "end": "$",
    "backspace": "h",
    "ctrl+h": "h",
    "delete": "x",
    "space": "l",
    "ctrl+r": "ctrl+r",
}
"""Keys that do the same as a letter in normal mode."""


class Area(Protocol):
    """What the keys need from the composer, besides what a text area has."""

    @property
    def area(self) -> TextArea:
        """The text area."""
        ...

    def recall(self, step: int) -> bool:
        """Show an older (-1) or newer (1) message; return whether there is one."""
        ...

    def scroll_half(self, step: int) -> None:
        """Scroll the conversation by half a page, up (-1) or down (1)."""
        ...

    def close_menus(self) -> None:
        """Close the menus above the composer."""
        ...

    def mode_changed(self) -> None:
        """Show the mode."""
        ...


class ViKeys:
    """Vi keys in one composer. Call it in the UI thread."""

    def __init__(self, composer: Area) -> None:
        self._composer = composer
        self._area = composer.area
        self._on = False
        self._changes: list[object | None] = []
        """The last change of Textual's history before each change in progress."""
        self._shown: Selection | None = None
        """The selection that shows the visual one."""

    @cached_property
    def _editor(self) -> "Editor":
        from tui.app.vi.editor import Editor

        return Editor(self)

    # -- state

    @property
    def on(self) -> bool:
        """Whether the keys are those of vi."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        if on != self._on:
            if self._on:
                self.insert()
            else:
                self._editor.insert(self._offset())
            self._on = on
            self._composer.mode_changed()

    @property
    def mode(self) -> str:
        """The mode as a word, "" without vi."""
        return self._editor.mode.value if self._on else ""

    @property
    def shape(self) -> int:
        """The shape of the terminal's cursor, 0 without vi."""
        if not self._on:
            return 0
        return BAR if self._editor.inserting else BLOCK

    @property
    def inserting(self) -> bool:
        """Whether letters are typed; always without vi."""
        return not self._on or self._editor.inserting

    def insert(self) -> None:
        """Type from now on: the text has been replaced, or is being written to."""
        if self._changes:
            self._changes.clear()
        if not self._on:
            return
        if not self._editor.inserting:
            if not self._area.selection.is_empty and self._editor.visual:
                self._area.move_cursor(self._area.cursor_location)
            self._editor.insert(self._offset())
            self._composer.mode_changed()
        else:
            self._editor.insert(self._offset())

    def before_paste(self) -> None:
        """End a visual selection: a paste is inserted at the cursor."""
        if not self.inserting:
            self._editor.stop()
            self._after()

    def settle(self) -> None:
        """Keep the cursor on a sign, after something else has moved it."""
        if self.inserting or self._editor.visual or not self._area.selection.is_empty:
            return
        at = self._offset()
        self._editor.sync(at)
        if self._editor.cursor != at:
            self._show_cursor()

    # -- keys

    def take(self, event: events.Key, *, menu: bool) -> bool:
        """Take a key before the text area does; return whether it was one of vi's.

        `menu` is whether a menu above the composer is open.
        """
        if not self._on:
            return False
        key = event.key
        if self._editor.inserting:
            if key != "escape":
                return False
            self._composer.close_menus()
            self._editor.leave_insert(self._offset())
            self._after()
            return True
        if key == "escape":
            busy = self._editor.pending or self._editor.visual
            self._editor.stop()
            self._after()
            return busy
        if menu and key in ("up", "down"):
            return False
        if key in ("ctrl+d", "ctrl+u") and not self._editor.visual:
            self._composer.scroll_half(1 if key == "ctrl+d" else -1)
            return True
        return self._press(event)

    def _press(self, event: events.Key) -> bool:
        key, character = event.key, event.character or ""
        single = len(character) == 1 and character >= " " and character != "\x7f"
        if self._editor.takes_sign and (single or key == "enter"):
            key = "\n" if key == "enter" else character
        elif key == "enter" and self._editor.visual:
            key = "j"  # rather than to send by mistake
        elif key in _SAME and not self._editor.takes_sign:
            key = _SAME[key]
        elif single and key != "tab":
            key = character
        else:
            self._editor.stop()
            self._after()
            return False
        if self._shown is not None and self._area.selection != self._shown:
            self._editor.sync(self._offset())  # the mouse has changed the selection
        elif self._shown is None:
            self._editor.sync(self._offset())
        if key == "/" and not self._area.text and not self._editor.pending:
            self._editor.press("i")  # there is nothing to search: a command
            self._after()
            return False
        self._editor.press(key)
        self._after()
        return True

    def _after(self) -> None:
        """Show the cursor, the selection and the mode."""
        self._show_cursor()
        self._composer.mode_changed()

    def _show_cursor(self) -> None:
        editor, area = self._editor, self._area
        at = self._location(editor.cursor)
        if not editor.visual:
            self._shown = None
            area.selection = Selection.cursor(at)
        else:
            start, end = editor.selected
            if editor.whole_lines:
                ends = (start, end)
                first, last = ends if editor.anchor <= editor.cursor else ends[::-1]
                area.selection = Selection(self._location(first), self._location(last))
            elif editor.anchor <= editor.cursor:
                area.selection = Selection(self._location(editor.anchor), at)
            else:
                from tui.app.vi.signs import after

                behind = after(self.text, editor.anchor)
                area.selection = Selection(self._location(behind), at)
            self._shown = area.selection
        area.record_cursor_width()
        area.scroll_cursor_visible()

    # -- what the editor needs

    @property
    def text(self) -> str:
        """The text of the composer."""
        return self._area.text

    def replace(self, start: int, end: int, insert: str) -> None:
        """Replace a piece of the text."""
        first, last = self._location(start), self._location(end)
        self._area.replace(insert, first, last, maintain_selection_offset=False)

    def undo(self) -> int | None:
        """Undo a change of Textual's history."""
        if not self._area.history.undo_stack:
            return None
        before = self.text
        self._area.undo()
        return self._first_difference(before)

    def redo(self) -> int | None:
        """Redo a change of Textual's history."""
        if not self._area.history.redo_stack:
            return None
        before = self.text
        self._area.redo()
        return self._first_difference(before)

    def _first_difference(self, before: str) -> int:
        now = self.text
        low, high = 0, min(len(before), len(now))
        while low < high:  # comparing slices is much faster than characters
            middle = (low + high + 1) // 2
            if before[low:middle] == now[low:middle]:
                low = middle
            else:
                high = middle - 1
        return low

    def begin_change(self) -> None:
        """Remember where the change begins in Textual's history."""
        history = self._area.history
        history.checkpoint()
        self._changes.append(history._undo_stack[-1] if history._undo_stack else None)

    def end_change(self) -> None:
        """Join all that was changed since, so that it is undone as one."""
        if not self._changes:
            return
        first = self._changes.pop()
        stack = self._area.history._undo_stack
        parts: list[list[object]] = []
        while stack and stack[-1] is not first:
            parts.append(stack.pop())  # pyright: ignore[reportArgumentType]: they are put back
        if parts:
            stack.append([edit for part in reversed(parts) for edit in part])  # pyright: ignore[reportArgumentType]: as above
        self._area.history.checkpoint()

    def recall(self, step: int) -> int | None:
        """Show an older or newer message; return where the cursor is then."""
        return self._offset() if self._composer.recall(step) else None

    # -- places

    def _offset(self) -> int:
        row, column = self._area.cursor_location
        document = self._area.document
        return sum(len(document.get_line(n)) + 1 for n in range(row)) + column

    def _location(self, offset: int) -> tuple[int, int]:
        document = self._area.document
        row = 0
        while row < document.line_count - 1:
            length = len(document.get_line(row))
            if offset <= length:
                break
            offset -= length + 1
            row += 1
        return row, min(offset, len(document.get_line(row)))
