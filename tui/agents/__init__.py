"""Agents: turn a model and tools into an answer.

An agent is a generator like a model: `run(messages, turn)` yields events and returns
the last message. It uses no log, screen or queue, so it works as a library:

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
