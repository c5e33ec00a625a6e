"""What the gate makes of a text stream."""

from typing import Any, Literal

from tui.messages import Value


class Text(Value, frozen=True):
    """Text for the user."""

    text: str


class Reasoning(Value, frozen=True):
    """What the model thinks aloud."""

    text: str


class CallOpened(Value, frozen=True):
    """A function call is certain to be under way; nothing of it has been let out."""


class Call(Value, frozen=True):
    """A function call is whole."""

    name: str
    arguments: dict[str, Any]
    id: str = ""
    """The id that the model itself wrote, if its format has one."""


class Broken(Value, frozen=True):
    """A function call that cannot be run; hidden from the user."""

    kind: Literal["truncated", "malformed"]
    text: str
    """What the model wrote, markers included."""


Piece = Text | Reasoning | CallOpened | Call | Broken
