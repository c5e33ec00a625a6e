"""The chat pane: one widget that draws every message as lines.

A widget a message costs layout, style and memory for each of them, and a repaint for
each piece of text; here a frame costs what has changed and what is on the screen.
Pieces of text are gathered and drawn at most 20 times a second. Messages far off
screen have an estimated height until they come near, so opening a long conversation
costs no more than its last page.

Positions are kept by item and line, not by distance from the top, so the reader's
place stays where it is when an estimate above it turns out wrong, a message is folded
or the pane changes its width. Text selections are kept the same way: what Textual
calls y is (item << 20 | line).

It draws what it is told and posts what is asked of it; it knows no log and no file.
"""

from bisect import bisect_right
from itertools import accumulate
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.app.markdown import Line, Span, Style
from tui.app.markdown.blocks import parse
from tui.app.widgets.looks import LOOKS, LOOKS_CSS, Palette
from tui.app.widgets.message import (
    GUTTER,
    Item,
    MessageView,
    Note,
    NoteKind,
    selected_text,
    word_at,
)

FRAME = 0.05  # seconds between two frames, at least
_WIDEST = 120  # columns of text: longer lines are hard to read
_AHEAD = 20  # rows above and below the screen that are laid out as well
_LINE_BITS = 20
_LINE_MASK = (1 << _LINE_BITS) - 1
_WHEEL = 3  # rows
_CACHED = 2000  # strips
_HINT = " ↓ more below · End "


class Transcript(ScrollView, can_focus=True):
    """A conversation: user's and assistant's messages, and notes between them."""

    DEFAULT_CSS = (
        """
    Transcript {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-color: $foreground 15%;
        scrollbar-color-hover: $foreground 30%;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """
        + LOOKS_CSS
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{look}" for look in LOOKS}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Message above", show=False),
        Binding("down", "cursor(1)", "Message below", show=False),
        Binding("shift+up", "scroll_by(-1)", "Line up", show=False),
        Binding("shift+down", "scroll_by(1)", "Line down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "First message", show=False),
        Binding("end", "follow", "Newest text", show=False),
        Binding("enter,space", "fold", "Fold thought", show=False),
        Binding("y", "copy", "Copy message", show=False),
        Binding("Y", "copy_code", "Copy code", show=False),
    ]

    following = var(True, init=False)
    """Whether new text at the bottom scrolls into view."""
    cursor: var[int | None] = var(None, init=False)
    """Which item the message cursor is on: its place from the top, or None."""

    class CopyRequested(Message):
        """The user wants `text` on the clipboard."""

        def __init__(self, transcript: "Transcript", text: str) -> None:
            super().__init__()
            self.transcript = transcript
            self.text = text

        @property
        def control(self) -> "Transcript":
            """The transcript it comes from."""
            return self.transcript

    class CursorMoved(Message):
        """The message cursor is on another message, or on none."""

        def __init__(self, transcript: "Transcript", message_id: str | None) -> None:
            super().__init__()
            self.transcript = transcript
            self.message_id = message_id

        @property
        def control(self) -> "Transcript":
            """The transcript it comes from."""
            return self.transcript

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._items: list[Item] = []
        self._tops: list[int] = [0]  # the first row of each item, and the end
        self._views: dict[str, MessageView] = {}
        self._indexes: dict[str, int] = {}
        self._changed: dict[int, None] = {}  # items with text that is not drawn
        self._unseen = False  # whether there is new text below the screen
        self._drawn = 0.0  # when the last frame was
        self._frame_due = False
        self._timer: Timer | None = None
        self._strips: dict[tuple[Line, bool], Strip] = {}
        self._palette: Palette | None = None
        self._compositing = False
        self._width = 0

    # What is shown

    def add(
        self,
        message_id: str,
        role: str,
        text: str = "",
        reasoning: str = "",
        *,
        label: str = "",
        done: bool = True,
        finish_reason: str | None = None,
    ) -> None:
        """Add a message below all others; one that is known is settled instead.

        An `assistant`'s text is Markdown, that of others is not. `label` is a line
        above it, such as the model's name. With `done` False more may be appended.
        """
        if message_id in self._views:
            self.finish(message_id, text, reasoning, finish_reason)
            return
        view = MessageView(message_id, role, text, reasoning, label=label, done=done)
        view.finish_reason = finish_reason
        self._views[message_id] = view
        self._indexes[message_id] = len(self._items)
        self._append_item(view)

    def append_text(self, message_id: str, text: str) -> None:
        """Add to a message's text; a message that is not known is begun."""
        self._growing_view(message_id).append_text(text)
        self._changed[self._indexes[message_id]] = None
        self._request_frame()

    def append_reasoning(self, message_id: str, text: str) -> None:
        """Add to what a message's model thinks aloud."""
        self._growing_view(message_id).append_reasoning(text)
        self._changed[self._indexes[message_id]] = None
        self._request_frame()

    def finish(
        self,
        message_id: str,
        text: str | None = None,
        reasoning: str | None = None,
        finish_reason: str | None = None,
    ) -> None:
        """Settle a message: nothing more will come, and this is what was said.

        None leaves the text or reasoning as it is. `cancelled`, `interrupted`,
        `error`, `length` and `content_filter` are told below the message.
        """
        if message_id not in self._views:
            self.add(
                message_id,
                "assistant",
                text or "",
                reasoning or "",
                finish_reason=finish_reason,
            )
            return
        view = self._views[message_id]
        index = self._indexes[message_id]
        self._changed.pop(index, None)
        first = view.finish(
            view.text if text is None else text,
            view.reasoning if reasoning is None else reasoning,
            finish_reason,
        )
        self._place_changed(index, first)

    def add_note(self, text: str, kind: NoteKind = "info") -> None:
        """Add a notice below all messages."""
        self._append_item(Note(text, kind))

    def clear(self) -> None:
        """Remove everything, and follow the bottom again."""
        self._items.clear()
        self._views.clear()
        self._indexes.clear()
        self._changed.clear()
        self._strips.clear()
        self._tops = [0]
        self._unseen = False
        self.following = True
        self.cursor = None
        self._forget_selection()
        self._set_height()
        self._scroll_to_row(0)
        self.refresh()

    def message_at_cursor(self) -> str | None:
        """Return the id of the message that the cursor is on."""
        if self.cursor is None:
            return None
        item = self._items[self.cursor]
        return item.message_id if isinstance(item, MessageView) else None

    def shown_text(self) -> str:
        """Return all rows as text, laid out for the present width; for tests."""
        for item in self._items:
            if not item.exact:
                self._lay_out(item)
        return "\n".join(
            line.text.rstrip() for item in self._items for line in item.lines()
        )

    def _growing_view(self, message_id: str) -> MessageView:
        if message_id not in self._views:
            self.add(message_id, "assistant", done=False)
        return self._views[message_id]

    def _append_item(self, item: Item) -> None:
        if self._width:
            item.resize(self._width)
        self._items.append(item)
        self._tops.append(self._tops[-1] + item.height)
        self._changed[len(self._items) - 1] = None
        self._request_frame()

    # Frames

    def _request_frame(self) -> None:
        """Draw soon: at once if the last frame is long enough ago."""
        if self._frame_due or not self.is_mounted:
            return
        self._frame_due = True
        wait = self._drawn + FRAME - monotonic()
        if wait <= 0:
            self.call_next(self._frame)
        else:
            self._timer = self.set_timer(wait, self._frame)

    def _frame(self) -> None:
        self._frame_due = False
        self._timer = None
        self._drawn = monotonic()
        if not self._width:
            return
        changed, self._changed = self._changed, {}
        dirty: list[tuple[int, int]] = []
        for index in changed:
            item = self._items[index]
            if isinstance(item, MessageView) and (item.exact or not item.done):
                dirty.append((index, item.update()))
            else:
                dirty.append((index, 0))
        if not dirty:
            return
        anchor = self._anchor()
        self._retop(min(index for index, _ in dirty))
        if not self._settle(anchor):
            for index, first in dirty:
                self._refresh_from(index, first)
            self._mark_unseen()

    def _place_changed(self, index: int, first: int) -> None:
        """Draw an item anew from a line on, at once; the reader's place stays."""
        if not self._width or not self.is_mounted:
            return
        anchor = self._anchor()
        before = self._tops[index + 1]
        self._retop(index)
        if not self._settle(anchor):
            moved = self._tops[index + 1] != before
            self._refresh_from(index, first, below=moved)
            self._mark_unseen()

    def _refresh_from(self, index: int, first: int, *, below: bool = True) -> None:
        """Mark rows as changed: an item's from a line on, and what is below it."""
        start = self._tops[index] + first - self.scroll_offset.y
        end = self.size.height
        if not below:
            end = min(end, self._tops[index + 1] - self.scroll_offset.y)
        start = max(start, 0)
        if start < end:
            self.refresh(Region(0, start, self.size.width, end - start))

    def _mark_unseen(self) -> None:
        unseen = not self.following and (
            self._tops[-1] - 1 > self.scroll_offset.y + self.size.height
        )
        if unseen != self._unseen:
            self._unseen = unseen
            self._refresh_bottom_row()

    def _refresh_bottom_row(self) -> None:
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    # Places

    def _retop(self, index: int) -> None:
        """Add up the heights of the items from `index` on."""
        heights = (item.height for item in self._items[index:])
        self._tops[index:] = accumulate(heights, initial=self._tops[index])

    def _locate(self, row: int) -> tuple[int, int]:
        """Return the item and line of a row; the last line when it is below all."""
        row = max(0, min(row, self._tops[-1] - 1))
        index = min(bisect_right(self._tops, row) - 1, len(self._items) - 1)
        return (index, row - self._tops[index]) if index >= 0 else (0, 0)

    def _anchor(self) -> tuple[int, int]:
        return self._locate(self.scroll_offset.y)

    def _lay_out(self, item: Item) -> None:
        if item.width != (self._width or 80):
            item.resize(self._width or 80)
        item.lay_out()

    def _settle(self, anchor: tuple[int, int]) -> bool:
        """Lay out what is near the screen, with `anchor` as its first row.

        When following, the bottom is the anchor. Returns whether the place or the
        height of anything has changed so that all was marked to be drawn.
        """
        if not self._items:
            self._set_height()
            return False
        height = self.size.height
        if self.following:
            self._lay_out_up(len(self._items) - 1, height + _AHEAD)
            row = self._tops[-1] - height
        else:
            index, line = anchor
            self._lay_out_down(index, line + height + _AHEAD)
            self._lay_out_up(index - 1, _AHEAD)
            row = self._tops[index] + min(line, self._items[index].height - 1)
        self._set_height()
        return self._scroll_to_row(row)

    def _lay_out_up(self, index: int, rows: int) -> None:
        lowest = None
        while index >= 0 and rows > 0:
            item = self._items[index]
            if not item.exact:
                self._lay_out(item)
                lowest = index
            rows -= item.height
            index -= 1
        if lowest is not None:
            self._retop(lowest)

    def _lay_out_down(self, index: int, rows: int) -> None:
        highest = None
        while index < len(self._items) and rows > 0:
            item = self._items[index]
            if not item.exact:
                self._lay_out(item)
                highest = index if highest is None else highest
            rows -= item.height
            index += 1
        if highest is not None:
            self._retop(highest)

    def _set_height(self) -> None:
        """Tell the scroll bar. Setting `virtual_size` would lay out the screen."""
        # The blank row below the last item is not worth scrolling to.
        size = Size(self.size.width, max(0, self._tops[-1] - 1))
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)  # pyright: ignore[reportArgumentType]: Textual's own use
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.window_size = self.size.height

    def _scroll_to_row(self, row: int) -> bool:
        row = max(0, min(row, self.max_scroll_y))
        if row >= self.max_scroll_y and self._unseen:
            self._unseen = False
            self._refresh_bottom_row()
        if row == self.scroll_offset.y:
            return False
        self.set_reactive(Widget.scroll_target_y, row)  # pyright: ignore[reportArgumentType]: Textual's own use
        self.scroll_y = row  # its watcher refreshes
        return True

    def _move_to(self, row: int) -> None:
        """Scroll, by the reader's wish; at the bottom it follows again."""
        if not self._items:
            return
        row = max(0, min(row, self.max_scroll_y))
        self.following = row >= self.max_scroll_y
        before = self._tops[-1]
        if not self._settle(self._locate(row)) and self._tops[-1] != before:
            self.refresh()
        self.following = self.scroll_offset.y >= self.max_scroll_y

    def scroll_to(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: float | None = None, y: float | None = None, **_: object
    ) -> None:
        """Scroll to a row at once: nothing is animated here."""
        if y is not None:
            self._move_to(round(y))

    def scroll_end(self, **_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Show the newest text and follow it."""
        self.action_follow()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap what is on the screen for the new width; the rest follows lazily."""
        width = min(self.size.width - 1, _WIDEST)
        anchor = self._anchor()
        if width != self._width and width > GUTTER:
            line = anchor[1] / self._items[anchor[0]].height if self._items else 0
            self._width = width
            self._strips.clear()
            self._forget_selection()
            for item in self._items:
                item.resize(width)
            if self._items and not self.following:
                # The same part of the message, as near as its new height tells.
                self._lay_out(self._items[anchor[0]])
                anchor = anchor[0], round(line * self._items[anchor[0]].height)
            self._retop(0)
        self._changed.clear()
        self._settle(anchor)
        self.vertical_scrollbar.window_size = self.size.height
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll without animation."""
        event.stop()
        event.prevent_default()
        self._move_to(self.scroll_offset.y - _WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without animation."""
        event.stop()
        event.prevent_default()
        self._move_to(self.scroll_offset.y + _WHEEL)

    def on_scroll_to(self, message: ScrollTo) -> None:
        """Go where the scroll bar was dragged."""
        message.stop()
        message.prevent_default()
        if message.y is not None:
            self._move_to(round(message.y))

    def on_scroll_up(self, message: ScrollUp) -> None:
        """Go a page up: the scroll bar was clicked."""
        message.stop()
        message.prevent_default()
        self.action_page(-1)

    def on_scroll_down(self, message: ScrollDown) -> None:
        """Go a page down: the scroll bar was clicked."""
        message.stop()
        message.prevent_default()
        self.action_page(1)

    # Actions

    def action_scroll_by(self, rows: int) -> None:
        """Scroll by rows."""
        self._move_to(self.scroll_offset.y + rows)

    def action_page(self, pages: int) -> None:
        """Scroll by pages, of which two rows stay in view."""
        self._move_to(self.scroll_offset.y + pages * max(1, self.size.height - 2))

    def action_top(self) -> None:
        """Go to the first message."""
        self._move_to(0)

    def action_follow(self) -> None:
        """Go to the newest text and follow it."""
        self.following = True
        if not self._settle((0, 0)):
            self.refresh()

    def action_cursor(self, step: int) -> None:
        """Move the message cursor; below the last message it goes to the bottom."""
        places = [i for i, item in enumerate(self._items) if item.selectable]
        if not places:
            return
        if self.cursor is None:
            visible_end = self.scroll_offset.y + self.size.height
            shown = [i for i in places if self._tops[i] < visible_end]
            target = (shown or places)[-1]
            if step > 0 and self.following:
                return
        else:
            rest = [i for i in places if (i - self.cursor) * step > 0]
            if not rest:
                if step > 0:
                    self.cursor = None
                    self.action_follow()
                else:
                    self.action_top()
                return
            target = rest[0] if step > 0 else rest[-1]
        self.cursor = target
        self._show_item(target)

    def _show_item(self, index: int) -> None:
        """Scroll as little as needed to see an item, or its beginning."""
        item = self._items[index]
        if not item.exact:
            self._lay_out(item)
            self._retop(index)
            self._set_height()
        top, end = self._tops[index], self._tops[index + 1] - 1
        view_top = self.scroll_offset.y
        height = self.size.height
        if top < view_top or end - top > height:
            self._move_to(top)
        elif end > view_top + height:
            self._move_to(end - height)

    def _view_in_question(self) -> MessageView | None:
        """Return the message at the cursor, or the last one of an assistant."""
        if self.cursor is not None:
            item = self._items[self.cursor]
            return item if isinstance(item, MessageView) else None
        for item in reversed(self._items):
            if isinstance(item, MessageView) and item.role == "assistant":
                return item
        return None

    def action_copy(self) -> None:
        """Copy the selected text, or else the source of a message."""
        selection = self.text_selection
        found = self.get_selection(selection) if selection else None
        view = self._view_in_question()
        if found and found[0]:
            self.post_message(self.CopyRequested(self, found[0]))
        elif view and view.source:
            self.post_message(self.CopyRequested(self, view.source))

    def action_copy_code(self) -> None:
        """Copy the last block of code of a message."""
        view = self._view_in_question()
        blocks = [
            token.content
            for token in (parse(view.source) if view else [])
            if token.type in ("fence", "code_block")
        ]
        if blocks:
            self.post_message(self.CopyRequested(self, blocks[-1]))
        else:
            self.notify("No block of code in this message.")

    def action_fold(self) -> None:
        """Fold or unfold what the model has thought aloud."""
        view = self._view_in_question()
        if view and view.reasoning:
            self._toggle(self._indexes[view.message_id])

    def _toggle(self, index: int) -> None:
        view = self._items[index]
        assert isinstance(view, MessageView)
        top = self._tops[index]
        # What is clicked must stay under the pointer, so it no longer follows.
        if not view.folded or top + view.height < self._tops[-1]:
            pass
        self._forget_selection()
        view.toggle()
        anchor = self._anchor()
        if view.done:
            self.following = False
        self._retop(index)
        self._settle(anchor)
        self.following = self.scroll_offset.y >= self.max_scroll_y
        self.refresh()

    def watch_cursor(self, old: int | None, new: int | None) -> None:
        """Draw the mark where it is now."""
        for index in (old, new):
            if index is not None and index < len(self._items):
                self._refresh_from(index, 0, below=False)
        self.post_message(self.CursorMoved(self, self.message_at_cursor()))

    def on_focus(self) -> None:
        """Show the message cursor."""
        self._refresh_cursor()

    def on_blur(self) -> None:
        """Hide the message cursor."""
        self._refresh_cursor()

    def _refresh_cursor(self) -> None:
        if self.cursor is not None and self.cursor < len(self._items):
            self._refresh_from(self.cursor, 0, below=False)

    def on_click(self, event: events.Click) -> None:
        """Fold, follow, select a word or a message, or place the cursor."""
        event.prevent_default()
        row = event.y + self.scroll_offset.y
        if not self._items or row >= self._tops[-1]:
            return
        if self._unseen and event.y == self.size.height - 1:
            self.action_follow()
            return
        index, number = self._locate(row)
        item = self._items[index]
        if event.chain > 1:
            self._select(event, index, number)
        elif self.text_selection is not None:
            return
        elif isinstance(item, MessageView) and number == item.fold_line:
            self._toggle(index)
        elif item.selectable:
            self.cursor = index

    # Selections

    def _select(self, event: events.Click, index: int, number: int) -> None:
        """Select a word, or with more clicks the message."""
        item = self._items[index]
        if event.chain == 2:
            _, offset = self.screen.get_widget_and_offset_at(
                event.screen_x, event.screen_y
            )
            if offset is None:
                return
            start, end = word_at(item.line(number).text, offset.x)
            place = index << _LINE_BITS | number
            selection = Selection(Offset(start, place), Offset(end, place))
        else:
            first = index << _LINE_BITS
            last = first | max(0, item.height - 2)
            length = len(item.line(max(0, item.height - 2)).text)
            selection = Selection(Offset(0, first), Offset(length, last))
        self.screen.selections = {self: selection}

    def _forget_selection(self) -> None:
        """Drop the selection: its lines are not what they were."""
        if self.is_mounted and self in self.screen.selections:
            self.screen.clear_selection()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text with soft wraps undone."""
        if not self._items:
            return None
        start, end = (0, 0, 0), (len(self._items) - 1, self._items[-1].height, 0)
        if selection.start is not None:
            x, y = selection.start
            start = (y >> _LINE_BITS, y & _LINE_MASK, x)
        if selection.end is not None:
            x, y = selection.end
            end = (min(y >> _LINE_BITS, end[0]), y & _LINE_MASK, x)
        return selected_text(self._items, start, end).rstrip("\n"), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()

    # Drawing

    def notify_style_update(self) -> None:
        """Forget all colours: the theme has changed."""
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render rows for the screen."""
        self._compositing = True
        try:
            return super().render_lines(crop)
        finally:
            self._compositing = False

    def render_line(self, y: int) -> Strip:
        """Render a row.

        When it is not for the screen it is to find what is under the pointer, which
        needs the place of each character; the screen does not, and pays for it.
        """
        row = y + self.scroll_offset.y
        palette = self._palette or self._make_palette()
        if not self._items or row >= self._tops[-1]:
            return Strip.blank(self.size.width, palette.style(()))
        index, number = self._locate(row)
        line = self._items[index].line(number)
        marked = index == self.cursor and self.has_focus
        place = index << _LINE_BITS | number
        selection = self.text_selection
        span = selection.get_span(place) if selection else None
        if span is not None:
            strip = self._make_strip(line, marked, span)
        else:
            strip = self._strip(line, marked)
        if self._unseen and y == self.size.height - 1:
            strip = self._with_hint(strip)
        return strip if self._compositing else strip.apply_offsets(0, place)

    def _make_palette(self) -> Palette:
        self._palette = Palette(self)
        return self._palette

    def _strip(self, line: Line, marked: bool) -> Strip:
        key = line, marked
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _CACHED:
                self._strips.clear()
            strip = self._strips[key] = self._make_strip(line, marked)
        return strip

    def _make_strip(
        self, line: Line, marked: bool, selected: tuple[int, int] | None = None
    ) -> Strip:
        palette = self._palette or self._make_palette()
        spans: list[Span] = list(line.spans)
        if marked and line.fill == ():
            spans[:1] = [("▌ ", ("cursor",))]
        elif marked:
            spans[:1] = [("▌ ", (*line.fill, "cursor"))]
        if selected:
            start, end = selected
            spans = _mark_selected(spans, max(start, line.lead), end)
        segments = [Segment(text, palette.style(style)) for text, style in spans]
        strip = Strip(segments)
        width = self.size.width
        fill = palette.style(line.fill)
        if not line.fill:
            return strip.adjust_cell_length(width, fill)
        # What fills a row ends where text ends, one column before the scroll bar.
        return strip.adjust_cell_length(
            max(min(self._width, width), 1), fill
        ).adjust_cell_length(width, palette.style(()))

    def _with_hint(self, strip: Strip) -> Strip:
        palette = self._palette or self._make_palette()
        room = self.size.width - len(_HINT) - 1
        if room < 1:
            return strip
        hint = Segment(_HINT, palette.style(("hint",)))
        return Strip([*strip.crop(0, room), hint, Segment(" ", palette.style(()))])


def _mark_selected(spans: list[Span], start: int, end: int) -> list[Span]:
    """Give the characters from `start` to `end` (-1: all) the look of a selection."""
    marked: list[Span] = []
    offset = 0
    for text, style in spans:
        stop = len(text) if end < 0 else max(0, min(len(text), end - offset))
        begin = max(0, min(stop, start - offset))
        selected: Style = (*style, "selection")
        marked += [
            (text[:begin], style),
            (text[begin:stop], selected),
            (text[stop:], style),
        ]
        offset += len(text)
    return [span for span in marked if span[0]]
