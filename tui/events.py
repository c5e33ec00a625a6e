"""The events of the log, and their JSON.

The log is append-only and outlives the program, so event names are permanent, and
fields are only added, with a default. Events have no sequence number and no time: those
belong to the `Record` that the log makes of them. A kind that this version does not
know decodes to `Unknown`, so an old viewer can follow a newer runner. The file is long
because it is one table: every kind of event is in it.
"""

import math
import re
from typing import Any, cast

import msgspec

from tui.event_bounds import bounded
from tui.i18n import _
from tui.messages import Message, ToolCall


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all events; `kind(event)` gives the name in the log."""


class MessageAdded(Event, frozen=True):
    """A message is complete. It replaces the deltas with the same `message_id`."""

    message_id: str
    message: Message
    parent: str | None = None
    """The `message_id` that it follows; None means the previous one in the log.

    The first message of a turn follows the whole turn of the named message, and may
    name that turn itself. "" is the beginning: another version of the first message.
    """
    finish_reason: str | None = None
    """For an assistant's message: a `Reply.finish_reason`, or `cancelled`, `error`,
    `interrupted` if it is incomplete."""
    purpose: str = ""
    """For a user's message that the program wrote: `continue` resumes an incomplete
    answer."""
    plan: str = ""
    """The plan that a planning agent has made with this message, as its model wrote it;
    a turn that is resumed follows it."""


class TurnRequested(Event, frozen=True):
    """A user or program requests an answer in the conversation."""

    model: str
    agent: str = "function_call"
    """`summary` gives no answer: it ends in a `SummaryAdded`. Its option `keep`
    names what the summary must keep."""
    tools: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    parent: str | None = None
    """The question to answer again, if the turn has no question of its own.
    Otherwise the turn's first message names its parent."""
    runner: str = ""
    """The runner that may claim it; empty means any."""


class TurnWithdrawn(Event, frozen=True):
    """The request was taken back before a runner claimed it."""


class TurnStarted(Event, frozen=True):
    """A runner claims the turn. At most one for each turn: the log enforces it."""

    host: str
    boot_id: str
    pid: int
    process_start: int
    """Start time of the process in clock ticks since boot; detects a reused pid."""
    machine: str = ""
    """A digest that distinguishes machines of the same name; "" if unknown, as in
    logs of earlier versions."""
    pid_space: str = ""
    """The namespace of `pid`, such as that of a container; "" if unknown."""


class TextDelta(Event, frozen=True):
    """A piece of text for the user. Provisional: see `MessageAdded`."""

    message_id: str
    text: str


class ReasoningDelta(Event, frozen=True):
    """A piece of the model's reasoning. Provisional: see `MessageAdded`."""

    message_id: str
    text: str


class ToolCallOpened(Event, frozen=True):
    """The model starts to write a tool call. Provisional, carries no text."""

    message_id: str


class Relabelled(Event, frozen=True):
    """All text of the message so far was reasoning: its end came without a beginning.

    Provisional, like the pieces that it is about.
    """

    message_id: str
    as_text: bool = False
    """The other way round: what was taken for reasoning is the answer."""


class ToolCallStarted(Event, frozen=True):
    """A tool is about to run, unless `decision` says otherwise."""

    call: ToolCall
    decision: str = ""
    """Why it may run: `policy`, `flag` (of the command line), `conversation` or
    `always` (the user has allowed it before). `asked` means that the user is asked
    first. It does not run if `denied` by its policy, `flag denied`, or `unattended`:
    nobody can be asked. "" in logs of earlier versions, and for invalid calls."""


class ToolProgressed(Event, frozen=True):
    """A running tool reports its progress."""

    call_id: str
    text: str


class ToolCallFinished(Event, frozen=True):
    """A tool has finished. Its output is in the `tool` message that follows."""

    call_id: str
    seconds: float
    error: str | None = None
    output: str = ""
    """The output, up to `bounds.LONGEST_OUTPUT` characters, if the message has only the
    beginning of it."""


class ApprovalRequested(Event, frozen=True):
    """A tool waits for the user's permission to run.

    It has all that a screen shows, so that any process can ask from the log alone.
    """

    call_id: str
    tool: str = ""
    origin: str = ""
    """Where the tool is from; see `Tool.origin`."""
    kind: str = "arguments"
    """How `text` is shown; see `Preview.kind`."""
    text: str = ""
    """The exact effect of the call; see `Preview.text`."""
    subject: str = ""
    """What patterns are matched against; see `Preview.subject`."""
    pattern: str = ""
    """The pattern that is suggested for allowing similar calls; "" for none."""
    may_keep: bool = True
    """Whether calls may be allowed for ever; not if config.toml says `ask`."""
    folder: str = ""
    """Where such calls may then be made; see `Preview.folder`."""
    asks_again: bool = False
    """Whether the user has always allowed such calls, but without a folder."""


class ApprovalGiven(Event, frozen=True):
    """The user has answered an `ApprovalRequested`. The first answer counts."""

    call_id: str
    allow: bool
    scope: str = "once"
    """`once`, `conversation` or `always`."""
    reason: str = ""
    """For the model, if the user has denied the call."""
    pattern: str = ""
    """With the scope `always`: only calls that match it; "" for all of the tool."""


class ApprovalRevoked(Event, frozen=True):
    """The user takes back what was allowed for this conversation."""

    tool: str
    origin: str = ""


class UsageReported(Event, frozen=True):
    """The cost of one call of the model."""

    input_tokens: int
    output_tokens: int
    seconds: float = 0.0
    """From the first token to the last, so that output_tokens / seconds is the
    speed."""
    cached_tokens: int = 0
    """Input tokens that the model had already processed."""
    window: int = 0
    """Most tokens of input and output together; 0 if unknown."""
    purpose: str = ""
    """What it was for if not for an answer: `title` names the conversation."""
    model: str = ""
    """The name of the model, if the request of the turn does not say it."""
    reasoning_tokens: int = 0
    """Output tokens that were reasoning, as far as the server tells."""
    cost: float | None = None
    """What it cost by the server, or by the price of that time; None if unknown."""
    currency: str = "USD"
    """The currency of `cost`."""


class ErrorRaised(Event, frozen=True):
    """An error occurred; `text` is for the user, `kind` for programs."""

    kind: str
    text: str


class NoticeGiven(Event, frozen=True):
    """Information for the user that is not an error, such as a trimmed history."""

    text: str
    left_out: int = 0
    """How many messages the request leaves out, because they do not fit the model's
    window; each request gives its own notice."""
    first_message_id: str = ""
    """The first message that is still sent; empty if it is not in the log."""


class RetryScheduled(Event, frozen=True):
    """A request to a server has failed, and is sent again after a pause."""

    why: str
    """In a few words, such as `rate-limited` or `connection refused`."""
    seconds: float
    """How long the pause is, from when this was written."""
    attempt: int
    """The number of the retry that comes then, from 1."""
    most: int
    """How many of these there are at most."""
    text: str = ""
    """What the server has said, in one line; empty when it has said nothing."""

    def describe(self, seconds: float | None = None) -> str:
        """Return it in a few words; `seconds`: what is left of the pause."""
        left = max(1, math.ceil(self.seconds if seconds is None else seconds))
        return _("{why}, retry in {left} s ({attempt}/{most})").format(
            why=self.why, left=left, attempt=self.attempt, most=self.most
        )

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.describe()}: {self.text}" if self.text else self.describe()


class CancelRequested(Event, frozen=True):
    """A user or program requests to stop the turn."""


class TurnFinished(Event, frozen=True):
    """The turn has ended. At most one for each turn: the log enforces it."""

    reason: str
    """`stop`, `length`, `cancelled`, `error` or `interrupted`."""


class Queued(Event, frozen=True):
    """A library user has put text into a `FileSystemQueue`."""

    channel: str
    text: str


class ConversationRenamed(Event, frozen=True):
    """The conversation has a new title."""

    title: str
    by: str = ""
    """`model` if a model made it from the first answer; "" for the user."""


class ConversationPinned(Event, frozen=True):
    """The conversation was pinned to the top of lists, or unpinned."""

    pinned: bool = True


class ConversationConfigured(Event, frozen=True):
    """The conversation has settings of its own, in place of earlier ones."""

    system: str = ""
    """The system prompt; empty means that of the configuration."""
    options: dict[str, Any] = {}
    """Options of the model by name, such as temperature, which override those of the
    configuration."""


class ConversationForked(Event, frozen=True):
    """The conversation began as a copy of another; the copied records follow.

    They have the times of the original, so all of them are older than this.
    """

    origin: str
    """The id of the other conversation, which may be gone by now."""
    title: str = ""
    """Its title at that time."""


class ConversationDeleted(Event, frozen=True):
    """The conversation is being removed from the store."""


class SummaryAdded(Event, frozen=True):
    """A summary replaces a range of messages in requests to the model.

    The messages stay in the log and on the screen. For overlapping ranges see
    `conversation.apply_summaries`.
    """

    first_message_id: str
    last_message_id: str
    text: str


class Unknown(Event, frozen=True):
    """An event of a later version, kept unchanged."""

    kind: str
    data: bytes


class Unreadable(Unknown, frozen=True):
    """An event whose bytes are invalid or too many; other events are not affected."""

    why: str = ""
    """A short reason for the user."""


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
    | ApprovalRevoked
    | UsageReported
    | ErrorRaised
    | NoticeGiven
    | RetryScheduled
    | CancelRequested
    | TurnFinished
    | Queued
    | ConversationRenamed
    | ConversationPinned
    | ConversationConfigured
    | ConversationForked
    | ConversationDeleted
    | SummaryAdded
    | Unknown
)
"""All events, for a `match` that must name each of them."""


class Record(msgspec.Struct, frozen=True):
    """An event as stored in the log."""

    seq: int
    """Position in the log: rises in the order of commits, is never reused, and is
    every reader's cursor."""
    conversation: str
    turn: str | None
    time: float
    """Seconds since the epoch."""
    event: Event


PROVISIONAL = (TextDelta, ReasoningDelta, ToolCallOpened, Relabelled)
"""The deltas, which are removed when their message is added."""


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

    A lone surrogate, as in a file name that is not UTF-8, becomes U+FFFD: it can be
    neither stored nor sent. Raises `TypeError` and the like for values that JSON does
    not support.
    """
    if isinstance(event, Unknown):
        return event.data
    try:
        return _encode(event)
    except UnicodeEncodeError:
        return _encode(clean_builtins(msgspec.to_builtins(event)))


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD in place of each lone surrogate.

    A surrogate pair becomes its character.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_builtins(value: Any) -> Any:
    """Apply `without_surrogates` to all texts in dicts and lists."""
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
    """Return the event for `data` from `encode`.

    A kind of a later version gives `Unknown`. Values that are too deep or too large are
    bounded: see `tui.event_bounds`. Raises `msgspec.MsgspecError`, `RecursionError` or
    `UnicodeError` if a known kind does not have its fields.
    """
    if kind == "unknown" or kind not in _DECODER:
        return Unknown(kind, data)
    return bounded(kind, _DECODER[kind].decode(data), data)


def read(kind: str, data: bytes | None) -> Event:
    """Return the event, `Unreadable` if `data` is not valid.

    It is None where a table that another program has made holds NULL.
    """
    data = data or b""
    try:
        return decode(kind, data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        return Unreadable(kind, data, str(error) or type(error).__name__)
