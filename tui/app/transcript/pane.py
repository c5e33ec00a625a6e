"""The chat pane: one widget that draws every message as lines.

A widget a message costs layout, style and memory for each of them, and a repaint for
each piece of text; here a frame costs what has changed and what is on the screen.
Pieces of text are gathered and drawn at most 20 times a second. Where lines
are and how they scroll is `LinePane`'s business.

It draws what it is told and posts what is asked of it; it knows no log and no file.
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import var
from textual.selection import Selection

from tui.app import commands
from tui.app.terminal.textual_hook import OutputScreen
from tui.app.transcript.find import Place, find
from tui.app.transcript.line_pane import LINE_BITS, LinePane
from tui.app.transcript.message_view import Item, MessageView, Note, NoteKind

FRAME = 0.05  # seconds between two frames, at least


class Transcript(LinePane, can_focus=True):
    """A conversation: user's and assistant's messages, and notes between them."""

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
        Binding("enter,space", "fold", "Fold thought", show=False),
        Binding("y", "copy", "Copy message", show=False),
        Binding("Y", "copy_code", "Copy code", show=False),
        *commands.bindings(reading=True),
    ]

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

    class Told(Message):
        """There is something to be said that is soon forgotten."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class VersionWanted(Message):
        """The user wants the version before a message's (-1), or the next (1)."""

        def __init__(self, transcript: "Transcript", message_id: str, step: int):
            super().__init__()
            self.transcript = transcript
            self.message_id = message_id
            self.step = step

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
        self._views: dict[str, MessageView] = {}
        self._indexes: dict[str, int] = {}  # where in `_items` a message is
        self._changed: dict[int, None] = {}  # items with text that is not drawn
        self._drawn = 0.0  # when the last frame was
        self._frame_due = False
        self._ruled = ""  # the message that has a rule above it

    def is_marked(self, index: int) -> bool:
        """Whether the message cursor is at an item and to be seen."""
        return index == self.cursor and self.has_focus

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
        self.append(view)

    def append_text(self, message_id: str, text: str) -> None:
        """Add to a message's text; a message that is not known is begun."""
        view = self._growing_view(message_id)
        view.append_text(text)
        self.changed(view)

    def append_reasoning(self, message_id: str, text: str) -> None:
        """Add to what a message's model thinks aloud."""
        view = self._growing_view(message_id)
        view.append_reasoning(text)
        self.changed(view)

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

    def mark(self, message_id: str, text: str) -> None:
        """Draw a rule with `text` above a message, in the place of the one before.

        A message that is not known means none.
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

    def add_note(self, text: str, kind: NoteKind = "info") -> None:
        """Add a passing notice below all messages."""
        note = Note(text, kind)
        note.passing = True
        self._append_item(note)

    def append(self, item: Item) -> None:
        """Add an item below all others."""
        if isinstance(item, MessageView):
            self._views[item.message_id] = item
            self._indexes[item.message_id] = len(self._items)
        self._append_item(item)

    def shows(self, message_id: str) -> bool:
        """Whether a message is among what is shown."""
        return message_id in self._views

    def changed(self, view: MessageView) -> None:
        """Draw soon what a message has gained; nothing if it is not shown."""
        index = self._indexes.get(view.message_id)
        if index is not None:
            self._changed[index] = None
            self._request_frame()

    def dim(self, view: MessageView, unkept: bool) -> None:
        """Draw a message as one that is not kept, or is."""
        if view.unkept != unkept:
            view.unkept = unkept
            if (index := self._indexes.get(view.message_id)) is not None:
                self._place_changed(index, 0)

    def show_items(self, items: Sequence[Item], *, stay: bool = False) -> None:
        """Show these items instead, and the passing notes above the first that differs.

        What both have in common stays as it is laid out, and where it is. With
        `stay` so does the first that differs, even if that leaves the bottom.
        """
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
        # All of that is drawn now.
        self._changed = {i: None for i in self._changed if i < kept}
        if self._items and self._width and self.is_mounted:
            if stay:
                self.following = False
            if not self.following:
                # A short version leaves room below: what is above need not move.
                self._bottom = self.scroll_offset.y + self.size.height if stay else 0
            self._settle((min(anchor[0], len(self._items) - 1), anchor[1]))
            self.following = self.scroll_offset.y >= self.max_scroll_y
            self._mark_unseen()
        if cursor is not None and cursor >= kept:
            self.cursor = min(kept, len(self._items) - 1) if self._items else None
            self.post_message(self.CursorMoved(self, self.message_at_cursor()))
        self.refresh()

    def _cut(self, kept: int) -> None:
        """Take away the items from one on."""
        for item in self._items[kept:]:
            if isinstance(item, MessageView):
                del self._views[item.message_id]
                del self._indexes[item.message_id]
        del self._items[kept:]
        del self._tops[kept + 1 :]
        self._changed = {i: None for i in self._changed if i < kept}

    def clear(self) -> None:
        """Remove everything, and follow the bottom again."""
        self._cut(0)
        self._ruled = ""
        self._unseen = False
        self._bottom = 0
        self.following = True
        self.cursor = None
        self._forget_selection()
        self._set_height()
        self._scroll_to_row(0)
        self.refresh()

    @property
    def views(self) -> list[MessageView]:
        """The messages that are shown, in their order."""
        return list(self._views.values())

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
        # One that was shown before may still be laid out.
        if self._width and item.width != self._width:
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
        # Not by set_timer: Textual drops a timer whose time has come before it is
        # looked at, and without that frame there would never be another. It is also
        # a task with two messages: a third of a frame's cost.
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
        self._retop(min(index for index, _ in dirty))
        self._go_on(index for index, _ in dirty)
        items = [self._items[index] for index, _ in dirty]
        if all(item.behind and item.done for item in items):
            return  # the rest of what is at its end is shown at once
        if not self._settle(anchor):
            for index, first in dirty:
                self._refresh_from(index, first)
            self._mark_unseen()
        if isinstance(self.screen, OutputScreen):
            self.screen.draw(self, self.vertical_scrollbar)

    def _lay_out(self, item: Item) -> None:
        super()._lay_out(item)
        if isinstance(item, MessageView) and item.behind:
            self._go_on([self._indexes[item.message_id]])

    def _go_on(self, indexes: Iterable[int]) -> None:
        """Go on soon with those items that are not laid out to their ends."""
        behind = [index for index in indexes if self._items[index].behind]
        for index in behind:
            self._changed[index] = None
        if behind:
            self._request_frame()

    def _place_changed(self, index: int, first: int) -> None:
        """Draw an item anew from a line on, at once; the reader's place stays."""
        if not self._width or not self.is_mounted:
            return
        self._go_on([index])
        anchor = self._anchor()
        before = self._tops[index + 1]
        self._retop(index)
        moved = self._tops[index + 1] - before
        if moved and self.following and index < anchor[0]:
            # Above the screen: what is on it stays where it is.
            self._bottom += moved
            self._set_height()
            self._scroll_to_row(self.scroll_offset.y + moved)
        if not self._settle(anchor):
            self._refresh_from(index, first, below=bool(moved))
            self._mark_unseen()

    # Actions

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

    def go_to(self, place: Place) -> bool:
        """Put the cursor on a message and select a phrase in it; False: not there."""
        index = self._indexes.get(place.message_id)
        if index is None or not self._width:
            return False
        self._frame()  # what has just been added counts in the places
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
        # In the upper half, so that what was said upon it is seen too.
        row = self._tops[index] + found.line - self.size.height // 3
        self._move_to(max(self._tops[index], row))
        first, last = (index << LINE_BITS | n for n in (found.line, found.end_line))
        selection = Selection(Offset(found.start, first), Offset(found.end, last))
        self.screen.selections = {self: selection}
        return True

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
        from tui.app.markdown.blocks import parse  # see there

        view = self._view_in_question()
        blocks = [
            token.content
            for token in (parse(view.source) if view else [])
            if token.type in ("fence", "code_block")
        ]
        if blocks:
            self.post_message(self.CopyRequested(self, blocks[-1]))
        else:
            self.post_message(self.Told("There is no block of code in this message"))

    def action_fold(self) -> None:
        """Fold or unfold what the model has thought aloud."""
        view = self._view_in_question()
        if view and view.reasoning:
            self._toggle(self._indexes[view.message_id])

    def _toggle(self, index: int) -> None:
        view = self._items[index]
        assert isinstance(view, MessageView)
        self._forget_selection()
        view.toggle()
        anchor = self._anchor()
        if view.done:
            # What was clicked must stay under the pointer.
            self.following = False
        self._retop(index)
        self._go_on([index])
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
        elif isinstance(item, MessageView) and (
            step := item.version_step(number, event.x)
        ):
            self.post_message(self.VersionWanted(self, item.message_id, step))
        elif isinstance(item, MessageView) and number == item.fold_line:
            self._toggle(index)
        elif item.selectable:
            self.cursor = index
