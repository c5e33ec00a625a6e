"""Finds thoughts after the beginning of an answer, of models that are known to think.

Some models open their thoughts again between two parts of an answer. A mark at the
start of a line opens them if it is closed. An answer that only mentions the marks, or
shows them as code, stays an answer, and so does one in which nothing closes them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tui.models.gate.markdown import Markdown
from tui.models.gate.orphan import ENDED, GOES_ON, MARKS
from tui.models.gate.patterns import cut, spellings

_CLOSES = {
    each: re.compile("|".join(map(re.escape, spellings(close))))
    for opener, close in MARKS
    for each in spellings(opener)
}
"""What closes the thoughts that a mark opens."""
_OPEN = re.compile("|".join(map(re.escape, _CLOSES)))
_CUT = re.compile(cut(_CLOSES))
"""An opener that the end of the text cuts off."""
_FIRST = frozenset(opener[0] for opener in _CLOSES)
_LONGEST = max(len(close) for _, close in MARKS)
_MOST_BLANKS = 200
"""Behind what closes a thought, until that is sure."""


class Told(NamedTuple):
    """A piece of the answer."""

    thinks: bool
    text: str


class LaterThoughts:
    """Watches the text of one message. What may be a thought is held back."""

    def __init__(self) -> None:
        self.watches = False
        """Whether the model is known to think."""
        self._markdown = Markdown()
        self._held: list[str] = []
        """A text that may become an opener, or that begins with one."""
        self._close: re.Pattern[str] | None = None
        """What closes the thought that has been opened."""
        self._tail = ""
        """The end of what is held back, in which a mark may have begun."""
        self._trims = False
        """Whether the blanks after a thought are still to come."""

        self.note = self._markdown.feed
        """Take text that has none of `orphan.FIRST`, and goes on as it is."""

    @property
    def holds(self) -> bool:
        """Whether the next text may not go on as it is."""
        return bool(self._held) or self._trims

    def feed(self, text: str) -> Iterator[Told]:
        """Take a piece of text."""
        marked = self.watches and not _FIRST.isdisjoint(text)
        if self.holds or marked:
            yield from self._take(text, final=False)
        else:
            self._markdown.feed(text)
            yield Told(False, text)

    def finish(self) -> Iterator[Told]:
        """Take the end of the text, or of a part of it."""
        yield from self._take("", final=True)

    def _take(self, text: str, final: bool) -> Iterator[Told]:
        if self._close is not None and not final:
            seen = self._tail + text
            self._held.append(text)
            self._tail = seen[-_LONGEST:]
            if not self._close.search(seen):
                return
            text = ""
        text = "".join([*self._held, text])
        self._held.clear()
        self._close = None
        while text:
            found = _OPEN.search(text) or (None if final else _CUT.search(text))
            at = found.start() if found else len(text)
            yield from self._let_out(text[:at])
            text = text[at:]
            if not found:
                return
            if self._markdown.quotes() or self._markdown.line.strip(" \t"):
                yield from self._let_out(found[0])
                text = text[len(found[0]) :]
                continue
            if found.re is _CUT:
                self._hold(text, None)
                return
            end = _end_of_thought(text, found[0], final)
            if end is None:
                close = _CLOSES[found[0]]
                closed = close.search(text, len(found[0]))
                self._hold(text, None if closed else close)
                return
            if end.length:
                if end.thought.strip():
                    yield Told(True, end.thought)
                self._trims = True
                text = text[end.length :]
            else:
                yield from self._let_out(found[0])
                text = text[len(found[0]) :]

    def _hold(self, text: str, close: re.Pattern[str] | None) -> None:
        self._held.append(text)
        self._close = close
        self._tail = text[-_LONGEST:]

    def _let_out(self, text: str) -> Iterator[Told]:
        if self._trims:
            text = text.lstrip()
        if text:
            self._trims = False
            self._markdown.feed(text)
            yield Told(False, text)


class _End(NamedTuple):
    thought: str = ""
    length: int = 0
    """Of all, marks included; 0 if there is no thought."""


def _end_of_thought(text: str, opener: str, final: bool) -> _End | None:
    """Return the thought that a text begins with; None while more text decides."""
    closed = _CLOSES[opener].search(text, len(opener))
    if closed is None:
        return _End() if final else None
    thought = text[len(opener) : closed.start()]
    if "\n" not in thought and not ENDED.search(thought):
        return _End()
    after = text[closed.end() : closed.end() + _MOST_BLANKS]
    if not after.strip(" \t") and len(after) < _MOST_BLANKS and not final:
        return None
    return _End() if GOES_ON.match(after) else _End(thought, closed.end())
