"""Turns bytes from the terminal into keys, pastes and mouse events.

`paste` and `burst` extract pastes from the stream; Textual's parser gets the rest. Runs
in the input thread.
"""

import re
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.app.terminal.burst import Bursts
from tui.app.terminal.paste import AnswersDue, Pasted, Pastes

_SEQUENCE = re.compile(r"\x1b\[([<-?]?)([\d;:]*)[ -/]*([@-~])")
_LONGEST = 32  # characters; Textual's parser takes a longer sequence for typed text
_LARGEST = 99999  # no terminal has more columns, rows or pixels
_CHARACTERS = "u~"  # their numbers may be characters: any Unicode has
# Sequences that a terminal sends by itself, which may come within a character.
_BETWEEN = re.compile(rb"(?:\x1b\[[0-?]+[ -/]*[@-~]|\x1b\[[IO])+")


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
        self._decoder = getincrementaldecoder("utf-8")("replace")

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
                continue
            within = self._decoder.getstate()[0] and _BETWEEN.match(part)
            if within:
                yield from self._parse([within[0].decode("ascii")])
            if text := self._decoder.decode(part[within.end() if within else 0 :]):
                yield from self._parse(self._bursts.feed(text, now))

    def _parse(self, parts: Iterable[str | Pasted]) -> Iterator[Message]:
        for part in parts:
            if isinstance(part, Pasted):
                yield events.Paste(part.text)
            elif text := _SEQUENCE.sub(_possible, part):
                # "" would signal the end of input to the parser
                yield from self._parser.feed(text)


def _possible(sequence: re.Match[str]) -> str:
    """Return a control sequence, or "" if its numbers are none that a terminal sends.

    Textual's parser fails at a number that is no character, and divides by the size of
    a window.
    """
    private, parameters, end = sequence.groups()
    if len(sequence[0]) > _LONGEST:
        return ""
    numbers = [int(number) for number in re.findall(r"\d+", parameters)]
    if end in _CHARACTERS and not private:
        possible = all(number <= sys.maxunicode for number in numbers)
    else:
        possible = all(number <= _LARGEST for number in numbers)
    return sequence[0] if possible and not (end == "t" and 0 in numbers) else ""
