"""Messages, tool calls and tool results.

Frozen values without id or time, so that two with the same content are equal. Ids and
times belong to the events that carry them.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all values: frozen, compared by content, compact as JSON."""


class ToolCall(Value, frozen=True):
    """A model's request to run a tool."""

    id: str
    """Unique within its message; `Message.tool_call_id` refers to it."""
    name: str
    """Empty if the call could not be parsed."""
    arguments: dict[str, Any] | str
    """The arguments by name. A `str` is the model's text if it is not a JSON object:
    it is shown, and reported to the model, but never run."""
    opaque: dict[str, Any] = {}
    """What a server has put beside these, such as the signature of a thought, in the
    shape in which it came: for `Message.origin` only, and read by nobody else."""


class Attachment(Value, frozen=True):
    """A file attached to a message: text in UTF-8, or an image.

    The log stores the bytes once, by their digest, and messages in it only refer to
    them: there `data` is empty.
    """

    name: str
    media_type: str
    data: bytes = b""
    """The bytes, b"" for a reference; see `conversation.attached.filled`."""
    digest: str = ""
    """SHA-256 of the bytes, in hexadecimal; "" where `data` was never stored."""
    size: int = 0
    """The number of bytes of a reference."""
    about: str = ""
    """What it is, in a few words: `12 pages`, `800×600`, `31 lines`."""
    lines: str = ""
    """The range of lines of the file that this is, `10-40`; "" for all of it."""

    @property
    def bytes(self) -> int:
        """How many bytes it has, also when they are elsewhere."""
        return len(self.data) or self.size

    @property
    def is_image(self) -> bool:
        """Whether it is a picture; everything else is text, or cannot be sent."""
        return self.media_type.startswith("image/")

    @property
    def title(self) -> str:
        """Its name, with the range of lines."""
        return f"{self.name}:{self.lines}" if self.lines else self.name


class ToolResult(Value, frozen=True):
    """The outcome of a tool call."""

    call_id: str
    output: str
    """The text for the model, also if the tool failed."""
    error: str | None = None
    """One line if the tool failed or could not run; None on success."""
    attachments: tuple[Attachment, ...] = ()
    """Images and files that the tool has returned."""


class ToolSchema(Value, frozen=True):
    """The description of a tool for a model."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of an object with one property for each parameter."""
    keywords: tuple[str, ...] = ()
    """Words, in any language, that hint at this tool; for the starter model."""


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
    """The model's reasoning; shown folded."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """The call that a message of role `tool` answers."""
    attachments: tuple[Attachment, ...] = ()
    pinned: bool = False
    """Whether it stays when older messages are left out of a request; a summary that
    replaces some of them is pinned."""
    sealed: Sealed | None = None
    """What goes back to the Responses API that the message is from."""
    origin: str = ""
    """A digest of the server and the model that said it, when something of it has to go
    back to them in the next rounds; "" when nothing has, or may."""
    reasoning_field: str = ""
    """The name under which its server sent the reasoning and wants it back."""
    opaque: dict[str, Any] = {}
    """Fields of the server's own, as in `ToolCall.opaque`."""


class Reply(Value, frozen=True):
    """A model's complete message."""

    message: Message
    finish_reason: str = "stop"
    """As in the OpenAI API: `stop`, `length`, `tool_calls` or `content_filter`."""


def since_question(
    messages: Sequence[Message],
) -> tuple[list[Message], list[Message]]:
    """Return the messages up to the user's last one, and those after it."""
    last = max((n for n, m in enumerate(messages) if m.role == "user"), default=-1)
    return list(messages[: last + 1]), list(messages[last + 1 :])
