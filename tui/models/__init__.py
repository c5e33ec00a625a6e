"""Models: everything that can answer a conversation.

Each module here holds one way to reach a model and imports its library only when
a model of that kind is made.
"""

from collections.abc import Generator, Sequence
from typing import Protocol

from tui.events import Event
from tui.messages import Message, Reply, ToolSchema
from tui.turn import Turn


class Model(Protocol):
    """A language model, wherever it runs.

    It may also have a `window`, see `window_of`, and `summarizes = False` when it is
    too small to be asked for a summary: see `takes_instructions`. `calls_tools` is
    false once it is known not to take tools.
    """

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    def generate(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], turn: Turn
    ) -> Generator[Event, None, Reply]:
        """Answer `messages`, whose last one is the user's or a tool's.

        Yields, in the order in which the model speaks, `TextDelta`,
        `ReasoningDelta`, `ToolCallOpened` (all with `turn.message_id`),
        `NoticeGiven` and at most one `UsageReported`, before all of them
        `RetryScheduled` for each pause until it is tried again; returns the whole
        message.
        The concatenated deltas equal `text` and `reasoning` of that message. No
        part of a tool call is ever in a delta.

        Runs in the thread that iterates it and may block there. Raises
        `ModelError`, and `Cancelled` soon after `turn.cancel` is requested.
        """
        ...


def window_of(model: object) -> int:
    """Return how many tokens a model can have before it; 0 when that is not known.

    Of its optional attribute `window`, which may change once the model is loaded or
    has answered. Never blocks.
    """
    size = getattr(model, "window", 0)
    return size if isinstance(size, int) else 0


def takes_instructions(model: object) -> bool:
    """Return whether a model can be told how to write: a plan, a form for calls.

    One that is too small for a summary is too small for that.
    """
    return bool(getattr(model, "summarizes", True))


def calls_tools(model: object) -> bool:
    """Return whether a model may be offered tools, as far as that is known."""
    return bool(getattr(model, "calls_tools", True))
