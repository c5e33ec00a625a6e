"""Keeps the items of every version of a conversation; the transcript shows one path.

Each message keeps one view permanently, on the screen or in another version: returning
to a version needs no new layout, and text that streams into a hidden one costs only its
storage.
"""

from tui.app.transcript import pane
from tui.app.transcript.item import Item
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.note import Note, NoteKind
from tui.conversation import Branches, Transcript
from tui.conversation.attached import described
from tui.events import Record, TurnFinished
from tui.messages import Message


class Timeline:
    """Maps turns to items and selects the shown turns. Call it in the UI thread."""

    def __init__(self, fold: Transcript, transcript: pane.Transcript) -> None:
        """Fill `transcript` from `fold`; call `follow` after each applied record."""
        self._fold = fold
        self._transcript = transcript
        self.by_id: dict[str, MessageView] = {}
        """The view of each message, shown or hidden."""
        self._items: dict[str, list[Item]] = {"": []}
        """The items of each node of the tree; "" has those before the first node."""
        self._asked: dict[str, int] = {}
        """How many of a node's items belong to its question."""
        self.folded = True
        """Whether the reasoning of new answers is folded."""
        self._below: list[Item] = []
        """The notes that stay below the messages of their node."""
        self._stale = False
        """Whether the transcript shows an outdated path."""

    @property
    def branches(self) -> Branches:
        """The messages with all their versions, and the path that is shown."""
        return self._fold.branches

    # -- new records

    def follow(self, record: Record, before: str) -> None:
        """Show the effect of an applied `record`; `before` is the previous head."""
        self.moved(before)
        turn = record.turn or ""
        ended = isinstance(record.event, TurnFinished)
        if ended and turn and turn in self._items and not self.branches.has_begun(turn):
            # The turn produced nothing; show its notes below the current path.
            for note in self._items.pop(turn):
                self._put(note, self.branches.head)

    def add(
        self,
        message_id: str,
        message: Message,
        ended: str | None = None,
        time: str = "",
    ) -> None:
        """Add a message, or complete the view that was opened for it.

        `time` is drawn beside a question.
        """
        view = self.by_id.get(message_id)
        text, thought = message.text, message.reasoning
        if view is None:
            label = self._fold.purpose(message_id)
            view = MessageView(message_id, message.role, text, thought, label=label)
            view.finish_reason = ended
            view.time = time if message.role == "user" else ""
            view.chips = tuple(map(described, message.attachments))
            self._place(view)
        elif self._transcript.shows(message_id):
            self._transcript.finish(message_id, text, thought, ended)
        else:
            view.finish(text, thought, ended)

    def open(self, message_id: str) -> MessageView:
        """Add the view of a streaming message, after its first piece was applied."""
        view = MessageView(message_id, "assistant", done=False)
        self._place(view)
        return view

    def end(self, turn: str, footer: tuple[str, ...], away: str) -> None:
        """Draw a footer below the answer of a turn, if it has one."""
        if view := self.answer(turn):
            view.footer, view.away = footer, away
            self._transcript.changed(view)

    def answer(self, turn: str) -> MessageView | None:
        """Return the last message of a turn that answers, None if there is none."""
        for item in reversed(self._items.get(turn, [])):
            if isinstance(item, MessageView) and item.role == "assistant":
                return item
        return None

    def note(self, text: str, kind: NoteKind, turn: str | None = None) -> Note:
        """Add a note to `turn`, or to the current path; return it."""
        begun = turn is not None and self.branches.has_begun(turn)
        note = Note(text, kind)
        self._put(note, turn if turn and begun else self.branches.head)
        return note

    def replace(self, note: Note, text: str, kind: NoteKind) -> None:
        """Show another note in place of `note`, if that is still there."""
        for node, items in self._items.items():
            if note in items:
                items[items.index(note)] = Note(text, kind)
                self._stale = self._stale or self.shows(node)

    def note_below(self, text: str, kind: NoteKind) -> None:
        """Add a note that stays below later messages of the current turn.

        Rereading the conversation then places it the same way, since a message is added
        there when it is complete.
        """
        note = Note(text, kind)
        self._below.append(note)
        self._put(note, self.branches.head)

    def add_summary(self, id: str, text: str, label: str, turn: str | None) -> None:
        """Add a summary; it is not a message of the conversation."""
        begun = turn is not None and self.branches.has_begun(turn)
        view = MessageView(id, "summary", "", text, label=label)
        self._put(view, turn if turn and begun else self.branches.head)

    def flush(self) -> bool:
        """Show the new path if it has changed; return whether it has."""
        stale, self._stale = self._stale, False
        if stale:
            self._transcript.show_items(self._path())
        return stale

    # -- the path on the screen

    def at_cursor(self) -> str | None:
        """Return the message at the cursor, if the transcript has the focus."""
        pane = self._transcript
        id = pane.message_at_cursor() if pane.has_focus else None
        return id if id in self.by_id else None

    def with_versions(self) -> list[str]:
        """Return the messages on the screen that have several versions."""
        return [view.message_id for view in self._transcript.views if view.versions]

    def has_on_screen(self, message_id: str) -> bool:
        """Return whether a message is on the path that is shown."""
        return self._transcript.shows(message_id)

    def shows(self, turn: str | None) -> bool:
        """Return whether a turn is on the path that is shown; None always is."""
        steps = self.branches.steps()
        return turn is None or any(step.node == turn for step in steps)

    def choose(self, message_id: str) -> None:
        """Show another version; the part that both versions share stays in place."""
        self._fold.choose(message_id)
        self._stale = False
        self._transcript.show_items(self._path(), stay=True)

    def _path(self) -> list[Item]:
        items = list(self._items[""])
        for node, whole in self.branches.steps():
            of_node = self._items.get(node, [])
            items += of_node if whole else of_node[: self._asked.get(node, 0)]
        return items

    def moved(self, before: str) -> None:
        """Show the current path, which replaces the one with the head `before`."""
        head = self.branches.head
        if head == before:
            return
        if self._asked.get(head):
            # The question is part of the tree from now on.
            view = self._items[head][0]
            assert isinstance(view, MessageView)
            self._count_versions(view.message_id)
        if self._stale:
            return
        if head and self.branches.follows(head) == (before, True):
            for item in self._items.get(head, ()):
                self._transcript.append(item)
        else:
            self._stale = True

    def fold_reasoning(self, folded: bool) -> None:
        """Fold or unfold the reasoning of all answers, in all versions."""
        self.folded = folded
        self._transcript.fold_reasoning(folded, self.by_id.values())

    def _place(self, view: MessageView) -> None:
        self.by_id[view.message_id] = view
        view.folded = self.folded
        node = self.branches.node(view.message_id)
        self._put(view, node)
        if view.role in ("user", "system") and len(self._items[node]) == 1 + (
            self._asked.get(node, 0)
        ):
            self._asked[node] = len(self._items[node])
        self._count_versions(view.message_id)

    def _put(self, item: Item, node: str) -> None:
        items = self._items.setdefault(node, [])
        place = len(items)
        if isinstance(item, MessageView):
            while place and items[place - 1] in self._below:
                place -= 1
        items.insert(place, item)
        if self._stale:
            return
        if item is not items[-1]:
            self._stale = self.shows(node)
        elif node == self.branches.head:
            self._transcript.append(item)
        elif self.branches.has_begun(node):
            self._stale = self.shows(node)

    def _count_versions(self, message_id: str) -> None:
        """Update the version count on each version of a message."""
        ids, _ = self.branches.versions(message_id)
        if len(ids) < 2:
            return
        for place, id in enumerate(ids, 1):
            view = self._first_view(id)
            if view and view.versions != (place, len(ids)):
                view.versions = place, len(ids)
                self._transcript.changed(view)

    def _first_view(self, message_id: str) -> MessageView | None:
        """Return the first visible view of a version: a message may have no text."""
        node = self.branches.node(message_id)
        items, asked = self._items.get(node, []), self._asked.get(node, 0)
        asks = message_id in self.by_id and self.by_id[message_id] in items[:asked]
        for item in items if asks else items[asked:]:
            if isinstance(item, MessageView):
                return item
        return None
