"""The types from which the table of dialects is built.

A dialect is a list of rules. A rule says what opens something (`marker`, which is
removed from the text, and `look`, which must follow it), where it may occur, and what
it starts: a payload to parse, another channel, or nothing (a dropped token).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from tui.models.gate.patterns import (
    BLANK,
    SPACE,
    SUFFIX,
    Alt,
    Atom,
    Atoms,
    Lit,
    Run,
    spellings,
)
from tui.models.gate.pieces import Call

Tools = Mapping[str, dict[str, Any]]
Anchor = Literal[
    "any", "line", "word", "start", "called", "framed", "thought", "answered"
]
Channel = Literal["text", "reasoning", "nothing"]


class Quote(NamedTuple):
    """A region of a payload in which closers are ignored."""

    open: str
    close: str
    escapes: bool = False
    """A backslash escapes the next character."""


class Element(NamedTuple):
    """A region like a `Quote` whose opening varies: the start tag of an element."""

    open: Atoms
    """Begins and ends with a literal."""
    close: str
    """`*` stands for what the opening has between its first and its last literal."""

    def quote(self, token: str) -> Quote:
        """Return the region that the opening `token` begins."""
        first, last = self.open[0], self.open[-1]
        assert isinstance(first, Lit)
        assert isinstance(last, Lit)
        name = token[len(first.text) : len(token) - len(last.text)]
        return Quote(token, self.close.replace("*", name))


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
    """A call in it is complete where the outermost bracket closes."""
    ends: Sequence[str] = ()
    """A call in it is complete after any of these, outside a quote."""
    again: Sequence[Atoms] = ()
    """What begins another call in it. Where a call is complete and neither this nor a
    closer follows, the payload has ended: the model left the closer out."""
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
    elements: Sequence[Element] = ()
    """More regions in which closers are ignored; the first that fits counts."""
    odd: bool = False
    """Its tags are no family's own, so their content is text unless it is a call."""


class Switch(NamedTuple):
    """Sends the text from here on to another channel."""

    channel: Channel
    permanent: bool = False
    trims: bool = False
    """White space directly after the marker belongs to it."""


class Drop(NamedTuple):
    """Only removes the marker."""


class Mention(NamedTuple):
    """Leaves the marker in the text, which is about such markers from here on."""


Action = Payload | Switch | Drop | Mention
DROP = Drop()


@dataclass(frozen=True, eq=False)
class Rule:
    """One construct that may interrupt the text."""

    marker: Atoms
    look: Atoms
    action: Action
    anchor: Anchor = "any"
    """Where it may occur: anywhere, at a line start, where no word goes on, before any
    text, in a message that has a call or a frame's header already, between reasoning
    and answer, or in an answer that begins with such a rule."""
    quotable: bool = True
    """Inside Markdown quoting it is text."""
    bare: bool = False
    """Nothing marks it, so what follows decides whether it is a call; see `Trial`."""
    strict: bool = False
    """It is a call only if no text follows; for `bare` rules of unknown models."""
    structural: bool = False
    """Part of a frame: it applies without tools, and in reasoning at once."""
    after: Sequence["Rule"] = ()
    """Rules tried only directly after the payload."""
    once: bool = False
    """As one of `after`: what comes after it is text, even if it is the same again."""
    unless: str = ""
    """A regular expression (look-behinds) that must hold; elsewhere it is text."""
    own: bool = False
    """It begins with a word, so that only the family's own row looks for it."""

    sign: str | None = None
    """The text that marks a call cut off by the end of the stream: None for the
    marker's first literal, "" for nothing short of the whole opener."""

    def cut_off(self, text: str, at: int) -> int:
        """Return the length of the sign if `text` has it at `at`, else 0."""
        head = self.marker[0] if self.marker else None
        first = head.text if isinstance(head, Lit) else ""
        sign = first if self.sign is None else self.sign
        return len(sign) if sign and text.startswith(sign, at) else 0


def is_call(rule: Rule) -> bool:
    """Whether the rule opens a call, and no frame and nothing that is left out."""
    return isinstance(rule.action, Payload) and rule.action.call


_LINE_END: Atoms = (Alt(((BLANK, Run(r"[\r\n]", 1, 1)), (Lit("<"),))),)
_MORE_TOKENS: Atoms = (Run(r"[ \t]", 1), Lit("<"))
_GLUED: Atoms = (Run(r"[\w*#]", 1, 1),)
_BEGINS: Atoms = (Run(r"[^\"'`”’»)\]|,\\]", 1, 1),)
_BEGINS_APART: Atoms = (Run(r"[^ \t\r\"'`”’»)\]|,.;:!?}\\]", 1, 1),)
NOT_APART = r"(?<![ \t(\[{\"'`“‘«|])"


def _rules(
    marker: Atoms, *looks: tuple[Atoms, str], action: Action
) -> tuple[Rule, ...]:
    return tuple(Rule(marker, look, action, unless=unless) for look, unless in looks)


@lru_cache(maxsize=512)
def token_rules(token: str, action: Action = DROP) -> tuple[Rule, ...]:
    """Return the rules for a token that ends something; by default it is removed.

    Nothing but other markers comes after it on its line. A token that stands apart
    in a sentence, or between quotation marks, is spoken of.
    """
    looks = ((_LINE_END, ""), (_GLUED, NOT_APART), (_MORE_TOKENS, NOT_APART))
    return _rules((Lit(token),), *looks, action=action)


END_TOKENS = (
    *("<|endoftext|>", "<|im_end|>", "<|end_of_turn|>", "<|eot_id|>", "<|EOT|>"),
    *("<|eos|>", "<|end_of_text|>", "<|return|>", "<|hy_eos|>", "<|end_of_sentence|>"),
    *("<｜end▁of▁sentence｜>", "<|end▁of▁sentence|>"),
)
"""What ends an answer in families of models. Some servers leave it in the text, and a
copy of a model may have another family's name or template."""


@lru_cache(maxsize=512)
def end_rules(token: str) -> tuple[Rule, ...]:
    """Return the rules that remove a token of any family after the end of an answer.

    It is glued to the last word or on a line of its own; elsewhere it is spoken of.
    """
    looks = ((_LINE_END, NOT_APART), (_MORE_TOKENS, NOT_APART))
    return _rules((Lit(token),), *looks, action=DROP)


_MUTE = Switch("nothing", permanent=True)
_OTHERS = ("user", "system", "tool", "observation", "function", "ipython")
_TURNS: Sequence[tuple[str, tuple[str, ...], str, str]] = (
    ("<|im_start|>", ("<|im_end|>",), "assistant", ""),
    (
        "<|start_header_id|>",
        ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
        "assistant",
        "<|end_header_id|>",
    ),
    ("<start_of_turn>", ("<end_of_turn>",), "model", ""),
    ("<｜User｜>", ("<｜end▁of▁sentence｜>",), "", ""),
)
"""What opens a turn, behind what ends one; the model's own role, and what ends it."""


@lru_cache(maxsize=64)
def with_turns(token: str, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return `rules`, which remove a token that ends a turn, and others beside them.

    After it, models continue with turns that they make up. Their own are text; those of
    others, and everything after them, are left out. A text that has named what opens a
    turn before it explains such tokens, and is left alone.
    """
    line_end = (BLANK, Run(r"[\r\n]", 1, 1))
    for begin, ends, own, closer in _TURNS:
        if token not in ends:
            continue
        look: Atoms = ()
        after: list[Rule] = []
        beside: list[Rule] = []
        if own:
            header: Atoms = (Lit(begin), BLANK, Lit(own), BLANK)
            header = (*header, Lit(closer)) if closer else header
            after.append(Rule((SPACE, *header), line_end, DROP))
            after.append(Rule((SPACE, Lit(begin)), line_end, DROP))
            beside.append(Rule(header, line_end, DROP, "start"))
            look = (BLANK, Alt(tuple((Lit(role),) for role in _OTHERS)))
        after.append(Rule((SPACE, Lit(begin)), look, _MUTE))
        beside.append(Rule((Lit(begin),), look, Mention()))
        rules = (*(replace(rule, after=tuple(after)) for rule in rules), *beside)
    return rules


ANSWER_RULES = (
    Rule(
        (Lit("<answer>"),),
        (BLANK, Run(r"[\r\n]", 1, 1)),
        DROP,
        "thought",
        structural=True,
    ),
    Rule((Lit("</answer>"),), (BLANK, Run(r"[\r\n]", 1, 1)), DROP, "answered"),
)
"""What Hunyuan writes around the answer after its reasoning, under any name."""


def opening_rules(token: str, action: Action) -> tuple[Rule, ...]:
    """Return the rules for a token that opens something, unless it is spoken of."""
    return opening_marker((Lit(token),), action)


@lru_cache(maxsize=512)
def opening_marker(marker: tuple[Atom, ...], action: Action) -> tuple[Rule, ...]:
    """Return the rules for a marker that opens something, unless it is spoken of."""
    looks = ((_BEGINS, NOT_APART), (_BEGINS_APART, ""))
    return _rules(marker, *looks, action=action)


class Thinking(NamedTuple):
    """How a dialect marks reasoning.

    A `*` in both markers stands for a suffix that differs by model: what closes
    reasoning has the suffix of what opened it.
    """

    open: str
    close: str
    anywhere: bool = False
    """Also after the start of the message."""
    prose: bool = False
    """Plain words open it, which an unknown model may begin an answer with."""
    look: Atoms = ()
    """Must follow what opens it, at the start of the message."""
    within: tuple[Rule, ...] = ()
    """Rules in force while it is open."""

    def closed_by(self, opening: str) -> str | None:
        """Return what closes the reasoning that `opening` opened; None if not this."""
        start, star, end = self.open.partition("*")
        if not star:
            same = opening.rstrip("\n") in spellings(self.open.rstrip("\n"))
            return self.close if same else None
        if not (opening.startswith(start) and opening.endswith(end)):
            return None
        return self.close.replace("*", opening[len(start) : len(opening) - len(end)])


def marker_atoms(marker: str) -> Atoms:
    """Return the atoms of a marker of `Thinking`."""
    start, star, end = marker.partition("*")
    return (Lit(start), SUFFIX, Lit(end)) if star else (Lit(marker),)


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
    """Its markers are special tokens, which no sentence holds by chance."""
    structural: bool = False
    """Its rules frame the message: they apply without tools and in every channel."""

    names: str = ""
    """An expression searched for in a model's name, lower-case, _ and blanks as -."""
    signs: Sequence[str | tuple[str, ...]] = ()
    """Words of a chat template and its special tokens; all of one entry must occur.

    An entry is its words with blanks between, or a tuple if a word has a blank.
    """
    priority: int = 0
    """Of several dialects that fit, the highest wins, then the one with most signs.

    Rows whose templates also show another row's signs are above 0; rows whose signs
    or names other families share are below 0.
    """
    in_auto: bool = True
    """`auto` looks for it; no for what another row covers, and for most frames."""
    opener: str = ""
    """What opens reasoning where `thinking` does not say."""
