"""A list of entries of several lines, drawn line by line.

Base of the tool sidebar and the debug panel: a cursor, entries that unfold, and
scrolling. Only visible lines are created, so thousands of entries cost no more than a
screenful. The list is independent of tools.
"""

# Textual leaves the type parameter of App unknown.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app import faults
from tui.app.markdown.lines import Line, Style, cut, to_lines
from tui.app.markdown.lines import wrap as wrap_spans
from tui.app.widgets.contained import Contained
from tui.app.widgets.palette import CHOSEN, Looks, Palette
from tui.app.widgets.row_index import RowIndex, selectable


class Entry:
    """An element of the list. Its text must be safe for a terminal."""

    selectable = True
    """Whether the cursor stops at this entry."""
    unfolded = False
    fault = ""
    """The error shown in place of the lines when they cannot be made."""

    def height(self, width: int) -> int:
        """Return the number of lines at `width` columns; quick while folded."""
        raise NotImplementedError

    def line(self, number: int, width: int) -> Line:
        """Return a line, from 0; called only for visible lines.

        A line wider than `width` is cut.
        """
        raise NotImplementedError


class Rows(Contained, ScrollView, can_focus=True):
    """Shows entries one below the other, with a cursor that moves by entry."""

    DEFAULT_CSS = """
    Rows {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
    }
    """

    LOOKS: ClassVar[Looks] = {
        "muted": "$text-muted",
        "heading": "bold $text-muted",
        "rule": "$border-blurred",
        "name": "bold",
        "label": "$text-primary",
        "on": "$text-success",
        "key": "$text-accent",
        "running": "$text-warning",
        "error": "$text-error",
        "high": "$text-warning",
        "full": "bold $text-error",
        "cursor": CHOSEN,
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("home", "cursor_first", "First", show=False),
        Binding("end", "cursor_last", "Last", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("enter", "unfold", "Unfold", show=False),
    ]

    FOLLOWS: ClassVar[bool] = False
    """Whether the cursor goes to new entries until the user moves it."""

    CURSOR_STAYS: ClassVar[bool] = False
    """Whether the cursor is drawn without the focus too, as another widget moves it."""

    MARGIN: ClassVar[int] = 1
    """Blank columns at either side of a row, which the cursor's colour covers too."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.cursor: int | None = None
        """Index of the selected entry; None if none can be selected."""
        self._rows = RowIndex()
        self._width: int = 0
        """Columns of an entry for which `_rows` is valid."""
        self._stale_from = 0
        """Index of the first entry whose height may be out of date."""
        self._settling = False
        self._replaced = False
        """Whether `_rows` has the heights of other entries."""
        self._following = self.FOLLOWS
        self._palette: Palette | None = None

    # -- entries

    def set_entries(self, entries: Iterable[Entry], cursor: int | None = None) -> None:
        """Replace the entries; put the cursor at `cursor` or the first selectable."""
        self.entries = list(entries)
        self.cursor = cursor
        self._stale_from = 0
        self._replaced = True
        self._following = self.FOLLOWS
        self._settle_soon()

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        self.entries.append(entry)
        if self._following and entry.selectable:
            self.cursor = len(self.entries) - 1
        self._settle_soon()

    def changed(self, index: int) -> None:
        """Redraw; the entry at `index` may have a new height."""
        self._stale_from = min(self._stale_from, index)
        self._settle_soon()

    # -- user actions; subclasses extend them

    def click(self, index: int, number: int, x: int) -> None:
        """Handle a click on line `number` of an entry, at column `x`."""
        self.action_unfold()

    def action_unfold(self) -> None:
        """Unfold or fold the selected entry."""
        if self.cursor is not None:
            entry = self.entries[self.cursor]
            entry.unfolded = not entry.unfolded
            entry.fault = ""
            self.changed(self.cursor)
            self._settle()
            self._show(self.cursor)

    def action_cursor_up(self) -> None:
        """Go to the entry above; within a long entry, a line up."""
        if self._scroll_within(-1):
            return
        self._select(self._selectable((self.cursor or 0) - 1, -1))

    def action_cursor_down(self) -> None:
        """Go to the entry below; within a long entry, a line down."""
        if self._scroll_within(1):
            return
        self._select(self._selectable(-1 if self.cursor is None else self.cursor + 1))

    def action_cursor_first(self) -> None:
        """Go to the first entry and scroll to the top."""
        self._settle()
        self._select(self._selectable(0))
        self._scroll(0)

    def action_cursor_last(self) -> None:
        """Go to the last entry and scroll to the bottom."""
        self._settle()
        self._select(self._selectable(len(self.entries) - 1, -1))
        self._scroll(self._rows.end)

    def action_page(self, direction: int) -> None:
        """Scroll a page up (-1) or down (1), and move the cursor along."""
        self._settle()
        height = max(self._view_height - 1, 1)
        top = self.scroll_offset.y
        self._scroll(top + direction * height)
        if self.scroll_offset.y == top:
            edge = 0 if direction < 0 else len(self.entries) - 1
            self._select(self._selectable(edge, -direction))
            return
        index, hidden = self._rows.locate(self.scroll_offset.y)
        if index != self.cursor and hidden:
            index += 1
        self.cursor = self._selectable(index) or self.cursor
        self._following = self.FOLLOWS and self._at_bottom and self._on_last
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Select the clicked entry."""
        place = event.get_content_offset(self)
        if place is None:
            return
        self._settle()
        line = place.y + self.scroll_offset.y
        index, number = self._rows.locate(line)
        if line < self._rows.end and self.entries[index].selectable:
            self._select(index)
            self.click(index, number, place.x - self.MARGIN)

    def on_mouse_scroll_down(self) -> None:
        """Follow again when the wheel reaches the bottom."""
        self.call_next(self._follow_at_bottom)

    # -- drawing

    def on_mount(self) -> None:
        """Measure the entries that were added before."""
        self._settle_soon()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of all entries, for `height: auto`."""
        self._measure(width - self.styles.scrollbar_size_vertical)
        return self._rows.end

    def on_resize(self) -> None:
        """Measure the entries for the new width."""
        self._settle()

    def notify_style_update(self) -> None:
        """Drop the colours of the previous theme."""
        self._palette = None
        super().notify_style_update()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Redraw the cursor in its other colour."""
        super().watch_has_focus(_has_focus)
        self._palette = None
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the user scrolls away from the bottom."""
        super().watch_scroll_y(old_value, new_value)
        if not self._settling and not self._at_bottom:
            self._following = False

    def render_line(self, y: int) -> Strip:
        """Return one row of the screen."""
        width = self.scrollable_content_region.width
        # A frame may be drawn between a change and its `_settle`.
        self._measure(width)
        row = y + self.scroll_offset.y
        if row >= self._rows.end:
            return Strip.blank(width, self._style((), False))
        index, number = self._rows.locate(row)
        line = self._line(index, number, self._width)
        seen = self.has_focus or self.CURSOR_STAYS
        selected = index == self.cursor and number == 0 and seen
        margin = (" " * self.MARGIN, ())
        spans = [margin, *cut(line.spans, self._width), margin]
        strip = Strip(
            [Segment(text, self._style(style, selected)) for text, style in spans]
        )
        return strip.adjust_cell_length(width, self._style((), selected))

    def _style(self, style: Style, selected: bool) -> RichStyle:
        if self._palette is None:
            self._palette = Palette(self, self.LOOKS)
        # In one colour: muted text and keys would be lost on the cursor's.
        return self._palette.style(("cursor",) if selected else style)

    # -- layout

    @property
    def _view_height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _is_laid_out(self) -> bool:
        """Whether the list has a size, so that its entries have been measured."""
        return self.scrollable_content_region.area > 0

    @property
    def _at_bottom(self) -> bool:
        return self.scroll_y >= self.max_scroll_y

    @property
    def _on_last(self) -> bool:
        return self.cursor == self._selectable(len(self.entries) - 1, -1)

    def _settle_soon(self) -> None:
        """Measure once for all changes of the same moment."""
        if self.is_running and not self._settling:
            self._settling = True
            self.call_next(self._settle)

    def _settle(self) -> None:
        # A list that is just being shown has no size yet, but may have keys already.
        if self.cursor is None or self.cursor >= len(self.entries):
            self.cursor = self._selectable(0)
        width = self.scrollable_content_region.width
        if width <= 0:
            self._settling = False
            return
        self._settling = True
        place = self._rows.locate(self.scroll_offset.y)
        self._measure(width)
        self.virtual_size = Size(width, self._rows.end)
        if self._following:
            self._scroll(self._rows.end)
        elif self.FOLLOWS and not self._replaced and place[0] < len(self._rows):
            # What stands at the top stays there when an entry above it grows.
            self._scroll(self._rows.top(place[0]) + place[1])
        self._replaced = False
        self.refresh()
        self._settling = False

    def _measure(self, width: int) -> None:
        """Update `_rows` for a list of `width` columns and the current entries."""
        width = max(width - 2 * self.MARGIN, 1)
        if width != self._width:
            self._width = width
            self._stale_from = 0
        first = min(self._stale_from, len(self._rows))
        self._stale_from = len(self.entries)
        if first != len(self.entries) or first != len(self._rows):
            heights = (self._height(entry, width) for entry in self.entries[first:])
            self._rows.replace(first, heights)

    def _height(self, entry: Entry, width: int) -> int:
        if not entry.fault:
            try:
                return entry.height(width)
            except Exception as error:
                entry.fault = faults.not_shown(error)
        return 1

    def _line(self, index: int, number: int, width: int) -> Line:
        entry = self.entries[index]
        if not entry.fault:
            try:
                return entry.line(number, width)
            except Exception as error:
                entry.fault = faults.not_shown(error)
                self.changed(index)
        return Line(((f"× {entry.fault}", ("muted",)),)) if number == 0 else Line()

    def _selectable(self, index: int, step: int = 1) -> int | None:
        return selectable(self.entries, index, step)

    def _select(self, index: int | None) -> None:
        if index is None:
            # No further entry can be selected, but the list may still scroll.
            return
        self.cursor = index
        self._show(index)
        self._following = self.FOLLOWS and self._on_last
        self.refresh()

    def _show(self, index: int) -> None:
        self._settle()
        if not self._is_laid_out:
            return
        first = self.scroll_offset.y
        row = self._rows.reveal(index, first, self._view_height)
        if first and self._selectable(index - 1, -1) is None:
            row = (
                0  # Entries above the first selectable one are only reachable this way.
            )
        if row != first:
            self._scroll(row)

    def _scroll_within(self, step: int) -> bool:
        """Scroll a line if the selected entry extends beyond the screen."""
        self._settle()
        first, height = self.scroll_offset.y, self._view_height
        if self.cursor is None or not self._is_laid_out:
            return False
        if step < 0:
            hidden = self._rows.top(self.cursor) < first
        else:
            hidden = self._rows.top(self.cursor + 1) > first + height
        if hidden:
            self._scroll(first + step)
        return hidden

    def _scroll(self, y: int) -> None:
        y = min(max(y, 0), self.max_scroll_y)
        self.scroll_to(y=y, animate=False, force=True)

    def _follow_at_bottom(self) -> None:
        if self.FOLLOWS and self._at_bottom:
            self._following = True


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` columns, broken between words."""
    if not text.isascii():  # Textual breaks no line beside a wide character
        rows = to_lines(wrap_spans([(text, ())], max(width, 2)))
        return [row.text.rstrip() for row in rows]
    lines = Content(text).wrap(max(width, 2))
    return [line.plain.rstrip() for line in lines]
