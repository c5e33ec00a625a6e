"""A scrolling pane that draws items of any height line by line.

Items far off screen have an estimated height until they come near, so a long
conversation costs no more than the visible page. The scroll position is stored as item
and line, not as distance from the top. It therefore stays in place when an estimate
above it turns out wrong, an item is folded or the pane changes its width. The file is
long because Textual looks up what scrolling and drawing change as members of the pane.
"""

from collections.abc import Sequence
from time import monotonic

from textual import events
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.app.transcript.item import GUTTER, Item
from tui.app.transcript.selection import selected_text, to_y, whole, word
from tui.app.transcript.strips import Strips, dimmed
from tui.app.transcript.thumb import Thumb
from tui.app.widgets.contained import Contained
from tui.app.widgets.row_index import RowIndex

_WIDEST = 120  # columns of text: longer lines are hard to read
_AHEAD = 20  # rows above and below the screen that are laid out too
_WHEEL = 3  # rows
_LEAP = 8  # most rows that following scrolls at a time
_RUSH = 0.5  # leaps closer together than this many seconds: text too fast to read


class LinePane(Contained, ScrollView, can_focus=True):
    """Draws items as lines and scrolls through them."""

    following = var(True, init=False)
    """Whether new text at the bottom scrolls into view."""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Item] = []
        self._rows = RowIndex()  # of `_items`
        self._unseen = False  # whether there is new text below the screen
        self._strips = Strips(self)
        self._compositing = False
        self._leapt = 0.0  # time of the last leap
        self._bottom = 0  # the row below the screen when it last followed
        self._resting = False  # whether no room is kept for text to come
        self._thumb = Thumb(self)
        self._width = 0  # columns of the lines; 0 until it is known

    def is_marked(self, index: int) -> bool:
        """Return whether the cursor is drawn beside an item."""
        return False

    def marks(self, item: Item, number: int) -> Sequence[tuple[int, int, bool]]:
        """Return what is marked in a line: start, end, whether it is current."""
        return ()

    # -- positions

    def _retop(self, index: int) -> None:
        """Recompute the row positions of the items from `index` on."""
        self._rows.replace(index, (item.height for item in self._items[index:]))

    def _anchor(self) -> tuple[int, int]:
        return self._rows.locate(self.scroll_offset.y)

    def _lay_out(self, item: Item) -> None:
        if item.width != (self._width or 80):
            item.resize(self._width or 80)
        item.lay_out()

    def _settle(self, anchor: tuple[int, int]) -> bool:
        """Lay out the area around the screen, with `anchor` as its first row.

        When following, the bottom is the anchor instead. Returns whether a position or
        height has changed, in which case everything is marked for redrawing.
        """
        if not self._items:
            self._set_height()
            return False
        height = self.size.height
        if self.following:
            self._lay_out_up(len(self._items) - 1, height + _AHEAD)
            row = self._row_to_follow(height)
            self._bottom = row + height
        else:
            index, line = anchor
            self._lay_out_down(index, line + height + _AHEAD)
            self._lay_out_up(index - 1, _AHEAD)
            row = self._rows.top(index) + min(line, self._items[index].height - 1)
        self._set_height()
        return self._scroll_to_row(row)

    def _row_to_follow(self, height: int) -> int:
        """Return the first row of the screen when the newest text should be visible.

        Text that reaches the bottom leaps up by several rows at once and grows into the
        room below: that is easier to read than crawling text, and everything beside the
        text must be redrawn after each scroll. Text that comes too fast to read leaps
        by two thirds of the screen. At rest the end of the text is at the bottom.
        """
        end, now = self._end, self.scroll_offset.y
        if self._resting:
            return max(0, end - height)
        leap = max(1, min(_LEAP, height // 4))
        far = max(leap, height * 2 // 3)
        below = now + height - end
        if 0 <= below < far:
            return now
        if self._bottom == now + height and 0 < -below < height:
            time = monotonic()
            rush, self._leapt = time - self._leapt < _RUSH, time
            end += (far if rush else leap) - 1
        return max(0, end - height)

    @property
    def _end(self) -> int:
        """Rows of text, without the blank row below the last item."""
        return max(0, self._rows.end - 1)

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
        """Update the scroll bar. Setting `virtual_size` would lay out the screen."""
        size = Size(self.size.width, max(self._end, self._bottom))
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)  # pyright: ignore[reportArgumentType]: Textual's own use
            self._thumb.move()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Redraw after scrolling."""
        if round(old_value) != round(new_value):
            self._thumb.move()
            self.refresh(self.size.region)

    def on_mount(self) -> None:
        """Start without a thumb in the scroll bar."""
        self.watch_following()

    def watch_following(self) -> None:
        """Show the scroll bar's thumb while the pane does not follow."""
        self._thumb.show(not self.following)

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
        """Scroll on the user's request; at the bottom the pane follows again."""
        if not self._items:
            return
        row = max(0, min(row, self.max_scroll_y))
        self.following = row >= self.max_scroll_y
        if row + self.size.height <= self._end:
            self._bottom = 0  # the user left the room that was kept for new text
        before = self._rows.end
        if not self._settle(self._rows.locate(row)) and self._rows.end != before:
            self.refresh()
        self.following = self.scroll_offset.y >= self.max_scroll_y

    def scroll_to(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: float | None = None, y: float | None = None, **_: object
    ) -> None:
        """Scroll to a row without animation."""
        if y is not None:
            self._move_to(round(y))

    def scroll_end(self, **_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Show the newest text and follow it."""
        self.action_follow()

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
        """Scroll to where the scroll bar was dragged."""
        message.stop()
        message.prevent_default()
        if message.y is not None:
            self._move_to(round(message.y))

    def on_scroll_up(self, message: ScrollUp) -> None:
        """Go up a page after a click on the scroll bar."""
        message.stop()
        message.prevent_default()
        self.action_page(-1)

    def on_scroll_down(self, message: ScrollDown) -> None:
        """Go down a page after a click on the scroll bar."""
        message.stop()
        message.prevent_default()
        self.action_page(1)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the visible items for the new width; the rest follows lazily."""
        width = min(self.size.width - 1, _WIDEST)
        anchor = self._anchor()
        if width != self._width and width > GUTTER:
            line = anchor[1] / self._items[anchor[0]].height if self._items else 0
            self._width = width
            self._strips.forget()
            self._strips.fill_width = width
            self._forget_selection()
            for item in self._items:
                item.resize(width)
            self._bottom = 0
            if self._items and not self.following:
                # Keep the same part of the message, estimated from its new height.
                self._lay_out(self._items[anchor[0]])
                anchor = anchor[0], round(line * self._items[anchor[0]].height)
            self._retop(0)
        self._settle(anchor)
        self._thumb.redraw()
        self.refresh()

    def action_scroll_by(self, rows: int) -> None:
        """Scroll by rows."""
        self._move_to(self.scroll_offset.y + rows)

    def action_page(self, pages: float) -> None:
        """Scroll by pages, 0 to the newest text; two rows of the old page stay."""
        if not pages:
            self.action_follow()
            return
        rows = round(pages * max(2, self.size.height - 2))
        self._move_to(self.scroll_offset.y + rows)

    def action_top(self) -> None:
        """Go to the first message."""
        self._move_to(0)

    def action_follow(self) -> None:
        """Go to the newest text and follow it."""
        self.following = True
        if not self._settle((0, 0)):
            self.refresh()

    def _show_item(self, index: int) -> None:
        """Scroll as little as needed to show an item, or its start."""
        item = self._items[index]
        if not item.exact:
            self._lay_out(item)
            self._retop(index)
            self._set_height()
        view_top = self.scroll_offset.y
        row = self._rows.reveal(index, view_top, self.size.height, below=1)
        if row != view_top:
            self._move_to(row)

    def _refresh_from(self, index: int, first: int, *, below: bool = True) -> None:
        """Redraw an item from line `first` on, and the rows below it."""
        start = self._rows.top(index) + first - self.scroll_offset.y
        end = self.size.height
        if not below:
            end = min(end, self._rows.top(index + 1) - self.scroll_offset.y)
        start = max(start, 0)
        if start < end:
            self.refresh(Region(0, start, self.size.width, end - start))

    def _mark_unseen(self) -> None:
        unseen = not self.following and (
            self._rows.end - 1 > self.scroll_offset.y + self.size.height
        )
        if unseen != self._unseen:
            self._unseen = unseen
            self._refresh_bottom_row()

    def _refresh_bottom_row(self) -> None:
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    # -- selection

    def _forget_selection(self) -> None:
        """Drop the selection, because its lines have changed."""
        if self.is_mounted and self in self.screen.selections:
            self.screen.clear_selection()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text with soft wraps undone."""
        if not self._items:
            return None
        return selected_text(self._items, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Redraw after a change of the selection."""
        self.refresh()

    def _select(self, event: events.Click, index: int, number: int) -> None:
        """Select a word on a double click, the message on a triple click."""
        item = self._items[index]
        if event.chain == 2:
            _, offset = self.screen.get_widget_and_offset_at(
                event.screen_x, event.screen_y
            )
            if offset is None:
                return
            selection = word(item, index, number, offset.x)
        else:
            selection = whole(item, index)
        self.screen.selections = {self: selection}

    # -- drawing

    def _replace_failed(self) -> None:
        """Lay out the pane again after an item was replaced by its error report."""
        anchor = self._anchor()
        self._retop(0)
        self._settle(anchor)
        self.refresh()

    def notify_style_update(self) -> None:
        """Drop all cached colours after a change of the theme."""
        super().notify_style_update()
        self._strips.forget()

    def render_rows(self, crop: Region) -> list[Strip]:
        """Render rows for the screen.

        Textual's own cache of styled rows costs more than making them from ours, as it
        does not recognise a row that has scrolled. It is still used for a border or
        padding set by CSS.
        """
        self._compositing = True
        try:
            if self.styles.gutter or self.opacity < 1:
                return super().render_rows(crop)
            strips = [self.render_line(y) for y in crop.line_range]
        finally:
            self._compositing = False
        _, background = self.background_colors
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Render a row.

        Outside of compositing, Textual asks for a row to find what is under the
        pointer. Only then does each character need its offset, which is expensive.
        """
        row = y + self.scroll_offset.y
        if not self._items or row >= self._rows.end:
            return self._strips.blank()
        index, number = self._rows.locate(row)
        place = to_y(index, number)
        selection = self.text_selection
        span = selection.get_span(place) if selection else None
        item = self._items[index]
        try:
            line = dimmed(item.line(number)) if item.unkept else item.line(number)
            strip = self._strips.strip(
                line, self.is_marked(index), span, self.marks(item, number)
            )
        except Exception as error:
            if item.failed:  # even the error report cannot be drawn
                raise
            item.fail(error)
            self.call_later(self._replace_failed)
            strip = self._strips.blank()
        if self._unseen and y == self.size.height - 1:
            strip = self._strips.with_hint(strip)
        return strip if self._compositing else strip.apply_offsets(0, place)
