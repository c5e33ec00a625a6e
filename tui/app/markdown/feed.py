"""Lays out long text in slices, so that keys are answered in between.

What comes while a model writes is little. A whole answer that comes at once, or an
old one that is opened again, may be megabytes, which take seconds: then a part is laid
out at each `update`, and the rest waits. What has more lines than anybody scrolls
through is left out, as lines are what takes memory.
"""

from time import monotonic
from typing import Protocol

from tui.app.markdown.inline import effort
from tui.app.markdown.lines import Line

AT_ONCE = 32_000
"""Effort of a whole text that is laid out at once, in less than 0.1 s."""

MOST_LINES = 50_000
"""Lines of one text. The longest answer of any model has less than half of that."""

_PIECE = 2048  # characters
_NEW = 2 * _PIECE  # characters of what was added to one that still grows
_SECONDS = 0.01  # of one update that leaves a rest


class _Stream(Protocol):
    lines: list[Line]

    def append(self, text: str) -> None: ...
    def update(self) -> int: ...
    def finish(self) -> int: ...


class Feed:
    """Hands a growing text to a stream of lines."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self.left_out = 0
        """Characters that are not shown, as there are too many lines before them."""

    @property
    def lines(self) -> list[Line]:
        """What to draw."""
        return self._stream.lines

    @property
    def behind(self) -> bool:
        """Whether there is a rest, which the next `update` goes on with."""
        return bool(self._waiting)

    def append(self, text: str) -> None:
        """Add text; nothing is laid out before `update`."""
        if text:
            self._waiting.append(text)

    def update(self, *, done: bool) -> int:
        """Lay out what was added, or a part of it; return the first changed line.

        `done`: no more will be added.
        """
        stream, text = self._stream, "".join(self._waiting)
        self._waiting.clear()
        first = len(self.lines)
        if len(self.lines) >= MOST_LINES:
            self.left_out += len(text)
        elif len(text) <= _NEW or (done and effort(text) <= AT_ONCE):
            stream.append(text)
            if not done:
                return stream.update()
        else:
            at, until = 0, monotonic() + _SECONDS
            while at < len(text) and monotonic() < until:
                stream.append(text[at : at + _PIECE])
                first = min(first, stream.update())
                at += _PIECE
                if len(self.lines) >= MOST_LINES:
                    self.left_out += len(text[at:])
                    at = len(text)
            self.append(text[at:])
        if done and not self._waiting:
            first = min(first, stream.finish())
        return first
