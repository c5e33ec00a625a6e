"""Turns bytes from the terminal into keys, pastes and mouse events.

`paste` and `burst` extract pastes from the stream; Textual's parser gets the rest. Runs
in the input thread.
"""

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.app.terminal.burst import Bursts
from tui.app.terminal.paste import AnswersDue, Pasted, Pastes


class Reader:
    """Converts bytes to Textual's messages.

    For `answers_due` and `escape_delay` (seconds) see `Pastes`.
    """

    def __init__(
        self, answers_due: AnswersDue, escape_delay: float, debug: bool = False
    ) -> None:
        self._pastes = Pastes(answers_due, escape_delay)
        self._bursts = Bursts()
        self._parser = XTermParser(debug)
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """Yield the messages of `data`, read at `now` (seconds, monotonic clock)."""
        yield from self._take(self._pastes.feed(data, now), now)

    def tick(self, now: float) -> Iterator[Message]:
        """Yield messages that are certain by `now`, because no more input came."""
        yield from self._parse(self._bursts.tick(now))
        for part in self._pastes.tick(now):
            if part == b"\x1b":  # Textual's parser would wait for the same time again
                yield from self._parse(self._bursts.end())
                yield events.Key("escape", "\x1b")
            else:
                yield from self._take([part], now)
        yield from self._parser.tick()

    def end(self) -> Iterator[Message]:
        """Yield the received part of a paste, because the terminal is gone."""
        yield from self._take(self._pastes.end(), 0.0)

    def wait(self, now: float) -> float:
        """Return the seconds until `tick` should be called; may be inf."""
        return max(0.0, min(self._pastes.due, self._bursts.due) - now)

    def _take(self, parts: Iterable[bytes | Pasted], now: float) -> Iterator[Message]:
        for part in parts:
            if isinstance(part, Pasted):
                yield from self._parse(self._bursts.end())
                yield events.Paste(part.text)
            elif text := self._decode(part):
                yield from self._parse(self._bursts.feed(text, now))

    def _parse(self, parts: Iterable[str | Pasted]) -> Iterator[Message]:
        for part in parts:
            if isinstance(part, Pasted):
                yield events.Paste(part.text)
            elif part:  # "" would signal the end of input to the parser
                yield from self._parser.feed(part)
