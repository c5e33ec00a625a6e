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
from tui.errors import TooMuch
from tui.events import Event, clean_builtins
from tui.i18n import _
from tui.messages import Reply, Sealed, SealedReasoning
from tui.models.openai import envelopes, errors
from tui.models.openai.chunks import joined
from tui.models.openai.sse import SSEDecoder, is_done, is_nothing, once
from tui.models.openai.stream import AnswerReader, Response, value_of
from tui.models.reply import CALL_CHARACTERS, MOST_CALLS

_SEALED_CHARACTERS = 1 << 20
"""Of all that is sealed in one message; what is more is not kept, and not sent back."""
_MOST_SEALED = 256
_NAME_CHARACTERS = 1000
_MENDED_BYTES = 1 << 20
_TEXT = -1
_MOST_ITEMS = 10_000
"""Of one answer; an index beyond it is none."""

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
    arguments: Any = None
    response: _Response | None = None
    error: Any = None
    code: Any = None
    message: Any = None


class _Call:
    """A call that is being written."""

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name
        self.pieces: list[str] = []


_decode = msgspec.json.Decoder(_Told).decode


class ResponsesReader(AnswerReader):
    """Reads one response; create one for each."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        # What is sealed has an origin of its own; no fields are opaque here.
        self._origin = ""
        self._sealed_by = response.origin
        self._open: dict[int, _Call] = {}
        self._room = CALL_CHARACTERS
        self._parts: set[int] = set()
        """The calls by their index, and `_TEXT` if there is any."""
        self._heard: set[int] = set()
        """Items of which pieces have been shown."""
        self._ids: dict[str, int] = {}
        """Indexes of items by their ids, for servers that say only these."""
        self._event = ""
        self._text_item = -1
        self._thought = (-1, -1)
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

    def _index(self, told: _Told) -> int:
        index = told.output_index
        if isinstance(index, int) and 0 <= index < _MOST_ITEMS:
            return index
        id: Any = told.item_id
        if isinstance(told.item, dict):
            id = cast(dict[str, Any], told.item).get("id") or id
        if not isinstance(id, str) or len(self._ids) >= _MOST_ITEMS:
            return 0
        return self._ids.setdefault(id, len(self._ids))

    def _item(self, item: bytes) -> Iterator[Event]:
        item = self._halves.join(once(item))
        if is_nothing(item):
            return
        if is_done(item):
            if self._parts and not self._finish_reason:
                self._end("response.completed", _Response())
            return
        try:
            told = decode(item)
        except ValueError:
            self._unread(item)
            return
        self._ends_in_words = False
        index = self._index(told)
        type: Any = told.type or self._event or None
        match type:
            case "response.output_text.delta" | "response.refusal.delta":
                yield from self._said(told.delta, index)
            case "response.reasoning_summary_text.delta":
                yield from self._reasoning(told.delta, index, told.summary_index)
            case (
                "response.reasoning_text.delta"
                | "response.reasoning.delta"
                | "response.reasoning_summary.delta"
            ):
                yield from self._reasoning(joined(told.delta), index, None)
            case "response.reasoning_text.done" | "response.reasoning.done":
                if index not in self._heard:
                    yield from self._reasoning(told.text, index, None)
            case "response.output_item.added":
                yield from self._added(told.item, index)
            case "response.function_call_arguments.delta":
                self._arguments(told.delta, index)
            case "response.function_call_arguments.done":
                self._arguments(told.arguments, index, whole=True)
            case "response.output_item.done":
                yield from self._done(told.item, index)
            case "response.output_text.done" | "response.refusal.done":
                if index not in self._heard:
                    yield from self._said(told.text or told.refusal, index)
            case "response.content_part.done":
                if index not in self._heard:
                    for text in _texts([told.part]):
                        yield from self._said(text, index)
            case (
                "response.reasoning_summary_text.done"
                | "response.reasoning_summary_part.done"
            ):
                if index not in self._heard or self._thought != (
                    index,
                    told.summary_index,
                ):
                    text = told.text or joined(told.part)
                    yield from self._reasoning(text, index, told.summary_index)
            case (
                "response.completed"
                | "response.incomplete"
                | "response.failed"
                | "response.cancelled"
                | "response.done"
            ):
                yield from self._unheard(item)
                response = told.response or _Response()
                # What has happened is said twice, and not always alike.
                status = response.status
                ended = status if status in _ENDS else str(type).partition(".")[2]
                self._end(f"response.{ended}", response)
            case "error":
                self._fail({"code": told.code, "message": told.message}, told.error)
            case _:
                if told.error:
                    self._fail(told.error)
                elif told.type is None and envelopes.is_error(value_of(item)):
                    raise self._error(value_of(item))

    def _said(self, text: Any, index: int) -> Iterator[Event]:
        if not isinstance(text, str) or not text:
            return
        self._speaks()
        self._parts.add(_TEXT)
        if self._text_item not in (-1, index):
            yield from self._builder.text("\n\n")  # another message of the same answer
        self._text_item = index
        self._heard.add(index)
        yield from self._builder.text(text)

    def _reasoning(self, text: Any, index: int, part: Any) -> Iterator[Event]:
        if not isinstance(text, str) or not text:
            return
        self._speaks()
        thought = (index, part if isinstance(part, int) else -1)
        if self._thought not in ((-1, -1), thought):
            yield from self._builder.reasoning("\n\n")
        self._thought = thought
        self._heard.add(index)
        yield from self._builder.reasoning(text)

    def _speaks(self) -> None:
        self._last = time.monotonic()
        self._first = self._first or self._last

    def _added(self, item: Any, index: int) -> Iterator[Event]:
        match item:
            case {"type": "function_call", "name": str(name)}:
                self._begin(_id(item), name, index)
                self._speaks()
                yield self._builder.opened()
            case _:
                pass

    def _begin(self, id: str, name: str, index: int) -> _Call:
        if max(len(id), len(name)) > _NAME_CHARACTERS:
            raise TooMuch(
                _("a tool's name of more than {name_characters} characters").format(
                    name_characters=_NAME_CHARACTERS
                )
            )
        if index not in self._open and len(self._open) >= MOST_CALLS:
            raise TooMuch(
                _("more than {most_calls} tool calls at once").format(
                    most_calls=MOST_CALLS
                )
            )
        self._parts.add(index)
        return self._open.setdefault(index, _Call(id, name))

    def _arguments(self, text: Any, index: int, whole: bool = False) -> None:
        """Take a piece of a call's arguments, or all of them in place of the pieces."""
        call = self._open.get(index)
        if call is None or not isinstance(text, str):
            return
        if whole and call.pieces:
            if not text.strip():
                return  # some servers have none where they should be repeated
            self._room += sum(map(len, call.pieces))
            call.pieces.clear()
        self._room -= len(text)
        if self._room < 0:
            raise TooMuch(
                _("tool arguments of more than {call_characters} MB").format(
                    call_characters=CALL_CHARACTERS >> 20
                )
            )
        call.pieces.append(text)

    def _done(self, item: Any, index: int) -> Iterator[Event]:
        """Take an item that is whole, with what was not shown of it before."""
        match item:
            case {"type": "function_call", "name": str(name)}:
                if index not in self._open:
                    yield self._builder.opened()
                self._begin(_id(item), name, index)
                arguments = item.get("arguments")
                if isinstance(arguments, dict):
                    arguments = msgspec.json.encode(arguments).decode()
                self._arguments(arguments, index, whole=True)
            case {"type": "message"}:
                phase: Any = item.get("phase")
                if isinstance(phase, str) and len(phase) <= 64:
                    self._phase = phase
                if index not in self._heard:
                    for text in _texts(item.get("content")):
                        yield from self._said(text, index)
            case {"type": "reasoning"}:
                if index not in self._heard:
                    said = [*_texts(item.get("summary"))]
                    for number, text in enumerate(said or _texts(item.get("content"))):
                        yield from self._reasoning(text, index, number)
                self._seal(cast(dict[str, Any], item))
            case _:
                pass

    def _unheard(self, event: bytes) -> Iterator[Event]:
        """Take from the last event what no other event has told."""
        told = {"message"} if _TEXT in self._parts else set[str]()
        if self._sealed or self._thought != (-1, -1):
            told.add("reasoning")
        calls = {call.id: index for index, call in self._open.items()}
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            output: Any = bounds.shallow(_mended(event)["response"]["output"])
            for index, item in enumerate(output[:_MOST_ITEMS]):
                kind = item.get("type")
                if kind == "function_call" and calls:
                    known = calls.get(_id(item), -1)
                    if known >= 0 and not self._open[known].pieces:
                        yield from self._done(item, known)
                elif kind not in told:
                    yield from self._done(item, index)

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
        for index, call in self._open.items():
            function = {"name": call.name, "arguments": "".join(call.pieces)}
            self._calls.add([{"index": index, "id": call.id, "function": function}])
        usage = response.usage
        if isinstance(usage, dict):
            self._usage = _as_of_chat(cast(dict[str, Any], usage))
        if type == "response.failed":
            self._fail(response.error)
        if type == "response.cancelled":
            raise errors.dropped(_("it was cancelled there"), self._where)
        reason: Any = None
        if isinstance(response.incomplete_details, dict):
            details = cast(dict[str, Any], response.incomplete_details)
            reason = details.get("reason")
        cut = type == "response.incomplete"
        if cut and isinstance(reason, str) and reason:
            # A reason of a name that is not known is told.
            self._finish_reason = _FINISH.get(reason, reason)
        else:
            self._finish_reason = "length" if cut else "stop"

    def _fail(self, *told: Any) -> None:
        """Raise the error that the first of `told` with any words tells."""
        for error in told:
            fields = cast(dict[str, Any], error) if isinstance(error, dict) else {}
            if not (fields.get("message") or fields.get("code") or fields.get("error")):
                continue
            code = fields.get("code")
            if status := _STATUS.get(str(code)):
                error = {**fields, "code": status}
            elif not fields.get("message"):
                error = {**fields, "message": str(code)}
            raise self._error(error)
        text = told[-1] if told and isinstance(told[-1], str) else _("it has failed")
        raise self._error({"message": text})

    def _document(self, body: bytes) -> Iterator[Event]:
        """Take an answer that is one JSON document, or no answer at all."""
        self._refuse_page(body)
        try:
            value = _mended(body)
        except ValueError as error:
            raise self._no_answer(body) from error
        value = bounds.shallow(value)
        fields = cast(dict[str, Any], value if isinstance(value, dict) else {})
        output: Any = fields.get("output")
        if not isinstance(output, list):
            raise self._error(value)
        self.complete = True
        for index, item in enumerate(cast(list[Any], output)[:_MOST_ITEMS]):
            yield from self._done(item, index)
        status = fields.get("status")
        self._end(
            f"response.{status if status in _ENDS else 'completed'}",
            _Response(
                fields.get("usage"),
                fields.get("error"),
                fields.get("incomplete_details"),
            ),
        )


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


def _id(item: Any) -> str:
    """Return the id of a call, "" for none."""
    id: Any = item.get("call_id") or item.get("id")
    return id if isinstance(id, str) else ""


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
    return {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "prompt_tokens_details": usage.get("input_tokens_details"),
        "completion_tokens_details": usage.get("output_tokens_details"),
        "cost": usage.get("cost"),
    }
