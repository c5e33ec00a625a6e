"""What agents that plan have in common.

What they say to themselves is reasoning for the user; only the answer is text.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing

import msgspec

from tui.agents.function_call import FunctionCallAgent
from tui.events import (
    Event,
    MessageAdded,
    NoticeGiven,
    ReasoningDelta,
    Relabelled,
    TextDelta,
)
from tui.i18n import _
from tui.messages import Message, ToolSchema
from tui.models import Model, takes_instructions
from tui.tools import ToolBox
from tui.turn import Turn

_LONGEST = 2000
"""Characters of a question that is repeated."""


def demote(
    run: Generator[Event, None, Message],
    turn: Turn,
    said: list[Message],
    heading: str = "",
) -> Generator[Event, None, None]:
    """Pass on what an agent does, with its text as reasoning.

    Its messages are appended to `said` as it has added them. `heading` comes before the
    first reasoning.
    """
    aside = _Aside(heading)
    with closing(run):
        for event in run:
            match event:
                case TextDelta(_, text) | ReasoningDelta(_, text):
                    yield from aside.take(turn.message_id, text)
                case Relabelled():
                    pass  # it is all reasoning
                case MessageAdded(id, message) if message.role == "assistant":
                    said.append(message)
                    yield from aside.take(id, "")
                    shown = msgspec.structs.replace(
                        message, text="", reasoning=aside.end()
                    )
                    yield msgspec.structs.replace(event, message=shown)
                case MessageAdded(_, message):
                    said.append(message)
                    yield event
                case _:
                    yield event


class _Aside:
    """The reasoning of one message."""

    def __init__(self, heading: str) -> None:
        self._heading = heading
        self._pieces: list[str] = []

    def take(self, id: str, text: str) -> Generator[Event, None, None]:
        if self._heading:
            text, self._heading = f"{self._heading}\n\n{text}", ""
        if text:
            self._pieces.append(text)
            yield ReasoningDelta(id, text)

    def end(self) -> str:
        pieces, self._pieces = "".join(self._pieces), []
        return pieces


class PlanningAgent:
    """Base of agents that make a plan first.

    A subclass says in `_how` what form the plan has, and follows it in `_follow`.
    """

    def __init__(
        self,
        model: Model,
        toolbox: ToolBox | Iterable[object] = (),
        max_rounds: int = 8,
        system: str = "",
        planner: Model | None = None,
    ) -> None:
        """Set the model and its tools; see `FunctionCallAgent`.

        `planner` makes the plan; None means `model`.
        """
        self.solver = FunctionCallAgent(model, toolbox, max_rounds, system)
        """Answers when the plan does not help, and does what the plan says."""
        self.model = model
        self.planner = planner or model

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        """Answer `messages`; see `FunctionCallAgent.run`.

        Without a plan that can be read, it does what a `FunctionCallAgent` does.
        """
        turn = turn or Turn()
        try:
            return (yield from self._run(messages, turn))
        except GeneratorExit:
            turn.cancel.request()
            raise

    def _run(
        self, messages: Sequence[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        asked = self.solver.with_system(messages)
        if turn.open_calls:
            return (yield from self._resume(asked, turn))
        tools = self.solver.toolbox.schemas() if self.solver.max_rounds else []
        if not takes_instructions(self.planner):
            yield NoticeGiven(
                _("{name} is too small to make a plan; it answers without one.").format(
                    name=self.planner.name
                )
            )
            return (yield from self.solver.run(asked, turn))
        how = self._how(tools)
        if not how:
            return (yield from self.solver.run(asked, turn))
        written, reasoning = yield from self._plan(asked, how, turn)
        return (yield from self._follow(written, reasoning, asked, turn))

    def _how(self, tools: Sequence[ToolSchema]) -> str:
        """Return how to write a plan; "" if none is of use with these tools."""
        raise NotImplementedError

    def _follow(
        self, written: str, reasoning: str, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        """Answer `messages` by the plan `written`.

        It was yielded as `reasoning`, and is not added as a message yet.
        """
        raise NotImplementedError

    def _resume(
        self, messages: list[Message], turn: Turn
    ) -> Generator[Event, None, Message]:
        """Go on with `turn.plan` from `turn.open_calls`, at the end of `messages`."""
        raise NotImplementedError

    def _add(
        self, reasoning: str, turn: Turn, plan: str = ""
    ) -> Generator[Event, None, None]:
        """Add the message of a plan, with the text that is followed."""
        if reasoning:
            message = Message("assistant", reasoning=reasoning)
            yield MessageAdded(
                turn.message_id, message, finish_reason="stop", plan=plan
            )
            turn.next_message()

    def _unreadable(self) -> NoticeGiven:
        return NoticeGiven(
            _(
                "{name} wrote no plan that can be read, so it answers without one."
            ).format(name=self.planner.name)
        )

    def _plan(
        self, messages: Sequence[Message], how: str, turn: Turn
    ) -> Generator[Event, None, tuple[str, str]]:
        """Return the plan, and what of it was yielded as reasoning."""
        turn.cancel.raise_if_requested()
        aside = _Aside("")
        asked = self.planner.generate(noted(messages, how), (), turn)
        with closing(asked):
            while True:
                try:
                    event = next(asked)
                except StopIteration as end:
                    return end.value.message.text, aside.end()
                match event:
                    case TextDelta(id, text) | ReasoningDelta(id, text):
                        yield from aside.take(id, text)
                    case Relabelled():
                        pass
                    case _:
                        yield event


def noted(messages: Sequence[Message], note: str) -> list[Message]:
    """Return `messages` with a note appended to the user's last one.

    It is part of that message, since some servers refuse two user messages in a row.
    """
    last = messages[-1] if messages else None
    if last is None or last.role != "user":
        return [*messages, Message("user", note)]
    text = f"{last.text}\n\n{note}" if last.text else note
    return [*messages[:-1], msgspec.structs.replace(last, text=text)]


def question(messages: Sequence[Message]) -> str:
    """Return the user's last message, to be repeated in a request."""
    text = next((m.text for m in reversed(messages) if m.role == "user"), "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
