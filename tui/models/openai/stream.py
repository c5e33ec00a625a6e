"""Reads one answer off an HTTP response and yields its events.

Takes a stream of server-sent events or one JSON document, whichever the server
sends: some do not stream although they were asked to, and some name the wrong
content type. Runs once a token, so it decodes the bytes itself: at 1,000 tokens a
second it takes 72 ms of CPU for 1,000 tokens, 55 of them for socket and HTTP, where
the library's own loop takes 200.

The file is long because an answer is read by one object: each event can change what the
next one means, and what the end of the answer is called.
"""

import math
import re
import time
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any, cast

import msgspec

from tui import bounds
from tui.errors import LazychatError, ModelError, TooMuch
from tui.events import Event, NoticeGiven, UsageReported
from tui.i18n import _, ngettext
from tui.messages import Message, Reply
from tui.models.openai import endings, envelopes, errors, limits
from tui.models.openai.calls import CallAssembler
from tui.models.openai.choices import FirstChoice
from tui.models.openai.chunks import (
    Choice,
    Delta,
    Halves,
    calls,
    decode,
    is_json,
    is_unseen,
    joined,
    marked_thought,
    run_together,
    texts,
    thoughts,
    usage_event,
)
from tui.models.openai.cumulative import Cumulative
from tui.models.openai.errors import Where
from tui.models.openai.limits import ERROR_BYTES, EVENT_BYTES
from tui.models.openai.opaque import OpaqueFields
from tui.models.openai.refusals import Refusal
from tui.models.openai.sse import (
    ENDS,
    FAILURES,
    SSEDecoder,
    is_done,
    is_nothing,
    once,
)
from tui.models.reply import ReplyBuilder
from tui.turn import Cancellation

_STEP = 1000
"""Bytes of a document that count as a part of the answer; a byte a minute is none."""

_AFTERWARDS = 60.0
"""Seconds after the end of the answer in which its usage, or the end of the stream, is
still waited for: it comes at once, or never."""

_ALL = 80
"""Characters of a text that comes in `_PIECES`, and again with its end."""
_PIECES = 4

_MARK = b"\xef\xbb\xbf"
"""Of the byte order."""
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a stream of events begins."""

_MOST_UNREADABLE = 10_000
"""Most events of an answer that are not JSON: some servers keep the line open so."""
_CUT = re.compile(rb"\s*(\{|\[\s*[\[{\"])")
"""How an event begins that was meant to be JSON; `[a word]` was not."""
_TROUBLE = re.compile(
    rb"error|fail|exception|time.?out|overload|unavailable|denied|refused|gone|busy"
    rb"|^\s*<",
    re.I,
)


class Response(msgspec.Struct, frozen=True):
    """What a reader needs to know about the response that it reads."""

    builder: ReplyBuilder
    cancel: Cancellation
    where: Where
    window: int = 0
    """The model's window in tokens, 0 if it is not known."""
    kind: str = ""
    """The content type, which may be wrong."""
    origin: str = ""
    """As in `Message.origin`."""
    timeout: float = math.inf
    """Seconds without a byte after which the connection ends by itself."""
    in_round: bool = False
    """Whether results of tools are answered: the thoughts then belong to the round,
    and go back with it."""


class AnswerReader:
    """Reads one response; create one for each."""

    def __init__(self, response: Response) -> None:
        self.complete = False
        """Whether the end of the stream has been received."""
        self.usage: UsageReported | None = None
        """The server's token counts, once the answer is complete."""
        self.refusal: Refusal | None = None
        """The error in an answer with status 200, if nothing was said before it."""
        self._origin = response.origin
        self._in_round = response.in_round
        self._window = response.window
        self._kind = response.kind.partition(";")[0].strip().lower()
        self._builder = response.builder
        self._cancel = response.cancel
        self._where = response.where
        self._calls = CallAssembler()
        self._opaque = OpaqueFields()
        self._reasoning_field = ""
        self._choices = FirstChoice()
        self._halves = Halves()
        self._streams = False
        """Whether a delta has arrived, so that a whole message repeats all of it."""
        self._new_text = Cumulative()
        self._new_thoughts = Cumulative()
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._unreadable = 0
        """Events that are not JSON."""
        self._lost = 0
        """Those of them that were meant to be."""
        self._words = b""
        """The last of them."""
        self._ends_in_words = False
        self._spoken = False
        """Whether the words of a sound have arrived."""
        self._unseen = False
        """Whether there were images, or sound without its words."""
        self._finish_reason = ""
        self._goes_on = False
        """Whether the answer went on after a finish reason."""
        self._usage: Any = None
        self._counted = False
        """Whether the last event that said anything was a count of tokens alone."""
        self._first = 0.0
        self._last = 0.0
        """When something of the answer came last."""
        self._begun_at = time.monotonic()
        self._quiet = response.timeout * limits.QUIET

    def read(self, body: Iterator[bytes]) -> Generator[Event, None, Reply]:
        """Read `body`: yield its events, return the complete message.

        Raises `ModelError` and `Cancelled`, after yielding everything received.
        """
        try:
            yield from self._body(body)
        except LazychatError as error:
            # What was held back of the text is still the user's.
            yield from self._held()
            yield from self._builder.end_text(whole=False)
            if isinstance(error, TooMuch):
                raise errors.too_much(error.what, self._where) from error
            raise
        yield from self._held()
        if self._halves:
            yield from self._text("\ufffd")
        cut = endings.meant(self._finish_reason) == "length"
        yield from self._builder.end_text(not cut, calls=bool(self._calls))
        if failed := endings.failure(self._finish_reason):
            raise errors.dropped(failed, self._where)
        for call in self._calls.finish():
            self._builder.call(call)
        if isinstance(self._usage, dict):
            usage = cast(dict[str, Any], self._usage)
            seconds = max(0.0, self._last - self._first)
            self.usage = usage_event(usage, seconds, self._window)
            if self.usage is not None:
                yield self.usage
        yield from self._ending()
        reply = self._builder.reply(endings.meant(self._finish_reason) or "stop")
        return msgspec.structs.replace(reply, message=self._marked(reply.message))

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return self._builder.begun

    def _ending(self) -> Iterator[Event]:
        """Report an unusual end of an answer."""
        if self._lost:
            count = ngettext("a piece", "{count} pieces", self._lost).format(
                count=self._lost
            )
            yield NoticeGiven(
                _(
                    "{base_url} sent {count} of the answer that could not be read, "
                    "so some text may be missing."
                ).format(base_url=self._where.base_url, count=count)
            )
        if self._unseen:
            yield NoticeGiven(
                _("{base_url} sent images or sound, which cannot be shown.").format(
                    base_url=self._where.base_url
                )
            )
        reason = self._finish_reason
        if not endings.is_to_be_told(reason):
            return
        named = errors.one_line(reason, self._where)
        if not self._builder.answers:
            raise errors.no_answer(named, self._where)
        yield NoticeGiven(
            _("{base_url} ended the answer with finish_reason {named}.").format(
                base_url=self._where.base_url, named=named
            )
        )

    def _marked(self, message: Message) -> Message:
        """Return the message with what its server expects back in the next round."""
        opaque = self._opaque.finish()
        field = self._reasoning_field if message.tool_calls or self._in_round else ""
        if not (opaque or field or any(call.opaque for call in message.tool_calls)):
            return message
        return msgspec.structs.replace(
            message, origin=self._origin, reasoning_field=field, opaque=opaque
        )

    def _body(self, body: Iterator[bytes]) -> Iterator[Event]:
        start = b""
        for data in self._chunks(body):
            # Neither blanks nor a byte order mark before it are a part of it.
            start += data
            if _MARK.startswith(start):
                continue
            start = start.removeprefix(_MARK)
            if start.strip():
                break
            start = b""
        word = start.lstrip()
        page = self._kind == "text/html" and word and not _is_event(word)
        if page or word[:1] in (b"{", b"<", b"["):
            yield from self._document(self._whole(start, body))
        else:
            yield from self._events(start, body)

    def _whole(self, start: bytes, body: Iterator[bytes]) -> bytes:
        """Return all of an answer that is not a stream; of a web page its beginning."""
        parts, size, step = [start], len(start), _STEP
        page = self._kind == "text/html" or errors.is_html(
            start[:1000].decode(errors="replace")
        )
        for data in self._chunks(body):
            if size > ERROR_BYTES and page:
                break
            if size + len(data) > EVENT_BYTES:
                raise TooMuch(
                    _("an answer of more than {event_bytes} MB").format(
                        event_bytes=EVENT_BYTES >> 20
                    )
                )
            parts.append(data)
            size += len(data)
            if not data.isspace() and size >= step:
                step = size + _STEP
                self._last = time.monotonic()
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
            waited = time.monotonic() - (self._last or self._begun_at)
            if self._finish_reason:
                # Some servers say with each piece that it is the last one.
                most = self._quiet if self._goes_on else _AFTERWARDS
                if waited > min(self._quiet, most):
                    return
            elif waited > self._quiet:
                raise errors.kept_waiting(self._quiet, self._where)

    def _events(self, start: bytes, body: Iterator[bytes]) -> Iterator[Event]:
        decoder = SSEDecoder()
        items = self._items(decoder, chain([start], self._chunks(body)))
        return self._take_events(decoder, items, start)

    def _items(self, decoder: SSEDecoder, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the events of a stream, all but one that lacks its end."""
        for data in chunks:
            for item in decoder.feed(data):
                # One read may hold seconds of text.
                self._cancel.raise_if_requested()
                yield item

    def _take_events(
        self, decoder: SSEDecoder, items: Iterator[bytes], start: bytes
    ) -> Iterator[Event]:
        """Take the events of a stream that begins with `start`."""
        said = False
        for item in items:
            said = True
            ends = decoder.event in ENDS
            if is_done(item) or (ends and is_nothing(item)):
                self.complete = True
                yield from self._end_of_events(said, start)
                return
            yield from self._named(decoder.event, item)
            self.complete = self.complete or ends
        for item in decoder.finish():
            said = True
            if decoder.event in FAILURES:
                yield from self._named(decoder.event, item)
            self.complete = self.complete or decoder.event in ENDS
            # Half an event is no news: the stream has ended early, said below.
            read = False
            for line in [item] if is_json(item) else item.split(b"\n"):
                if is_done(line):
                    self.complete = read = True
                elif is_json(once(line)):
                    read = True
                    yield from self._item(line)
            if not (read or _CUT.match(once(item)) or is_nothing(item)):
                self._unread(item)
        yield from self._end_of_events(said, start)

    def _named(self, name: str, item: bytes) -> Iterator[Event]:
        """Take an event, which is an error if it is called one."""
        yield from self._item(item)
        if name in FAILURES:
            raise (yield from self._failed(value_of(once(item)) or name))

    def _end_of_events(self, said: bool, start: bytes = b"") -> Iterator[Event]:
        yield from self._release()
        begin = start.lstrip()
        if begin and not (self.begun or self._finish_reason or _is_event(begin)):
            raise errors.other_kind(self._kind, start[:4000], self._where)
        if not said:
            raise errors.silent(self._where)
        ended = bool(self._finish_reason)
        answered = self.complete and self.begun and not self._ends_in_words
        if self._words and not (ended or answered):
            raise self._no_json()
        # The tokens are counted when all is said; some relays tell no other end.
        counted = self._counted and (self.begun or bool(self._calls))
        if not (ended or counted or self.complete):
            raise errors.dropped(_("the stream ended early"), self._where)
        self.complete = True

    def _item(self, item: bytes) -> Iterator[Event]:
        """Take an event, or a line of a document of lines."""
        item = self._halves.join(once(item))
        try:
            chunk = decode(item)
        except ValueError:
            if b"\n" in item:
                # Of a server that does not end events by an empty line.
                before, _, last = item.rpartition(b"\n")
                whole = is_done(last) and is_json(before)
                for line in [before, last] if whole else item.split(b"\n"):
                    if is_done(line):
                        self.complete = True
                    elif line.strip():
                        yield from self._item(line)
            elif each := run_together(item):
                for value in each:
                    yield from self._item(value)
            elif not is_nothing(item):
                self._unread(item)
            return
        self._ends_in_words = False
        for choice in chunk.choices or ():
            for chosen in self._choices.take(choice) if choice else ():
                yield from self._choice(chosen)
        if chunk.usage or chunk.x_groq:
            self._count(chunk.usage, chunk.x_groq)
            self._counted = chunk.choices == []
        self.complete = self.complete or chunk.done is True
        if chunk.error or chunk.object == "error":
            raise (yield from self._failed(chunk.error or value_of(item)))
        if not chunk.choices or envelopes.is_bad(chunk.base_resp):
            value = value_of(item)
            if envelopes.is_error(value):
                raise (yield from self._failed(value))
            if inner := envelopes.opened(value):
                yield from self._item(msgspec.json.encode(inner))

    def _count(self, *usages: Any) -> None:
        """Take a usage, unless it says less than the one before it."""
        for usage in usages:
            if isinstance(usage, dict):
                counted = cast(dict[str, Any], usage)
                self._count(counted.get("usage"))  # as Groq has it
                event = usage_event(counted, 0.0)
                if event and (event.input_tokens or event.output_tokens):
                    self._usage = counted
                else:
                    self._usage = self._usage or counted

    def _unread(self, item: bytes) -> None:
        """Note an event that is not JSON: a word to keep the line open, or an error."""
        self._unreadable += 1
        self._lost += bool(_CUT.match(item))
        self._words = item[:ERROR_BYTES]
        self._ends_in_words = _TROUBLE.search(self._words) is not None
        if self._unreadable > _MOST_UNREADABLE:
            raise TooMuch(_("endless events that are not JSON"))

    def _failed(self, error: Any) -> Generator[Event, None, ModelError]:
        """Return the error for one that is told in an answer."""
        yield from self._release()
        return self._error(error)

    def _error(self, error: Any) -> ModelError:
        failure = errors.error_in_answer(error, self._where)
        if not self.begun:
            status = envelopes.status_of(error) or 400
            body = error if isinstance(error, str) else msgspec.json.encode(error)
            body = body if isinstance(body, str) else body.decode()
            self.refusal = Refusal(status, body, guesses=False)
        return failure

    def _release(self) -> Iterator[Event]:
        for choice in self._choices.release():
            yield from self._choice(choice)

    def _choice(self, choice: Choice) -> Iterator[Event]:
        delta, message = choice.delta, choice.message
        said = False
        reason = choice.finish_reason or choice.finishReason
        if isinstance(delta, Delta):
            if reason and isinstance(delta.content, str):
                self._without_all(delta, delta.content)
            said = yield from self._delta(delta)
        elif isinstance(delta, str) and delta:
            said = True
            yield from self._text(delta)
        self._streams = self._streams or said
        self._counted = self._counted and not said
        if isinstance(message, Delta):
            if self._streams:
                yield from self._held()
                message = self._rest(message)
            said = (yield from self._delta(message)) or said
        if not said:
            yield from self._bare(choice)
        if choice.usage:
            self._count(choice.usage)
        if choice.error:
            raise (yield from self._failed(choice.error))
        if reason and not isinstance(reason, dict | list):
            reason = reason if isinstance(reason, str) else "stop"
            # Some servers close each answer with a stop, whatever has ended it.
            plain = endings.meant(reason) == "stop"
            self._finish_reason = (plain and self._finish_reason) or reason

    def _without_all(self, delta: Delta, content: str) -> None:
        """Remove the last delta's text if it repeats the whole answer so far."""
        long = len(content) >= _ALL and len(self._texts) >= _PIECES
        if long and content == "".join(self._texts):
            delta.content = None

    def _bare(self, choice: Choice) -> Iterator[Event]:
        """Take what stands in the choice itself, in place of a delta."""
        if choice.text and not choice.content:
            choice.content = choice.text
        if not (choice.content or thoughts(choice)[0] or any(calls(choice))):
            return  # as most are
        if self._streams:
            yield from self._held()
        yield from self._delta(self._rest(choice) if self._streams else choice)

    def _rest(self, message: Delta) -> Delta:
        """Return what a message that is repeated in full adds to its deltas."""
        rest = Delta()
        content = "".join(text for thinks, text in texts(message.content) if not thinks)
        said, thought = "".join(self._texts), "".join(self._thoughts)
        if content.startswith(said):
            rest.content = content[len(said) :]
        reasoning, field = thoughts(message)
        if field and reasoning.startswith(thought):
            setattr(rest, field, reasoning[len(thought) :])
        if not self._calls:
            rest.tool_calls, rest.function_call = calls(message)
        self._opaque = self._opaque if self._opaque.fields else OpaqueFields()
        if not self._opaque.fields:
            self._opaque.take_delta(message)
        return rest

    def _delta(self, delta: Delta) -> Generator[Event, None, bool]:
        """Take what is added to the message; return whether that is anything."""
        thought = marked_thought(delta)
        content = delta.content
        reasoning, field = thoughts(delta)
        reasoning += thought
        self._opaque.take_delta(delta)
        beside = ""
        if delta.refusal or delta.audio or delta.images:
            beside = self._beside(delta)
        listed, function = calls(delta)
        if not (reasoning or content or listed or function or beside):
            return False
        self._goes_on = self._goes_on or bool(self._finish_reason)
        self._last = time.monotonic()
        self._first = self._first or self._last
        if reasoning:
            self._reasoning_field = self._reasoning_field or field
            yield from self._think(self._new_thoughts.add(reasoning))
        if isinstance(content, str):
            if not self._new_text.settled:
                content = self._new_text.add(content)
            yield from self._text(content)
        elif content:
            self._unseen = self._unseen or is_unseen(content)
            for is_reasoning, text in texts(content):
                if is_reasoning:
                    yield from self._builder.reasoning(text)
                else:
                    yield from self._text(text)
        if beside:
            yield from self._text(beside)
        if listed or function:
            before = bool(self._calls)
            if listed:
                self._calls.add(listed)
            else:  # llama_cpp.server writes the same call in both ways
                self._calls.add_function(function)
            if self._calls and not before:
                yield self._builder.opened()
        return True

    def _beside(self, delta: Delta) -> str:
        """Return the words of a refusal, or of what is spoken."""
        audio: Any = delta.audio
        if isinstance(audio, dict):
            spoken = cast(dict[str, Any], audio)
            words = joined(spoken.get("transcript"))
            self._spoken = self._spoken or bool(words)
            sounds = bool(spoken.get("data")) and not self._spoken
            self._unseen = self._unseen or sounds
        else:
            words = ""
        self._unseen = self._unseen or bool(delta.images)
        return joined(delta.refusal) + words

    def _held(self) -> Iterator[Event]:
        """Yield what may have been repeated, and was not."""
        yield from self._think(self._new_thoughts.finish())
        if held := self._new_text.finish():
            yield from self._text(held)

    def _think(self, text: str) -> Iterator[Event]:
        if text:
            self._thoughts.append(text)
            yield from self._builder.reasoning(text)

    def _text(self, text: str) -> Iterator[Event]:
        if text and not self._new_thoughts.settled:
            yield from self._think(self._new_thoughts.finish())
        self._texts.append(text)
        yield from self._builder.text(text)

    def _document(self, body: bytes) -> Iterator[Event]:
        """Take an answer that is one JSON document, or no answer at all."""
        self._refuse_page(body)
        try:
            chunk = decode(body)
        except ValueError as error:
            value = value_of(body)
            if isinstance(value, list) and value and isinstance(value[0], dict):
                for event in cast(list[Any], value):
                    yield from self._item(msgspec.json.encode(event))
                yield from self._end_of_events(said=True)
                return
            lines = body.split(b"\n")
            if len(lines) > 1 and is_json(lines[0]):
                yield from self._item(body)
                yield from self._end_of_events(said=True)
                return
            if self._kind not in ("", "application/json", "text/event-stream"):
                raise errors.other_kind(self._kind, body, self._where) from error
            raise self._no_answer(body) from error
        if not (chunk.choices or envelopes.opened(value_of(body))):
            raise self._error(chunk.error or value_of(body))
        self.complete = True
        yield from self._item(body)
        yield from self._release()

    def _refuse_page(self, body: bytes) -> None:
        """Raise the error for a web page, if an answer is one."""
        text = body.decode(errors="replace")
        if errors.is_html(text):
            raise errors.web_page(text, self._where)

    def _no_answer(self, body: bytes) -> ModelError:
        """Return the error for a document that is not JSON."""
        said = errors.provider_message(body, self._where)
        return errors.dropped(
            _("it sent {said!r} instead of an answer").format(said=said), self._where
        )

    def _no_json(self) -> ModelError:
        """Return the error for a stream that ended with words that are not JSON."""
        words = errors.provider_message(self._words, self._where)
        return errors.dropped(
            _("it sent {words!r} instead of JSON").format(words=words), self._where
        )


def _is_event(start: bytes) -> bool:
    """Whether a stream of events may begin so, whatever it says that it is."""
    return start.startswith(_FIELDS) or any(f.startswith(start) for f in _FIELDS)


def value_of(data: bytes) -> Any:
    """Return the value of JSON in which an error is told, as text if necessary."""
    try:
        return bounds.decode(data)
    except ValueError:
        return data.decode(errors="replace")
