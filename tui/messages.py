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
    opaque: dict[str, Any] = {}
    """What a server has put beside these, such as the signature of a thought, in the
    shape in which it came: for `Message.origin` only, and read by nobody else."""


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


class Message(Value, frozen=True):
    """One message of a conversation."""

    role: Role
    text: str = ""
    reasoning: str = ""
    """What the model thought aloud; shown folded."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Which call a message of role `tool` answers."""
    attachments: tuple[Attachment, ...] = ()
    pinned: bool = False
    """Whether it stays when older messages are left out of a request, such as a
    summary that stands for some of them."""
    origin: str = ""
    """A digest of the server and the model that said it, when something of it has to go
    back to them in the next rounds; "" when nothing has, or may."""
    reasoning_field: str = ""
    """The name under which its server sent the reasoning and wants it back."""
    opaque: dict[str, Any] = {}
    """Fields of the server's own, as in `ToolCall.opaque`."""


class Reply(Value, frozen=True):
    """What a model returns when its message is whole."""

    message: Message
    finish_reason: str = "stop"
    """In the words of the OpenAI API: `stop`, `length`, `tool_calls` or
    `content_filter`."""
