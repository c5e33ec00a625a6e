"""Reads one answer of the Responses API off an HTTP response.

It comes as events, each of which names its `type`; those that are not known here, such
as what the server's own tools do, are left alone. The deltas are shown as they come.
Calls and sealed fields are taken from complete items.

The file is long because each kind of event is read in one place, where all that has
come before is known.
"""

import contextlib
import json
import time
from collections.abc import Generator, Iterator
from typing import Any, cast

import msgspec

from tui import bounds
from tui.events import Event, clean_builtins
from tui.i18n import _
from tui.messages import Reply, Sealed, SealedReasoning
from tui.models.openai import envelopes, errors
from tui.models.openai.chunks import joined
from tui.models.openai.responses_calls import ResponsesCalls, id_of
from tui.models.openai.responses_items import KINDS, Items
from tui.models.openai.sse import SSEDecoder, is_done, is_nothing, once
from tui.models.openai.stream import AnswerReader, Response, value_of

_SEALED_CHARACTERS = 1 << 20
"""Of all that is sealed in one message; what is more is not kept, and not sent back."""
_MOST_SEALED = 256
_MENDED_BYTES = 1 << 20
_TEXT = -1
_MOST_ITEMS = 10_000
"""Of one answer."""

_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}
_ENDS = ("completed", "incomplete", "failed", "cancelled")
"""What may be the `status` of an answer that has ended."""
_STATUS = {"rate_limit_exceeded": 429, "server_error": 500}
"""Codes of failures that are statuses elsewhere."""


class _Response(msgspec.Struct):
    """What stands at the end of an answer; `output` has come before."""

    usage: Any = None
    error: Any = None
    incomplete_details: Any = None
    status: Any = None
    last_error: Any = None
    status_details: Any = None
    output_text: Any = None


class _Told(msgspec.Struct):
    """One event of the stream."""

    type: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    item: Any = None
    item_id: Any = None
    part: Any = None
    output_index: Any = None
    summary_index: Any = None
    call_id: Any = None
    name: Any = None
    arguments: Any = None
    response: Any = None
    usage: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decode = msgspec.json.Decoder(_Told).decode


class ResponsesReader(AnswerReader):
    """Reads one response; create one for each."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        # What is sealed has an origin of its own; no fields are opaque here.
        self._origin = ""
        self._sealed_by = response.origin
        self._told = ResponsesCalls()
        self._parts: set[int] = set()
        """The calls by their index, and `_TEXT` if there is any."""
        self._numbers = Items()
        self._heard: dict[int | tuple[int, int], list[str]] = {}
        """What has been shown of items, and of the parts of reasoning."""
        self._event = ""
        self._text_item = -1
        self._thought = (-1, -1)
        self._thinks_in: dict[int, bool] = {}
        """Whether the thoughts of an item are shown from its summary."""
        self._sealed: list[SealedReasoning] = []
        self._sealed_room = _SEALED_CHARACTERS
        self._phase = ""

    def read(self, body: Iterator[bytes]) -> Generator[Event, None, Reply]:
        """See `AnswerReader.read`."""
        reply = yield from super().read(body)
        if not (self._sealed or self._phase):
            return reply
        sealed = Sealed(self._sealed_by, tuple(self._sealed), self._phase)
        message = msgspec.structs.replace(reply.message, sealed=sealed)
        return msgspec.structs.replace(reply, message=message)

    def _take_events(
        self, decoder: SSEDecoder, items: Iterator[bytes], start: bytes
    ) -> Iterator[Event]:
        said = False
        for item in items:
            said = True
            yield from self._named(decoder.event, item)
            if self._finish_reason:
                # The end of the transfer is not waited for.
                self.complete = True
                return
        for item in decoder.finish():
            said = True
            yield from self._named(decoder.event, item)
        if self._numbers.done and not self._finish_reason:
            # Some servers never tell the end; each item has come to its own.
            self._end("response.completed", _Response())
        if self._finish_reason:
            self.complete = True
            return
        if not said:
            raise errors.silent(self._where)
        if self._words:
            raise self._no_json()
        raise errors.dropped(_("the stream ended early"), self._where)

    def _named(self, name: str, item: bytes) -> Iterator[Event]:
        """Take an event; some servers tell its type only by its name."""
        self._event = name if name.startswith("response.") else ""
        yield from super()._named(name, item)

    def _item(self, item: bytes) -> Iterator[Event]:
        item = self._halves.join(once(item))
        if is_nothing(item):
            return
        if is_done(item):
            if (self._parts or self._told) and not self._finish_reason:
                self._end("response.completed", _Response())
            return
        try:
            told = decode(item)
        except ValueError:
            self._unread(item)
            return
        self._ends_in_words = False
        place = told.output_index
        type: Any = told.type or self._event or None
        match type:
            case "response.output_text.delta" | "response.refusal.delta":
                number = self._numbers.of("text", place, told.item_id, piece=True)
                yield from self._said(joined(told.delta) or told.text, number)
            case (
                "response.reasoning_summary_text.delta"
                | "response.reasoning_summary.delta"
            ):
                yield from self._thought_of(told, told.delta, piece=True, summary=True)
            case "response.reasoning_text.delta" | "response.reasoning.delta":
                yield from self._thought_of(told, told.delta, piece=True)
            case "response.reasoning_text.done" | "response.reasoning.done":
                yield from self._thought_of(told, told.text)
            case (
                "response.reasoning_summary_text.done"
                | "response.reasoning_summary_part.done"
            ):
                yield from self._thought_of(told, told.text or told.part, summary=True)
            case "response.output_item.added":
                yield from self._added(told.item, place)
            case "response.function_call_arguments.delta":
                self._told.add(self._call_of(told, piece=True), told.delta)
            case "response.function_call_arguments.done":
                yield from self._arguments_done(told)
            case "response.output_item.done":
                yield from self._done(told.item, place)
            case "response.output_text.done" | "response.refusal.done":
                yield from self._repeated(told, told.text or told.refusal)
            case "response.content_part.done":
                if _thinks(told.part):
                    yield from self._thought_of(told, told.part)
                else:
                    yield from self._repeated(told, "".join(_texts([told.part])))
            case (
                "response.completed"
                | "response.incomplete"
                | "response.failed"
                | "response.cancelled"
                | "response.done"
            ):
                yield from self._last_event(str(type), told, item)
            case "error" | "response.error":
                within = _response_of(told.response).error
                said = {"code": told.code, "message": told.message}
                self._fail(said, told.error, within)
            case _:
                if error := told.error or _response_of(told.response).error:
                    self._fail(error)
                elif told.type is None and envelopes.is_error(value_of(item)):
                    raise self._error(value_of(item))

    def _last_event(self, type: str, told: _Told, item: bytes) -> Iterator[Event]:
        # Some servers have the fields of the answer beside the type.
        value: Any = told.response
        value = cast(Any, value) if isinstance(value, dict) else value_of(item)
        response = _response_of(value)
        response.usage = response.usage or told.usage
        yield from self._unheard(value)
        # What has happened is said twice, and not always alike.
        status = response.status
        ended = status if status in _ENDS else type.partition(".")[2]
        self._end(f"response.{ended}", response)

    def _repeated(self, told: _Told, text: Any) -> Iterator[Event]:
        """Take a text that is whole, unless pieces of it have been shown."""
        number = self._numbers.of("text", told.output_index, told.item_id)
        yield from self._said(self._missing(text, number), number)

    def _missing(self, text: Any, place: int | tuple[int, int]) -> str:
        """Return what a text that is whole adds to the pieces that have come."""
        pieces = self._heard.get(place, [])
        pieces[:] = [said := "".join(pieces)]
        whole = joined(text)
        return whole[len(said) :] if whole.startswith(said) else ""

    def _said(self, text: Any, number: int) -> Iterator[Event]:
        if not isinstance(text, str) or not text:
            return
        self._speaks()
        self._parts.add(_TEXT)
        if self._text_item not in (-1, number):
            yield from self._builder.text("\n\n")  # another message of the same answer
        self._text_item = number
        self._heard.setdefault(number, []).append(text)
        yield from self._builder.text(text)

    def _thought_of(
        self, told: _Told, content: Any, piece: bool = False, summary: bool = False
    ) -> Iterator[Event]:
        """Take thoughts, or a summary of them, of the item that an event is about.

        What is no `piece` is whole, and not shown if pieces of it have been.
        """
        place = told.output_index
        number = self._numbers.of("thought", place, told.item_id, piece=piece)
        index: Any = told.summary_index
        part = index if isinstance(index, int) else 0
        text = joined(content)
        if not piece:
            text = self._missing(text, (number, part))
        yield from self._reasoning(text, number, part, summary)

    def _reasoning(
        self, text: str, number: int, part: int, summary: bool
    ) -> Iterator[Event]:
        # Some servers send thoughts as both, piece by piece.
        if not text or self._thinks_in.setdefault(number, summary) != summary:
            return
        self._speaks()
        thought = (number, part)
        if self._thought not in ((-1, -1), thought):
            yield from self._builder.reasoning("\n\n")
        self._thought = thought
        self._heard.setdefault(thought, []).append(text)
        yield from self._builder.reasoning(text)

    def _speaks(self) -> None:
        self._last = time.monotonic()
        self._first = self._first or self._last

    def _added(self, item: Any, place: Any) -> Iterator[Event]:
        match item:
            case {"type": "function_call"}:
                number = self._numbers.begin("call", place, id_of(item), item.get("id"))
                self._told.begin(number)
                if self._told.name(number, id_of(item), item.get("name")):
                    yield self._named_call(number)
                self._told.announce(number, item.get("arguments"))
            case {"type": str(type)} if kind := KINDS.get(type):
                self._numbers.begin(kind, place, item.get("id"))
            case _:
                pass

    def _named_call(self, number: int) -> Event:
        """Take note of a call that has a name from here on."""
        self._parts.add(number)
        self._speaks()
        return self._builder.opened()

    def _call_of(self, told: _Told, piece: bool = False) -> int:
        """Return the call that an event is about."""
        ids = told.call_id, told.item_id
        number = self._numbers.of("call", told.output_index, *ids, piece=piece)
        self._told.begin(number)
        return number

    def _arguments_done(self, told: _Told) -> Iterator[Event]:
        number = self._call_of(told)
        # Some servers announce no call.
        if self._told.name(number, told.call_id or told.item_id, told.name):
            yield self._named_call(number)
        self._told.replace(number, told.arguments)

    def _done(self, item: Any, place: Any) -> Iterator[Event]:
        """Take an item that is whole, with what was not shown of it before."""
        match item:
            case {"type": "function_call"}:
                number = self._numbers.end("call", place, id_of(item), item.get("id"))
                if self._told.is_another(number, item):
                    # Of a server that has one id for all of them.
                    number = self._numbers.end("call", None)
                if self._told.end(number, item):
                    yield self._named_call(number)
            case {"type": "message"} | {"role": "assistant", "content": _}:
                phase: Any = item.get("phase")
                if isinstance(phase, str) and len(phase) <= 64:
                    self._phase = phase
                number = self._numbers.end("text", place, item.get("id"))
                text = "".join(_texts(item.get("content")))
                yield from self._said(self._missing(text, number), number)
            case {"type": "reasoning"}:
                number = self._numbers.end("thought", place, item.get("id"))
                if number not in self._thinks_in:
                    said = [*_texts(item.get("summary"))]
                    summed = bool(said)
                    for part, text in enumerate(said or _texts(item.get("content"))):
                        yield from self._reasoning(text, number, part, summed)
                self._seal(cast(dict[str, Any], item))
            case _:
                pass

    def _unheard(self, response: Any) -> Iterator[Event]:
        """Take from the last event what no other event has told."""
        told = {"message"} if _TEXT in self._parts else set[str]()
        if self._sealed or self._thought != (-1, -1):
            told.add("reasoning")
        calls = bool(self._told)
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            output: Any = bounds.shallow(response["output"])
            for item in output[:_MOST_ITEMS]:
                kind = item.get("type")
                if kind == "function_call" and calls:
                    number = self._told.lacking(item)
                    if number >= 0 and self._told.end(number, item):
                        yield self._named_call(number)
                elif kind not in told:
                    yield from self._done(item, None)
        said = self._builder.begun or self._told
        if not said and isinstance(response, dict):
            # Where the library of OpenAI has all text of an answer once more.
            text = cast(dict[str, Any], response).get("output_text")
            yield from self._said(text, self._numbers.of("text", None))

    def _seal(self, item: dict[str, Any]) -> None:
        id, content = item.get("id"), item.get("encrypted_content")
        if not isinstance(id, str) or not isinstance(content, str) or not content:
            return
        summary = tuple(_texts(item.get("summary")))
        self._sealed_room -= len(id) + len(content) + sum(map(len, summary))
        if self._sealed_room < 0 or len(self._sealed) >= _MOST_SEALED:
            # A part of it would be refused.
            self._sealed, self._sealed_room = [], 0
            return
        piece = SealedReasoning(id, content, summary, len(self._parts))
        self._sealed.append(piece)

    def _end(self, type: str, response: _Response) -> None:
        for call in self._told.pieces():
            self._calls.add([call])
        usage = response.usage
        if isinstance(usage, dict):
            self._usage = _as_of_chat(cast(dict[str, Any], usage))
        if type == "response.failed":
            details = _response_of(response.status_details)
            self._fail(response.error, response.last_error, details.error)
        if type == "response.cancelled":
            raise errors.dropped(_("it was cancelled there"), self._where)
        reason: Any = response.incomplete_details
        if isinstance(reason, dict):
            reason = cast(dict[str, Any], reason).get("reason")
        cut = type == "response.incomplete"
        if cut and isinstance(reason, str) and reason:
            # A reason of a name that is not known is told.
            self._finish_reason = _FINISH.get(reason, reason)
        else:
            self._finish_reason = "length" if cut else "stop"

    def _fail(self, *told: Any) -> None:
        """Raise the error that the first of `told` with any words tells."""
        for error in told:
            if isinstance(error, str) and error:
                raise self._error({"message": error})
            fields = cast(dict[str, Any], error) if isinstance(error, dict) else {}
            if not (fields.get("message") or fields.get("code") or fields.get("error")):
                continue
            code = fields.get("code")
            if status := _STATUS.get(str(code)):
                error = {**fields, "code": status}
            elif not fields.get("message"):
                error = {**fields, "message": str(code)}
            raise self._error(error)
        raise self._error({"message": _("it has failed")})

    def _document(self, body: bytes) -> Iterator[Event]:
        """Take an answer that is one JSON document, or no answer at all."""
        self._refuse_page(body)
        try:
            value = _mended(body)
        except ValueError as error:
            raise self._no_answer(body) from error
        value = bounds.shallow(value)
        fields = cast(dict[str, Any], value if isinstance(value, dict) else {})
        for name in ("response", "data", "result", "body"):
            within: Any = fields.get(name)
            if isinstance(within, dict) and "output" in within:
                fields = cast(dict[str, Any], within)
        output: Any = fields.get("output", fields.get("output_text"))
        if isinstance(output, str):
            fields = {**fields, "output": [{"type": "message", "content": output}]}
        elif not isinstance(output, list):
            raise self._error(value)
        self.complete = True
        yield from self._unheard(fields)
        status = fields.get("status")
        ended = status if status in _ENDS else "completed"
        self._end(f"response.{ended}", _response_of(fields))


def decode(data: bytes) -> _Told:
    """Return an event; raises ValueError for what is not JSON.

    An event whose fields have the wrong types is treated as empty.
    """
    try:
        return _decode(data)
    except msgspec.ValidationError:
        return _Told()
    except (RecursionError, msgspec.DecodeError, UnicodeDecodeError):
        value = _mended(data)
    try:
        return msgspec.convert(value, _Told)
    except msgspec.ValidationError:
        return _Told()


def _mended(data: bytes) -> Any:
    """Return the value of JSON that has a fault: too deep, half a character, NaN."""
    try:
        return bounds.decode(data)
    except ValueError:
        if len(data) > _MENDED_BYTES:
            raise
    try:
        text = bounds.without_deep(data).decode(errors="replace")
        return clean_builtins(json.loads(text))
    except RecursionError as error:
        raise ValueError(str(error)) from error


def _thinks(part: Any) -> bool:
    """Whether a part of a message is of its thoughts."""
    kind: Any = cast(dict[str, Any], part).get("type") if isinstance(part, dict) else ""
    return str(kind).startswith(("reasoning", "summary", "thinking"))


def _response_of(value: Any) -> _Response:
    try:
        return msgspec.convert(value, _Response)
    except msgspec.ValidationError:
        return _Response()


def _texts(parts: Any) -> Iterator[str]:
    """Yield the texts of an item's parts, of a refusal too."""
    if isinstance(parts, str):
        yield parts
    for part in cast(list[Any], parts) if isinstance(parts, list) else ():
        match part:
            case {"text": str(text)} | {"refusal": str(text)}:
                yield text
            case _:
                pass


def _as_of_chat(usage: dict[str, Any]) -> dict[str, Any]:
    """Return a count of tokens under the names of chat completions."""
    if "input_tokens" not in usage:
        return usage
    return {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "prompt_tokens_details": usage.get("input_tokens_details"),
        "completion_tokens_details": usage.get("output_tokens_details"),
        "cost": usage.get("cost"),
    }
