"""The pieces into which the gate splits a text stream."""

from typing import Any, Literal

from tui.messages import Value


class Text(Value, frozen=True):
    """Text for the user."""

    text: str


class Reasoning(Value, frozen=True):
    """The model's reasoning."""

    text: str


class CallOpened(Value, frozen=True):
    """A function call has begun; none of its text has been emitted."""


class Call(Value, frozen=True):
    """A complete function call."""

    name: str
    arguments: dict[str, Any]
    id: str = ""
    """The id that the model wrote, if its format has one."""


class Broken(Value, frozen=True):
    """A function call that cannot run; hidden from the user."""

    kind: Literal["truncated", "malformed"]
    text: str
    """What the model wrote, markers included."""


Piece = Text | Reasoning | CallOpened | Call | Broken
