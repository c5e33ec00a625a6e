"""Converts a conversation to the JSON of the chat completions API.

Servers refuse the whole request for one odd message: a tool result without its
call, a call without its result, a name or arguments that are no name or JSON, an
empty answer, two turns of the user in a row. Histories have all of these (a turn
was cancelled, old messages were left out, a model wrote nonsense), so they are
mended here, at the border. Reasoning is not sent back.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

from tui.messages import Attachment, Message, ToolCall, ToolSchema
from tui.nearly_json import read_object

_TEXT_TYPES = re.compile(
    r"text/|application/(json|xml|toml|yaml|x-yaml|javascript|sql|x-sh)\b|.*\+(json|xml)$"
)


def wire_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return `messages` as the request's `messages`."""
    wire: list[dict[str, Any]] = []
    waiting: dict[str, str] = {}  # our id -> id on the wire, of calls without result
    for message in messages:
        if message.role == "tool":
            id = waiting.pop(message.tool_call_id or "", None)
            if id is None:
                # Its call was left out; as a tool message it would be refused.
                _add(wire, "user", f"Result of a tool: {message.text}")
            else:
                content = _flat(message)
                wire.append({"role": "tool", "tool_call_id": id, "content": content})
            continue
        _answer(wire, waiting)
        if message.role != "assistant":
            _add(wire, message.role, _content(message))
        elif message.tool_calls:
            calls = [_call(call, i) for i, call in enumerate(message.tool_calls)]
            # Content "" and not null, which templates of local servers write out.
            wire.append(
                {"role": "assistant", "content": message.text, "tool_calls": calls}
            )
            waiting = {
                call.id: sent["id"]
                for call, sent in zip(message.tool_calls, calls, strict=True)
            }
        elif message.text.strip():
            wire.append({"role": "assistant", "content": message.text})
    _answer(wire, waiting)
    return wire


def wire_tools(tools: Sequence[ToolSchema]) -> list[dict[str, Any]]:
    """Return `tools` as the request's `tools`."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                # Some servers insist on both, also when there are no parameters.
                "parameters": {"type": "object", "properties": {}} | tool.parameters,
            },
        }
        for tool in tools
    ]


def _add(wire: list[dict[str, Any]], role: str, content: Any) -> None:
    """Append a message; the user's follow-up joins what went unanswered.

    Some models' templates (Gemma, Mistral) refuse two messages of one role.
    """
    last = wire[-1] if wire else None
    if role == "user" and last and last["role"] == "user":
        if isinstance(content, str) and isinstance(last["content"], str):
            last["content"] += f"\n\n{content}"
        else:
            last["content"] = _parts(last["content"]) + _parts(content)
        return
    wire.append({"role": role, "content": content})


def _answer(wire: list[dict[str, Any]], waiting: dict[str, str]) -> None:
    """Give each call that was broken off a result."""
    for id in waiting.values():
        text = "Not run: the turn was broken off."
        wire.append({"role": "tool", "tool_call_id": id, "content": text})
    waiting.clear()


def _call(call: ToolCall, index: int) -> dict[str, Any]:
    arguments = call.arguments
    if isinstance(arguments, str):
        arguments = read_object(arguments) or {}
    return {
        "id": call.id or f"call_{index + 1}",
        "type": "function",
        "function": {
            # The tool message that follows says what was wrong with it.
            "name": re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unreadable",
            "arguments": json.dumps(arguments, ensure_ascii=False),
        },
    }


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Return text and attachments: parts only with images, which need them."""
    images = [a for a in message.attachments if _is_image(a)]
    if not images or message.role != "user":
        return _flat(message)
    files = [_file(a) for a in message.attachments if not _is_image(a)]
    text = "\n\n".join(filter(None, [message.text, *files]))
    return [*_parts(text), *map(_image, images)]


def _flat(message: Message) -> str:
    """Return a message that can only be text, its images by name."""
    files = [_note(a) if _is_image(a) else _file(a) for a in message.attachments]
    return "\n\n".join(filter(None, [message.text, *files]))


def _is_image(attachment: Attachment) -> bool:
    return attachment.media_type.startswith("image/")


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _image(attachment: Attachment) -> dict[str, Any]:
    data = base64.b64encode(attachment.data).decode()
    url = f"data:{attachment.media_type};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _file(attachment: Attachment) -> str:
    """Return a file as text of the message, fenced so that it cannot break out."""
    readable = "replace" if _TEXT_TYPES.match(attachment.media_type) else "strict"
    try:
        text = attachment.data.decode(errors=readable)
    except UnicodeDecodeError:
        return _note(attachment)
    if "\0" in text:
        return _note(attachment)
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if text.endswith("\n") else "\n"
    return f"{attachment.name}:\n{fence}\n{text}{end}{fence}"


def _note(attachment: Attachment) -> str:
    return (
        f"[{attachment.name} ({attachment.media_type}, {len(attachment.data):,} "
        "bytes) cannot be shown here.]"
    )
