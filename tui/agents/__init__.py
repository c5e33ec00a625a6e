"""Agents: turn a model and tools into an answer.

An agent is a generator like a model: `run(messages, turn)` yields events and returns
the last message. It uses no log, screen or queue, so it works as a library:

    for event in FunctionCallAgent(model, ToolBox(["get_current_weather"])).run(
        [Message("user", "What's the weather in Tokyo?")]
    ):
        ...
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol

from tui.agents.function_call import FunctionCallAgent
from tui.agents.plan import PlanAndSolveAgent
from tui.agents.react import ReactAgent
from tui.agents.rewoo import ReWOOAgent
from tui.agents.summary import SummaryAgent
from tui.events import Event
from tui.messages import Message
from tui.models import Model
from tui.tools import ToolBox
from tui.turn import Turn

__all__ = [
    "AGENTS",
    "Agent",
    "FunctionCallAgent",
    "PlanAndSolveAgent",
    "ReWOOAgent",
    "ReactAgent",
    "SummaryAgent",
]


class Agent(Protocol):
    """Answers a conversation, with tools or without."""

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        """Answer `messages`; return the last message of the answer.

        Yields the model's events, a `MessageAdded` for each complete message, and the
        tools' events. Runs in the thread that iterates it, and may block there. Raises
        `ModelError`, and `Cancelled` soon after `turn.cancel` is requested. Without a
        `turn` it creates one.
        """
        ...


AGENTS: Mapping[str, Callable[[Model, ToolBox, int, str], Agent]] = {
    "function_call": FunctionCallAgent,
    "react": ReactAgent,
    "plan": PlanAndSolveAgent,
    "rewoo": ReWOOAgent,
}
"""The agents that answer, by their names in `tui.agent_names`."""
