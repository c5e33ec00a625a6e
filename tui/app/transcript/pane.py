"""The chat pane: one widget that draws every message as lines.

A widget for each message would cost layout, style and memory for each, and a repaint
for each piece of text. Here a frame costs only what has changed and is on the screen.
Pieces of text are collected and drawn at most 20 times a second. `LinePane` handles the
position of lines and scrolling, `ReadingPane` what is found in them.

The pane only draws items and posts messages; it does not access the log or any file.

The file is long because Textual looks up keys, messages, actions, watchers and clicks
as members of the widget. The rest is elsewhere: items and their lines in `item`,
`message_view` and `note`, rows in `line_pane`.
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.app import commands
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place, find
from tui.app.transcript.item import Item
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.note import Note, NoteKind
from tui.app.transcript.reading_pane import ReadingPane
from tui.app.transcript.selection import between
from tui.app.transcript.welcome import Welcome
from tui.app.widgets.requests import CopyRequested, HintRequested
from tui.app.widgets.row_index import selectable
from tui.i18n import _

FRAME = 0.05  # minimum seconds between two frames


class Transcript(ReadingPane, can_focus=True):
    """Shows a conversation: messages of the user and the assistant, and notes."""

    DEFAULT_CSS = """
    Transcript {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-color: $border-blurred;
        scrollbar-color-hover: $scrollbar-hover;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Message above", show=False),
        Binding("down", "cursor(1)", "Message below", show=False),
        Binding("shift+up", "scroll_by(-1)", "Line up", show=False),
        Binding("shift+down", "scroll_by(1)", "Line down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "First message", show=False),
        Binding("end", "follow", "Newest text", show=False),
        Binding("enter,space", "fold", "Fold reasoning", show=False),
        Binding("y", "copy", "Copy message", show=False),
        Binding("Y", "copy_code", "Copy code", show=False),
        Binding("j", "vi_scroll(1)", "Vi: line down", show=False),
        Binding("k", "vi_scroll(-1)", "Vi: line up", show=False),
        Binding("ctrl+d", "vi_page(0.5)", "Vi: half a page down", show=False),
        Binding("ctrl+u", "vi_page(-0.5)", "Vi: half a page up", show=False),
        Binding("g", "vi_top", "Vi: first message", show=False),
        Binding("G", "vi_follow", "Vi: newest text", show=False),
        Binding("i,a", "vi_write", "Vi: back to the composer", show=False),
        Binding("slash", "vi_find", "Vi: find", show=False),
        *commands.bindings(reading=True),
    ]

    class VersionWanted(Message):
        """The user wants the previous (-1) or next (1) version of a message."""

        def __init__(self, message_id: str, step: int) -> None:
            super().__init__()
            self.message_id = message_id
            self.step = step

    class WelcomeClicked(Message):
        """The user has clicked a key of the empty state, or a text to send."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

    class WriteWanted(Message):
        """The user wants to write in the composer."""

    def __init__(self) -> None:
        super().__init__()
        self.vi = False
        """Whether the pane has vi keys."""
        self._views: dict[str, MessageView] = {}
        self._indexes: dict[str, int] = {}  # the index in `_items` of each message
        self._changed: dict[int, None] = {}  # items with text that is not drawn yet
        self._drawn = 0.0  # time of the last frame
        self._frame_due = False
        self._ruled = ""  # the message that has a rule above it
        self.welcome: Welcome | None = None
        """What is shown before the first message; None once there is one."""

    def is_marked(self, index: int) -> bool:
        """Return whether keys act on an item: the one that shows the focus."""
        return self.has_focus and index == self._target()

    # -- items

    def finish(
        self,
        message_id: str,
        text: str,
        reasoning: str,
        finish_reason: str | None = None,
    ) -> None:
        """Set the final text of a message that is shown.

        The finish reasons `cancelled`, `interrupted`, `error`, `length` and
        `content_filter` are shown below the message. Raises KeyError if the message is
        not shown.
        """
        index = self._indexes[message_id]
        self._changed.pop(index, None)
        first = self._views[message_id].finish(text, reasoning, finish_reason)
        self._place_changed(index, first)

    def mark(self, message_id: str, text: str) -> None:
        """Draw a rule with `text` above a message, and remove the previous rule.

        An unknown message only removes the previous rule.
        """
        rules = {self._ruled: "", message_id: text}
        self._ruled = message_id
        for id, rule in rules.items():
            view = self._views.get(id)
            if view is None or view.rule == rule:
                continue
            view.rule = rule
            if view.exact:
                view.update()
            elif self._width:
                view.resize(self._width)
            self._place_changed(self._indexes[id], 0)

    def add_note(self, text: str, kind: NoteKind = "info") -> Note:
        """Add a passing notice below all messages, and return it."""
        note = Note(text, kind)
        note.passing = True
        self._append_item(note)
        return note

    def remove_note(self, note: Note) -> None:
        """Remove a notice; does nothing if it is gone."""
        note.passing = False
        self.show_items([it for it in self._items if it is not note], stay=True)

    def show_welcome(self, welcome: Welcome) -> None:
        """Show or redraw the empty state, before the first message."""
        if self._views:
            return
        if self.welcome is not welcome:
            self._drop_welcome()
            self.welcome = welcome
            self._items.insert(0, welcome)
            self._rows.replace(0, (item.height for item in self._items))
            self._changed = {index + 1: None for index in self._changed}
        welcome.room = self.size.height or welcome.room
        welcome.resize(self._width)
        self._place_changed(0, 0)

    def _drop_welcome(self) -> None:
        """Remove the empty state, before the first message is added."""
        welcome, self.welcome = self.welcome, None
        if welcome is not None:
            self._items.remove(welcome)
            self._rows.replace(0, (item.height for item in self._items))
            self._changed = {index - 1: None for index in self._changed if index}
            self.cursor = None
            self._forget_selection()
            self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the empty state to the rows of the pane; Textual calls the base too."""
        if self.welcome is not None:
            self.welcome.room = event.size.height
            self.welcome.resize(self._width)
            self._retop(0)

    def append(self, item: Item) -> None:
        """Add an item below all others."""
        if isinstance(item, MessageView):
            self._drop_welcome()
            self._views[item.message_id] = item
            self._indexes[item.message_id] = len(self._items)
            if self.has_focus and self.cursor is None:
                self.refresh()  # the mark goes to the newest answer
        self._append_item(item)

    def shows(self, message_id: str) -> bool:
        """Return whether a message is shown."""
        return message_id in self._views

    def changed(self, view: MessageView) -> None:
        """Draw a message's new text soon; does nothing if it is not shown."""
        index = self._indexes.get(view.message_id)
        if index is not None:
            self._resting = False
            self._changed[index] = None
            self._request_frame()

    def rest(self) -> None:
        """Fill the room that was kept for text to come: the answer has ended."""
        if self._resting or not self._items:
            return
        self._resting = True
        if self.following:
            self._bottom = 0
            # The next frame lays it out: earlier, the last text would count as drawn.
            self._changed[len(self._items) - 1] = None
            self._request_frame()

    def dim(self, view: MessageView, unkept: bool) -> None:
        """Draw a message dim if it is not stored, or else normally."""
        if view.unkept != unkept:
            view.unkept = unkept
            if (index := self._indexes.get(view.message_id)) is not None:
                self._place_changed(index, 0)

    def show_items(self, items: Sequence[Item], *, stay: bool = False) -> None:
        """Replace the items, but keep passing notes above the first that differs.

        The items that both have in common keep their layout and position. With `stay`
        the first differing item keeps its position too, even if the pane then no longer
        follows the bottom.
        """
        if any(isinstance(item, MessageView) for item in items):
            self._drop_welcome()
        kept = same = 0
        for item in self._items:
            if same < len(items) and item is items[same]:
                same += 1
            elif not item.passing:
                break
            kept += 1
        if kept == len(self._items) and same == len(items):
            return
        index, line = self._anchor()
        anchor = (index, line) if index <= kept else (kept, 0)
        cursor = self.cursor
        self._forget_selection()
        self._cut(kept)
        for item in items[same:]:
            if isinstance(item, MessageView) and item.exact:
                item.update()
            self.append(item)
        # The new items are already up to date.
        self._changed = {i: None for i in self._changed if i < kept}
        if self._items and self._width and self.is_mounted:
            if stay:
                self.following = False
            if not self.following:
                # A shorter version leaves room below, so the text above need not move.
                self._bottom = self.scroll_offset.y + self.size.height if stay else 0
            self._settle((min(anchor[0], len(self._items) - 1), anchor[1]))
            self.following = self.scroll_offset.y >= self.max_scroll_y
            self._mark_unseen()
        if self.finder.active:
            self.finder.items_changed()
        if cursor is not None and cursor >= kept:
            self.cursor = min(kept, len(self._items) - 1) if self._items else None
        self.refresh()

    def _cut(self, kept: int) -> None:
        """Remove the items from index `kept` on."""
        for item in self._items[kept:]:
            if isinstance(item, MessageView):
                del self._views[item.message_id]
                del self._indexes[item.message_id]
        del self._items[kept:]
        self._rows.replace(kept, ())
        self._changed = {i: None for i in self._changed if i < kept}

    @property
    def views(self) -> list[MessageView]:
        """The messages that are shown, in order."""
        return list(self._views.values())

    def message_at_cursor(self) -> str | None:
        """Return the id of the message under the cursor."""
        if self.cursor is None:
            return None
        item = self._items[self.cursor]
        return item.message_id if isinstance(item, MessageView) else None

    def _append_item(self, item: Item) -> None:
        # An item that was shown before keeps its layout if the width is the same.
        if self._width and item.width != self._width:
            item.resize(self._width)
        self._items.append(item)
        self._rows.append(item.height)
        self._changed[len(self._items) - 1] = None
        self._request_frame()

    # -- frames

    def _request_frame(self) -> None:
        """Draw soon: at once if the last frame was long enough ago."""
        if self._frame_due or not self.is_mounted:
            return
        self._frame_due = True
        # Do not use set_timer: Textual drops a timer that is already due when it is
        # first checked, and without that frame there would never be another. A timer
        # also costs a task and two messages, a third of a frame.
        wait = max(0.0, self._drawn + FRAME - monotonic())
        asyncio.get_running_loop().call_later(wait, self._frame)

    def _frame(self) -> None:
        self._frame_due = False
        self._drawn = monotonic()
        if not self._width or not self.is_attached:
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
        self._retop(min(index for index, __ in dirty))
        self._continue_layout(index for index, __ in dirty)
        items = [self._items[index] for index, __ in dirty]
        if self.finder.active:
            for item in items:
                self.finder.changed(item)
        if all(item.behind and item.done for item in items):
            return  # finished items are shown when they are laid out to their ends
        if not self._settle(anchor):
            for index, first in dirty:
                self._refresh_from(index, first)
            self._mark_unseen()
        if isinstance(self.screen, OutputScreen):
            self.screen.draw(self, self.vertical_scrollbar)

    def _lay_out(self, item: Item) -> None:
        super()._lay_out(item)
        if isinstance(item, MessageView) and item.behind:
            self._continue_layout([self._indexes[item.message_id]])

    def _continue_layout(self, indexes: Iterable[int]) -> None:
        """Request a frame for items that are not laid out to their ends."""
        behind = [index for index in indexes if self._items[index].behind]
        for index in behind:
            self._changed[index] = None
        if behind:
            self._request_frame()

    def _place_changed(self, index: int, first: int) -> None:
        """Redraw an item from line `first` on, at once; the scroll position stays."""
        if not self._width or not self.is_mounted:
            return
        self._continue_layout([index])
        self.finder.changed(self._items[index])
        anchor = self._anchor()
        before = self._rows.top(index + 1)
        self._retop(index)
        moved = self._rows.top(index + 1) - before
        if moved and self.following and index < anchor[0]:
            # The change is above the screen: keep the visible rows in place.
            self._bottom += moved
            self._set_height()
            self._scroll_to_row(self.scroll_offset.y + moved)
        if not self._settle(anchor):
            self._refresh_from(index, first, below=bool(moved))
            self._mark_unseen()

    # -- actions

    def action_cursor(self, step: int) -> None:
        """Move the message cursor; below the last message, go to the bottom."""
        last = selectable(self._items, len(self._items) - 1, -1)
        if last is None or (self.cursor is None and step > 0 and self.following):
            return
        if self.cursor is None:
            lowest, _ = self._rows.locate(self.scroll_offset.y + self.size.height - 1)
            target = selectable(self._items, lowest, -1)
            target = last if target is None else target
            if target == self._target():  # it is marked already
                above = selectable(self._items, target - 1, -1)
                target = target if above is None else above
        else:
            target = selectable(self._items, self.cursor + step, step)
        if target is not None:
            self.cursor = target
            self._show_item(target)
        elif step > 0:
            self.cursor = None
            self.action_follow()
        else:
            self.action_top()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is possible: those of vi while its keys are on."""
        if action == "vi_find":
            return self.vi and any(c.name == "find" for c in commands.COMMANDS)
        return self.vi or not action.startswith("vi_")

    def action_vi_scroll(self, rows: int) -> None:
        """Scroll by rows."""
        self.action_scroll_by(rows)

    def action_vi_page(self, pages: float) -> None:
        """Scroll by a part of a page."""
        self.action_page(pages)

    def action_vi_top(self) -> None:
        """Go to the first message."""
        self.action_top()

    def action_vi_follow(self) -> None:
        """Go to the newest text and follow it."""
        self.action_follow()

    def action_vi_write(self) -> None:
        """Go to the composer."""
        self.post_message(self.WriteWanted())

    async def action_vi_find(self) -> None:
        """Find in the conversation."""
        await self.run_action("app.command('find')")

    def go_to(self, place: Place) -> bool:
        """Select a phrase in a message; return False if the message is not shown."""
        index = self._indexes.get(place.message_id)
        if index is None or not self._width:
            return False
        self._frame()  # so that new items have their positions
        item = self._items[index]
        self._lay_out(item)
        self._retop(index)
        self._set_height()
        self.following = False
        self.focus(scroll_visible=False)
        self.cursor = index
        found = find((line.text for line in item.lines()), place.phrase)
        if found is None:
            self._show_item(index)
            return True
        # Put it in the upper half, so that the reply is visible too.
        row = self._rows.top(index) + found.line - self.size.height // 3
        self._move_to(max(self._rows.top(index), row))
        start, end = (found.line, found.start), (found.end_line, found.end)
        self.screen.selections = {self: between(index, start, end)}
        return True

    def _target(self) -> int | None:
        """Return the index of the cursor's item, or of the assistant's last message."""
        if self.cursor is not None:
            return self.cursor
        for index in reversed(range(len(self._items))):
            item = self._items[index]
            if isinstance(item, MessageView) and item.role == "assistant":
                return index
        return None

    def _target_view(self) -> MessageView | None:
        item = None if (index := self._target()) is None else self._items[index]
        return item if isinstance(item, MessageView) else None

    def action_copy(self) -> None:
        """Copy the selected text, or else the source of a message."""
        selection = self.text_selection
        found = self.get_selection(selection) if selection else None
        view = self._target_view()
        if found and found[0]:
            self.post_message(CopyRequested(found[0]))
        elif view and view.source:
            self.post_message(CopyRequested(view.source))

    def action_copy_code(self) -> None:
        """Copy the last code block of a message."""
        from tui.app.markdown.blocks import (
            parse,
        )  # imported late, see `tui.app.markdown`

        view = self._target_view()
        blocks = [
            token.content
            for token in (parse(view.source) if view else [])
            if token.type in ("fence", "code_block")
        ]
        if blocks:
            self.post_message(CopyRequested(blocks[-1]))
        else:
            self.post_message(HintRequested(_("No code block in this message")))

    def action_fold(self) -> None:
        """Fold or unfold the model's reasoning."""
        view = self._target_view()
        if view and view.reasoning:
            self._toggle(self._indexes[view.message_id])

    def _toggle(self, index: int) -> None:
        view = self._items[index]
        assert isinstance(view, MessageView)
        self._forget_selection()
        view.toggle()
        anchor = self._anchor()
        if view.done:
            # The clicked line must stay under the pointer.
            self.following = False
        self._retop(index)
        self._continue_layout([index])
        self.finder.changed(view)
        self._settle(anchor)
        self.following = self.scroll_offset.y >= self.max_scroll_y
        self.refresh()

    def watch_cursor(self, old: int | None, new: int | None) -> None:
        """Redraw the message cursor."""
        if None in (old, new):
            self.refresh()
        for index in (old, new):
            if index is not None and index < len(self._items):
                self._refresh_from(index, 0, below=False)

    def on_focus(self) -> None:
        """Mark the message on which keys act."""
        self._refresh_cursor()

    def on_blur(self) -> None:
        """Mark no message."""
        self._refresh_cursor()

    def _refresh_cursor(self) -> None:
        index = self._target()
        if index is not None and index < len(self._items):
            self._refresh_from(index, 0, below=False)

    def on_click(self, event: events.Click) -> None:
        """Fold, follow, select a word or a message, or place the cursor."""
        event.prevent_default()
        row = event.y + self.scroll_offset.y
        if not self._items or row >= self._rows.end:
            return
        if self._unseen and event.y == self.size.height - 1:
            self.action_follow()
            return
        index, number = self._rows.locate(row)
        item = self._items[index]
        if event.chain > 1:
            self._select(event, index, number)
        elif self.text_selection is not None:
            return
        elif isinstance(item, MessageView) and (
            step := item.version_step(number, event.x)
        ):
            self.post_message(self.VersionWanted(item.message_id, step))
        elif isinstance(item, MessageView) and number == item.fold_line:
            self._toggle(index)
        elif isinstance(item, Welcome) and any(found := item.clicked(number, event.x)):
            self.post_message(self.WelcomeClicked(*found))
        elif item.selectable:
            self.cursor = index
