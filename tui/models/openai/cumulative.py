"""Detects that each piece of a stream repeats all that came before it.

Some services and relays send the whole text so far with every event, instead of only
the new part. A text may repeat itself too: so all pieces from the first one on must
be longer than the one before them and begin with it, and the text must have some
length. Until then, only pieces that fit are held back. Where that begins in the middle
of a text, nothing tells whether the model has said it twice: it is text.
"""

_LEAST = 16
"""Characters that a longer piece has to repeat before that is no coincidence."""
_LEAST_PIECES = 3
_SHORT = 8
"""Characters of a whole text of `_LEAST_PIECES` and one more."""


class Cumulative:
    """Follows one text of a message; returns what each piece adds to it."""

    __slots__ = ("_first", "_held", "_repeats", "_said", "settled")

    def __init__(self) -> None:
        self.settled = False
        """Whether every piece is new text; then there is no need to ask."""
        self._repeats = False
        self._said = ""
        """The last piece, which is all of the text if pieces repeat it."""
        self._first = 0
        """Characters of the first piece, which is passed on at once."""
        self._held: list[str] = []
        """Pieces after the first, none of which has been passed on yet."""

    def add(self, piece: str) -> str:
        """Return what to show of a piece."""
        if self.settled or not piece:
            return piece
        before, self._said = self._said, piece
        if not before:
            self._first = len(piece)
            return piece
        again = piece.startswith(before)
        if again and self._repeats:
            return piece[len(before) :]
        if not again or len(piece) == len(before):
            self.settled = True
            return "".join(self._held) + piece
        self._held.append(piece)
        if len(before) < _LEAST or len(self._held) + 1 < _LEAST_PIECES:
            return ""
        self._repeats = True
        self._held.clear()
        return piece[self._first :]

    def finish(self) -> str:
        """Return what was held back, at the end of the text."""
        held = [] if self.settled else self._held
        self.settled = True
        if len(held) >= _LEAST_PIECES and len(held[-1]) >= _SHORT:
            return held[-1][self._first :]
        return "".join(held)
