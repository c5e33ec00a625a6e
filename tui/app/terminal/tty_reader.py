"""Turns bytes from the terminal into keys, pastes and mouse events.

`paste` and `burst` take pastes out of the stream; Textual's parser gets the rest. Runs
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
    """Makes Textual's messages of bytes.

    `answers_due` is as for `Pastes`; `escape_delay` is in seconds.
    """

    def __init__(
        self, answers_due: AnswersDue, escape_delay: float, debug: bool = False
    ) -> None:
        self._pastes = Pastes(answers_due, escape_delay)
        self._bursts = Bursts()
        self._parser = XTermParser(debug)
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """Read what has come at `now`, seconds of a monotonic clock."""
        yield from self._take(self._pastes.feed(data, now), now)

    def tick(self, now: float) -> Iterator[Message]:
        """Read what is known by `now`, because nothing has followed."""
        yield from self._parse(self._bursts.tick(now))
        for part in self._pastes.tick(now):
            if part == b"\x1b":  # the parser would wait as long again
                yield from self._parse(self._bursts.end())
                yield events.Key("escape", "\x1b")
            else:
                yield from self._take([part], now)
        yield from self._parser.tick()

    def end(self) -> Iterator[Message]:
        """Read what has come of a paste: the terminal has gone."""
        yield from self._take(self._pastes.end(), 0.0)

    def wait(self, now: float) -> float:
        """Return in how many seconds there may be something for `tick`; may be inf."""
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
            elif part:  # "" would end the parser
                yield from self._parser.feed(part)
