"""Hears what a model says in the form of ReAct: thoughts, a call, or the answer.

The dialect `react` of the gate finds the parts. Each part passes the gate's `auto` as
well, because a model may have been trained to write calls in another way, and does so
when it is asked for this one.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tui.agents.arguments import read_arguments
from tui.events import Event, ReasoningDelta, Relabelled, TextDelta, ToolCallOpened
from tui.messages import Message, ToolCall, ToolSchema
from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text

_MARK = r"^[ \t>*#]*{}[ \t*]*:[ \t*]*"
_ACTION = re.compile(
    _MARK.format("Action")
    + r"(?P<name>[^\n\[(]{0,100}?)[ \t*]*"
    + r"(?:[\[(](?P<inline>[^\n]*)[\])][ \t.*]*)?"
    + r"(?:\n+[ \t>*#]*Action Input[ \t*]*:[ \t*]*(?P<input>.*?))?"
    + r"(?=\n[ \t>*#]*(?:Observation|Thought|Action)[ \t*]*:|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ANSWER = re.compile(_MARK.format("Final Answer") + "(.*)", re.MULTILINE | re.DOTALL)
_THOUGHT = re.compile(_MARK.format("(?:Thought|Action)"), re.MULTILINE)
_OBSERVATION = re.compile(_MARK.format("Observation"), re.MULTILINE)
_READ = 64 << 10
"""Characters in which an action is looked for that is not quite in the form."""
_LINE = 80
"""Characters within which a mark lies."""
_FINISH = ("final answer", "finish", "answer")
"""What models write for the name of a tool when they mean the answer."""
_NOTHING = ("", "none", "n/a", "null", "no action", "no tool")


class Listener:
    """Takes the events of one message, which may be told in two parts.

    What may be a thought is shown as such at once, and becomes the answer at the end if
    nothing says what it is. From a model with a channel for its reasoning, and in the
    second part, it is held back until that is clear. With `thinks_first` false, text is
    the answer unless it is in the form.
    """

    def __init__(
        self, message_id: str, tools: Sequence[ToolSchema], thinks_first: bool = True
    ) -> None:
        self._id = message_id
        self._thinks_first = thinks_first
        self._tools = {tool.name: tool for tool in tools}
        self._schemas = {tool.name: tool.parameters for tool in tools} or None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._own: list[str] = []
        """The part of the reasoning that came in a channel of its own."""
        self.calls: list[ToolCall] = []
        self.called = False
        """Whether the model need not go on: what follows is no part of its message."""
        self._opened = False
        self._holds = False
        self._begin()

    def _begin(self) -> None:
        self._written: list[str] = []
        self._end = "\n"
        self._frames = Gate("react", self._schemas, reasoning_open=self._thinks_first)
        self._before = Gate("auto", self._schemas)
        self._after: Gate | None = None
        self._held: list[str] = []
        self._broken = False

    @property
    def written(self) -> str:
        """What was written since the last beginning, as far as it is read again."""
        return "".join(self._written)[:_READ].strip()

    @property
    def only_thinks(self) -> bool:
        """Whether the model has thought, in the form, and nothing else."""
        return not self._has_ended and bool(_THOUGHT.search(self.written))

    @property
    def _has_ended(self) -> bool:
        return bool(self.calls) or any(map(str.strip, self._text))

    def message(self) -> Message:
        """Return the message."""
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        return Message("assistant", text, reasoning, tuple(self.calls))

    # -- what the model says

    def text(self, text: str) -> Iterator[Event]:
        """Take text, in pieces of any size."""
        self._written.append(text)
        self._end += text
        yield from self._sort(self._frames.feed(text))
        self.called = self.called or bool(_OBSERVATION.search(self._end))
        self._end = self._end[-_LINE:]

    def reasoning(self, text: str) -> Iterator[Event]:
        """Take what a model has thought in a channel of its own."""
        self._holds = True
        self._own.append(text)
        yield from self._show(text)

    def opened(self) -> Iterator[Event]:
        """Take the beginning of a call."""
        if not self._opened:
            self._opened = True
            yield ToolCallOpened(self._id)

    def relabel(self, as_text: bool) -> Iterator[Event]:
        """Take it that text was reasoning, or the other way round."""
        if as_text:
            # It has been shown as reasoning, and what is a thought of it stays that.
            said, self._own = "".join(self._own), []
            self._written.append(said)
            pieces = self._frames.feed(said)
            yield from self._sort(p for p in pieces if not isinstance(p, Reasoning))
        else:
            self._reasoning += self._text
            self._text.clear()
            self._begin()
            self._holds = True
            yield Relabelled(self._id)

    def end(self, calls: Iterable[ToolCall]) -> Iterator[Event]:
        """Take the end of the message or of its part; `calls` are structured ones."""
        yield from self._sort(self._frames.finish())
        yield from self._flush()
        self.calls += calls
        if not self._has_ended:
            yield from self._read_again()
        if self._has_ended:
            yield from self._let_out()

    def again(self) -> Iterator[Event]:
        """Begin the second part."""
        yield from self._let_out()
        self._begin()
        self._holds = True

    def answer(self) -> Iterator[Event]:
        """Take as the answer what is said, if nothing told that it is one."""
        if self._has_ended:
            return
        if held := "".join(self._held).strip():
            yield from self._say(held)
        elif self._reasoning and not self._own:
            self._text, self._reasoning = self._reasoning, []
            yield Relabelled(self._id, as_text=True)

    # -- parts

    def _sort(self, pieces: Iterable[Piece]) -> Iterator[Event]:
        for piece in pieces:
            if self.called or self._broken:
                return
            match piece:
                case Reasoning(text):
                    yield from self._take(self._before.feed(text), answers=False)
                case Text(text):
                    if self._after is None:
                        yield from self._end_thought()
                        yield from self._let_out()
                        self._after = Gate("auto", self._schemas)
                    yield from self._take(self._after.feed(text), answers=True)
                case CallOpened():
                    yield from self._flush()
                    yield from self.opened()
                case Call(name, arguments):
                    self._call(name, arguments)
                case Broken():
                    self._broken = True  # `_read_again` may understand it

    def _take(self, pieces: Iterable[Piece], answers: bool) -> Iterator[Event]:
        for piece in pieces:
            if self.called:
                return
            match piece:
                case Text(text) if answers:
                    yield from self._say(text)
                case Text(text) | Reasoning(text):
                    if self._holds:
                        self._held.append(text)
                    else:
                        yield from self._show(text)
                case CallOpened():
                    yield from self.opened()
                case Call(name, arguments):
                    self._call(name, arguments)
                case Broken(kind, text):
                    self._call("", f"{kind}: {text}")

    def _end_thought(self) -> Iterator[Event]:
        yield from self._take(self._before.finish(), answers=False)
        self._before = Gate("auto", self._schemas)

    def _flush(self) -> Iterator[Event]:
        yield from self._end_thought()
        if self._after:
            yield from self._take(self._after.finish(), answers=True)
            self._after = None

    def _say(self, text: str) -> Iterator[Event]:
        if not self._text:
            text = text.lstrip()
        if text:
            self._text.append(text)
            yield TextDelta(self._id, text)

    def _show(self, text: str) -> Iterator[Event]:
        if not self._reasoning:
            text = text.lstrip()
        if text:
            self._reasoning.append(text)
            yield ReasoningDelta(self._id, text)

    def _let_out(self) -> Iterator[Event]:
        """Show what was held back as the thought that it is."""
        held = "".join(self._held)
        self._held.clear()
        if held.strip():
            between = "\n\n" if self._reasoning else ""
            yield from self._show(f"{between}{held.lstrip()}")

    def _call(self, name: str, arguments: dict[str, Any] | str) -> None:
        id = f"call_{uuid.uuid4().hex[:12]}"
        self.calls.append(ToolCall(id, name, arguments))
        self.called = True

    def _read_again(self) -> Iterator[Event]:
        """Look for an answer or an action that is not quite in the form."""
        written = self.written
        if found := _ANSWER.search(written):
            yield from self._let_out()
            yield from self._say(found[1])
            return
        if not (found := _ACTION.search(written)):
            return
        name = found["name"].strip(" \t`'\"*")
        given = (found["input"] or found["inline"] or "").strip()
        if name not in self._tools and name.lower() in _NOTHING:
            return
        if name not in self._tools and name.lower() in _FINISH:
            yield from self._let_out()
            yield from self._say(given)
            return
        yield from self.opened()
        self._call(name, read_arguments(given, self._tools.get(name)))
