"""Decodes the bytes of tokens to text that can be shown."""

import codecs
from collections.abc import Callable


class TextDecoder:
    """Whole characters only: bytes of a character wait until it is complete.

    There is no flush: what an answer leaves unfinished at its end is no character.
    """

    def __init__(self) -> None:
        # A byte that can belong to no character becomes U+FFFD.
        self._decode: Callable[[bytes], str] = codecs.getincrementaldecoder("utf-8")(
            "replace"
        ).decode

    def feed(self, piece: bytes) -> str:
        """Return the text that is complete with `piece`."""
        return self._decode(piece)


class StopText:
    """Ends a text where one of some strings begins.

    For models whose end of turn is no token of its own.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held: str = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Return what surely comes before a stop string."""
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
        """Return what was held back, since no stop string came of it."""
        held, self._held = self._held, ""
        return held
