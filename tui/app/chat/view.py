"""Protocols: what the controller needs from the screen.

So none of them knows a screen, and each can be tried without one.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

from tui.conversation import Transcript


class Editor(Protocol):
    """Where the user writes."""

    @property
    def text(self) -> str:
        """What is written there."""
        ...

    def load_text(self, text: str) -> object:
        """Put `text` in the place of what is written."""
        ...

    def focus(self) -> object:
        """Have what is typed go there."""
        ...


class Turns(Protocol):
    """What is known of the turns that wait and run."""

    @property
    def fold(self) -> Transcript:
        """The conversation as it is shown."""
        ...

    @property
    def queued(self) -> list[str]:
        """What the turns that wait are about, the oldest first."""
        ...

    def is_orphaned(self, turn: str) -> bool:
        """Whether nobody is known who would take a turn that waits."""
        ...


class Settings(NamedTuple):
    """What the user has set for the next question."""

    model: str
    """The model's name."""
    stream: bool
    """Whether the answer is shown while it is written."""
    tools: set[str]
    """The names of the tools that are on."""


class View(Protocol):
    """Who shows the conversation. Used in the UI's thread but for `call_later`."""

    def settings(self) -> Settings:
        """Return how the next question is asked."""
        ...

    def hint(self, text: str) -> None:
        """Say something that is soon forgotten."""
        ...

    def complain(self, text: str) -> None:
        """Say what is wrong with what was typed."""
        ...

    def note(self, text: str, kind: Literal["info", "warning", "error"]) -> None:
        """Add a note to the conversation."""
        ...

    def entitle(self, title: str) -> None:
        """Put a title above what is written, "" for none."""
        ...

    def follow_end(self) -> None:
        """Show the end of the conversation, and what comes there."""
        ...

    def hurry(self) -> None:
        """Show each record as it comes."""
        ...

    def take_draft(self) -> bool:
        """Return whether the draft of a message that was written here is stored."""
        ...

    def has_sent(self, request: int) -> None:
        """Take it that `request` is the `seq` of what was sent."""
        ...

    def call_later(self, callback: Callable[..., object], *args: Any) -> object:
        """Call it in the UI's thread; from any thread."""
        ...
