"""A line pane with find, and jumps between questions."""

from collections.abc import Iterable, Sequence

import msgspec
from textual.reactive import var

from tui.app.transcript.finder import Finder
from tui.app.transcript.item import Item
from tui.app.transcript.line_pane import LinePane
from tui.app.transcript.message_view import MessageView


class Bookmark(msgspec.Struct, frozen=True):
    """A scroll position."""

    item: Item | None
    """The item in the first row; None in an empty pane."""
    line: int
    following: bool


class ReadingPane(LinePane, can_focus=True):
    """Draws messages, marks what is found in them, and goes to places in them."""

    cursor: var[int | None] = var(None, init=False)
    """The index of the item with the message cursor, or None."""

    def __init__(self) -> None:
        super().__init__()
        self.finder = Finder(self)
        """Finds text in the conversation as it is displayed."""

    @property
    def items(self) -> Sequence[Item]:
        """All items, from the top."""
        return self._items

    # -- places

    def bookmark(self) -> Bookmark:
        """Return the scroll position."""
        index, line = self._anchor()
        item = self._items[index] if self._items else None
        return Bookmark(item, line, self.following)

    def return_to(self, place: Bookmark) -> None:
        """Scroll back to a place; does nothing if its item is gone."""
        if place.following:
            self.action_follow()
        elif place.item in self._items:
            index = self._items.index(place.item)
            self.lay_out_items([place.item])
            self._move_to(self._rows.top(index) + place.line)

    def reveal(self, item: Item, line: int) -> None:
        """Scroll as far as needed to show a line of an item, which gets the cursor."""
        index = self._items.index(item)
        self.lay_out_items([item])
        if item.selectable:
            self.cursor = index
        row, height = self._rows.top(index) + line, self.size.height
        # The last row may be covered by the hint that there is more below.
        if not 0 <= row - self.scroll_offset.y < max(1, height - 1):
            self.following = False
            self._move_to(max(0, row - height // 3))
        if any(not each.done for each in self._items):
            self.following = False  # new text would push it off the screen

    def lay_out_items(self, items: Sequence[Item]) -> None:
        """Lay out items wherever they are; what is on the screen stays."""
        late = [item for item in items if not item.exact]
        if not (late and self._width):
            return
        anchor = self._anchor()
        before = self._rows.top(anchor[0])
        for item in late:
            self._lay_out(item)
        self._retop(min(self._items.index(item) for item in late))
        moved = self._rows.top(anchor[0]) - before
        if moved and self.following:
            self._bottom += moved
            self._set_height()
            self._scroll_to_row(self.scroll_offset.y + moved)
        self._settle(anchor)

    def go_to_question(self, step: int) -> bool:
        """Put the next (1) or previous (-1) question at the top of the pane.

        Returns False if there is none. Below the last one is the newest text.
        """
        asked = [
            index
            for index, item in enumerate(self._items)
            if isinstance(item, MessageView) and item.role == "user"
        ]
        top, height = self.scroll_offset.y, self.size.height
        here = self.cursor if self.cursor in asked else None
        if here is not None and not 0 <= self._rows.top(here) - top < height:
            here = None  # the user has scrolled away
        if here is None and self.following:
            here = len(self._items)
        if here is not None:
            others = [n for n in asked if (n - here) * step > 0]
        else:
            others = [n for n in asked if (self._rows.top(n) - top) * step > 0]
        if others:
            index = min(others) if step > 0 else max(others)
            self.cursor = index
            self.lay_out_items([self._items[index]])
            self._move_to(self._rows.top(index))
        elif step > 0 and asked:
            self.cursor = None
            self.action_follow()
        return bool(others)

    # -- reasoning

    def fold_reasoning(self, folded: bool, hidden: Iterable[MessageView] = ()) -> None:
        """Fold or unfold the reasoning of all answers, and of those in `hidden`.

        The text in the first row stays there.
        """
        shown = [item for item in self._items if isinstance(item, MessageView)]
        index, line = self._anchor()
        below = self._below_fold(index, line)
        for view in {*shown, *hidden}:
            if view.role == "assistant" and view.folded != folded:
                view.folded = folded
                if view.reasoning and view.width:
                    view.resize(view.width)
        if not (self._items and self._width):
            return
        self._forget_selection()
        item = self._items[index]
        if not item.exact:
            self._lay_out(item)
        if below is not None:
            line = max(0, item.height - below)
        self._retop(0)
        self._bottom = 0
        self._settle((index, line))
        self.refresh()

    def _below_fold(self, index: int, line: int) -> int | None:
        """Return the rows of an item from `line` on, None if that is above the text."""
        item = self._items[index] if self._items else None
        fold = item.fold_line if isinstance(item, MessageView) else None
        return (
            None
            if item is None or fold is None or line <= fold
            else (item.height - line)
        )

    # -- matches

    def marks(self, item: Item, number: int) -> Sequence[tuple[int, int, bool]]:
        """Return the found text in a line: start, end, whether it is current."""
        return self.finder.marks(item, number) if self.finder.active else ()

    def show_matches(self) -> None:
        """Draw the marks again."""
        self.refresh()
