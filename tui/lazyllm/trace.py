"""Describes events in one line, as the debug panel shows them."""

import json

from tui.events import (
    ErrorRaised,
    Event,
    MessageAdded,
    NoticeGiven,
    RetryScheduled,
    ToolCallFinished,
    ToolCallStarted,
    ToolProgressed,
)


def told(event: Event) -> str:
    """Return what `event` says of the inside of a turn, "" for nothing."""
    match event:
        case MessageAdded(_, message) if message.role == "assistant":
            return message.text
        case MessageAdded(_, message) if message.role == "tool":
            return f"result: {message.text}"
        case ToolCallStarted(call):
            arguments = call.arguments
            if not isinstance(arguments, str):
                arguments = json.dumps(arguments, ensure_ascii=False)
            return f"{call.name or 'unreadable call'}({arguments})"
        case ToolProgressed(_, text) | NoticeGiven(text) | ErrorRaised(_, text):
            return text
        case ToolCallFinished(_, seconds, error):
            return f"failed in {seconds:.2f} s" if error else f"done in {seconds:.2f} s"
        case RetryScheduled():
            return event.line
        case _:
            return ""
