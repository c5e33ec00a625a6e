"""Parses server-sent events.

As the HTML standard has it (lines end with LF, CR or CRLF; comments; several data
lines make one; the last event needs its empty line), with two things more: older
llama.cpp servers write an error as a line `error: {...}`, which counts as data, and so
does a line that is not a field, such as the page of a gateway or JSON over many lines.
Only lines are cut here, never characters, so UTF-8 that is split over two reads
needs no care.
"""

import re
from collections.abc import Iterator

from tui.errors import TooMuch
from tui.i18n import _
from tui.models.openai.limits import EVENT_BYTES

_OBJECT = 64
"""Bytes that a line takes beside its own: an event may have very many short ones."""

_NOTHING = frozenset(
    {
        b"", b"ping", b"pong", b"keep-alive", b"keepalive", b"keep_alive", b"heartbeat",
        b"null", b"ok", b"{}", b"true", b"alive", b"noop", b"connected",
    }
)  # fmt: skip


ENDS = frozenset(
    {"done", "end", "complete", "completed", "finish", "finished", "close", "eof"}
)
"""Names of the event after the last one of an answer, or of that one itself."""
FAILURES = frozenset({"error", "exception", "failure", "failed", "fail", "fatal"})
"""Names of an event that is an error, whatever its data looks like."""
_FIELD = re.compile(rb"[\w.-]+")
"""The name of a field that is not known, which the standard skips."""


def once(item: bytes) -> bytes:
    """Return an event without the name of its field, which some relays write twice."""
    while item.startswith(b"data:"):
        item = item[5:].lstrip()
    return item


def is_done(item: bytes) -> bool:
    """Whether an event is the last one of an answer."""
    if item[:1] == b"{":
        return False  # as most are
    word = once(item).strip(b" \r\"'<>|").lower()
    return word[:6] == b"[done]" or is_end(word.strip(b"[]"))


def is_end(word: bytes) -> bool:
    """Whether a word says that the answer has ended."""
    return len(word) < 16 and word.decode(errors="replace").lower() in ENDS


def is_nothing(item: bytes) -> bool:
    """Whether an event only keeps the line open."""
    return item.strip(b" \"'[]").lower() in _NOTHING


class SSEDecoder:
    """An incremental decoder; one for each response.

    Raises `TooMuch` when an event, or any line, has more than `limit` bytes.
    """

    def __init__(self, limit: int = EVENT_BYTES) -> None:
        self.event = ""
        """The name of the event that was yielded last, in lower case."""
        self._name = ""
        self._limit = limit
        self._size = 0
        """Bytes that the event and the line take which have begun."""
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take what was read; yield the data of each event that is now whole."""
        if not chunk:
            return
        if not self._begun:
            self._begun = True
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if self._after_cr:
            # The CR has ended its line already; this LF is the rest of it.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if not chunk:
            return
        lines = chunk.splitlines()
        # bytes.splitlines cuts at LF, CR and CRLF only, unlike str.splitlines.
        rest = b"" if chunk[-1] in b"\r\n" else lines.pop()
        self._after_cr = chunk[-1] == 13
        for line in lines:
            if self._line:
                self._line.append(line)
                line = b"".join(self._line)
                self._line.clear()
                self._size = sum(map(len, self._data)) + len(self._data) * _OBJECT
            if line:
                self._take(line)
            elif self._data or self._name in ENDS or self._name in FAILURES:
                yield self._whole()
            else:
                self._name = ""
        if rest:
            self._grow(len(rest))
            self._line.append(rest)

    def finish(self) -> Iterator[bytes]:
        """Take the end of the stream; yield an event that lacks its empty line.

        The standard drops such an event. But some servers end without it, and half an
        event is noticed later, as it is not JSON.
        """
        if self._line:
            self._take(b"".join(self._line))
            self._line.clear()
        if self._data or self._name in ENDS or self._name in FAILURES:
            yield self._whole()

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field not in (b"data", b"error"):
            field = field.strip().lower()
            if field == b"event":
                self._name = value[:64].strip().lower().decode(errors="replace")
            if field not in (b"data", b"error"):
                known = not field or _FIELD.fullmatch(field)
                if known and not is_end(line):
                    return
                value = line
        self._grow(len(line) + _OBJECT)
        self._data.append(value[1:] if value[:1] == b" " else value)

    def _whole(self) -> bytes:
        self.event, self._name = self._name, ""
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        return data

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            what = _("an event") if self._data else _("a line")
            raise TooMuch(
                _("{what} of more than {limit} MB").format(
                    what=what, limit=self._limit >> 20
                )
            )
