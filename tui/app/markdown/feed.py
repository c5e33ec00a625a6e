"""Lays out long text in slices, so that the app handles keys in between.

A streaming model adds little at a time. A complete answer, or an old one that is opened
again, may have megabytes, which take seconds. Then each `update` lays out a part. The
number of lines is limited, because lines take most of the memory.
"""

from time import monotonic
from typing import Protocol

from tui.app.markdown.effort import effort
from tui.app.markdown.lines import Line

AT_ONCE = 32_000
"""Largest effort of a complete text that is laid out in one go, in less than 0.1 s."""

MOST_LINES = 50_000
"""Most lines of one text; longer than twice the longest answer of any model."""

_PIECE = 2048  # characters
_COSTLY = 32_000  # effort of a piece from which it is halved
_NEW = 2 * _PIECE  # most characters added at once to a text that still grows
_SECONDS = 0.01  # longest update that leaves a rest


class _Stream(Protocol):
    lines: list[Line]

    def append(self, text: str) -> None: ...
    def update(self) -> int: ...
    def finish(self) -> int: ...


class Feed:
    """Passes a growing text to a stream of lines."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self.left_out = 0
        """Characters that are not shown because the limit of lines is reached."""

    @property
    def lines(self) -> list[Line]:
        """The lines to draw."""
        return self._stream.lines

    @property
    def behind(self) -> bool:
        """Whether text is left for the next `update`."""
        return bool(self._waiting)

    def append(self, text: str) -> None:
        """Add text; `update` lays it out."""
        if text:
            self._waiting.append(text)

    def update(self, *, done: bool) -> int:
        """Lay out added text, or a part of it; return the first changed line.

        With `done`, no more text will be added.
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
                piece = text[at : at + _PIECE]
                if effort(piece) > _COSTLY:
                    piece = piece[: _PIECE // 2]
                stream.append(piece)
                first = min(first, stream.update())
                at += len(piece)
                if len(self.lines) >= MOST_LINES:
                    self.left_out += len(text[at:])
                    at = len(text)
            self.append(text[at:])
        if done and not self._waiting:
            first = min(first, stream.finish())
        return first
