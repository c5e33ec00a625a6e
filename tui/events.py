"""The events of the log, and their JSON.

The log is append-only and outlives the program, so these names are permanent and
a field is only ever added, with a default. Events carry no sequence number and no
time: those belong to the `Record` that the log makes of them. A kind that this
version does not know decodes to `Unknown`, so an old viewer can follow a newer
runner.
"""

import re
from collections.abc import Callable
from typing import Any, cast

import msgspec

from tui import bounds
from tui.messages import Message, ToolCall


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all events; `kind(event)` gives the name in the log."""


class MessageAdded(Event, frozen=True):
    """A message is whole. Ends the deltas that have the same `message_id`."""

    message_id: str
    message: Message
    parent: str | None = None
    """The `message_id` that it follows; None means the one before it in the log.

    The first of a turn follows the whole turn of the message that it names, and may
    name that turn itself. "" is the beginning: another version of the first message.
    """
    finish_reason: str | None = None
    """Of an assistant's message: a `Reply.finish_reason`, or `cancelled`, `error`,
    `interrupted` when it was broken off."""
    purpose: str = ""
    """Of a user's message that the program has worded: `continue` goes on with an
    answer that was broken off."""


class TurnRequested(Event, frozen=True):
    """Somebody wants the conversation answered."""

    model: str
    agent: str = "function_call"
    """`summary` answers nothing: it ends in a `SummaryAdded`. Its option `keep` says
    what must not get lost."""
    tools: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    parent: str | None = None
    """The question to answer once more, when the turn has none of its own; else what
    the turn follows is for its first message to say."""
    runner: str = ""
    """Which runner may claim it; empty means any."""


class TurnWithdrawn(Event, frozen=True):
    """The request was taken back before anybody claimed it."""


class TurnStarted(Event, frozen=True):
    """A runner claims the turn. At most one a turn: the log enforces it."""

    host: str
    boot_id: str
    pid: int
    process_start: int
    """Start time of the process in clock ticks since boot: tells a reused pid."""
    machine: str = ""
    """A digest that tells machines of one name apart; "" when not known, as in logs of
    earlier versions."""
    pid_space: str = ""
    """The namespace in which `pid` is meant, such as that of a container; "" when not
    known."""


class TextDelta(Event, frozen=True):
    """A piece of text for the user. Provisional: see `MessageAdded`."""

    message_id: str
    text: str


class ReasoningDelta(Event, frozen=True):
    """A piece of thinking aloud. Provisional: see `MessageAdded`."""

    message_id: str
    text: str


class ToolCallOpened(Event, frozen=True):
    """The model has begun to write a tool call. Provisional, carries no text."""

    message_id: str


class Relabelled(Event, frozen=True):
    """All text of the message so far was reasoning: its end came without a beginning.

    Provisional, like the pieces that it is about.
    """

    message_id: str
    as_text: bool = False
    """The other way round: what was taken for reasoning is the answer."""


class ToolCallStarted(Event, frozen=True):
    """A tool begins to run; written before it does."""

    call: ToolCall


class ToolProgressed(Event, frozen=True):
    """A running tool reports on its progress."""

    call_id: str
    text: str


class ToolCallFinished(Event, frozen=True):
    """A tool has ended. Its output is in the `tool` message that follows."""

    call_id: str
    seconds: float
    error: str | None = None


class ApprovalRequested(Event, frozen=True):
    """A tool waits for the user's leave to run."""

    call_id: str


class ApprovalGiven(Event, frozen=True):
    """The user has answered an `ApprovalRequested`."""

    call_id: str
    allow: bool
    scope: str = "once"
    """`once`, `conversation` or `always`."""
    reason: str = ""


class UsageReported(Event, frozen=True):
    """What one call of the model took."""

    input_tokens: int
    output_tokens: int
    seconds: float = 0.0
    """From the first token to the last, so that output_tokens / seconds is speed."""
    cached_tokens: int = 0
    """Those of the input that the model had read before."""
    window: int = 0
    """Tokens that input and output may have together; 0 when that is not known."""


class ErrorRaised(Event, frozen=True):
    """Something went wrong; `text` is for the user, `kind` for programs."""

    kind: str
    text: str


class NoticeGiven(Event, frozen=True):
    """Something the user should know that is no error, such as a trimmed history."""

    text: str
    left_out: int = 0
    """How many messages of the conversation the request is without, because they do
    not fit the model's window; such a notice is given for each request."""
    first_message_id: str = ""
    """The first message that is still sent; empty when it is not in the log."""


class CancelRequested(Event, frozen=True):
    """Somebody wants the turn to stop."""


class TurnFinished(Event, frozen=True):
    """The turn has ended. At most one a turn: the log enforces it."""

    reason: str
    """`stop`, `length`, `cancelled`, `error` or `interrupted`."""


class Queued(Event, frozen=True):
    """Something a library user has put into a `FileSystemQueue`."""

    channel: str
    text: str


class ConversationRenamed(Event, frozen=True):
    """The conversation has a new title."""

    title: str


class ConversationPinned(Event, frozen=True):
    """The conversation is kept at the top of lists, or no longer."""

    pinned: bool = True


class ConversationDeleted(Event, frozen=True):
    """The conversation is to be removed from the store."""


class SummaryAdded(Event, frozen=True):
    """A summary stands for a range of messages in requests to the model.

    The messages stay in the log and on the screen. The rule for ranges that overlap is
    that of `conversation.apply_summaries`.
    """

    first_message_id: str
    last_message_id: str
    text: str


class Unknown(Event, frozen=True):
    """An event of a later version, kept as it is."""

    kind: str
    data: bytes


class Unreadable(Unknown, frozen=True):
    """An event whose bytes make no sense, or are too many; all others are good."""

    why: str = ""
    """In a few words, for the user."""


Known = (
    MessageAdded
    | TurnRequested
    | TurnWithdrawn
    | TurnStarted
    | TextDelta
    | ReasoningDelta
    | ToolCallOpened
    | Relabelled
    | ToolCallStarted
    | ToolProgressed
    | ToolCallFinished
    | ApprovalRequested
    | ApprovalGiven
    | UsageReported
    | ErrorRaised
    | NoticeGiven
    | CancelRequested
    | TurnFinished
    | Queued
    | ConversationRenamed
    | ConversationPinned
    | ConversationDeleted
    | SummaryAdded
    | Unknown
)
"""All events, for a `match` that is to name each of them."""


class Record(msgspec.Struct, frozen=True):
    """An event as the log has stored it."""

    seq: int
    """Position in the log: rises in the order of commits, is never reused, and is
    the cursor of all who read."""
    conversation: str
    turn: str | None
    time: float
    """Seconds since the epoch."""
    event: Event


PROVISIONAL = (TextDelta, ReasoningDelta, ToolCallOpened, Relabelled)
"""The deltas: removed when their message is added."""


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_KIND = {cls: _snake(cls.__name__) for cls in Event.__subclasses__()}
_DECODER = {kind: msgspec.json.Decoder(cls) for cls, kind in _KIND.items()}
_encode = msgspec.json.Encoder().encode


def kind(event: Event) -> str:
    """Return the name under which the log stores `event`."""
    return event.kind if isinstance(event, Unknown) else _KIND[type(event)]


def encode(event: Event) -> bytes:
    """Return the JSON of `event`, without its kind.

    Half a surrogate pair, as in a file name that is no UTF-8, becomes U+FFFD: it is
    no character and could be neither stored nor sent. Raises `TypeError` and the like
    for what JSON does not have.
    """
    if isinstance(event, Unknown):
        return event.data
    try:
        return _encode(event)
    except UnicodeEncodeError:
        return _encode(clean_builtins(msgspec.to_builtins(event)))


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD in the place of each half of a surrogate pair.

    Two halves that belong together become their character.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_builtins(value: Any) -> Any:
    """Return dicts, lists and text with all texts as `without_surrogates` has them."""
    match value:
        case str():
            return without_surrogates(value)
        case dict():
            entries = cast(dict[str, Any], value).items()
            return {clean_builtins(k): clean_builtins(v) for k, v in entries}
        case list() | tuple():
            return [clean_builtins(v) for v in cast(list[Any], value)]
        case _:
            return value


def decode(kind: str, data: bytes) -> Event:
    """Return the event that `encode` made `data` of.

    A kind of a later version gives `Unknown`. What is too deep or too large in an
    event is bounded: see `tui.bounds`. Raises `msgspec.MsgspecError`, `RecursionError`
    or `UnicodeError` when a known kind does not have its fields.
    """
    if kind == "unknown" or kind not in _DECODER:
        return Unknown(kind, data)
    event = _DECODER[kind].decode(data)
    bound = _BOUND.get(kind)
    return bound(event, data) if bound else event


def read(kind: str, data: bytes) -> Event:
    """Return the event, `Unreadable` when `data` is not what `encode` makes."""
    try:
        return decode(kind, data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        return Unreadable(kind, data, str(error) or type(error).__name__)


def _bound_message(event: Any, data: bytes) -> Event:
    if not may_be_deep(data):
        return event
    message: Message = event.message
    calls = tuple(map(_bound_call, message.tool_calls))
    opaque = {} if bounds.is_deep(message.opaque) else message.opaque
    message = msgspec.structs.replace(message, tool_calls=calls, opaque=opaque)
    return msgspec.structs.replace(event, message=message)


def _bound_call(call: ToolCall) -> ToolCall:
    if bounds.is_deep(call.opaque):  # half of it would be of no use
        call = msgspec.structs.replace(call, opaque={})
    if isinstance(call.arguments, str) or not bounds.is_deep(call.arguments):
        return call
    return msgspec.structs.replace(call, arguments=bounds.shallow(call.arguments))


def _bound_started(event: Any, data: bytes) -> Event:
    return ToolCallStarted(_bound_call(event.call)) if may_be_deep(data) else event


def _bound_request(event: Any, data: bytes) -> Event:
    if not may_be_deep(data):
        return event
    return msgspec.structs.replace(event, options=bounds.shallow(event.options))


def may_be_deep(data: bytes) -> bool:
    """Return whether JSON has so many lists and objects that it must be looked at."""
    return data.count(b"[") + data.count(b"{") > bounds.DEEPEST


def _bound_owner(event: Any, data: bytes) -> Event:
    # 0 is the number of no process.
    pid = event.pid if 0 < event.pid < 2**31 else 0
    start = bounds.count(event.process_start)
    return msgspec.structs.replace(event, pid=pid, process_start=start)


def _bound_tool(event: Any, data: bytes) -> Event:
    return msgspec.structs.replace(event, seconds=bounds.duration(event.seconds))


def _bound_usage(event: Any, data: bytes) -> Event:
    return UsageReported(
        bounds.count(event.input_tokens),
        bounds.count(event.output_tokens),
        bounds.duration(event.seconds),
        bounds.count(event.cached_tokens),
        bounds.count(event.window),
    )


def _bound_notice(event: Any, data: bytes) -> Event:
    return msgspec.structs.replace(event, left_out=bounds.count(event.left_out))


_BOUND: dict[str, Callable[[Any, bytes], Event]] = {
    "message_added": _bound_message,
    "tool_call_started": _bound_started,
    "turn_requested": _bound_request,
    "turn_started": _bound_owner,
    "tool_call_finished": _bound_tool,
    "usage_reported": _bound_usage,
    "notice_given": _bound_notice,
}
