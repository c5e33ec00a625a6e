"""Defines the protocol between an app and its model's process: lines of JSON.

Events have the same JSON as in the log, so every event that can be sent can be stored.
Each line is one message, because the encoded JSON contains no newlines.
"""

from typing import Any

import msgspec

from tui import events
from tui.events import Event
from tui.messages import Message, Reply, ToolSchema


class Spec(msgspec.Struct, frozen=True):
    """A model and its settings."""

    path: str
    """The absolute path of a GGUF file."""
    name: str
    starter: bool = False
    """Whether it is a `StarterModel`, which ignores the fields after `threads`."""
    context: int = 4096
    threads: int = 0
    sampling: dict[str, Any] = {}
    """The fields of `Sampling` that are set."""
    max_tokens: int | None = None
    dialect: str = ""


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load the weights. The answer is `Loaded` or `Failed`."""

    id: int
    spec: Spec


class Warm(msgspec.Struct, frozen=True, tag=True):
    """Read the common start of prompts until a question comes. There is no answer."""

    spec: Spec
    tools: list[ToolSchema]
    system: str = ""


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Answer. The child sends any number of `Emitted`, then `Finished` or `Failed`."""

    id: int
    spec: Spec
    messages: list[Message]
    message_ids: list[str]
    """The id in the log of each message, or ""."""
    tools: list[ToolSchema]
    turn: str
    message_id: str
    options: dict[str, Any] = {}
    """Fields of `Sampling`, and `max_tokens`, for this answer only."""
    schema: dict[str, Any] | None = None
    """What the answer should fit."""


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop the request with this id, which still ends with `Failed` or `Finished`."""

    id: int


class Drop(msgspec.Struct, frozen=True, tag=True):
    """Free the memory of a model."""

    spec: Spec


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The weights are loaded."""

    id: int
    window: int


class Emitted(msgspec.Struct, frozen=True, tag=True):
    """One event of an answer."""

    id: int
    kind: str
    event: msgspec.Raw


class Exchanged(msgspec.Struct, frozen=True, tag=True):
    """What the model reads and has written; see `Turn.exchanged`."""

    id: int
    prompt: str
    answer: str | None
    """None at its beginning."""


class Finished(msgspec.Struct, frozen=True, tag=True):
    """An answer is complete."""

    id: int
    reply: Reply
    window: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A request failed; the fields are those of `ModelError`."""

    id: int
    what: str
    """`cancelled`, `overflow`, `model`, or `fault` for a bug in lazychat."""
    text: str = ""
    kind: str = ""
    window: int = 0
    tokens: int = 0


ToChild = Load | Warm | Ask | Cancel | Drop
FromChild = Loaded | Emitted | Exchanged | Finished | Failed

read_to_child = msgspec.json.Decoder(ToChild).decode
read_from_child = msgspec.json.Decoder(FromChild).decode
_encode = msgspec.json.Encoder().encode


def line(message: ToChild | FromChild) -> bytes:
    """Return `message` as a line; a lone surrogate is replaced as in the log."""
    try:
        return _encode(message) + b"\n"
    except UnicodeEncodeError:
        plain = events.clean_builtins(msgspec.to_builtins(message))
        return _encode(plain) + b"\n"


def emitted(id: int, event: Event) -> bytes:
    """Return the line with `event`, for the request `id`."""
    return line(Emitted(id, events.kind(event), msgspec.Raw(events.encode(event))))
