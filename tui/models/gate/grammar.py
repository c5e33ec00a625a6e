"""The types from which the table of dialects is built.

A dialect is a list of rules. A rule says what opens something (`marker`, which is
removed from the text, and `look`, which must follow it), where it may occur, and what
it starts: a payload to parse, another channel, or nothing (a dropped token).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tui.models.gate.patterns import Atoms, Lit
from tui.models.gate.pieces import Call

Tools = Mapping[str, dict[str, Any]]
Anchor = Literal["any", "line", "start", "called"]
Channel = Literal["text", "reasoning", "nothing"]


class Quote(NamedTuple):
    """A region of a payload in which closers are ignored."""

    open: str
    close: str
    escapes: bool = False
    """A backslash escapes the next character."""


class Reading(NamedTuple):
    """The result of parsing a payload."""

    calls: Sequence[Call] = ()
    """The valid calls, in order."""
    whole: bool = True
    """False: part of the payload is malformed or missing."""
    channel: Channel | None = None
    """The channel of the text after it, if that changes."""
    then: "Payload | None" = None
    """The payload that follows immediately."""


Reader = Callable[[str, Tools, bool], Reading]
"""Parses (body, offered tools, whether the body was closed)."""


class Payload(NamedTuple):
    """What follows a marker: how to find its end and how to parse it."""

    read: Reader
    quotes: Sequence[Quote] = ()
    closers: Sequence[str] = ()
    """Any of these ends it, outside a quote."""
    balanced: bool = False
    """It also ends where its first bracket closes."""
    header: Atoms = ()
    """Must come first; brackets count only after it."""
    look: Atoms = ()
    """Must follow the header."""
    resume: str = ""
    """What ends a payload with a malformed header; "" means the end of the stream."""
    before: Sequence[str] = ()
    """Any of these ends it like a closer, but belongs to the text after it."""
    call: bool = True
    """False: a frame's header, which may turn out to hold no call."""


class Switch(NamedTuple):
    """Sends the text from here on to another channel."""

    channel: Channel
    permanent: bool = False


class Drop(NamedTuple):
    """Only removes the marker."""


Action = Payload | Switch | Drop


@dataclass(frozen=True, eq=False)
class Rule:
    """One construct that may interrupt the text."""

    marker: Atoms
    look: Atoms
    action: Action
    anchor: Anchor = "any"
    """Where it may occur: anywhere, at a line start, before any text, after a call."""
    quotable: bool = True
    """Inside Markdown quoting it is text."""
    after: Sequence["Rule"] = ()
    """Rules tried only directly after the payload."""
    unless: str = ""
    """A regular expression (look-behinds) that must hold; elsewhere it is text."""

    sign: str | None = None
    """The text that marks a call cut off by the end of the stream: None for the
    marker's first literal, "" for nothing short of the whole opener."""

    def cut_off(self, text: str, at: int) -> bool:
        """Return whether the text from `at`, an incomplete opener, shows the sign."""
        head = self.marker[0] if self.marker else None
        first = head.text if isinstance(head, Lit) else ""
        sign = first if self.sign is None else self.sign
        return bool(sign) and text.startswith(sign, at)


class Thinking(NamedTuple):
    """How a dialect marks reasoning."""

    open: str
    close: str
    anywhere: bool = False
    """Also after the start of the message."""


@dataclass(frozen=True, eq=False)
class Dialect:
    """One way of writing calls, reasoning and ends of turns."""

    id: str
    rules: Sequence[Rule]
    thinking: Sequence[Thinking] = ()
    dropped: Sequence[str] = ()
    endings: Sequence[str] = ()
    """Dropped with everything after them: models go on with invented results."""
    special: bool = False
    """Its markers are special tokens, which count even inside Markdown quoting."""
    structural: bool = False
    """Its rules frame the message: they apply without tools and in every channel."""

    names: str = ""
    """An expression searched for in a model's name, lower-case, _ and blanks as -."""
    signs: Sequence[str] = ()
    """Words of a chat template and its special tokens; all of one entry must occur."""
    priority: int = 0
    """Of several dialects that fit, the highest wins, then the one with most signs.

    Rows whose templates also show another row's signs are above 0; rows whose signs
    or names other families share are below 0.
    """
    in_auto: bool = True
    """`auto` looks for it; no for what another row covers, and for most frames."""
    opener: str = ""
    """What opens reasoning where `thinking` does not say."""
