"""Interprets a model's output in ReAct form: thoughts, a call, or the answer.

`Form` finds the parts. Each part also passes through the `auto` gate, because a model
that was trained on another format for calls may use that one even when it is asked for
this one.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tui.agents.react_action import Action, Actions, Head, read_head
from tui.agents.react_form import Form
from tui.events import Event, ReasoningDelta, Relabelled, TextDelta, ToolCallOpened
from tui.messages import Message, ToolCall, ToolSchema
from tui.models.gate import Broken, Call, CallOpened, Gate, Piece, Reasoning, Text

_READ = 64 << 10
"""Characters in which an action is looked for that is not quite in the form."""


class Listener:
    """Takes the events of one message, which may come in two parts.

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
        """Whether the model need not go on: what follows is not part of its message."""
        self._opened = False
        self._holds = False
        self._begin()

    def _begin(self) -> None:
        self._form = Form(self._tools, self._thinks_first)
        self._before = Gate("auto", self._schemas)
        self._after: Gate | None = None
        self._held: list[str] = []

    @property
    def written(self) -> str:
        """What was written since the last beginning, as far as it is read again."""
        return "".join(self._form.taken)[:_READ].strip()

    @property
    def only_thinks(self) -> bool:
        """Whether the model has thought, in the form, and nothing else."""
        return not self._has_ended and self._form.formal

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
        yield from self._sort(self._form.feed(text))
        self.called = self.called or self._form.ended

    def reasoning(self, text: str) -> Iterator[Event]:
        """Take what a model has thought in a channel of its own."""
        self._holds = True
        self._own.append(text)
        yield from self._show(text)

    def opened(self) -> Iterator[Event]:
        """Take the beginning of a call."""
        yield from self._sort(self._form.call_came())
        if not self._opened:
            self._opened = True
            yield ToolCallOpened(self._id)

    def relabel(self, as_text: bool) -> Iterator[Event]:
        """Treat text as reasoning, or the other way round."""
        if as_text:
            # It has been shown as reasoning, and what is a thought of it stays that.
            said, self._own = "".join(self._own), []
            pieces = self._form.feed(said)
            yield from self._sort(p for p in pieces if not isinstance(p, Reasoning))
        else:
            self._reasoning += self._text
            self._text.clear()
            self._begin()
            self._holds = True
            yield Relabelled(self._id)

    def end(self, calls: Iterable[ToolCall]) -> Iterator[Event]:
        """Take the end of the message or of its part; `calls` are structured ones."""
        calls = list(calls)
        if calls:
            yield from self._sort(self._form.call_came())
        yield from self._sort(self._form.finish())
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
        """Take the text as the answer, if nothing has marked one."""
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
            if self.called:
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
                    pass  # the form has none

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
        """Look for an action that names no tool there is, so that it can be told."""
        written = self.written
        actions = Actions(self._tools, lenient=True)
        at = 0
        while self._form.formal and at < len(written):
            head = read_head(written[at:], final=True)
            if isinstance(head, Head) and head.kind == "action":
                read = actions.read(written[at + head.end :], final=True)
                if isinstance(read, Action) and read.answer is None:
                    yield from self.opened()
                    self._call(read.name, read.arguments)
                    return
            at = written.find("\n", at) + 1 or len(written)
