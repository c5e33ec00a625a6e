"""Reads one answer off an HTTP response and yields its events.

Takes a stream of server-sent events or one JSON document, whichever the server
sends: some do not stream although they were asked to, and some name the wrong
content type. Runs once a token, so it decodes the bytes itself: at 1,000 tokens a
second it takes 72 ms of CPU for 1,000 tokens, 55 of them for socket and HTTP, where
the library's own loop takes 200.
"""

import time
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any, cast

from tui import bounds
from tui.errors import LazychatError, TooMuch
from tui.events import Event, UsageReported
from tui.messages import Reply
from tui.models.openai import errors
from tui.models.openai.calls import CallAssembler
from tui.models.openai.chunks import (
    Choice,
    Delta,
    decode,
    is_json,
    texts,
    usage_event,
)
from tui.models.openai.errors import Where
from tui.models.openai.limits import ERROR_BYTES, EVENT_BYTES
from tui.models.openai.sse import SSEDecoder
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a stream of events begins."""

_FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_length": "length",
    "repetition_truncation": "length",
    "sensitive": "content_filter",  # GLM
    "safety": "content_filter",
}
"""What servers say, in the words of `Reply.finish_reason`; what is not here is
`stop`."""

_FAILED = {
    "error": "an error",
    "network_error": "an error of its network",  # GLM
    "insufficient_system_resource": "it has no resources left",  # DeepSeek
    "abort": "it was stopped there",  # vLLM
}


class AnswerReader:
    """Reads one response; made for each."""

    def __init__(
        self,
        builder: ReplyBuilder,
        cancel: Cancellation,
        where: Where,
        window: int = 0,
        kind: str = "",
    ) -> None:
        """Take where the answer goes, and its content type, which may be wrong."""
        self.complete = False
        """Whether the stream has said that it is at its end."""
        self.usage: UsageReported | None = None
        """What the server has counted, when it is read to its end."""
        self._window = window
        self._kind = kind.partition(";")[0].strip().lower()
        self._builder = builder
        self._cancel = cancel
        self._where = where
        self._calls = CallAssembler()
        self._finish_reason = ""
        self._failure = ""
        self._usage: Any = None
        self._first = 0.0
        self._last = 0.0

    def read(self, body: Iterator[bytes]) -> Generator[Event, None, Reply]:
        """Read `body`; yield what is said, return the whole message.

        Raises `ModelError` and `Cancelled`; all that was said is yielded before.
        """
        try:
            yield from self._body(body)
        except LazychatError as error:
            # What the gate has held back of the text is still the user's.
            yield from self._builder.end_text()
            if isinstance(error, TooMuch):
                raise errors.too_much(error.what, self._where) from error
            raise
        yield from self._builder.end_text()
        if self._failure:
            raise errors.dropped(self._failure, self._where)
        for call in self._calls.finish():
            self._builder.call(call)
        if isinstance(self._usage, dict):
            usage = cast(dict[str, Any], self._usage)
            seconds = max(0.0, self._last - self._first)
            self.usage = usage_event(usage, seconds, self._window)
            if self.usage is not None:
                yield self.usage
        return self._builder.reply(_FINISH.get(self._finish_reason, "stop"))

    def _body(self, body: Iterator[bytes]) -> Iterator[Event]:
        start = b""
        for data in self._chunks(body):
            start = data  # the blanks before it are no part of it
            if start.strip():
                break
        word = start.lstrip()
        page = self._kind == "text/html" and word and not _is_event(word)
        if page or word[:1] in (b"{", b"<", b"["):
            yield from self._document(self._whole(start, body))
        else:
            yield from self._events(start, body)

    def _whole(self, start: bytes, body: Iterator[bytes]) -> bytes:
        """Return all of an answer that is no stream; of a web page its beginning."""
        parts, size = [start], len(start)
        page = self._kind == "text/html" or errors.is_html(
            start[:1000].decode(errors="replace")
        )
        for data in self._chunks(body):
            if size > ERROR_BYTES and page:
                break
            if size + len(data) > EVENT_BYTES:
                raise TooMuch(f"an answer of more than {EVENT_BYTES >> 20} MB")
            parts.append(data)
            size += len(data)
        return b"".join(parts)

    def _chunks(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what is read; tell the end from a cancel and from a break."""
        while True:
            try:
                data = next(body, None)
            except Exception as error:
                # All that reading raises: the HTTP library has other names for
                # its errors in each version of the client.
                self._cancel.raise_if_requested()
                if self._finish_reason:
                    return
                raise errors.dropped(
                    errors.one_line(errors.reason(error), self._where), self._where
                ) from error
            # A shut down connection may still have bytes in store.
            self._cancel.raise_if_requested()
            if data is None:
                return
            yield data

    def _events(self, start: bytes, body: Iterator[bytes]) -> Iterator[Event]:
        decoder = SSEDecoder()
        said = False
        for data in chain([start], self._chunks(body)):
            for item in decoder.feed(data):
                said = True
                # One read may hold seconds of text.
                self._cancel.raise_if_requested()
                if item.startswith(b"[DONE]"):
                    self.complete = True
                    return
                yield from self._item(item)
        for item in decoder.finish():
            said = True
            # Half an event is no news: the stream has ended early, said below.
            if not item.startswith(b"[DONE]") and is_json(item):
                yield from self._item(item)
            self.complete = item.startswith(b"[DONE]")
        if not said:
            if start.strip() and not start.lstrip().startswith(b":"):
                raise errors.other_kind(self._kind, start[:4000], self._where)
            raise errors.silent(self._where)
        if not self._finish_reason and not self.complete:
            raise errors.dropped("the stream ended early", self._where)
        self.complete = True

    def _item(self, item: bytes) -> Iterator[Event]:
        try:
            chunk = decode(item)
        except ValueError as error:
            if not item.strip():
                return
            said = errors.provider_message(item, self._where)
            raise errors.dropped(
                f"it sent no JSON but {said!r}", self._where
            ) from error
        if chunk.choices:
            yield from self._choice(chunk.choices[0])
        if chunk.usage:
            self._usage = chunk.usage
        bare = chunk.choices is None and isinstance(chunk.message, str)
        if chunk.error or chunk.object == "error" or bare:
            error = chunk.error or _value(item)
            raise errors.error_in_answer(error, self._where)

    def _choice(self, choice: Choice) -> Iterator[Event]:
        delta = choice.delta or choice.message
        if delta is not None:
            yield from self._delta(delta)
        if choice.usage:
            self._usage = choice.usage
        reason = choice.finish_reason
        if isinstance(reason, str) and reason:
            if reason.lower() in _FAILED:
                self._failure = _FAILED[reason.lower()]
            self._finish_reason = reason.lower()

    def _delta(self, delta: Delta) -> Iterator[Event]:
        reasoning, content = delta.reasoning_content or delta.reasoning, delta.content
        if not (reasoning or content or delta.tool_calls or delta.function_call):
            if isinstance(delta.refusal, str):
                yield from self._builder.text(delta.refusal)
            return
        self._last = time.monotonic()
        self._first = self._first or self._last
        if isinstance(reasoning, str):
            yield from self._builder.reasoning(reasoning)
        if isinstance(content, str):
            yield from self._builder.text(content)
        elif content:
            for is_reasoning, text in texts(content):
                take = self._builder.reasoning if is_reasoning else self._builder.text
                yield from take(text)
        if delta.tool_calls or delta.function_call:
            before = bool(self._calls)
            if delta.tool_calls:
                self._calls.add(delta.tool_calls)
            else:  # llama_cpp.server writes the same call in both ways
                self._calls.add_function(delta.function_call)
            if self._calls and not before:
                yield self._builder.opened()

    def _document(self, body: bytes) -> Iterator[Event]:
        """Take an answer that is one JSON document, or no answer at all."""
        text = body.decode(errors="replace")
        if errors.is_html(text):
            raise errors.web_page(text, self._where)
        try:
            chunk = decode(body)
        except ValueError as error:
            if self._kind not in ("", "application/json", "text/event-stream"):
                raise errors.other_kind(self._kind, body, self._where) from error
            said = errors.provider_message(body, self._where)
            raise errors.dropped(
                f"it sent no answer but {said!r}", self._where
            ) from error
        if not chunk.choices:
            raise errors.error_in_answer(_value(body), self._where)
        self.complete = True
        yield from self._item(body)


def _is_event(start: bytes) -> bool:
    """Whether a stream of events may begin so, whatever it says that it is."""
    return start.startswith(_FIELDS) or any(f.startswith(start) for f in _FIELDS)


def _value(data: bytes) -> Any:
    """Return the value of JSON in which an error is told, as text if need be."""
    try:
        return bounds.decode(data)
    except ValueError:
        return data.decode(errors="replace")
