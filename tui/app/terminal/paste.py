"""Separates pasted from typed input before Textual parses the bytes.

A terminal puts a paste between two markers (bracketed paste: CSI 200 ~ and 201 ~).
Textual looks for keys between them as well, so an ESC in a paste, an end marker that
a bad link cuts in two, or one that is lost, turns text into keys or keys into text.
Here a paste is bytes up to the marker, whatever they are and however they come.

Times are seconds of a monotonic clock, and are given, so that this needs no clock.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from math import inf
from typing import NamedTuple

LIMIT = 1.0
"""Seconds without a byte after which a paste has ended, with a marker or without.

On a link of 300 ms what was lost once is there again after 0.5 to 0.9 s (RFC 6298).
What comes later still is taken for text by its own end marker, or by its lines."""

_LATE = 10.0
"""Seconds within which more of a paste may come that was ended without its end marker,
or the rest of a sequence whose ESC was too early. Lines that come at once are text
then; keys come one by one."""

_KEY_PAUSE = 0.1
"""Seconds between two reads of a single byte from which they may be keys."""
_TYPED = 3.0
"""Seconds after which a paste of which only such bytes come has lost its end marker."""

_REST = 0.3
"""Seconds within which the rest of a sequence is expected whose ESC was too early."""

_WAYS_OUT = (b"\x03", b"\x11")
"""Ctrl+C and Ctrl+Q: alone in a read they are keys, in a paste too."""

_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"
_PIECE = 1 << 20  # bytes; a larger paste is handed on in pieces
# The first row asks from elsewhere: `CSI 1 ; 2 R` is a key. See `Stage`.
_REPORT = re.compile(rb"\x1b\[(?!1;(?:[2-9]|1[0-6])R)(\d{1,5});(\d{1,5})R")
# A sequence without its ESC, such as no one types at once after Esc.
_SEQUENCE_REST = re.compile(rb"\[(?:[<?]?\d[\d;]*[A-Za-z~]|[A-DFH])")
_REST_BEGUN = re.compile(rb"\[[<?]?[\d;]*\Z")
# The beginning of a marker or a report, in a paste.
_CUT_IN_PASTE = re.compile(rb"\x1b(?:\[[\d;]{0,11})?\Z")
# What may go on in the next piece: a character, or a line end.
_UNFINISHED = re.compile(rb"(?:\r|[\xc0-\xff][\x80-\xbf]{0,2})?\Z")
# The beginning of any control sequence, elsewhere.
_CUT = re.compile(rb"\x1b(?:\[[0-?]{0,32}[ -/]{0,4})?\Z")


AnswersDue = Callable[[], Sequence[tuple[int, int]]]


class Pasted(NamedTuple):
    """What was pasted, as it came: with control characters, but without NUL."""

    text: str


class Pastes:
    """Divides what a terminal sends: pastes, and the bytes of all else.

    `answers_due` says which answers to questions for the cursor are to come: column
    and row, from 1. A report in a paste is one of these, or it is text. `escape_delay`
    is how long a lone ESC waits for what may follow it, in seconds.
    """

    def __init__(self, answers_due: AnswersDue, escape_delay: float) -> None:
        self._answers_due = answers_due
        self._escape_delay = escape_delay
        self._pasting = False
        self._pieces: list[bytes] = []
        self._size = 0
        self._cut = b""
        """The beginning of a sequence, of which more may come."""
        self._owed = b""
        """What is still to come of the end marker of a paste that was ended."""
        self._late = -inf
        """Until when more may come of a paste that was ended."""
        self._read = -inf
        """When something was read last."""
        self._whole = -inf
        """When something of a paste was read last that was no single key."""
        self._escaped = -inf
        """When a lone ESC was last taken for the key, if nothing has come since."""
        self._acted = False
        """Whether the ESC of `_cut` has been taken for the key already."""
        self.due = inf
        """When `tick` has something to do."""

    def feed(self, data: bytes, now: float) -> Iterator[bytes | Pasted]:
        """Divide what was read at `now`; what may be cut waits for more."""
        early = now - self._escaped < _LATE
        if self._pasting or self._cut or self._owed or early:
            # They tell nothing of how long the paste has been waiting.
            while (report := _REPORT.match(data)) and self._is_answer(report):
                yield report[0]
                data = data[report.end() :]
        if not data:
            return
        if self._owed:
            data = data.removeprefix(self._owed)
            self._owed = b""
        paced, self._read = now - self._read >= _KEY_PAUSE, now
        if self._pasting and paced and data in _WAYS_OUT:
            yield from self.end()
            self._late = now + _LATE
        if not (self._pasting and paced and len(data) == 1):
            self._whole = now
        data = self._with_cut(data, now)
        self.due = inf
        if self._is_more(data, now):
            yield Pasted(data.decode("utf-8", "replace").replace("\x00", ""))
            return
        while data:
            data = yield from self._paste(data) if self._pasting else self._rest(data)
        if self._pasting:
            self._late = -inf
            self.due = min(now + LIMIT, max(self._whole + _TYPED, now))
        elif self._cut:
            lone = len(self._cut) == 1
            wait = _REST if self._acted else LIMIT
            self.due = now + (self._escape_delay if lone else wait)

    def tick(self, now: float) -> Iterator[bytes | Pasted]:
        """Give up waiting for what has not come by `now`.

        A lone ESC is the key; a paste is what has come of it.
        """
        if now < self.due:
            return
        cut = self._cut
        if self._pasting:
            if _END.startswith(cut):
                self._owed = _END[len(cut) :] if cut else b""
                self._cut = b""
            yield from self.end()
            self._late = now + _LATE
        elif cut:
            self._cut = b""
            self.due = inf
            if len(cut) == 1:
                self._escaped = now
            yield cut[1:] if self._acted else cut
            self._acted = False

    def end(self) -> Iterator[Pasted]:
        """Hand on what has come of a paste: no more will come."""
        if self._pasting:
            self._pieces.append(self._cut)
            self._pasting = False
            self._cut = b""
            self.due = inf
            yield from self._gathered()

    def _with_cut(self, data: bytes, now: float) -> bytes:
        """Return what was cut off and `data`, which goes on with it.

        An ESC that had to wait too long for the rest of its sequence has been taken
        for the key: it is not pressed again, but the rest is not typed either.
        """
        cut, self._cut = self._cut, b""
        early = now - self._escaped < _LATE
        acted, self._acted, self._escaped = self._acted, False, -inf
        if not (acted or early):
            return cut + data
        rest = cut[1:] + data
        self._acted = bool(_REST_BEGUN.match(rest))
        return _BEGIN[:1] + rest if self._acted or _SEQUENCE_REST.match(rest) else rest

    def _is_more(self, data: bytes, now: float) -> bool:
        """Whether lines that have come at once belong to a paste that was ended.

        A key is a read by itself, and Enter alone ends the waiting for more.
        """
        if self._pasting or now >= self._late or b"\x1b" in data:
            return False
        if data == b"\r":
            self._late = -inf
        more = len(data) > 1 and b"\r" in data
        self._late = now + _LATE if more else self._late
        return more

    def _is_answer(self, report: re.Match[bytes]) -> bool:
        """Whether a report is an answer that is due.

        In a paste it is one only from where the cursor was when it was asked for.
        """
        due = self._answers_due()
        place = int(report[2]), int(report[1])
        return place in due if self._pasting else bool(due)

    def _rest(self, data: bytes) -> Generator[bytes | Pasted, None, bytes]:
        """Hand on what is not pasted, and return what follows the next marker."""
        begin, end = data.find(_BEGIN), data.find(_END)
        if end >= 0 and (begin < 0 or end < begin):
            # Of a paste that came too late, or had an end marker in itself.
            self._late = -inf
            yield from self._gather(data[:end])
            yield from self._gathered()
            return data[end + len(_END) :]
        if begin >= 0:
            if begin:
                yield data[:begin]
            self._pasting = True
            return data[begin + len(_BEGIN) :]
        if cut := _CUT.search(data):
            data, self._cut = data[: cut.start()], cut[0]
        if data:
            yield data
        return b""

    def _paste(self, data: bytes) -> Generator[bytes | Pasted, None, bytes]:
        """Gather what is pasted, and return what follows its end marker."""
        end = data.find(_END)
        rest = b""
        if end >= 0:
            data, rest = data[:end], data[end + len(_END) :]
            again, begin = rest.find(_END), rest.find(_BEGIN)
            if again >= 0 and (begin < 0 or again < begin):
                # The text has an end marker in itself; that of the paste comes last.
                end = rest.rfind(_END, 0, begin if begin >= 0 else None)
                data, rest = data + _END + rest[:end], rest[end + len(_END) :]
        elif cut := _CUT_IN_PASTE.search(data):
            data, self._cut = data[: cut.start()], cut[0]
        yield from self._gather(data)
        if end >= 0:
            self._pasting = False
        if end >= 0 or self._size >= _PIECE:
            yield from self._gathered()
        return rest

    def _gather(self, data: bytes) -> Iterator[bytes]:
        """Keep what is pasted, and hand on the answers that came between."""
        at = 0
        # One by one: who is given an answer takes it from those that are due.
        for report in _REPORT.finditer(data) if b"R" in data else ():
            if self._is_answer(report):
                self._pieces.append(data[at : report.start()])
                at = report.end()
                yield report[0]
        data = data[at:]
        self._pieces.append(data)
        self._size += len(data)

    def _gathered(self) -> Iterator[Pasted]:
        data = b"".join(self._pieces)
        self._pieces.clear()
        if self._pasting:
            # Not through a character, nor between CR and LF.
            found = _UNFINISHED.search(data)
            whole = found.start() if found else len(data)
            data, rest = data[:whole], data[whole:]
            self._pieces.append(rest)
        self._size = 0
        if text := data.decode("utf-8", "replace").replace("\x00", ""):
            yield Pasted(text)
