"""The tree of versions: which message follows which.

The log is append-only, so a message is never changed: a new version of it is a new
message that names what it follows. That makes a tree, of which one path is shown.

Its nodes are turns: one is asked and answered as a whole, and what follows it comes
after its last message, which nobody knows yet while it runs. Only another answer to
the same question begins within a turn. A message without a turn is a node by itself.

A turn that names nothing to follow joins the *line* of the turn that was asked for
before it; those of a line follow each other in the order in which they begin. A turn
that names what it follows begins a line. So a log without versions is one line.
"""

from typing import NamedTuple

import msgspec

from tui.events import (
    MessageAdded,
    ReasoningDelta,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)


class Versions(NamedTuple):
    """What may stand in one place of a conversation."""

    ids: list[str]
    """The first message of each version, in the order in which they began."""
    place: int
    """Which of them it is, from 0."""


class Step(NamedTuple):
    """A node of a path."""

    node: str
    """The turn, or the message without a turn."""
    whole: bool
    """Whether the path goes through its answer; else it leaves after the question."""


ROOT = Step("", whole=True)


class _Line(msgspec.Struct):
    parent: str | None
    waiting: list[str] = []
    begun: list[str] = []

    @property
    def end(self) -> str:
        return (self.waiting or self.begun)[-1]


class _Node(msgspec.Struct):
    line: int
    parent: str | None
    """What it names to follow, as it was written."""
    questions: list[str] = []
    answers: list[str] = []
    after: Step | None = None
    """What it follows; None while it waits, and for ever if it is withdrawn."""
    rank: int = 0
    """Its place among all that have begun."""
    left: str = ""
    """The head when it began."""

    @property
    def messages(self) -> list[str]:
        return self.questions + self.answers


class Branches(msgspec.Struct):
    """The tree that the records applied so far make, and the path that is shown.

    Pieces of text cost a look-up: the texts themselves are somebody else's.
    """

    head: str = ""
    """The last node of the path that is shown; "" while there is none.

    A node that begins becomes the head, so everybody sees it; one that ends without
    a message gives way to the head before it.
    """
    _nodes: dict[str, _Node] = {}
    _owners: dict[str, str] = {}
    """The node of each message."""
    _lines: list[_Line] = []
    _written: list[str] = []
    """The nodes that wait or have begun, in the order of the log."""
    _children: dict[Step, list[str]] = {}
    """What has begun after a step."""
    _begun: int = 0

    # The fold

    def apply(self, record: Record) -> None:
        """Take the next record of the conversation."""
        turn = record.turn
        match record.event:
            case TextDelta(message_id) | ReasoningDelta(message_id):
                if message_id not in self._owners:
                    self._say(message_id, turn, "assistant", None)
            case MessageAdded(message_id, message, parent):
                if message_id not in self._owners:
                    self._say(message_id, turn, message.role, parent)
            case TurnRequested(parent=parent):
                if turn and turn not in self._nodes:
                    self._write(turn, parent)
            case TurnStarted():
                self.begin(turn or "")
            case TurnWithdrawn():
                if turn in self._nodes and not self.has_begun(turn):
                    self._drop(turn)
            case TurnFinished() if turn in self._nodes:
                if self._nodes[turn].messages:
                    self.begin(turn)
                else:
                    self._drop(turn)
            case _:
                pass

    def begin(self, turn: str) -> None:
        """Put a turn that waits where it belongs, and show it."""
        node = self._nodes.get(turn) or self._write(turn, None)
        if node.after is not None:
            return
        node.after = self._resolve(turn)
        line = self._lines[node.line]
        if turn in line.waiting:
            line.waiting.remove(turn)
        line.begun.append(turn)
        self._children.setdefault(node.after, []).append(turn)
        self._begun += 1
        node.rank = self._begun
        node.left, self.head = self.head, turn

    def _say(
        self, message_id: str, turn: str | None, role: str, parent: str | None
    ) -> None:
        id = turn or message_id
        node = self._nodes.get(id) or self._write(id, parent)
        asks = role in ("user", "system") and not node.answers
        (node.questions if asks else node.answers).append(message_id)
        self._owners[message_id] = id
        if turn is None or role != "user":
            self.begin(id)

    def _write(self, id: str, parent: str | None) -> _Node:
        if parent is None and self._written:
            line = self._nodes[self._written[-1]].line
        else:
            line = len(self._lines)
            self._lines.append(_Line(parent))
        self._lines[line].waiting.append(id)
        self._written.append(id)
        self._nodes[id] = _Node(line, parent)
        return self._nodes[id]

    def _drop(self, id: str) -> None:
        """Take a node without a message, or one that never began, out of the tree."""
        node = self._nodes[id]
        line = self._lines[node.line]
        for ids in (line.waiting, line.begun, self._written):
            if id in ids:
                ids.remove(id)
        if node.after is not None:
            self._children[node.after].remove(id)
            node.after = None
        if self.head == id:
            self.head = node.left

    def _resolve(self, id: str, asking: frozenset[str] = frozenset()) -> Step:
        """Return what a node would follow if it began now."""
        node = self._nodes[id]
        line = self._lines[node.line]
        name = node.parent
        if name is None:
            if line.begun:
                return Step(line.begun[-1], whole=True)
            name = line.parent
        if not name or id in asking:  # a log may hold anything, even a circle
            return ROOT
        target = self._owners.get(name, name)
        parent = self._nodes.get(target)
        if parent is None:
            return Step(self.head, whole=True)
        if parent.after is None:
            return self._resolve(target, asking | {id})
        again = name == node.parent and not node.questions and name in parent.questions
        return Step(target, whole=not again)

    # What is shown

    def steps(self, turn: str | None = None) -> list[Step]:
        """Return the way from the root to the head, or to the end of `turn`."""
        steps: list[Step] = []
        step = Step(self.head if turn is None else turn, whole=True)
        while step.node:
            steps.append(step)
            step = self._nodes[step.node].after or self._resolve(step.node)
        return steps[::-1]

    def path(self, turn: str | None = None) -> list[str]:
        """Return the messages on the way to the head, or to the end of `turn`."""
        path: list[str] = []
        for id, whole in self.steps(turn):
            node = self._nodes[id]
            path += node.messages if whole else node.questions
        return path

    def __contains__(self, node: object) -> bool:
        """Whether anything was heard of a node."""
        return node in self._nodes

    def has_begun(self, turn: str) -> bool:
        """Whether a turn has its place in the tree."""
        return turn in self._nodes and self._nodes[turn].after is not None

    def follows(self, node: str) -> Step:
        """Return what a node follows, or would if it began now."""
        return self._nodes[node].after or self._resolve(node)

    def questions(self, node: str) -> list[str]:
        """Return the messages that a node asks with, as far as anything is known."""
        return self._nodes[node].questions if node in self._nodes else []

    def node(self, message_id: str) -> str:
        """Return the node of a message: its turn, or the message itself."""
        return self._owners[message_id]

    def versions(self, message_id: str) -> Versions:
        """Return what may stand where a message does.

        All messages of an answer stand in one place, with the other answers to the
        same question; a question stands with the others that follow the same.
        """
        id = self._owners[message_id]
        node = self._nodes[id]
        if node.after is None:
            return Versions([message_id], 0)
        if node.questions and message_id not in node.questions:
            step, first = Step(id, whole=False), node.answers[0]
        else:
            step, first = node.after, node.messages[0]
        ids = self._starts(step)
        return Versions(ids, ids.index(first))

    def _starts(self, step: Step) -> list[str]:
        """Return the first messages of what has begun after a step."""
        node = self._nodes.get(step.node)
        starts: list[str] = []
        children = list(self._children.get(step, ()))
        if node and not node.answers:
            # Without an answer its end is where its question ends.
            other = Step(step.node, not step.whole)
            children += self._children.get(other, ())
            children.sort(key=lambda id: self._nodes[id].rank)
        elif node and not step.whole:
            starts.append(node.answers[0])
        firsts = (self._nodes[child].messages[:1] for child in children)
        return starts + [id for first in firsts for id in first]

    def choose(self, message_id: str) -> None:
        """Show a message, with the newest of what follows it."""
        newest = id = self._owners[message_id]
        node = self._nodes[id]
        if node.after is None:
            return
        to_see = [Step(id, whole=True)]
        if message_id in node.questions:
            to_see.append(Step(id, whole=False))
        while to_see:
            for child in self._children.get(to_see.pop(), ()):
                if self._nodes[child].rank > self._nodes[newest].rank:
                    newest = child
                to_see += [Step(child, whole=True), Step(child, whole=False)]
        self.head = newest

    # What is written

    def parent_of_next(self) -> str | None:
        """Return the `parent` of a question that continues what is shown.

        It follows what waits there already. None, as in a log without versions,
        where that comes to the same.
        """
        tip = self.head
        while later := self._waiting_after(tip):
            tip = later
        if not tip or tip == self._lines[self._nodes[self._written[-1]].line].end:
            return None
        return self._name(tip)

    def parent_of_version(self, question: str) -> str:
        """Return the `parent` of another version of a question."""
        return self._name(self.follows(self._owners[question]).node)

    def question(self, message_id: str | None = None) -> str | None:
        """Return the question that a message answers, or that the head does.

        A question gives itself; None when nothing was asked.
        """
        id = self.head if message_id is None else self._owners[message_id]
        if message_id in (self._nodes[id].questions if id else ()):
            return message_id
        while id:
            if questions := self._nodes[id].questions:
                return questions[-1]
            id = self.follows(id).node
        return None

    def _name(self, id: str) -> str:
        return (self._nodes[id].messages or [id])[-1] if id else ""

    def _waiting_after(self, tip: str) -> str | None:
        """Return the last node that waits to follow `tip`."""
        for line in reversed(self._lines):
            if not line.waiting:
                continue
            if line.begun:
                target = line.begun[-1]
            elif self._nodes[line.waiting[0]].questions:
                target = self._owners.get(line.parent or "", line.parent)
            else:
                continue
            if target == tip:
                return line.waiting[-1]
        return None
