"""Conversations as records, and actions on their versions for property tests."""

from hypothesis import strategies as st

from tui.conversation import Transcript
from tui.events import (
    Event,
    MessageAdded,
    Record,
    TextDelta,
    TurnFinished,
    TurnRequested,
    TurnStarted,
    TurnWithdrawn,
)
from tui.messages import Message, ToolCall

BEGUN = TurnStarted("host", "boot", 1, 2)


class Talk:
    """A conversation as the app and a runner write it: one turn at a time."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.view = Transcript()
        self.waiting: list[str] = []
        self.running = ""
        self.said = 0
        self.turns = 0

    def write(self, event: Event, turn: str | None) -> None:
        record = Record(len(self.log) + 1, "c", turn, 0.0, event)
        self.log.append(record)
        self.view.apply(record)

    def ask(self, parent: str | None = None) -> str:
        self.turns += 1
        turn = f"t{self.turns}"
        question = Message("user", f"{turn}?")
        self.write(MessageAdded(f"{turn}.0", question, parent), turn)
        self.write(TurnRequested("m"), turn)
        self.waiting.append(turn)
        return turn

    def go_on(self) -> str:
        """Ask like a user who looks at the view."""
        return self.ask(self.view.branches.parent_of_next())

    def edit(self, question: str) -> str:
        return self.ask(self.view.branches.parent_of_version(question))

    def again(self, question: str) -> str:
        self.turns += 1
        turn = f"t{self.turns}"
        self.write(TurnRequested("m", parent=question), turn)
        self.waiting.append(turn)
        return turn

    def begin(self) -> str:
        assert not self.running
        self.running = self.waiting.pop(0)
        self.said = 0
        self.write(BEGUN, self.running)
        return self.running

    def say(self, call: bool = False) -> str:
        self.said += 1
        id = f"{self.running}.{self.said}"
        self.write(TextDelta(id, id), self.running)
        wanted = ToolCall(f"call of {id}", "f", {})
        answer = Message("assistant", id, "", (wanted,) if call else ())
        self.write(MessageAdded(id, answer), self.running)
        if call:
            result = Message("tool", "ok", tool_call_id=wanted.id)
            self.write(MessageAdded(f"{id}.1", result), self.running)
        return id

    def end(self, reason: str = "stop") -> None:
        self.write(TurnFinished(reason), self.running)
        self.running = ""

    def withdraw(self, turn: str) -> None:
        self.waiting.remove(turn)
        self.write(TurnWithdrawn(), turn)

    def answer(self) -> str:
        """Answer the next turn; return the id of the answer."""
        self.begin()
        id = self.say()
        self.end()
        return id

    @property
    def shown(self) -> list[str]:
        return list(self.view.entries)

    def sent(self, turn: str) -> list[str]:
        """Return the messages that a model gets for a turn, and its own answers."""
        return [message.text for message in self.view.messages(turn)]


ACTS = ["ask", "go on", "edit", "again", "begin", "say", "call", "end", "choose"]
acts = st.lists(
    st.tuples(st.sampled_from([*ACTS, *ACTS[4:8], "withdraw"]), st.integers(0, 50)),
    max_size=40,
)


class Expected:
    """Performs actions, and knows what each turn must follow: what its asker saw."""

    def __init__(self) -> None:
        self.talk = Talk()
        self.before: dict[str, list[str]] = {}
        self.exact: dict[str, bool] = {}

    def do(self, act: str, number: int) -> None:
        talk, shown = self.talk, self.talk.shown
        asked = [id for id in shown if id.endswith(".0")]
        match act:
            case "go on":
                idle = not (talk.running or talk.waiting)
                self._note(talk.go_on(), shown, idle)
            case "edit" if asked:
                question = asked[number % len(asked)]
                before = shown[: shown.index(question)]
                self._note(talk.edit(question), before, True)
            case "again" if asked:
                question = asked[number % len(asked)]
                before = shown[: shown.index(question) + 1]
                self._note(talk.again(question), before, True)
            case "ask":
                self._note(talk.ask(), [], False)
            case "begin" if talk.waiting and not talk.running:
                self.begins(talk.begin())
            case "say" | "call" if talk.running:
                talk.say(call=act == "call")
            case "end" if talk.running:
                talk.end("stop" if talk.said else "error")
            case "choose" if talk.view._said:
                begun = [id for id, e in talk.view._said.items() if self._began(e)]
                if begun:
                    talk.view.choose(id := begun[number % len(begun)])
                    assert id in talk.shown
            case "withdraw" if talk.waiting:
                talk.withdraw(talk.waiting[number % len(talk.waiting)])
            case _:
                pass

    def _began(self, entry) -> bool:
        return self.talk.view.branches.has_begun(entry.turn)

    def _note(self, turn: str, before: list[str], exact: bool) -> None:
        self.before[turn] = [id for id in before if not id.startswith(turn)]
        self.exact[turn] = exact

    def begins(self, turn: str) -> None:
        shown = self.talk.shown
        own = [id for id in shown if id.startswith(f"{turn}.")]
        assert len(own) <= 1
        assert shown[len(shown) - len(own) :] == own
        before = shown[: len(shown) - len(own)]
        assert before[: len(self.before[turn])] == self.before[turn]
        if self.exact[turn]:
            assert before == self.before[turn]
