"""The words in which the table of formats is written.

A dialect is a list of rules. A rule says what opens something (`marker`, which is
taken out of the text, and `look`, which must follow it), where that may stand, and
what begins there: a payload to read, another channel, or nothing (a dropped token).
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
    """A region of a payload in which closers do not close."""

    open: str
    close: str
    escapes: bool = False
    """A backslash takes the next character with it."""


class Reading(NamedTuple):
    """What a payload turned out to be."""

    calls: Sequence[Call] = ()
    """The good ones, in order."""
    whole: bool = True
    """False: something in it is not to be understood, or is missing."""
    channel: Channel | None = None
    """Where the text after it goes, if that changes."""
    then: "Payload | None" = None
    """What follows it at once."""


Reader = Callable[[str, Tools, bool], Reading]
"""Takes the body, the offered tools, and whether the body was closed."""


class Payload(NamedTuple):
    """What follows a marker: how to find its end and how to read it."""

    read: Reader
    quotes: Sequence[Quote] = ()
    closers: Sequence[str] = ()
    """Each ends it, outside a quote."""
    balanced: bool = False
    """It also ends where its first bracket is closed."""
    header: Atoms = ()
    """Must come first; brackets count only after it."""
    look: Atoms = ()
    """Must follow the header."""
    resume: str = ""
    """What ends a payload whose header is wrong; "" means the end of the stream."""
    before: Sequence[str] = ()
    """Each ends it as a closer does, but belongs to what comes next."""
    call: bool = True
    """False: a frame's header, which becomes a call only if it says so."""


class Switch(NamedTuple):
    """From here on text goes to another channel."""

    channel: Channel
    for_ever: bool = False


class Drop(NamedTuple):
    """The marker is taken out, and that is all."""


Action = Payload | Switch | Drop


@dataclass(frozen=True, eq=False)
class Rule:
    """One thing that may interrupt the text."""

    marker: Atoms
    look: Atoms
    action: Action
    anchor: Anchor = "any"
    """Where: anywhere, at a line's start, before any text, after the first call."""
    quotable: bool = True
    """Markdown quoting makes it text."""
    after: Sequence["Rule"] = ()
    """Looked for only directly behind the payload."""
    unless: str = ""
    """An expression (a look-behind) under which it is text."""

    sign: str | None = None
    """What makes the end of a stream a cut-off call rather than text: "" for nothing
    but the whole opener, None for the first literal of the marker."""

    def cut_off(self, text: str, at: int) -> bool:
        """Say whether a text that ends while this could begin has shown its sign."""
        head = self.marker[0] if self.marker else None
        first = head.text if isinstance(head, Lit) else ""
        sign = first if self.sign is None else self.sign
        return bool(sign) and text.startswith(sign, at)


class Thinking(NamedTuple):
    """How a dialect marks reasoning."""

    open: str
    close: str
    anywhere: bool = False
    """Not only at the start of the message."""


@dataclass(frozen=True, eq=False)
class Dialect:
    """One way of writing calls, reasoning and ends of turns."""

    id: str
    rules: Sequence[Rule]
    thinking: Sequence[Thinking] = ()
    dropped: Sequence[str] = ()
    endings: Sequence[str] = ()
    """Dropped with all that follows: what comes then is a made-up result."""
    special: bool = False
    """Its markers are special tokens, which Markdown quoting does not protect."""
    structural: bool = False
    """Its rules are the message's frame: they hold without tools, in any channel."""

    names: str = ""
    """An expression searched for in a model's name, lower-case, _ and blanks as -."""
    signs: Sequence[str] = ()
    """Words of a chat template and its special tokens; all of one entry must occur."""
    priority: int = 0
    """Of several dialects that fit, the highest wins, then the one with most signs."""
    in_auto: bool = True
    """`auto` looks for it; no for what another row covers, and for most frames."""
    opener: str = ""
    """What opens reasoning where `thinking` does not say."""
