"""Maintains the tree of message versions: which message follows which.

The log is append-only, so a message never changes. A new version is a new message that
names its parent. The messages form a tree, and one path of it is shown.

The nodes of the tree are turns. A turn is asked and answered as a whole, and the next
turn follows its last message, which is unknown while the turn runs. Only another answer
to the same question branches off within a turn. A message without a turn is a node by
itself.

A turn without a parent joins the *line* of the turn requested before it; the turns of a
line follow each other in the order in which they begin. A turn with a parent starts a
new line. So a log without versions is a single line.
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
    """The alternative messages at one place of a conversation."""

    ids: list[str]
    """The first message of each version, in the order in which they began."""
    place: int
    """The index of the given message's version, from 0."""


class Step(NamedTuple):
    """One step of a path: a node, and how much of it belongs to the path."""

    node: str
    """The id of the turn, or of the message without a turn."""
    whole: bool
    """Whether the path includes the answer; else it leaves after the question."""


ROOT = Step("", whole=True)
_UNNAMED = "(unnamed)"
"""The node of a message without an id or a turn: "" is the root."""


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
    """The id of the parent, as recorded in the log."""
    questions: list[str] = []
    answers: list[str] = []
    after: Step | None = None
    """The step that it follows; None while it waits, and permanently if withdrawn."""
    rank: int = 0
    """Its position, from 1, among all nodes that have begun."""
    left: str = ""
    """The head at the moment when the node began."""

    @property
    def messages(self) -> list[str]:
        return self.questions + self.answers


class Branches(msgspec.Struct):
    """The tree built from the records applied so far, and the path that is shown.

    A delta costs only a look-up, because the tree does not hold the texts.
    """

    head: str = ""
    """The last node of the path that is shown; "" while there is none.

    A node becomes the head when it begins, so that every screen shows it. A node that
    ends without a message hands the head back to the previous one.
    """
    _nodes: dict[str, _Node] = {}
    _owners: dict[str, str] = {}
    """The node of each message."""
    _lines: list[_Line] = []
    _written: list[str] = []
    """The nodes that wait or have begun, in log order."""
    _children: dict[Step, list[str]] = {}
    """The nodes that have begun after each step."""
    _begun: int = 0

    # The fold

    def apply(self, record: Record) -> None:
        """Apply the next record of the conversation."""
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
            case TurnStarted() if turn:
                self.begin(turn)
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
        """Give a waiting turn its place in the tree, and make it the head."""
        node = self._nodes.get(turn) or self._write(turn, None)
        if node.after is not None:
            return
        node.after = self._resolve(turn)
        line = self._lines[node.line]
        if turn in line.waiting:
            line.waiting.remove(turn)
        else:  # it was dropped, and begins a second time
            self._written.append(turn)
        line.begun.append(turn)
        self._children.setdefault(node.after, []).append(turn)
        self._begun += 1
        node.rank = self._begun
        node.left, self.head = self.head, turn

    def _say(
        self, message_id: str, turn: str | None, role: str, parent: str | None
    ) -> None:
        id = turn or message_id or _UNNAMED
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
        """Remove a node that has no message or never began."""
        node = self._nodes[id]
        line = self._lines[node.line]
        for ids in (line.waiting, line.begun, self._written):
            if id in ids:
                ids.remove(id)
        if node.after is not None:
            self._children[node.after].remove(id)
            self._leave_out(id, node.after)
            node.after = None
        if self.head == id:
            self.head = self._left(node)

    def _leave_out(self, id: str, after: Step) -> None:
        """Let what follows a node follow the step before it.

        Another turn may have begun there if the log is of several programs. A step must
        never lead to a node that has no place: the path would be a circle.
        """
        followers = [
            child
            for whole in (True, False)
            for child in self._children.pop(Step(id, whole), ())
        ]
        for child in followers:
            self._nodes[child].after = after
        if followers:
            children = self._children[after]
            children += followers
            children.sort(key=lambda it: self._nodes[it].rank)

    def _left(self, node: _Node) -> str:
        """Return the node that was the head before `node`, and still has a place."""
        seen: set[str] = set()
        left = node.left
        while left and not self.has_begun(left):
            if left in seen:
                return ""
            seen.add(left)
            left = self._nodes[left].left
        return left

    def _resolve(self, id: str, asking: frozenset[str] = frozenset()) -> Step:
        """Return the step that a node would follow if it began now."""
        node = self._nodes[id]
        line = self._lines[node.line]
        name = node.parent
        if name is None:
            if line.begun:
                return Step(line.begun[-1], whole=True)
            name = line.parent
        if not name or id in asking:  # a damaged log may even contain a cycle
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
        """Return the path from the root to the head, or to the end of `turn`."""
        steps: list[Step] = []
        step = Step(self.head if turn is None else turn, whole=True)
        while step.node:
            steps.append(step)
            step = self._nodes[step.node].after or self._resolve(step.node)
        return steps[::-1]

    def path(self, turn: str | None = None) -> list[str]:
        """Return the messages on the path to the head, or to the end of `turn`."""
        path: list[str] = []
        for id, whole in self.steps(turn):
            node = self._nodes[id]
            path += node.messages if whole else node.questions
        return path

    def __contains__(self, node: object) -> bool:
        """Whether the tree has, or expects, a node with this id."""
        return node in self._nodes

    def has_begun(self, turn: str) -> bool:
        """Whether a turn has begun, so that it has a place in the tree."""
        return turn in self._nodes and self._nodes[turn].after is not None

    def begun(self) -> list[str]:
        """Return the nodes that have begun, in that order."""
        nodes = [id for id, node in self._nodes.items() if node.after is not None]
        return sorted(nodes, key=lambda id: self._nodes[id].rank)

    def follows(self, node: str) -> Step:
        """Return the step that a node follows, or would follow if it began now."""
        return self._nodes[node].after or self._resolve(node)

    def questions(self, node: str) -> list[str]:
        """Return the ids of a node's questions; [] for an unknown node."""
        return self._nodes[node].questions if node in self._nodes else []

    def node(self, message_id: str) -> str:
        """Return the node of a message: its turn, or the message itself."""
        return self._owners[message_id]

    def versions(self, message_id: str) -> Versions:
        """Return the versions of a message.

        All messages of an answer share one place with the other answers to the same
        question. A question shares its place with the other questions that follow the
        same message.
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
        """Return the first message of each node that has begun after a step."""
        node = self._nodes.get(step.node)
        starts: list[str] = []
        children = list(self._children.get(step, ()))
        if node and not node.answers:
            # A node without an answer ends with its question, so both steps are the
            # same.
            other = Step(step.node, not step.whole)
            children += self._children.get(other, ())
            children.sort(key=lambda id: self._nodes[id].rank)
        elif node and not step.whole:
            starts.append(node.answers[0])
        firsts = (self._nodes[child].messages[:1] for child in children)
        return starts + [id for first in firsts for id in first]

    def choose(self, message_id: str) -> None:
        """Show the path through a message and the newest node that follows it."""
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
        """Return the `parent` for a new question at the end of the path that is shown.

        The question goes after those that already wait there. Returns None, as in a log
        without versions, when no parent leads to the same place.
        """
        tip = self.head
        while later := self._waiting_after(tip):
            tip = later
        if not tip or tip == self._lines[self._nodes[self._written[-1]].line].end:
            return None
        return self._name(tip)

    def parent_of_version(self, question: str) -> str:
        """Return the `parent` for another version of a question."""
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
        """Return the last waiting node that will follow `tip`, None without any."""
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
