"""Reads an answer of either API, whichever of them was asked.

Some relays and local servers answer a request to one path with the events of the other
API. The first event that is a JSON object tells which API it is.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from tui.events import Event
from tui.models.openai import envelopes
from tui.models.openai.responses_stream import ResponsesReader
from tui.models.openai.sse import ENDS, FAILURES, SSEDecoder, is_nothing, once
from tui.models.openai.stream import AnswerReader, Response, value_of

_NEWER = "response."
"""How the types of the events of the Responses API begin."""


class _Shape(msgspec.Struct):
    """What tells the APIs apart."""

    type: Any = None
    object: Any = None
    choices: Any = None
    output: Any = None


_decode = msgspec.json.Decoder(_Shape).decode


class EitherReader(ResponsesReader):
    """Reads one response; create one for each."""

    def __init__(self, response: Response, newer: bool) -> None:
        """Begin a response to a request of the Responses API if `newer`.

        Otherwise it was one of chat completions.
        """
        super().__init__(response)
        self._chat_origin = response.origin
        self._newer = newer
        self._choose(newer)

    def _choose(self, newer: bool) -> None:
        self._newer = newer
        self._origin = "" if newer else self._chat_origin

    def _take_events(
        self, decoder: SSEDecoder, items: Iterator[bytes], start: bytes
    ) -> Iterator[Event]:
        idle: list[bytes] = []
        for item in items:
            newer = _is_newer(item, decoder.event)
            if newer is not None:
                self._choose(newer)
            elif _is_idle(item, decoder.event):
                idle = [item]
                continue
            idle = [item]
            break
        items = chain(idle, items)
        if self._newer:
            return super()._take_events(decoder, items, start)
        return AnswerReader._take_events(self, decoder, items, start)

    def _named(self, name: str, item: bytes) -> Iterator[Event]:
        if self._newer:
            return super()._named(name, item)
        return AnswerReader._named(self, name, item)

    def _item(self, item: bytes) -> Iterator[Event]:
        if self._newer:
            return super()._item(item)
        return AnswerReader._item(self, item)

    def _document(self, body: bytes) -> Iterator[Event]:
        newer = _is_newer(body, "")
        if newer is not None:
            self._choose(newer)
        if self._newer:
            return super()._document(body)
        return AnswerReader._document(self, body)


def _is_idle(item: bytes, name: str) -> bool:
    """Whether an event only keeps the line open, and is not yet of the answer."""
    if name in ENDS or name in FAILURES:
        return False
    return is_nothing(item) or envelopes.is_live(value_of(once(item)))


def _is_newer(item: bytes, name: str) -> bool | None:
    """Whether an event is one of the Responses API; None if it may be of either."""
    if name.startswith(_NEWER):
        return True
    try:
        shape = _decode(once(item))
    except (ValueError, RecursionError):
        return None
    if isinstance(shape.type, str) and shape.type.startswith(_NEWER):
        return True
    if shape.object == "response" and isinstance(shape.output, list):
        return True
    return False if isinstance(shape.choices, list) else None
