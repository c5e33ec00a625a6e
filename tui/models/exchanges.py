"""Keeps what was last sent to models, and what they sent back, for the debug panel.

In memory only, and of the last requests only: a body has the whole conversation in it.
Headers are never kept. Bodies are stored as bytes, which is cheap; keys are masked and
the text is laid out when somebody looks.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tui import bounds
from tui.i18n import _
from tui.masking import mask

MOST = 20
"""Requests that are kept."""
MOST_BYTES = 256_000
"""Bytes of each body that are kept."""


class Exchange:
    """One request to a model. One thread writes it; any thread may read it."""

    def __init__(self, turn: str, message_id: str, model: str, address: str) -> None:
        self.turn = turn
        """The id of the turn that asked."""
        self.message_id = message_id
        """The id of the message that answers; the tries of one round share it."""
        self.model = model
        """The user's name for the model."""
        self.address = address
        """Where it was sent, without a login; "" for a model on this machine."""
        self.time = time.time()
        """Seconds since the epoch."""
        self.outcome = ""
        """The status or the error in a few words; "" while there is none."""
        self._request = b""
        self._response: list[bytes] = []
        self._sizes = [0, 0]

    def asked(self, body: object) -> None:
        """Store the request: JSON values, or the text of a prompt."""
        if isinstance(body, str):
            data = body.encode("utf-8", "replace")
        else:
            try:
                data = msgspec.json.encode(body)
            except (TypeError, ValueError):  # such as a lone surrogate
                data = _dumped(body).encode()
        self._sizes[0] = len(data)
        self._request = data[:MOST_BYTES]

    def heard(self, data: bytes) -> None:
        """Add bytes of the response."""
        if (room := MOST_BYTES - self._sizes[1]) > 0:
            self._response.append(data[:room])
        self._sizes[1] += len(data)

    def listen(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the bytes of `body`, and add them to the response."""
        for data in body:
            self.heard(data)
            yield data

    @property
    def request(self) -> str:
        """The request as text, keys masked. Takes milliseconds: not for the UI."""
        return _text(self._request, self._sizes[0])

    @property
    def response(self) -> str:
        """The response so far as text, keys masked. Not for the UI thread."""
        return _text(b"".join(list(self._response)), self._sizes[1])


class Exchanges:
    """The last exchanges of a process, the newest last. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque(maxlen=MOST)

    def begin(self, turn: str, message_id: str, model: str, address: str) -> Exchange:
        """Add an exchange that begins now; for the arguments see `Exchange`."""
        exchange = Exchange(turn, message_id, model, address)
        with self._lock:
            self._kept.append(exchange)
        return exchange

    def of(self, turn: str, message_id: str = "") -> Sequence[Exchange]:
        """Return those of a turn, oldest first, or only those of one message."""
        with self._lock:
            kept = list(self._kept)
        return [
            it for it in kept if it.turn == turn and message_id in ("", it.message_id)
        ]


def _text(data: bytes, size: int) -> str:
    text = mask(_laid_out(data))
    if size > len(data):
        text += _("\n… {size:,} more bytes were not kept").format(size=size - len(data))
    return text


def _laid_out(data: bytes) -> str:
    """Return a JSON document indented, anything else as it is."""
    text = data.decode("utf-8", "replace")
    if data[:1] in (b"{", b"["):
        try:
            value: Any = bounds.decode(text)
        except ValueError:
            return text
        return _dumped(value, indent=2, ensure_ascii=False)
    return text


def _dumped(value: object, **options: Any) -> str:
    import json  # not needed before the first question

    return json.dumps(value, default=str, **options)
