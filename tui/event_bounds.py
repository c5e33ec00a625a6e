"""Bounds the values of events from outside: a damaged log, another program's export.

Only values are looked at, so this knows the fields of events but not their classes.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from tui import bounds
from tui.messages import Attachment, Message, ToolCall

MOST_FILES = 50
"""Most attachments of a message."""
_CURRENCY = 8
"""Most characters of a currency."""
_NAME = 255
"""Most characters of an attachment's name: as many as file systems allow."""
_DIGEST = re.compile("[0-9a-f]{64}")
_MOST_SHOWN, _MOST_NAMED = 200_000, 4_000
"""Characters of a question that are read: its effect, and each of its names."""


def bounded(kind: str, event: Any, data: bytes) -> Any:
    """Return `event`, of the kind `kind`, with its values bounded.

    `data` is its JSON, whose length tells what need not be looked at.
    """
    bound = _BOUND.get(kind)
    return bound(event, data) if bound else event


def _bound_message(event: Any, data: bytes) -> Any:
    if event.message.attachments:
        files = tuple(map(_bound_file, event.message.attachments[:MOST_FILES]))
        message = msgspec.structs.replace(event.message, attachments=files)
        event = msgspec.structs.replace(event, message=message)
    if not bounds.may_be_deep(data):
        return event
    message: Message = event.message
    calls = tuple(map(_bound_call, message.tool_calls))
    opaque = {} if bounds.is_deep(message.opaque) else message.opaque
    message = msgspec.structs.replace(message, tool_calls=calls, opaque=opaque)
    return msgspec.structs.replace(event, message=message)


def _bound_file(file: Attachment) -> Attachment:
    return msgspec.structs.replace(
        file,
        name=file.name[:_NAME],
        media_type=file.media_type[:_NAME],
        digest=file.digest if _DIGEST.fullmatch(file.digest) else "",
        size=bounds.count(file.size),
        about=file.about[:_NAME],
        lines=file.lines[:_NAME],
    )


def _bound_call(call: ToolCall) -> ToolCall:
    if bounds.is_deep(call.opaque):  # half of it would be of no use
        call = msgspec.structs.replace(call, opaque={})
    if isinstance(call.arguments, str) or not bounds.is_deep(call.arguments):
        return call
    return msgspec.structs.replace(call, arguments=bounds.shallow(call.arguments))


def _bound_started(event: Any, data: bytes) -> Any:
    if not bounds.may_be_deep(data):
        return event
    return msgspec.structs.replace(event, call=_bound_call(event.call))


def _bound_request(event: Any, data: bytes) -> Any:
    if not bounds.may_be_deep(data):
        return event
    return msgspec.structs.replace(event, options=bounds.shallow(event.options))


def _bound_configured(event: Any, data: bytes) -> Any:
    if not bounds.may_be_deep(data):
        return event
    return msgspec.structs.replace(event, options=bounds.shallow(event.options))


def _bound_fork(event: Any, data: bytes) -> Any:
    return msgspec.structs.replace(
        event, origin=event.origin[:_NAME], title=event.title[:_NAME]
    )


def _bound_owner(event: Any, data: bytes) -> Any:
    # No process has the pid 0.
    pid = event.pid if 0 < event.pid < 2**31 else 0
    start = bounds.count(event.process_start)
    return msgspec.structs.replace(event, pid=pid, process_start=start)


def _bound_tool(event: Any, data: bytes) -> Any:
    return msgspec.structs.replace(
        event,
        seconds=bounds.duration(event.seconds),
        output=event.output[: bounds.LONGEST_OUTPUT],
    )


def _bound_usage(event: Any, data: bytes) -> Any:
    return msgspec.structs.replace(
        event,
        input_tokens=bounds.count(event.input_tokens),
        output_tokens=bounds.count(event.output_tokens),
        seconds=bounds.duration(event.seconds),
        cached_tokens=bounds.count(event.cached_tokens),
        window=bounds.count(event.window),
        purpose=event.purpose[:_NAME],
        model=event.model[:_NAME],
        reasoning_tokens=bounds.count(event.reasoning_tokens),
        cost=bounds.money(event.cost),
        currency=event.currency[:_CURRENCY],
    )


def _bound_notice(event: Any, data: bytes) -> Any:
    return msgspec.structs.replace(event, left_out=bounds.count(event.left_out))


def _bound_retry(event: Any, data: bytes) -> Any:
    return msgspec.structs.replace(
        event,
        seconds=bounds.duration(event.seconds),
        attempt=bounds.count(event.attempt),
        most=bounds.count(event.most),
    )


def _bound_question(event: Any, data: bytes) -> Any:
    if len(data) <= _MOST_NAMED:
        return event
    names = ("tool", "origin", "kind", "subject", "pattern")
    bounded = {name: getattr(event, name)[:_MOST_NAMED] for name in names}
    return msgspec.structs.replace(event, text=event.text[:_MOST_SHOWN], **bounded)


_BOUND: dict[str, Callable[[Any, bytes], Any]] = {
    "message_added": _bound_message,
    "tool_call_started": _bound_started,
    "turn_requested": _bound_request,
    "conversation_configured": _bound_configured,
    "conversation_forked": _bound_fork,
    "turn_started": _bound_owner,
    "tool_call_finished": _bound_tool,
    "approval_requested": _bound_question,
    "usage_reported": _bound_usage,
    "notice_given": _bound_notice,
    "retry_scheduled": _bound_retry,
}
