"""Protocols: what the controller needs from the screen.

With them the controller does not depend on a screen and can be tested without one.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

from tui.conversation import Transcript
from tui.messages import Attachment


class Editor(Protocol):
    """The text field in which the user writes."""

    @property
    def text(self) -> str:
        """The current text."""
        ...

    @property
    def files(self) -> tuple[Attachment, ...]:
        """The files that are sent with the text."""
        ...

    def load_text(
        self, text: str, files: tuple[Attachment, ...] | None = None
    ) -> object:
        """Replace the current text and, unless None, the attached files."""
        ...

    def focus(self) -> object:
        """Direct typed keys to this field."""
        ...


class Turns(Protocol):
    """The queued and running turns of a conversation."""

    @property
    def fold(self) -> Transcript:
        """The conversation as it is shown."""
        ...

    @property
    def queued(self) -> list[str]:
        """The labels of the queued turns, oldest first."""
        ...

    def is_orphaned(self, turn: str) -> bool:
        """Whether no known process will run a queued turn."""
        ...


class Settings(NamedTuple):
    """What the user has set for the next question."""

    model: str
    """The model's name."""
    agent: str
    """The agent's name, see `tui.agent_names`."""
    stream: bool
    """Whether the answer is shown while it is written."""
    tools: Callable[[], set[str]]
    """Returns the names of the tools that are on; any thread."""


class View(Protocol):
    """Shows the conversation. Call it in the UI thread, except `call_later`."""

    def settings(self) -> Settings:
        """Return the settings for the next question."""
        ...

    def hint(self, text: str) -> None:
        """Show a short-lived hint."""
        ...

    def complain(self, text: str) -> None:
        """Report a problem with what was typed."""
        ...

    def note(self, text: str, kind: Literal["info", "warning", "error"]) -> None:
        """Add a note to the conversation."""
        ...

    def entitle(self, words: str, more: str) -> None:
        """Set the title above the text field; "" removes it.

        If there is not enough room, `words` are cut, and `more` behind them is not.
        """
        ...

    def follow_end(self) -> None:
        """Scroll to the end of the conversation and follow it."""
        ...

    def hurry(self) -> None:
        """Show each record at once."""
        ...

    def take_draft(self) -> bool:
        """Forget the draft of the message; return whether one was stored."""
        ...

    def has_sent(self, request: int) -> None:
        """Note that `request` is the `seq` of the request that was sent."""
        ...

    def call_later(self, callback: Callable[..., object], *args: Any) -> object:
        """Call `callback` in the UI thread; may be called from any thread."""
        ...
