"""The protocol between an app and its model's process: lines of JSON.

Events have the same JSON as in the log, so what can be sent can be stored. A
line is a frame: JSON has no newline inside.
"""

from typing import Any

import msgspec

from tui import events
from tui.events import Event
from tui.messages import Message, Reply, ToolSchema


class Spec(msgspec.Struct, frozen=True):
    """Which model, and how it is to answer."""

    path: str
    """A GGUF file, as an absolute path."""
    name: str
    starter: bool = False
    """Whether it is a `StarterModel`; then what follows `threads` is not used."""
    context: int = 4096
    threads: int = 0
    sampling: dict[str, Any] = {}
    """The fields of `Sampling` that are set."""
    max_tokens: int | None = None
    dialect: str = ""


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load the weights; answered by `Loaded` or `Failed`."""

    id: int
    spec: Spec


class Warm(msgspec.Struct, frozen=True, tag=True):
    """Read ahead what answers begin with, until somebody asks. Not answered."""

    spec: Spec
    tools: list[ToolSchema]


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Answer; answered by any number of `Told` and then `Finished` or `Failed`."""

    id: int
    spec: Spec
    messages: list[Message]
    message_ids: list[str]
    """Of each message its id in the log, or ""."""
    tools: list[ToolSchema]
    turn: str
    message_id: str


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Break off what was asked with this id; it ends as `Failed` or `Finished`."""

    id: int


class Drop(msgspec.Struct, frozen=True, tag=True):
    """Free the memory of a model."""

    spec: Spec


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The weights are there."""

    id: int
    window: int


class Told(msgspec.Struct, frozen=True, tag=True):
    """An event of an answer."""

    id: int
    kind: str
    event: msgspec.Raw


class Finished(msgspec.Struct, frozen=True, tag=True):
    """An answer is whole."""

    id: int
    reply: Reply
    window: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It came to nothing; the fields are those of `ModelError`."""

    id: int
    what: str
    """`cancelled`, `overflow`, `model`, or `fault` for an error of ours."""
    text: str = ""
    kind: str = ""
    window: int = 0
    tokens: int = 0


ToChild = Load | Warm | Ask | Cancel | Drop
FromChild = Loaded | Told | Finished | Failed

read_to_child = msgspec.json.Decoder(ToChild).decode
read_from_child = msgspec.json.Decoder(FromChild).decode
_encode = msgspec.json.Encoder().encode


def line(message: ToChild | FromChild) -> bytes:
    """Return `message` as a line; half a surrogate pair becomes `?`, as in the log."""
    try:
        return _encode(message) + b"\n"
    except UnicodeEncodeError:
        plain = events.clean_builtins(msgspec.to_builtins(message))
        return _encode(plain) + b"\n"


def told(id: int, event: Event) -> bytes:
    """Return the line that tells of `event`."""
    return line(Told(id, events.kind(event), msgspec.Raw(events.encode(event))))
