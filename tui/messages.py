"""Messages, tool calls and tool results.

Pure frozen values without id or time, so that two of them are equal when they
say the same. Ids and times belong to the events that carry them.
"""

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all values: frozen, compared by content, small as JSON."""


class ToolCall(Value, frozen=True):
    """A model's wish to have a tool run."""

    id: str
    """Unique within its message; what `Message.tool_call_id` refers to."""
    name: str
    """Empty when the call could not be read at all."""
    arguments: dict[str, Any] | str
    """The arguments by name. A `str` is what the model wrote in their place when
    that is not a JSON object: it is shown and told to the model, never run."""


class ToolResult(Value, frozen=True):
    """What came of a tool call."""

    call_id: str
    output: str
    """What the model is told, also when the tool failed."""
    error: str | None = None
    """One line when the tool failed or could not be run; None when it worked."""


class ToolSchema(Value, frozen=True):
    """What a model is told of a tool."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of an object: one property for each parameter."""
    keywords: tuple[str, ...] = ()
    """Words that hint at this tool, in any language; used by the starter model."""


class Attachment(Value, frozen=True):
    """A file that goes with a message."""

    name: str
    media_type: str
    data: bytes


class SealedReasoning(Value, frozen=True):
    """A piece of reasoning that its server gives encrypted, and wants back."""

    id: str
    content: str
    """What only the server can read."""
    summary: tuple[str, ...] = ()
    place: int = 0
    """How many other parts of the message (its text, each call) come before it."""


class Sealed(Value, frozen=True):
    """What a server has given with a message for itself: it is shown to nobody."""

    origin: str
    """Which model on which server; for others it means nothing, or is refused."""
    reasoning: tuple[SealedReasoning, ...] = ()
    phase: str = ""
    """What part of a turn the text is, in the server's words, such as `commentary`."""


class Message(Value, frozen=True):
    """One message of a conversation."""

    role: Role
    text: str = ""
    reasoning: str = ""
    """What the model thought aloud; shown folded, not sent back."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Which call a message of role `tool` answers."""
    attachments: tuple[Attachment, ...] = ()
    pinned: bool = False
    """Whether it stays when older messages are left out of a request, such as a
    summary that stands for some of them."""
    sealed: Sealed | None = None
    """What goes back to the server that the message is from."""


class Reply(Value, frozen=True):
    """What a model returns when its message is whole."""

    message: Message
    finish_reason: str = "stop"
    """In the words of the OpenAI API: `stop`, `length`, `tool_calls` or
    `content_filter`."""
