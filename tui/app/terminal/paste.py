"""Separates pasted from typed input before Textual parses the bytes.

A terminal puts a paste between two markers (bracketed paste: CSI 200 ~ and 201 ~).
Textual looks for keys between the markers too. So an ESC in a paste, an end marker that
a bad link splits, or a lost one turns text into keys or keys into text. Here a paste
consists of all bytes up to the end marker, whatever they are and however they arrive.

Times are seconds of a monotonic clock. Callers pass them in, so this module reads no
clock.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from math import inf
from typing import NamedTuple

LIMIT = 1.0
"""Seconds without a byte after which a paste ends, with or without its end marker.

On a link of 300 ms a lost packet arrives again after 0.5 to 0.9 s (RFC 6298). Even
later bytes are recognised as text by their own end marker, or by their lines.
"""

_LATE = 10.0
"""Seconds within which more of a paste without end marker, or the rest of a sequence
after an early ESC, may still come. Lines that arrive at once are text in that time;
keys come one by one."""

_KEY_PAUSE = 0.1
"""Seconds between reads of single bytes from which on the bytes may be keys."""
_TYPED = 3.0
"""Seconds of only such bytes after which a paste has lost its end marker."""

_REST = 0.3
"""Seconds within which the rest of a sequence is expected after an early ESC."""

_LONE = (b"\x1b", b"\x1b]", b"\x1bP", b"\x1b_")
_WAYS_OUT = (b"\x03", b"\x11")
"""Ctrl+C and Ctrl+Q. Alone in a read they are keys, even within a paste."""

_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"
_PIECE = 1 << 20  # bytes; a larger paste is passed on in pieces
# A cursor position report. `CSI 1 ; 2 R` is a key, so in the first row `Stage` sends
# its query from another row.
_REPORT = re.compile(rb"\x1b\[(?!1;(?:[2-9]|1[0-6])R)(\d{1,5});(\d{1,5})R")
# Strings that terminals answer to queries, such as those of the program before us:
# colours, clipboards and titles (OSC), versions and settings (DCS), graphics (APC).
_ANSWER_BEGUN = rb"(?:\]\d{1,4};|P(?:[01]?[$+]r|[>!]\|)|_G)[^\x07\x1b]"
_STRING = re.compile(
    rb"\x1b(?:%b*(?:\x07|\x1b\\|(?=\x1b[^\\]))|\][lL][^\x07\x1b]*(?:\x07|\x1b\\))"
    % _ANSWER_BEGUN
)
# A sequence without its ESC. Nobody types this directly after Esc.
_SEQUENCE_REST = re.compile(
    rb"\[(?:[<?]?\d[\d;]*[A-Za-z~]|[A-DFH])|%b*(?:\x07|\x1b\\)" % _ANSWER_BEGUN
)
_REST_BEGUN = re.compile(rb"\[[<?]?[\d;]*\Z")
# The beginning of a marker or a report at the end of data within a paste.
_CUT_IN_PASTE = re.compile(rb"\x1b(?:\[[\d;]{0,11})?\Z")
# A character or line end that may continue in the next piece.
_UNFINISHED = re.compile(rb"(?:\r|[\xc0-\xff][\x80-\xbf]{0,2})?\Z")
# The beginning of any control sequence at the end of data outside a paste.
_CUT = re.compile(
    rb"\x1b(?:\[[0-?]{0,99}[ -/]{0,4}|[]P_]|\]\d{1,4}|P[01>!]?[$+]?"
    rb"|%b{0,4096}\x1b?)?\Z" % _ANSWER_BEGUN
)
_CUT_STRING = re.compile(rb"\x1b(?:\]\d|P[01>!$+]|_G)")


AnswersDue = Callable[[], Sequence[tuple[int, int]]]


class Pasted(NamedTuple):
    """Pasted text as it arrived, including control characters, but without NUL."""

    text: str


class Pastes:
    """Splits the input of a terminal into pastes and all other bytes.

    `answers_due` returns the expected cursor position reports as column and row, from
    1. A report within a paste is one of these, or else text. A lone ESC waits
    `escape_delay` seconds for the rest of a sequence.
    """

    def __init__(self, answers_due: AnswersDue, escape_delay: float) -> None:
        self._answers_due = answers_due
        self._escape_delay = escape_delay
        self._pasting = False
        self._pieces: list[bytes] = []
        self._size = 0
        self._cut = b""
        """The beginning of a sequence that may be incomplete."""
        self._owed = b""
        """The missing rest of the end marker of a paste that timed out."""
        self._late = -inf
        """The time until which more of a timed-out paste may come."""
        self._read = -inf
        """When the last bytes were read."""
        self._whole = -inf
        """When bytes that cannot be a single key were last read within a paste."""
        self._escaped = -inf
        """When a lone ESC last became the Esc key, if nothing has arrived since."""
        self._acted = False
        """Whether the ESC of `_cut` has already become the Esc key."""
        self.due = inf
        """When to call `tick`."""

    def feed(self, data: bytes, now: float) -> Iterator[bytes | Pasted]:
        """Split `data`, read at `now`; hold back a possibly incomplete sequence."""
        early = now - self._escaped < _LATE
        if self._pasting or self._cut or self._owed or early:
            # Pass reports on first: they must not count as a sign of life of the paste.
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
            # ESC, or Alt with a character that may also begin a string.
            lone = self._cut in _LONE
            wait = _REST if self._acted else LIMIT
            self.due = now + (self._escape_delay if lone else wait)

    def tick(self, now: float) -> Iterator[bytes | Pasted]:
        """Stop waiting for bytes that have not come by `now`.

        A lone ESC becomes the Esc key, and a paste ends with the bytes received so far.
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
            if not _CUT_STRING.match(cut):
                yield cut[1:] if self._acted else cut
            self._acted = False

    def end(self) -> Iterator[Pasted]:
        """End a paste, because no more bytes will come, and yield its text."""
        if self._pasting:
            self._pieces.append(self._cut)
            self._pasting = False
            self._cut = b""
            self.due = inf
            yield from self._gathered()

    def _with_cut(self, data: bytes, now: float) -> bytes:
        """Return the held-back bytes joined with `data`.

        An ESC that waited too long for the rest of its sequence has become the Esc key.
        Then the key is not repeated, and the rest is not treated as typed text.
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
        """Return whether lines that arrived at once belong to a timed-out paste.

        A key arrives in a read of its own; a single Enter ends the waiting.
        """
        if self._pasting or now >= self._late or b"\x1b" in data:
            return False
        if data == b"\r":
            self._late = -inf
        more = len(data) > 1 and b"\r" in data
        self._late = now + _LATE if more else self._late
        return more

    def _is_answer(self, report: re.Match[bytes]) -> bool:
        """Return whether a report is an expected answer.

        Within a paste it must also have the expected position.
        """
        due = self._answers_due()
        place = int(report[2]), int(report[1])
        return place in due if self._pasting else bool(due)

    def _rest(self, data: bytes) -> Generator[bytes | Pasted, None, bytes]:
        """Yield input outside a paste; return the data after the next marker."""
        begin, end = data.find(_BEGIN), data.find(_END)
        if end >= 0 and (begin < 0 or end < begin):
            # The paste timed out before this, or contained an end marker itself.
            self._late = -inf
            yield from self._gather(data[:end])
            yield from self._gathered()
            return data[end + len(_END) :]
        if begin >= 0:
            if begin:
                yield _STRING.sub(b"", data[:begin])
            self._pasting = True
            return data[begin + len(_BEGIN) :]
        data = _STRING.sub(b"", data)
        if cut := _CUT.search(data):
            data, self._cut = data[: cut.start()], cut[0]
        if data:
            yield data
        return b""

    def _paste(self, data: bytes) -> Generator[bytes | Pasted, None, bytes]:
        """Collect pasted bytes; return the data after the end marker."""
        end = data.find(_END)
        rest = b""
        if end >= 0:
            data, rest = data[:end], data[end + len(_END) :]
            again, begin = rest.find(_END), rest.find(_BEGIN)
            if again >= 0 and (begin < 0 or again < begin):
                # The pasted text contains an end marker; the last one is the real end.
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
        """Collect pasted bytes, and yield expected answers that came in between."""
        at = 0
        # Yield each answer before checking the next one, because the caller removes it
        # from the expected ones.
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
            # Do not cut within a character, or between CR and LF.
            found = _UNFINISHED.search(data)
            whole = found.start() if found else len(data)
            data, rest = data[:whole], data[whole:]
            self._pieces.append(rest)
        self._size = 0
        if text := data.decode("utf-8", "replace").replace("\x00", ""):
            yield Pasted(text)
