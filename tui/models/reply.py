"""Builds a model's reply from its stream, whatever the backend.

The one place where the gate stands between a stream and the events: a model hands
over text as it comes and yields what comes back.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from tui import bounds
from tui.errors import TooMuch
from tui.events import (
    Event,
    ReasoningDelta,
    Relabelled,
    TextDelta,
    ToolCallOpened,
)
from tui.i18n import _
from tui.messages import Message, Reply, ToolCall
from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text
from tui.models.gate.later_thoughts import LaterThoughts, Told
from tui.models.gate.orphan import FIRST, OPENERS, Marks, OrphanClose, Split
from tui.models.gate.patterns import BLANKS
from tui.turn import Turn

CHARACTERS = 2 << 20
"""Of the text and the reasoning of one message. The longest that any model gives are
128,000 tokens, which is 0.6 million; what has no end is stopped here."""

CALL_CHARACTERS = 1 << 20
"""Of the arguments of all calls of one message."""

MOST_CALLS = 128
"""In one message."""

_PIECE = 16 << 10
"""Characters of one event. Some servers send all of a long answer at once, and whoever
takes an event (the gate, the store, the screen) does nothing else meanwhile."""


class ReplyBuilder:
    """Turns the pieces of one answer into events and, at the end, a `Reply`.

    Raises `TooMuch` when the message exceeds a limit; what was taken before is kept.
    """

    def __init__(self, turn: Turn, gate: Gate, otherwise: Gate | None = None) -> None:
        """Begin a message.

        With `otherwise`, `gate` only guesses that reasoning is open; `otherwise` is the
        gate for a server that separates reasoning itself.
        """
        self._id = turn.message_id
        self._gate = gate
        self._otherwise = otherwise
        self._begin = "" if otherwise else None
        """The beginning of a guessed reasoning, which may still have its mark."""
        self._orphan = OrphanClose()
        self._marks = Marks()
        self._later = LaterThoughts()
        self._later.watches = otherwise is not None
        self._trims = otherwise is not None
        """Whether the blanks between reasoning and answer are still to come."""
        self._calm = False
        """Whether text without a mark of reasoning goes on as it is."""
        self._noted = 0
        """Pieces of `_text` that `_orphan` and `_later` know."""
        self.starts_open: bool | None = None
        """Whether the model's text turned out to begin within its reasoning; None when
        nothing has told."""
        self._told_apart = False
        """Whether the server has told reasoning apart."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._written: list[int] = []
        """Places of the calls that the model has written into its text."""
        self._room = CHARACTERS

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return bool(self._text or self._reasoning or self._calls)

    @property
    def answers(self) -> bool:
        """Whether there is anything for the user, or a call."""
        return bool(self._calls) or any(map(str.strip, self._text))

    def text(self, text: str) -> Iterator[Event]:
        """Take text as the model wrote it, function calls and all."""
        if self._marks.held and (rest := self._marks.finish()):
            return chain(self._thought(rest), self.text(text))
        if self._begin is not None:
            text = self._without_opener(text)
        self._room -= len(text)
        if self._room < 0 or len(text) > _PIECE:
            return self._in_pieces(text, self._gate.feed)
        pieces = self._gate.feed(text)
        # Nearly all of a stream is a piece of text that stays one.
        if self._calm and len(pieces) == 1 and isinstance(piece := pieces[0], Text):
            text = piece.text
            if FIRST.isdisjoint(text):
                self._text.append(text)
                return iter((TextDelta(self._id, text),))
        return self._events(pieces)

    def reasoning(self, text: str) -> Iterator[Event]:
        """Take reasoning that the server has already separated."""
        if text and self._begin is not None and self._otherwise:
            self._gate, self._begin = self._otherwise, None
            self.starts_open = self._trims = False
        self._told_apart = self._told_apart or bool(text)
        text = self._marks.feed(text)
        self._room -= len(text)
        if self._room < 0 or len(text) > _PIECE:
            return self._in_pieces(text, lambda piece: [Reasoning(piece)])
        return self._thought(text)

    def opened(self) -> Event:
        """Say that a structured call has begun."""
        return ToolCallOpened(self._id)

    def call(self, call: ToolCall) -> None:
        """Take a structured call; one without an id, or with a used one, gets one.

        Some servers find a call in the text, and leave the text as it was: then it is
        the one that was found there. What some leave around its name is removed.
        """
        if (name := self._gate.tool(call.name)) != call.name:
            call = msgspec.structs.replace(call, name=name)
        for place in self._written:
            known = self._calls[place]
            if (known.name, known.arguments) == (call.name, call.arguments):
                self._written.remove(place)
                self._calls[place] = msgspec.structs.replace(known, opaque=call.opaque)
                return
        self._add(call)

    def _add(self, call: ToolCall) -> None:
        if len(self._calls) >= MOST_CALLS:
            raise TooMuch(
                _("more than {most_calls} tool calls at once").format(
                    most_calls=MOST_CALLS
                )
            )
        used = {c.id for c in self._calls}
        id = call.id
        if not id or id in used:
            id = f"call_{uuid.uuid4().hex[:12]}"
        arguments = _bounded(call.arguments)
        self._calls.append(msgspec.structs.replace(call, id=id, arguments=arguments))

    def end_text(self, whole: bool = True, calls: bool = False) -> Iterator[Event]:
        """Take the end of the text: what the gate still held comes out.

        `whole`: the model has ended it, and nothing has interrupted it. `calls`: there
        are structured calls, so that text which is all thoughts is not an answer.
        """
        self._note()
        yield from self._thought(self._marks.finish())
        if self._begin:
            begin, self._begin = self._begin, None
            yield from self._events(self._gate.feed(begin))
        yield from self._events(self._gate.finish())
        yield from self._told(self._orphan.stop(end=not (calls or self._calls)))
        yield from self._said(self._later.finish())
        silent = not (calls or self._calls or any(map(str.strip, self._text)))
        if whole and silent and self._told_apart:
            yield from self._calls_in_thoughts()
        guessed = self._otherwise is not None and self._gate.in_reasoning
        if guessed and whole and self._reasoning and not (self._text or self._calls):
            # It has not thought this time.
            self.starts_open = False
            self._text, self._reasoning = self._reasoning, []
            yield Relabelled(self._id, as_text=True)

    def reply(self, finish_reason: str = "stop") -> Reply:
        """Return the whole message; `end_text` comes before."""
        if self._calls and finish_reason == "stop":
            finish_reason = "tool_calls"
        return Reply(
            Message(
                "assistant",
                "".join(self._text),
                "".join(self._reasoning),
                tuple(self._calls),
            ),
            finish_reason,
        )

    def _calls_in_thoughts(self) -> Iterator[Event]:
        """Take calls with which the reasoning ends, where nothing else is said.

        A server's parser for reasoning takes them for a part of it if the model has
        not closed it before.
        """
        before, found = self._gate.calls_in("".join(self._reasoning))
        if not found:
            return
        self._reasoning = [before]
        yield ToolCallOpened(self._id)
        for call in found:
            self._add(ToolCall(call.id, call.name, call.arguments))

    def _in_pieces(
        self, text: str, take: Callable[[str], Iterable[Piece]]
    ) -> Iterator[Event]:
        """Take a text that is long, or of which only the beginning has room."""
        end = len(text) + min(self._room, 0)
        for start in range(0, end, _PIECE):
            yield from self._events(take(text[start : min(start + _PIECE, end)]))
        if self._room < 0:
            self._room = 0
            raise TooMuch(
                _("an answer of more than {characters:,} characters").format(
                    characters=CHARACTERS
                )
            )

    def _note(self) -> None:
        """Tell those who watch for marks of the text that has passed them."""
        if passed := "".join(self._text[self._noted :]):
            self._orphan.note(passed)
            self._later.note(passed)
        self._noted = len(self._text)

    def _events(self, pieces: Iterable[Piece]) -> Iterator[Event]:
        self._note()
        self._calm = False
        yield from self._events_of(pieces)
        self._noted = len(self._text)
        self._calm = not (self._trims or self._orphan.holds or self._later.holds)

    def _events_of(self, pieces: Iterable[Piece]) -> Iterator[Event]:
        for piece in pieces:
            match piece:
                case Text(text):
                    yield from self._told(self._orphan.feed(text))
                case Reasoning(text):
                    yield from self._interrupted()
                    yield from self._thought(text)
                    # The mark behind it may come twice.
                    self._orphan = OrphanClose()
                case CallOpened():
                    yield from self._interrupted()
                    yield ToolCallOpened(self._id)
                case Call(name, arguments, id):
                    self._written.append(len(self._calls))
                    self._add(ToolCall(id, name, arguments))
                case Broken(kind, text):
                    # A nameless call is refused by the tool box, so that the model
                    # hears of it once and the debug panel shows it.
                    self._add(ToolCall("", "", f"{kind}: {text}"))

    def _interrupted(self) -> Iterator[Event]:
        """Take the end of a part of the text."""
        yield from self._told(self._orphan.stop())
        yield from self._said(self._later.finish())

    def _told(self, split: Split) -> Iterator[Event]:
        before = split.before
        if self._trims and (before := before.lstrip()):
            self._trims = False
        if before:
            yield from self._said(self._later.feed(before))
        if split.closed:
            yield from self._said(self._later.finish())
            yield from self._relabel()
            yield from self._told(self._orphan.feed(split.after))

    def _said(self, told: Iterable[Told]) -> Iterator[Event]:
        for thinks, text in told:
            if thinks:
                apart = self._reasoning and not self._reasoning[-1].endswith("\n")
                yield from self._thought("\n\n" * bool(apart) + text.lstrip())
            else:
                self._text.append(text)
                yield TextDelta(self._id, text)

    def _thought(self, text: str) -> Iterator[Event]:
        if text:
            self._later.watches = True
            self._reasoning.append(text)
            yield ReasoningDelta(self._id, text)

    def _relabel(self) -> Iterator[Event]:
        """Take it that all text so far was reasoning."""
        self.starts_open = self._trims = True
        if self._text:
            self._later = LaterThoughts()
            self._later.watches = True
            self._reasoning += self._text
            self._text = []
            yield Relabelled(self._id)

    def _without_opener(self, text: str) -> str:
        """Return what to read of a text that begins a guessed reasoning."""
        begin = (self._begin or "") + text
        start = begin.lstrip(BLANKS)
        self._begin = begin
        for opener in OPENERS:
            if start.startswith(opener):
                self._otherwise = self._begin = None  # it is not a guess any more
                return start[len(opener) :]
            if opener.startswith(start):
                return ""
        self._begin = None
        return begin


def _bounded(arguments: dict[str, Any] | str) -> dict[str, Any] | str:
    """Return arguments that are too deep as text, which is told and never run."""
    if isinstance(arguments, str) or not bounds.is_deep(arguments):
        return arguments
    import json  # seldom needed

    # One level more than is allowed: so it can be told what is wrong with them.
    return json.dumps(bounds.shallow(arguments, bounds.DEEPEST + 1), ensure_ascii=False)
