"""Turns bytes from the terminal into keys, pastes and mouse events.

`paste` and `burst` extract pastes from the stream; Textual's parser gets the rest. Runs
in the input thread.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.app.terminal.burst import Bursts
from tui.app.terminal.key_sequences import rewritten
from tui.app.terminal.paste import AnswersDue, Pasted, Pastes

# A character that begins no sequence behind ESC.
_TYPED = re.compile(r"[!-NQ-WYZ`-~]")
# Esc twice and then text, or Alt with a character.
_ESCAPED = re.compile(rf"\x1b\x1b(?={_TYPED.pattern})|\x1b{_TYPED.pattern}")
# What no terminal sends for Alt with a key, so that it was Esc and then a key: a space,
# Ctrl with a letter, a character that is not ASCII.
_NOT_ALT = re.compile(r"(\x1b+)(?=[ \x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f]|[^\x00-\x7f])")
_SIGNS = "!\"#$%&'()*+,-./0123456789:;<=>?@`{|}~"  # with Alt, they name no key
_PRINTED = re.compile(r"[^\x00-\x1f\x7f]")
# A control sequence, or what comes up to the next one.
_PIECES = re.compile(r"\x1b\[[<-?]?[\d;:]*[ -/]*[@-~]|.[^\x1b]*", re.DOTALL)
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
        self._debug = debug
        self._parser = self._new_parser()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._twice = False
        """Whether the last text ended with Esc twice."""

    def _new_parser(self) -> XTermParser:
        return XTermParser(self._debug)

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
            # `_pastes` holds the last ESC back: one that ends a part was another key.
            keys = len(part)
            part = part.rstrip(b"\x1b")
            keys -= len(part)
            within = self._decoder.getstate()[0] and _BETWEEN.match(part)
            if within:
                yield from self._parse([rewritten(within[0].decode("ascii"))])
            if text := self._decoder.decode(part[within.end() if within else 0 :]):
                yield from self._parse(self._bursts.feed(rewritten(text), now))
            if keys:
                yield from self._parse(self._bursts.end())
                yield from (events.Key("escape", "\x1b") for _ in range(keys))

    def _parse(self, parts: Iterable[str | Pasted]) -> Iterator[Message]:
        known = list(parts)
        for part, after in zip(known, [*known[1:], self._bursts.held], strict=False):
            if isinstance(part, Pasted):
                yield events.Paste(part.text)
            else:
                goes_on = isinstance(after, str) and bool(_PRINTED.match(after))
                for number, piece in enumerate(_NOT_ALT.split(part)):
                    if number % 2:
                        yield from (events.Key("escape", "\x1b") for _ in piece)
                    elif piece:
                        yield from self._parse_text(piece, goes_on)

    def _parse_text(self, text: str, goes_on: bool) -> Iterator[Message]:
        """Parse text without a paste; `goes_on` if a character follows in this read.

        Then Alt with a letter may also be Esc and the beginning of a word: the letter's
        key has both as its character, and `KeyOrder` decides.

        Textual's parser waits after Alt with a character whether it is the beginning of
        a longer sequence. When another ESC comes first, such as that of a report, it
        types a "^" and the character.
        """
        if self._twice and _TYPED.match(text):
            yield from self._settle()
        self._twice = text.endswith("\x1b\x1b")
        at = 0
        for found in _ESCAPED.finditer(text):
            start, end = found.span()
            word = bool(_PRINTED.match(text, end)) if end < len(text) else goes_on
            if at < start:
                yield from self._keys(text[at:start])
            at = end
            if word and found[0][1] in _SIGNS:
                yield events.Key("escape", "\x1b")
                at = end - 1
                continue
            yield from self._keys(found[0])
            for message in self._settle():
                if word and isinstance(message, events.Key) and "alt+" in message.key:
                    message.character = found[0]
                yield message
        if rest := text[at:]:  # "" would signal the end of input to the parser
            yield from self._keys(rest)

    def _keys(self, text: str) -> Iterator[Message]:
        """Have Textual parse text; a sequence that it fails at costs only itself."""
        for piece in _PIECES.findall(text):
            try:
                yield from list(self._parser.feed(piece))
            except Exception:  # whatever it is, the app shall not end by it
                self._parser = self._new_parser()

    def _settle(self) -> Iterator[Message]:
        """Have Textual's parser wait no longer for the rest of a sequence."""
        parser: Any = self._parser  # it has no public way
        if parser._timeout_time is not None:
            parser._timeout_time = 0.0
            yield from parser.tick()
