"""The items of every version of a conversation; the transcript shows one path.

Each message keeps one view for life, on the screen or in another version: returning to
a version needs no new layout, and text that streams into a hidden one costs only its
storage.
"""

from tui.app.transcript import pane
from tui.app.transcript.item import Item
from tui.app.transcript.message_view import MessageView
from tui.app.transcript.note import Note, NoteKind
from tui.conversation import Branches, Transcript
from tui.events import Record, TurnFinished
from tui.messages import Message


class Timeline:
    """The items of each turn, and which turns are shown. Runs in the UI's thread."""

    def __init__(self, fold: Transcript, transcript: pane.Transcript) -> None:
        """Fill `transcript` with what `fold` has; who applies a record to it tells."""
        self._fold = fold
        self._transcript = transcript
        self.by_id: dict[str, MessageView] = {}
        """The view of each message, shown or not."""
        self._items: dict[str, list[Item]] = {"": []}
        """What is shown of each node of the tree; of "" what comes before all."""
        self._asked: dict[str, int] = {}
        """How many of a node's items are its question."""
        self._below: list[Item] = []
        """The notes that stay below the messages of their node."""
        self._stale = False
        """Whether another path is to be shown than the transcript has."""

    @property
    def branches(self) -> Branches:
        """The messages with all their versions, and the path that is shown."""
        return self._fold.branches

    # What comes

    def follow(self, record: Record, before: str) -> None:
        """Show what a record has moved; `before` was the head before it was applied."""
        self.moved(before)
        turn = record.turn or ""
        ended = isinstance(record.event, TurnFinished)
        if ended and turn in self._items and not self.branches.has_begun(turn):
            # It came to nothing; why it did is told below what is shown instead.
            for note in self._items.pop(turn):
                self._put(note, self.branches.head)

    def add(self, message_id: str, message: Message, ended: str | None = None) -> None:
        """Add or settle a message that was applied."""
        view = self.by_id.get(message_id)
        text, thought = message.text, message.reasoning
        if view is None:
            label = self._fold.purpose(message_id)
            view = MessageView(message_id, message.role, text, thought, label=label)
            view.finish_reason = ended
            self._place(view)
        elif self._transcript.shows(message_id):
            self._transcript.finish(message_id, text, thought, ended)
        else:
            view.finish(text, thought, ended)

    def open(self, message_id: str) -> MessageView:
        """Begin a message that is being said, of which the first piece was applied."""
        view = MessageView(message_id, "assistant", done=False)
        self._place(view)
        return view

    def note(self, text: str, kind: NoteKind, turn: str | None = None) -> None:
        """Add a note to a turn, or to what is shown."""
        begun = turn is not None and self.branches.has_begun(turn)
        self._put(Note(text, kind), turn if turn and begun else self.branches.head)

    def note_below(self, text: str, kind: NoteKind) -> None:
        """Add a note that stays below what the turn that is shown last still says.

        So it has the same place when the conversation is read again: then each message
        comes when it is whole.
        """
        note = Note(text, kind)
        self._below.append(note)
        self._put(note, self.branches.head)

    def add_summary(self, id: str, text: str, label: str, turn: str | None) -> None:
        """Add a summary of what was said; it is no message of the conversation."""
        begun = turn is not None and self.branches.has_begun(turn)
        view = MessageView(id, "summary", "", text, label=label)
        self._put(view, turn if turn and begun else self.branches.head)

    def flush(self) -> bool:
        """Show another path, if there is one to show since the last time."""
        stale, self._stale = self._stale, False
        if stale:
            self._transcript.show_items(self._path())
        return stale

    # What is shown

    def at_cursor(self) -> str | None:
        """Return the message at the cursor, while it is there that the keys go."""
        pane = self._transcript
        id = pane.message_at_cursor() if pane.has_focus else None
        return id if id in self.by_id else None

    def with_versions(self) -> list[str]:
        """Return the messages on the screen of which there are several versions."""
        return [view.message_id for view in self._transcript.views if view.versions]

    def has_on_screen(self, message_id: str) -> bool:
        """Whether a message is on the path that is shown."""
        return self._transcript.shows(message_id)

    def shows(self, turn: str | None) -> bool:
        """Whether a turn is on the path that is shown; None always is."""
        steps = self.branches.steps()
        return turn is None or any(step.node == turn for step in steps)

    def choose(self, message_id: str) -> None:
        """Show another version; what it has in common with this one stays in place."""
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
        """Show the path that is shown now, after one with the head `before`."""
        head = self.branches.head
        if head == before:
            return
        if self._asked.get(head):
            # A question has its place from now on.
            view = self._items[head][0]
            assert isinstance(view, MessageView)
            self._count_versions(view.message_id)
        if self._stale:
            return
        if self.branches.follows(head) == (before, True):
            for item in self._items.get(head, ()):
                self._transcript.append(item)
        else:
            self._stale = True

    def _place(self, view: MessageView) -> None:
        self.by_id[view.message_id] = view
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
        """Say on each version of a message that there is one more."""
        ids, _ = self.branches.versions(message_id)
        if len(ids) < 2:
            return
        for place, id in enumerate(ids, 1):
            view = self._first_view(id)
            if view and view.versions != (place, len(ids)):
                view.versions = place, len(ids)
                self._transcript.changed(view)

    def _first_view(self, message_id: str) -> MessageView | None:
        """Return what is seen first of a version: a message may have no text."""
        node = self.branches.node(message_id)
        items, asked = self._items.get(node, []), self._asked.get(node, 0)
        asks = message_id in self.by_id and self.by_id[message_id] in items[:asked]
        for item in items if asks else items[asked:]:
            if isinstance(item, MessageView):
                return item
        return None
