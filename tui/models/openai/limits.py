"""Limits how much of a server's response is held in memory.

Answers are read as they come, so only their parts have to be small: see
`EVENT_BYTES`, and `tui.models.reply` for the text. All other bodies are read whole,
by the library for errors and lists of models: `bound` sees to it that they end. What is
packed is counted unpacked.
"""

import importlib
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from tui.errors import TooMuch
from tui.i18n import _

EVENT_BYTES = 4 << 20
"""Of one event of a stream, or of an answer that is one document. Some gateways send
a whole answer in one event, and the longest that any model gives is a tenth of this.
As Python's values JSON can take 30 times its size, which is the reason."""

ERROR_BYTES = 64 << 10
"""Of the body of an error, of which a line is quoted; the rest is not read."""

LOOK_UP_BYTES = 4 << 20
"""Of any other body. A list of 400 models with all their prices is 1 MB."""


QUIET = 10
"""How many times the timeout a server may keep the line open without a word of the
answer: twenty minutes if nothing else is set. OpenRouter and xAI send comments while a
model is queued or thinks, OpenAI an event each 30 s, and their slowest models think for
more than ten minutes; DeepSeek ends a request itself that has waited for ten."""

_ASKED = ("gzip", "deflate")
"""Content encodings that requests allow: others could unpack to any size."""
ACCEPTED = ", ".join(_ASKED)


class _Body(Protocol):
    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


REDIRECT = "lazychat-redirect"
"""The header in which `keep_address` keeps the address of a redirect."""


def keep_address(response: Any) -> None:
    """Move the address of a redirect to another header, where no library reads it.

    Nothing is sent there, but httpx 0.28, which openai 2.0 brings, parses the address
    all the same, and fails with "invalid literal for int()" if it is malformed.
    """
    if (address := response.headers.get("location")) is not None:
        del response.headers["location"]
        response.headers[REDIRECT] = address


def bound(response: Any) -> None:
    """Limit the size of an HTTP response's body, before it is read.

    Answers to requests with a good status are not limited here: they are streamed.
    """
    bad = response.status_code >= 300
    if not bad and response.request.method == "POST":
        return
    packed = str(response.headers.get("content-encoding", "")).strip().lower()
    if packed:
        # It is unpacked here, as the HTTP library would do without a limit.
        del response.headers["content-encoding"]
    # Which library it is depends on the version of the client, and it looks at the
    # class of what it reads.
    library = importlib.import_module(type(response).__module__.partition(".")[0])
    stream = type("BoundedStream", (_Bounded, library.SyncByteStream), {})
    response.stream = stream(
        response.stream, packed, ERROR_BYTES if bad else LOOK_UP_BYTES, bad
    )


def unread_encoding(response: Any) -> str:
    """Return an answer's content encoding if it was not requested, else "".

    The HTTP library passes unknown encodings on as plain text.
    """
    packed = str(response.headers.get("content-encoding", "")).strip()
    ways = {way.strip().lower() for way in packed.split(",")}
    return "" if ways <= {"", "identity", *_ASKED} else packed


class _Bounded:
    """The bytes of a body up to a limit; there it ends, or `TooMuch` is raised."""

    def __init__(self, body: _Body, packed: str, limit: int, ends: bool) -> None:
        self._body = body
        self._packed = packed
        self._left = limit
        self._ends = ends

    def __iter__(self) -> Iterator[bytes]:
        for data in _unpacked(self._body, self._packed):
            if len(data) >= self._left:
                if not self._ends:
                    raise TooMuch(_("an endless list of models"))
                yield data[: self._left]
                return
            self._left -= len(data)
            yield data

    def close(self) -> None:
        self._body.close()


def _unpacked(body: _Body, packed: str) -> Iterator[bytes]:
    """Yield what a body holds, in pieces that are not large either.

    Nothing of what is packed in another way than the request allows.
    """
    if packed in ("", "identity"):
        yield from body
    elif packed in ("gzip", "x-gzip", "deflate"):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            for data in body:
                while data:
                    yield unpacker.decompress(data, ERROR_BYTES)
                    data = unpacker.unconsumed_tail
        except zlib.error:
            return  # what has arrived of an error can still be quoted
