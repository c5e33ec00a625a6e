"""Agents: turn a model and tools into an answer.

An agent is a generator like a model: `run(messages, turn)` yields events and returns
the last message. It knows no log, no screen and no queue, so it works as a library:

    for event in FunctionCallAgent(model, ToolBox(["get_current_weather"])).run(
        [Message("user", "What's the weather in Tokyo?")]
    ):
        ...
"""

from collections.abc import Generator, Sequence
from typing import Protocol

from tui.agents.function_call import FunctionCallAgent
from tui.agents.summary import SummaryAgent
from tui.events import Event
from tui.messages import Message
from tui.turn import Turn

__all__ = ["Agent", "FunctionCallAgent", "SummaryAgent"]


class Agent(Protocol):
    """Whatever can answer a conversation, with tools or without."""

    def run(
        self, messages: Sequence[Message], turn: Turn | None = None
    ) -> Generator[Event, None, Message]:
        """Answer `messages`; returns the last message of the answer.

        Yields what the model yields, a `MessageAdded` for each message that is whole,
        and the events of the tools. Runs in the thread that iterates it and may block
        there. Raises `ModelError`, and `Cancelled` soon after `turn.cancel` is
        requested. Without a `turn` it makes one of its own.
        """
        ...
