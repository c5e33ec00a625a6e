"""A plan goes on where its process died, with the agent that made it."""

from collections.abc import Callable
from typing import Any

import pytest

from tui.agents import PlanAndSolveAgent, ReWOOAgent
from tui.events import Event, MessageAdded, NoticeGiven, ToolCallStarted
from tui.messages import Message, ToolCall
from tui.models.scripted import ScriptedModel, Step
from tui.tools import tool
from tui.turn import Turn

ASKED = Message("user", "How warm is it in both cities?")
Reply = str | list[Step]


@tool
def warmth(city: str) -> int:
    """Get the temperature of a city."""
    if city == "Nowhere":
        raise ValueError("there is no such city")
    return len(city)


@tool
def total(numbers: list[int]) -> str:
    """Add numbers up."""
    return str(sum(numbers))


def call(city: str, id: str) -> ToolCall:
    return ToolCall(id, "warmth", {"city": city})


PLAN: list[Reply] = [
    "1. Look at Rome.\n2. Look at Oslo.",
    ["Looking. ", call("Rome", "a")],
    "4 degrees.",
    [call("Oslo", "b")],
    "4 degrees too.",
    "Both have 4.",
]
REWOO: list[Reply] = [
    'Plan: look\n#E1 = warmth[{"city": "Rome"}]\n'
    'Plan: look\n#E2 = warmth[{"city": "Oslo!"}]\n'
    'Plan: add\n#E3 = total[{"numbers": ["#E1", "#E2"]}]',
    "9 in all.",
]
FAILED: list[Reply] = [str(REWOO[0]).replace("Rome", "Nowhere"), "It cannot be had."]


def play(
    kind: Any, replies: list[Reply], turn: Turn, messages: list[Message]
) -> tuple[list[Event], ScriptedModel]:
    model = ScriptedModel(replies)
    events = list(kind(model, [warmth, total]).run(messages, turn))
    return events, model


def died(
    events: list[Event], at: Callable[[Event], bool]
) -> tuple[list[Message], Turn, int]:
    """Return what a process leaves that dies at an event: see `resuming`.

    The last is how many answers the model has given.
    """
    gone = events[: next(n for n, e in enumerate(events) if at(e))]
    added = [e for e in gone if isinstance(e, MessageAdded)]
    messages = [e.message for e in added]
    answered = {m.tool_call_id for m in messages if m.role == "tool"}
    asking = [m for m in messages if m.role == "assistant"]
    turn = Turn("u")
    turn.open_calls = [c for c in asking[-1].tool_calls if c.id not in answered]
    turn.plan = next(e.plan for e in reversed(added) if e.plan)
    return [ASKED, *messages], turn, len(asking)


def starts(name: str, **arguments: object) -> Callable[[Event], bool]:
    return lambda e: (
        isinstance(e, ToolCallStarted)
        and (e.call.name, e.call.arguments) == (name, arguments)
    )


@pytest.mark.parametrize(
    ("kind", "replies", "at"),
    [
        (PlanAndSolveAgent, PLAN, starts("warmth", city="Rome")),
        (PlanAndSolveAgent, PLAN, starts("warmth", city="Oslo")),
        (ReWOOAgent, REWOO, starts("warmth", city="Rome")),
        (ReWOOAgent, REWOO, starts("total", numbers=[4, 5])),
        (ReWOOAgent, FAILED, starts("warmth", city="Nowhere")),
    ],
)
def test_the_rest_is_as_if_the_process_had_lived(
    kind: Any, replies: list[Reply], at: Callable[[Event], bool]
) -> None:
    whole, before = play(kind, replies, Turn("t"), [ASKED])
    messages, turn, answers = died(whole, at)
    answers = 1 if kind is ReWOOAgent else answers  # it plans all calls at once

    events, after = play(kind, replies[answers:], turn, messages)

    def texts(model: ScriptedModel) -> list[tuple[str, str]]:
        sent = [(m.role, m.text) for m in model.requests[-1].messages]
        return sorted(sent) if kind is ReWOOAgent else sent

    assert texts(after) == texts(before)
    assert len(after.requests) == len(before.requests) - answers
    last = [e.message.text for e in events if isinstance(e, MessageAdded)][-1]
    assert last == replies[-1]
    begun = [e.call for e in (*whole, *events) if isinstance(e, ToolCallStarted)]
    assert {c.name for c in begun} <= {"warmth", "total"}


def test_without_a_known_plan_the_open_calls_are_run_and_the_answer_given() -> None:
    turn = Turn("u")
    turn.open_calls = [call("Rome", "a")]
    messages = [ASKED, Message("assistant", tool_calls=(call("Rome", "a"),))]
    for kind in (PlanAndSolveAgent, ReWOOAgent):
        events, model = play(kind, ["4 degrees."], turn, messages)

        assert not [e for e in events if isinstance(e, NoticeGiven)]
        assert [m.text for m in model.requests[0].messages][-1] == "4"
