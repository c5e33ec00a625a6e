"""Decodes the bytes of tokens to text."""

import codecs
from collections.abc import Callable


class TextDecoder:
    """Decodes UTF-8 pieces, and holds back the bytes of an incomplete character.

    There is no flush: incomplete bytes at the end of an answer are dropped.
    """

    def __init__(self) -> None:
        # Invalid bytes become U+FFFD.
        self._decode: Callable[[bytes], str] = codecs.getincrementaldecoder("utf-8")(
            "replace"
        ).decode

    def feed(self, piece: bytes) -> str:
        """Return the characters that `piece` completes."""
        return self._decode(piece)


class StopText:
    """Ends a text before the first of some stop strings.

    Use it for models that have no token for the end of a turn.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held: str = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Return the text so far that cannot be part of a stop string."""
        if self.stopped or not self._stops:
            return "" if self.stopped else text
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max(
            n
            for stop in self._stops
            for n in range(len(stop))
            if text.endswith(stop[:n])
        )
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return the held-back text, at the end of the answer."""
        held, self._held = self._held, ""
        return held
